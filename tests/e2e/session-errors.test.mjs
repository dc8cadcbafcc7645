// A session ends its own connection by an account route of OFAuth's: what that says when it fails is meant for servers.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";

import { introduce, sessionOf, startGateway } from "./harness.mjs";

const server = http.createServer((request, response) => {
  const id = decodeURIComponent(request.url.split("/")[4]);
  response.writeHead(409, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: `Connection ${id} is being linked`, type: "CONFLICT", requestId: "req_1" }));
}).listen(0, "127.0.0.1");
await once(server, "listening");
const gateway = await startGateway({ vars: { OFAUTH_API_URL: `http://127.0.0.1:${server.address().port}` } });
after(async () => {
  await gateway.close();
  server.close();
});

test("an error that names the id does not show it to a session or to the console", async () => {
  const handle = await introduce(gateway, "conn_secret");
  const session = sessionOf(gateway, { permissions: ["connections:write"] });
  for (const [method, under] of [["DELETE", ""], ["POST", "/invalidate"]]) {
    const answer = await session(method, `/edge/connections/${handle}${under}`);
    assert.equal(answer.status, 409);
    assert.ok(!answer.text.includes("conn_secret"), answer.text);
  }
});
