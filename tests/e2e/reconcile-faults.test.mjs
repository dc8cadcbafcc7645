// Reconciliation and metrics while the platform fails: 1. a pass that ledgers, hubs and KV interrupt ends exact when they work again,
// 2. the status shows what it knows meanwhile, 3. what was counted while the metrics failed is not lost, 4. a ledger asks the
// metrics for nothing if the app takes an event.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { FORWARD_SECRET, startApp } from "./forwarding.mjs";
import { eventually, introduce, listAll, sessionOf, startGateway } from "./harness.mjs";
import { untilSettled } from "./ledgers.mjs";

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
const { connections } = gateway.emulator;

const LONG_AGO = "2026-01-02T03:04:05.678Z";
const MODES = [
  ["ledgers fail", { ledger: "fail" }],
  ["ledgers work and their answers are lost", { ledger: "lost" }],
  ["everything fails", { ledger: "fail", hub: "fail", read: "fail", put: "fail", metrics: "fail" }],
];

for (const [round, [what, modes]] of MODES.entries()) {
  test(`${what} during a pass: it ends exact`, { timeout: 120_000 }, async () => {
    const user = `user_${round}`;
    const ids = Array.from({ length: 50 }, (_, place) => `conn_${round}_${place}`);
    for (const id of ids) connections.put({ id, clientReferenceId: user, createdAt: LONG_AGO, updatedAt: LONG_AGO });
    // Some are known, and wrong: their webhook was lost.
    for (const id of ids.slice(0, 3)) {
      await introduce(gateway, id, { user });
      connections.put({ id, clientReferenceId: user, status: "expired", updatedAt: new Date(Date.now() + 1_000).toISOString() });
    }
    await gateway.fail(modes);
    await gateway.cron();
    await eventually(async () => (await gateway.reconciler()).failures > 0, { within: 20_000 });
    await gateway.fail({});
    const state = await eventually(async () => {
      const state = await gateway.reconciler();
      return state.step === 0 && state;
    }, { within: 60_000 });
    assert.deepEqual([state.stopped, state.passes, state.listed], [null, round + 1, connections.all().length]);

    await untilSettled(gateway.folder, { within: 60_000 });
    const expected = connections.all().map(({ id, status }) => `${id} ${status}`).sort();
    assert.deepEqual((await listAll(gateway)).map(({ id, status }) => `${id} ${status}`).sort(), expected, "KV");
    const statuses = connections.all().filter(({ clientReferenceId }) => clientReferenceId === user).map(({ status }) => status).sort();
    const { list } = (await sessionOf(gateway, { sub: user })("GET", "/edge/connections?limit=100")).json();
    assert.deepEqual(list.map(({ status }) => status).sort(), statuses, "the hub");
    for (const id of [ids[0], ids[5], ids[49]]) {
      const events = (await gateway.call("GET", `/edge/connections/${id}/events`)).json().list.map(({ type }) => type);
      assert.deepEqual(events.filter((type) => type === "edge.listed").length, 1, `${id}: ${events}`);
    }
  });
}

test("the status shows what it knows while storage fails", async (t) => {
  const app = await startApp(t);
  const failing = await startGateway({ faults: true, vars: { FORWARD_URL: app.url, FORWARD_SECRET } });
  t.after(() => failing.close());
  await failing.fail({ ledger: "fail", hub: "fail", read: "fail", metrics: "fail" });
  const answer = await failing.call("GET", "/edge/status");
  assert.equal(answer.status, 200, answer.text);
  const lines = Object.fromEntries(answer.json().lines.map(({ name, ok }) => [name, ok]));
  const { configuration, lastWebhook, failingDeliveries, parkedForwards, expiredConnections } = lines;
  assert.deepEqual([configuration, lastWebhook, failingDeliveries, parkedForwards, expiredConnections], [true, null, null, null, null]);
});

test("what was counted while the metrics failed is handed over later, and nothing waits for it", async () => {
  const total = async () => (await gateway.call("GET", "/edge/metrics")).json().total;
  const before = (await total()).webhook_accepted.ignored ?? 0;
  await gateway.fail({ metrics: "fail" });
  for (let count = 0; count < 3; count += 1) {
    const { status, outcome, ms } = await gateway.deliver({ type: "realtime.some.thing" });
    assert.deepEqual([status, outcome, ms < 1_000], [200, "ignored", true], `${ms} ms`);
  }
  const failures = () => gateway.logs.filter((line) => line.includes('"what":"metrics"')).length;
  const known = failures();
  await eventually(() => failures() > known, { within: 20_000, every: 200 });
  await gateway.fail({});
  await gateway.deliver(connectionEvent("connection.updated", { id: "conn_0_0" }));
  await eventually(async () => assert.equal((await total()).webhook_accepted.ignored, before + 3), { within: 20_000, every: 500 });
});

test("an event that the app takes costs no request to the metrics, and one that fails is counted at once", async (t) => {
  const app = await startApp(t);
  const forwarding = await startGateway({ faults: true, vars: { FORWARD_URL: app.url, FORWARD_SECRET } });
  t.after(() => forwarding.close());
  const metricsAsked = async () => (await forwarding.accesses()).metrics ?? 0;
  await introduce(forwarding, "conn_taken");
  // The batch of the isolate, which no event causes.
  await eventually(async () => (await metricsAsked()) > 0, { within: 20_000, every: 200 });
  await introduce(forwarding, "conn_taken_too");
  await eventually(() => app.requests.length === 2);
  await sleep(2_000);
  assert.equal(await metricsAsked(), 0);
  app.answer = () => ({ status: 503 });
  await introduce(forwarding, "conn_refused");
  await eventually(async () => (await metricsAsked()) === 1, { within: 3_000 });
});
