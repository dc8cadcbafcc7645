// Connection ids that are no ids: a segment of /edge/connections/* must never change the path of the call to OFAuth.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { introduce, sessionOf, startGateway } from "./harness.mjs";

const gateway = await startGateway();
after(() => gateway.close());
const { emulator } = gateway;

for (const [what, names] of [
  ["a dot segment", ["..", ".", "%2e%2e", "%2E", ".%2e"]],
  ["a slash or backslash, or what decodes to one", ["..%2Fwhoami", "a%2Fb", "..%5C..", "a%5cb", "%252e%252e", "a%252fb"]],
]) {
  test(`${what} names no connection, and OFAuth is not asked`, async () => {
    const reached = [];
    for (const name of names) {
      for (const [method, under] of [["DELETE", ""], ["POST", "/invalidate"]]) {
        emulator.clear();
        const head = `${method} /edge/connections/${name}${under} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`;
        const answer = await gateway.raw(`${head}apikey: ${gateway.vars.GATEWAY_KEY}\r\ncontent-length: 0\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 4/, name);
        for (const { path } of emulator.requests) reached.push(`${method} ${name}${under} -> ${path}`);
      }
    }
    assert.deepEqual(reached, []);
  });
}

test("a webhook whose connection id is a dot segment is kept as an event, and makes no connection", async () => {
  for (const id of ["..", "."]) {
    const { status, outcome } = await gateway.deliver(connectionEvent("connection.created", { id, clientReferenceId: "user_dots" }));
    assert.deepEqual([status, outcome], [200, "kept"], id);
  }
  assert.deepEqual((await sessionOf(gateway, { sub: "user_dots" })("GET", "/edge/connections")).json().list, []);
});

test("a connection whose id has the form of a handle is found, called, invalidated and deleted by that id", async () => {
  const id = "acct_00112233445566778899aabbccddeeff";
  const handle = await introduce(gateway, id);
  assert.notEqual(handle, id);
  assert.equal((await gateway.call("GET", `/edge/connections/${id}`)).json().handle, handle);
  const called = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
  assert.equal(called.status, 200, called.text);
  for (const path of [`/edge/connections/${id}`, `/v2/account/connections/${id}`]) {
    assert.equal((await gateway.call("POST", `${path}/invalidate`)).status, 200, path);
  }
  assert.equal((await gateway.call("DELETE", `/edge/connections/${id}`)).status, 200);
  assert.equal(emulator.connections.get(id), undefined);
});
