// A 200 of /v2/access/self that cannot be read says nothing of the session: health must not call it healthy.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";

import { introduce, startGateway } from "./harness.mjs";

const gateway = await startGateway();
let reply;
const server = http.createServer((request, response) => reply(response)).listen(0, "127.0.0.1");
await once(server, "listening");
const told = await startGateway({ vars: { OFAUTH_API_URL: `http://127.0.0.1:${server.address().port}` } });
after(async () => {
  await gateway.close();
  await told.close();
  server.close();
  server.closeAllConnections();
});

test("a 200 whose body breaks off or does not come is not healthy", async () => {
  for (const rule of [{ kind: "dropMidway" }, { kind: "slowBody", ms: 15_000 }]) {
    const id = `conn_${rule.kind}`;
    const handle = await introduce(gateway, id);
    gateway.emulator.fault({ ...rule, match: { connection: id } });
    const { verdict } = (await gateway.call("GET", `/edge/connections/${handle}/health`)).json();
    assert.equal(verdict, "upstream_down", rule.kind);
  }
});

test("a 200 with a proxy's page, with nothing, or without a word about the session is not healthy", async () => {
  const handle = await introduce(told, "conn_pages");
  const verdicts = {};
  for (const [name, type, body] of [
    ["html", "text/html", "<h1>Sign in to the Wi-Fi</h1>"],
    ["nothing", "application/json", ""],
    ["broken", "application/json", "{"],
    ["list", "application/json", "[]"],
    ["204", "", null],
  ]) {
    reply = (response) => (body === null ? response.writeHead(204).end() : response.writeHead(200, { "content-type": type }).end(body));
    verdicts[name] = (await told.call("GET", `/edge/connections/${handle}/health`)).json().verdict;
  }
  assert.ok(Object.values(verdicts).every((verdict) => verdict !== "healthy"), JSON.stringify(verdicts));
});
