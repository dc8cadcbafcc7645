// GET /edge/status: 1. it says whether everything is all right, and what to do, 2. a gateway key and the console may read it,
// 3. it shows what it knows if metrics are not there, 4. it shows how many forwards wait and are parked, 5. the passes of the
// reconciliation, and what each storage key encrypts, 6. uses of secrets and keys stay with them after a rotation.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { startForwarding } from "./forwarding.mjs";
import { consoleOf, eventually, introduce, refusal, SECRETS, sessionOf, startGateway } from "./harness.mjs";
import { addCounts } from "./metrics.mjs";

const gateway = await startGateway({ watched: true });
after(() => gateway.close());

test("the status is all right after the first webhook, until something is wrong", async () => {
  const minute = Math.floor(Date.now() / 60_000);
  assert.equal((await statusOf(gateway)).lastWebhook.ok, false);
  await introduce(gateway, "conn_1");
  const good = await eventually(async () => {
    const status = await statusOf(gateway);
    assert.equal(status.ok, true, JSON.stringify(status));
    return status;
  }, { within: 20_000, every: 500 });
  assert.ok(Math.abs(Date.parse(good.lastWebhook.value) - Date.now()) < 120_000);
  assert.deepEqual(good.expiredConnections.value, { expired: 0, of: 1, all: true });
  const [ofauth, svix, ...others] = good.webhookSecrets.value;
  assert.deepEqual([ofauth.place, ofauth.uses, svix.place, svix.uses, svix.lastUsed, others], [1, 1, 1, 0, null, []]);
  assert.match(`${ofauth.code} ${svix.code}`, /^ofauth:[\da-f]{8} svix:[\da-f]{8}$/);
  const [key, ...otherKeys] = good.gatewayKeys.value;
  assert.ok(/^[\da-f]{8}$/.test(key.code) && key.place === 1 && key.uses >= 1 && key.lastUsed, JSON.stringify(key));
  assert.deepEqual(otherKeys, []);
  assert.deepEqual([good.storageKeys.ok, ...Object.values(good.storageKeys.value.counts)], [null, null]);
  assert.deepEqual([good.reconciliation.ok, good.reconciliation.value.completedAt], [null, null], "no pass has ended yet");
  assert.deepEqual([good.failingDeliveries, good.parkedForwards].map(({ ok, value }) => [ok, value]), Array(2).fill([true, null]), "nothing is forwarded");

  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_1", clientReferenceId: "user_456" }));
  await addCounts(gateway, minute - 30, "webhook_rejected SIGNATURE_MISMATCH 2\n", 2);
  await addCounts(gateway, minute - 70, "webhook_rejected MISSING_HEADERS 2\n", 1);
  const bad = await eventually(async () => {
    const status = await statusOf(gateway);
    assert.equal(status.expiredConnections.ok, false);
    return status;
  });
  assert.equal(bad.ok, false);
  assert.deepEqual(bad.rejectedWebhooks.value, { SIGNATURE_MISMATCH: 2 });
  const wrong = Object.values(bad).filter(({ ok }) => ok === false);
  assert.deepEqual(wrong.map(({ name }) => name).sort(), ["expiredConnections", "rejectedWebhooks"]);
  for (const { hint } of wrong) assert.ok(hint.length > 10);
});

test("a gateway key and the console may read the status, and nobody else", async () => {
  assert.equal((await (await consoleOf(gateway))("GET", "/edge/status")).status, 200);
  refusal(await sessionOf(gateway, {})("GET", "/edge/status"), 403, "PERMISSION_DENIED");
  refusal(await gateway.send("GET", "/edge/status"), 401, "CREDENTIALS_MISSING");
});

test("the status shows no secret, no id and no handle", async () => {
  const { text } = await gateway.call("GET", "/edge/status");
  const [{ handle }] = (await gateway.call("GET", "/edge/connections")).json().list;
  for (const hidden of [...Object.values(SECRETS), "conn_1", handle, "user_456"]) assert.ok(!text.includes(hidden), hidden);
});

test("the status shows the rest without metrics", async () => {
  const bare = await startGateway({ metrics: false, vars: { EVENT_KEEP: "*.*" } });
  try {
    const { lastWebhook, configuration, expiredConnections } = await statusOf(bare);
    assert.deepEqual([lastWebhook.ok, configuration.ok, expiredConnections.ok], [null, false, true]);
    assert.match(configuration.value[0], /^EVENT_KEEP: item 1/);
  } finally {
    await bare.close();
  }
});

test("forwards that wait or are parked are counted until the app has taken them", async (t) => {
  const { app, gateway: forwarding } = await startForwarding(t);
  const counts = async () => {
    const { failingDeliveries, parkedForwards } = await statusOf(forwarding);
    return [failingDeliveries, parkedForwards].map(({ ok, value }) => [ok, value]);
  };
  assert.deepEqual(await counts(), [[true, 0], [true, 0]]);
  app.answer = ({ body }) => ({ status: body.includes("conn_gone") ? 410 : 503 });
  for (const id of ["conn_gone", "conn_again", "conn_too"]) await introduce(forwarding, id);
  await eventually(async () => assert.deepEqual(await counts(), [[false, 2], [false, 1]]));
  app.answer = () => ({});
  const { list } = (await forwarding.call("GET", "/edge/deliveries")).json();
  assert.equal((await forwarding.call("POST", `/edge/deliveries/${list[0].id}/replay`)).status, 202);
  await eventually(async () => assert.deepEqual(await counts(), [[true, 0], [true, 0]]), { within: 20_000 });
});

test("the status shows passes, why one stopped, and what each storage key encrypts", async (t) => {
  const passing = await startGateway();
  t.after(() => passing.close());
  await introduce(passing, "conn_pass");
  passing.emulator.fault({ kind: "refuse", type: "UNAUTHORIZED", match: { path: "/v2/account/connections" } });
  await passing.reconcile();
  const { reconciliation: stopped } = await statusOf(passing);
  assert.deepEqual([stopped.ok, stopped.value.stopped, stopped.value.completedAt], [false, "refused", null]);
  assert.match(stopped.hint, /OFAUTH_API_KEY/);
  passing.emulator.heal();
  const state = await passing.reconcile();
  const { reconciliation, storageKeys } = await statusOf(passing);
  assert.deepEqual([reconciliation.ok, reconciliation.value.stopped], [true, null]);
  assert.equal(Date.parse(reconciliation.value.completedAt), state.completedAt);
  const [[id, count]] = Object.entries(storageKeys.value.counts);
  assert.deepEqual([storageKeys.ok, id, count], [true, state.sealedUnder, state[`keys.${state.sealedUnder}`]]);
  assert.equal(Date.parse(storageKeys.value.countedAt), state.keysCountedAt);
});

test("after a rotation, uses stay with their secret and key, and those of removed ones are shown after the list", async (t) => {
  const counted = await statusOf(gateway);
  await gateway.close({ keep: true });
  const vars = { OFAUTH_WEBHOOK_SECRET: `whsec_new,${SECRETS.OFAUTH_WEBHOOK_SECRET}`, GATEWAY_KEY: "new-key-0123456789-0123456789-0123456789" };
  const rotated = await startGateway({ folder: gateway.folder, vars });
  t.after(() => rotated.close());
  const { webhookSecrets: { value: [newest, old, ...others] }, gatewayKeys: { value: keys } } = await statusOf(rotated);
  const [before] = counted.webhookSecrets.value;
  assert.deepEqual([newest.place, newest.uses, newest.lastUsed], [1, 0, null], "the new one has no use of the old one");
  assert.ok(before.uses >= 1);
  assert.deepEqual([old.code, old.place, old.uses >= before.uses, others.map(({ place }) => place)], [before.code, 2, true, [1]]);
  assert.deepEqual(keys.map(({ place, uses }) => [place, uses > 0]), [[1, false], [null, true]]);
  assert.equal(keys[1].code, counted.gatewayKeys.value[0].code);
});

async function statusOf(gateway) {
  const answer = await gateway.call("GET", "/edge/status");
  assert.equal(answer.status, 200, answer.text);
  const { ok, lines } = answer.json();
  return { ok, ...Object.fromEntries(lines.map((line) => [line.name, line])) };
}
