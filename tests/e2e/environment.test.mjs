// Events of another environment than that of the API key. 1. They are stored, whatever EVENT_KEEP says, and change no
// connection and no rules. 2. Those that say nothing of their environment, or the same, do. 3. A key without a known prefix takes
// both.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionEvent, rulesEvent, sdkEvent } from "../emulator/events.mjs";
import { KEY_OF_NO_ENVIRONMENT, startGateway } from "./harness.mjs";

const ID = "conn_a";
const OTHER = "the event is of another environment than OFAUTH_API_KEY";

for (const [apiKey, own] of [["sk_live_e2e_0123456789", true], ["sk_sandbox_e2e_0123456789", false]]) {
  test(`under ${apiKey.slice(0, 11)}, events of the other environment are stored and change nothing`, async (t) => {
    const gateway = await startGateway({ apiKey, vars: { EVENT_KEEP: "" } });
    t.after(() => gateway.close());
    const show = () => gateway.call("GET", `/edge/connections/${ID}`);
    for (const type of ["connection.created", "connection.expired", "connection.disconnected"]) {
      const answer = await gateway.deliver(sdkEvent(type, { id: ID, live: !own }));
      assert.deepEqual([answer.status, answer.outcome], [200, "kept"], type);
      assert.equal((await gateway.lineOf(answer.headers["x-request-id"])).detail, OTHER);
    }
    assert.equal((await show()).status, 404);
    const { list } = (await gateway.call("GET", "/edge/events")).json();
    assert.deepEqual(list.map(({ type }) => type).sort(), ["connection.created", "connection.disconnected", "connection.expired"]);
    const rules = JSON.stringify({ ...rulesEvent(), live: !own });
    assert.equal((await gateway.deliver(rules)).outcome, "ignored");
    assert.equal(await (await gateway.kv()).get("rules"), null);

    assert.equal((await gateway.deliver(sdkEvent("connection.created", { id: ID, live: own }))).outcome, "applied");
    assert.equal((await gateway.deliver(connectionEvent("connection.expired", { id: ID }))).outcome, "applied");
    const before = (await show()).json();
    assert.equal((await gateway.deliver(sdkEvent("connection.disconnected", { id: ID, live: !own }))).outcome, "kept");
    assert.deepEqual([(await show()).json(), before.status, before.live], [before, "expired", own]);
  });
}

test("a key whose prefix says nothing takes events of both environments", async (t) => {
  const gateway = await startGateway({ apiKey: KEY_OF_NO_ENVIRONMENT });
  t.after(() => gateway.close());
  for (const live of [true, false]) {
    assert.equal((await gateway.deliver(sdkEvent("connection.created", { id: `conn_${live}`, live }))).outcome, "applied");
  }
});
