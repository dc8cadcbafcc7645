// What OFAuth says to a call of the gateway's own that fails is meant for servers: a session is told what it means, and no id.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";

import { introduce, refusal, sessionOf, startGateway } from "./harness.mjs";

const server = http.createServer((request, response) => {
  const id = "conn_secret";
  response.writeHead(409, { "content-type": "application/json", "x-about": "conn_secret", location: "/cs_secret" });
  const error = `Connection ${id} is being linked`;
  response.end(JSON.stringify({ error, type: "CONFLICT", clientSecret: "cs_secret", id: "conn_secret" }));
}).listen(0, "127.0.0.1");
await once(server, "listening");
const gateway = await startGateway({
  vars: { OFAUTH_API_URL: `http://127.0.0.1:${server.address().port}`, APP_RETURN_URL: "https://app.example/" },
});
after(async () => {
  await gateway.close();
  server.close();
});

test("an error of OFAuth that names the id does not show it to a session or to the console", async () => {
  const handle = await introduce(gateway, "conn_secret");
  const session = sessionOf(gateway, { permissions: ["connections:write", "connections:link"] });
  const own = `/edge/connections/${handle}`;
  for (const [method, path] of [["DELETE", own], ["POST", `${own}/invalidate`], ["POST", "/v2/link/init"]]) {
    const answer = await session(method, path, { body: method === "POST" ? `{"connectionId":"${handle}"}` : undefined });
    assert.deepEqual(refusal(answer), [409, "CONFLICT"]);
    assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), /conn_secret|cs_secret/);
  }
});
