// A tombstone is final, so only OFAuth's own word may set it: that the connection is not there (404 RESOURCE_NOT_FOUND, or
// not_found), or that it was deleted. A proxy's page, or a route that moved, says nothing of the connection.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";

import { introduce, startGateway } from "./harness.mjs";

let reply;
const server = http.createServer((request, response) => {
  response.writeHead(reply.status, { "content-type": reply.type }).end(reply.body);
}).listen(0, "127.0.0.1");
await once(server, "listening");
const gateway = await startGateway({ vars: { OFAUTH_API_URL: `http://127.0.0.1:${server.address().port}` } });
after(async () => {
  await gateway.close();
  server.close();
});

for (const [name, status, type, body] of [
  ["a 404 of a route", 404, "application/json", '{"error":"Route not found","type":"ROUTE_NOT_FOUND","requestId":"req_1"}'],
  ["a proxy's 404", 404, "text/html", "<h1>404</h1>"],
  ["somebody's page", 200, "text/html", "<h1>Sign in to the Wi-Fi</h1>"],
]) {
  for (const base of ["/edge/connections", "/v2/account/connections"]) {
    test(`${name} does not end a connection: DELETE ${base}`, async () => {
      const id = `conn_${name.replace(/\W/g, "")}${base.length}`;
      await introduce(gateway, id);
      reply = { status, type, body };
      await gateway.call("DELETE", `${base}/${id}`);
      assert.equal((await gateway.call("GET", `/edge/connections/${id}`)).json().status, "active");
    });
  }
}
