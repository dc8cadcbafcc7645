// GET /edge/status: 1. it says whether everything is all right, and what to do, 2. a gateway key and the console may read it,
// 3. it shows what it knows if metrics are not there.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { consoleOf, eventually, introduce, refusal, SECRETS, sessionOf, startGateway } from "./harness.mjs";
import { addCounts } from "./metrics.mjs";

const gateway = await startGateway({ watched: true });
after(() => gateway.close());

test("everything is all right once a webhook has come, until something is wrong", async () => {
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
  assert.deepEqual(Object.keys(good.webhookSecrets.value), ["ofauth:1", "svix:1"]);
  assert.ok(good.webhookSecrets.value["ofauth:1"] && good.webhookSecrets.value["svix:1"] === null);
  assert.ok(good.gatewayKeys.value["1"]);
  assert.equal(good.storageKeys.value.length, 1);
  assert.deepEqual([good.reconciliation, good.failingDeliveries, good.parkedForwards].map(({ ok, value }) => [ok, value]), Array(3).fill([null, null]));

  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_1", clientReferenceId: "user_456" }));
  await addCounts(gateway, minute - 30, "webhook_rejected SIGNATURE_MISMATCH 2\nreconciliation stopped 1\nforward parked 3\n", 2);
  await addCounts(gateway, minute - 70, "webhook_rejected MISSING_HEADERS 2\n", 1);
  const bad = await eventually(async () => {
    const status = await statusOf(gateway);
    assert.equal(status.expiredConnections.ok, false);
    return status;
  });
  assert.equal(bad.ok, false);
  assert.deepEqual(bad.rejectedWebhooks.value, { SIGNATURE_MISMATCH: 2 });
  assert.deepEqual(bad.parkedForwards.value, { parked: 3 });
  const wrong = Object.values(bad).filter(({ ok }) => ok === false);
  assert.deepEqual(wrong.map(({ name }) => name).sort(), ["expiredConnections", "parkedForwards", "reconciliation", "rejectedWebhooks"]);
  for (const { hint } of wrong) assert.ok(hint.length > 10);
});

test("a gateway key and the console may read it, and nobody else", async () => {
  assert.equal((await (await consoleOf(gateway))("GET", "/edge/status")).status, 200);
  refusal(await sessionOf(gateway, {})("GET", "/edge/status"), 403, "PERMISSION_DENIED");
  refusal(await gateway.send("GET", "/edge/status"), 401, "CREDENTIALS_MISSING");
});

test("it shows no secret, no id and no handle", async () => {
  const { text } = await gateway.call("GET", "/edge/status");
  const [{ handle }] = (await gateway.call("GET", "/edge/connections")).json().list;
  for (const hidden of [...Object.values(SECRETS), "conn_1", handle, "user_456"]) assert.ok(!text.includes(hidden), hidden);
});

test("without metrics it shows the rest", async () => {
  const bare = await startGateway({ metrics: false, vars: { EVENT_KEEP: "*.*" } });
  try {
    const { lastWebhook, configuration, expiredConnections } = await statusOf(bare);
    assert.deepEqual([lastWebhook.ok, configuration.ok, expiredConnections.ok], [null, false, true]);
    assert.match(configuration.value[0], /^EVENT_KEEP: item 1/);
  } finally {
    await bare.close();
  }
});

async function statusOf(gateway) {
  const answer = await gateway.call("GET", "/edge/status");
  assert.equal(answer.status, 200, answer.text);
  const { ok, lines } = answer.json();
  return { ok, ...Object.fromEntries(lines.map((line) => [line.name, line])) };
}
