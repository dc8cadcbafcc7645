// A connection ended or invalidated from here, 1. while the ledger, KV or the hub fails, 2. several times at once and with
// webhooks meanwhile, 3. before a restart.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, listAll, refusal, sessionOf, startGateway } from "./harness.mjs";
import { startManaged, USER, WRITE } from "./managed.mjs";

const { gateway, emulator, link, recordOf, seenBy, recorded, asked } = await startManaged(8);

test("while the ledger fails a delete is 503 and OFAuth is not asked, and repeated it succeeds", async () => {
  const session = sessionOf(gateway, { permissions: WRITE });
  for (const mode of ["fail", "lost"]) {
    const { id, handle } = link();
    await gateway.fail({ ledger: mode });
    const failed = await session("DELETE", `/edge/connections/${handle}`);
    assert.deepEqual([...refusal(failed), failed.headers["retry-after"]], [503, "STORAGE_UNAVAILABLE", "2"], mode);
    assert.equal(failed.headers["x-ofauth-edge-action"], "retry");
    assert.deepEqual(refusal(await gateway.call("DELETE", `/edge/connections/${handle}`)), [503, "STORAGE_UNAVAILABLE"]);
    assert.equal(asked(id).length, 0, "whose it is cannot be looked up");
    await gateway.fail({});
    assert.equal((await session("DELETE", `/edge/connections/${handle}`)).status, 200, mode);
    assert.deepEqual(recorded(id).map(({ status }) => status), [200], mode);
    assert.equal((await recordOf(id)).status, "disconnected", mode);
  }
});

test("a delete whose entry fails after OFAuth's is 503 too, and repeated it succeeds although OFAuth then says 404", async () => {
  for (const [method, under, status] of [["DELETE", "", "disconnected"], ["POST", "/invalidate", "expired"]]) {
    const { id, handle } = link();
    emulator.fault({ kind: "slow", ms: 300, times: 1 });
    const failed = gateway.call(method, `/edge/connections/${handle}${under}`);
    await eventually(() => asked(id).length === 1, { every: 5 });
    await gateway.fail({ ledger: "fail" });
    assert.deepEqual(refusal(await failed), [503, "STORAGE_UNAVAILABLE"], method);
    await gateway.fail({});
    assert.equal((await gateway.call(method, `/edge/connections/${id}${under}`)).status, 200, method);
    assert.equal((await recordOf(id)).status, status);
  }
});

test("a delete succeeds while KV and the hub fail, and they hear of it later", async () => {
  const { id, handle } = link();
  await gateway.fail({ put: "fail", hub: "fail" });
  assert.equal((await gateway.call("DELETE", `/edge/connections/${handle}`)).status, 200);
  assert.equal((await recordOf(id)).status, "disconnected");
  await gateway.fail({});
  await eventually(async () => {
    assert.equal((await seenBy(USER, handle)).status, "disconnected");
    assert.equal((await listAll(gateway)).find((record) => record.id === id).status, "disconnected");
  }, { every: 200 });
});

test("many deletes at the same time succeed, and so does one while webhooks of all types come", async () => {
  const { id, handle } = link();
  const url = `http://127.0.0.1:${gateway.port}/webhooks/ofauth`;
  emulator.outbox.sendTo({ url, ofauthSecret: gateway.vars.OFAUTH_WEBHOOK_SECRET });
  emulator.set({ accountWebhook: "before" });
  const session = sessionOf(gateway, { permissions: WRITE });
  const event = (index) => {
    const timestamp = new Date(Date.now() + index).toISOString();
    const type = `connection.${["created", "updated", "expired", "disconnected"][index % 4]}`;
    return gateway.deliver(connectionEvent(type, { id, clientReferenceId: USER, timestamp }));
  };
  const callers = [gateway.call, session, gateway.call, session];
  const deletes = callers.map((call) => call("DELETE", `/edge/connections/${handle}`));
  const events = Array.from({ length: 8 }, (_, index) => event(index));
  for (const answer of await Promise.all([...deletes, ...events])) assert.equal(answer.status, 200, answer.text);
  assert.equal((await recordOf(id)).status, "disconnected");
  assert.equal((await seenBy(USER, handle)).status, "disconnected");
  await eventually(async () => {
    assert.equal((await listAll(gateway)).find((record) => record.id === id).status, "disconnected");
  });
});

test("a delete that has reached only the ledger goes on after a restart", async (t) => {
  const own = await startGateway({ faults: true });
  t.after(() => own.close());
  const handle = await introduce(own, "conn_half", { user: USER });
  await eventually(async () => assert.equal((await listAll(own)).length, 1));
  await own.fail({ put: "fail", hub: "fail" });
  assert.equal((await own.call("DELETE", `/edge/connections/${handle}`)).status, 200);
  await own.close({ keep: true });
  const again = await startGateway({ folder: own.folder });
  t.after(() => again.close());
  await eventually(async () => {
    assert.deepEqual((await listAll(again)).map(({ status }) => status), ["disconnected"]);
    const { list } = (await sessionOf(again, {})("GET", "/edge/connections")).json();
    assert.deepEqual(list.map(({ status }) => status), ["disconnected"]);
  }, { within: 20_000, every: 200 });
});
