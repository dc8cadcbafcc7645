// DELETE /edge/users/{clientReferenceId} 1. while KV, the hub or a ledger fails, 2. with writes under way, 3. before a restart,
// 4. several times at once and with webhooks meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent, realtimeEvent } from "../emulator/events.mjs";
import { eventually, introduce, listAll, refusal, sessionOf, startGateway } from "./harness.mjs";
import { startUsers } from "./users.mjs";

const { gateway, emulator, newUser, path, asked, assertGone, everythingShown } = await startUsers();
/** Users with an active connection each, made early: a change waits a second for the put before it. */
const spare = await Promise.all(Array.from({ length: 5 }, () => newUser(["active"])));

test("while the hub or a ledger is down the answer is 503 and OFAuth is not asked to delete, and repeated it succeeds", async () => {
  for (const modes of [{ hub: "fail" }, { ledger: "fail" }, { ledger: "lost" }]) {
    const { user, ids, handles } = spare.pop();
    await gateway.fail(modes);
    const failed = await gateway.call("DELETE", path(user));
    assert.deepEqual(refusal(failed), [503, "STORAGE_UNAVAILABLE"], JSON.stringify(modes));
    assert.deepEqual(asked(ids[0]), [], JSON.stringify(modes));
    await gateway.fail({});
    const done = await gateway.call("DELETE", path(user));
    assert.equal(done.status, 200, done.text);
    await assertGone(user, ids, handles);
  }
});

test("while KV fails the answer is 503, because kept events stay, and repeated it succeeds", async () => {
  const { user, ids, handles } = spare.pop();
  await gateway.deliver(realtimeEvent("typing", { id: ids[0], clientReferenceId: user }));
  for (const modes of [{ put: "fail" }, { read: "fail" }]) {
    await gateway.fail(modes);
    assert.deepEqual(refusal(await gateway.call("DELETE", path(user))), [503, "STORAGE_UNAVAILABLE"], JSON.stringify(modes));
  }
  await gateway.fail({});
  assert.equal((await gateway.call("DELETE", path(user))).status, 200);
  await assertGone(user, ids, handles);
  assert.ok(!(await everythingShown()).includes(user));
});

test("a late put to KV, and a late message to the hub, bring nothing back", async () => {
  const { user, ids, handles } = spare.pop();
  const change = () => gateway.deliver(connectionEvent("connection.updated", { id: ids[0], clientReferenceId: user }));
  await gateway.fail({ put: "hang", hub: "late" });
  assert.equal((await change()).outcome, "applied");
  await gateway.fail({ put: "hang" });
  assert.equal((await gateway.call("DELETE", path(user))).json().deleted, 1);
  await gateway.fail({});
  await sleep(3_500); // until then it is on its way
  await assertGone(user, ids, handles);
});

test("after a restart KV and the hub get what they had not heard before", async (t) => {
  const own = await startGateway({ faults: true });
  t.after(() => own.close());
  const handle = await introduce(own, "conn_erased", { user: "user_erased" });
  await introduce(own, "conn_kept", { user: "user_kept" });
  await eventually(async () => assert.equal((await listAll(own)).length, 2));
  own.emulator.fault({ kind: "slow", ms: 300, times: 1 });
  const answer = own.call("DELETE", path("user_erased"));
  await eventually(() => own.emulator.requests.some(({ method }) => method === "DELETE"), { every: 5 });
  await own.fail({ put: "fail", hub: "fail" });
  assert.deepEqual(refusal(await answer), [503, "STORAGE_UNAVAILABLE"], "pending Link sessions are the hub's");
  await own.close({ keep: true });

  const again = await startGateway({ folder: own.folder });
  t.after(() => again.close());
  assert.equal((await again.call("GET", `/edge/connections/${handle}`)).status, 404, "the ledger knows at once");
  await eventually(async () => {
    assert.deepEqual((await listAll(again)).map(({ id }) => id), ["conn_kept"]);
    const { list } = (await sessionOf(again, { sub: "user_erased" })("GET", "/edge/connections")).json();
    assert.deepEqual(list, []);
  }, { within: 20_000, every: 200 });
  const late = connectionEvent("connection.created", { id: "conn_erased", clientReferenceId: "user_erased" });
  assert.equal((await again.deliver(late)).outcome, "stale");
  assert.equal((await again.call("GET", "/edge/connections/conn_erased")).status, 404);
});

test("several deletions at the same time, while webhooks come, are all answered, and the user is gone", async () => {
  const { user, ids, handles } = await newUser(["active", "expired", "active"]);
  const url = `http://127.0.0.1:${gateway.port}/webhooks/ofauth`;
  emulator.outbox.sendTo({ url, ofauthSecret: gateway.vars.OFAUTH_WEBHOOK_SECRET });
  emulator.set({ accountWebhook: "before" });
  const deletes = [1, 2, 3].map(() => gateway.call("DELETE", path(user)));
  const single = gateway.call("DELETE", `/edge/connections/${ids[0]}`);
  const tell = (id, type) => gateway.deliver(connectionEvent(`connection.${type}`, { id, clientReferenceId: user }));
  const events = ids.flatMap((id) => ["updated", "expired", "created"].map((type) => tell(id, type)));
  for (const answer of await Promise.all([...deletes, ...events])) assert.equal(answer.status, 200, answer.text);
  assert.ok([200, 404].includes((await single).status));
  emulator.outbox.sendTo({});
  await assertGone(user, ids, handles);
});
