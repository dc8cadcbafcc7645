// What the tests of connections that are ended or invalidated share: such connections, and what became of them.

import assert from "node:assert/strict";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { introduce, sessionOf, startGateway } from "./harness.mjs";

export const USER = "user_456";
export const WRITE = Object.freeze(["connections:write"]);

/** A gateway with so many active connections of the user's, which `link` gives one by one. */
export async function startManaged(size) {
  const gateway = await startGateway({ faults: true });
  after(() => gateway.close());
  const { emulator } = gateway;
  let count = 0;
  const spare = await Promise.all(Array.from({ length: size }, () => newLink()));
  await sleep(1_000); // a change waits that long for the put before it
  return { gateway, emulator, link, newLink, recordOf, seenBy, recorded, asked };

  /** A connection of the user's, as active as any. */
  function link() {
    const one = spare.pop();
    if (!one) throw new Error("make more to spare");
    return one;
  }

  async function newLink(user = USER, status = "active") {
    count += 1;
    const id = `conn_managed${String(count).padStart(3, "0")}`;
    return { id, handle: await introduce(gateway, id, { user, status }) };
  }

  async function recordOf(id) {
    const answer = await gateway.call("GET", `/edge/connections/${encodeURIComponent(id)}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }

  async function seenBy(sub, handle) {
    const answer = await sessionOf(gateway, { sub })("GET", `/edge/connections/${handle}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }

  /** What OFAuth was asked to do to a connection. */
  function recorded(id) {
    return emulator.requests.filter(({ path }) => path.includes(id));
  }

  function asked(id) {
    return recorded(id).map(({ method, path }) => [method, path]);
  }
}
