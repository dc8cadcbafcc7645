// Another STORAGE_KEY in front. 1. Passes encrypt records in ledgers, hubs and KV anew, and bodies of deliveries. The rules are when
// newer ones arrive. 2. They count what is left under each key, also under one that is not configured. 3. Then the old key can go,
// and nothing is lost. 4. A ledger does it when its alarm rings, without any pass. 5. A pass that is given up goes on to it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionEvent, rulesEvent } from "../emulator/events.mjs";
import { eventually, introduce, listAll, SECRETS, sessionOf, startGateway } from "./harness.mjs";
import { inHubWith } from "./hubs.mjs";
import { ageLedgerOf, dirtyLedgers, inLedgerOf, untilSettled } from "./ledgers.mjs";
import { inReconciler } from "./reconcilers.mjs";

const USER = "user_456";
const NEW_KEY = Buffer.alloc(32, "newer").toString("base64");
const BOTH = `${NEW_KEY},${SECRETS.STORAGE_KEY}`;

const keysOf = (state) => Object.fromEntries(Object.entries(state).filter(([key]) => key.startsWith("keys.")));
const keyId = (sealed) => Buffer.from(sealed).subarray(1, 5).toString("hex");

test("after a change of the key, passes encrypt all anew, count what is left, and the old key can go", async (t) => {
  const ids = ["conn_a", "conn_b", "conn_c"];
  let gateway = await startGateway();
  t.after(() => gateway.close());
  const { folder } = gateway;
  const handles = [];
  for (const id of ids) handles.push(await introduce(gateway, id));
  for (let seconds = 0; seconds < 40; seconds += 1) {
    const timestamp = new Date(Date.now() + seconds * 1_000).toISOString();
    await gateway.deliver(connectionEvent("connection.updated", { id: "conn_a", clientReferenceId: USER, timestamp }));
  }
  assert.equal((await gateway.deliver(rulesEvent())).status, 200);
  gateway.emulator.connections.put({ id: "conn_long", clientReferenceId: USER, permissions: Array.from({ length: 60 }, (_, place) => `permission-${place}:read`) });
  for (let pass = 0; pass < 3; pass += 1) {
    await gateway.reconcile();
    await untilSettled(folder);
  }
  const before = await listAll(gateway);
  const first = await gateway.reconcile();
  const oldId = first.sealedUnder;
  assert.deepEqual(Object.keys(keysOf(first)), [`keys.${oldId}`]);
  assert.ok(first[`keys.${oldId}`] >= 4 * 3 + 40 + 1, JSON.stringify(keysOf(first)));
  const saved = gateway.emulator.connections.save();
  const restart = async (key) => {
    await gateway.close({ keep: true });
    gateway = await startGateway({ folder, vars: { STORAGE_KEY: key } });
    gateway.emulator.connections.restore(saved);
  };

  await restart(BOTH);
  const second = await gateway.reconcile();
  await untilSettled(folder);
  const third = await gateway.reconcile();
  assert.equal(second.sealedUnder, oldId);
  const newId = Object.keys(keysOf(third)).find((key) => key !== `keys.${oldId}`).slice("keys.".length);
  assert.equal(third[`keys.${oldId}`], 1, "the rules");
  assert.equal((await gateway.deliver({ ...rulesEvent(), timestamp: new Date().toISOString() })).status, 200);
  const done = await gateway.reconcile();
  assert.deepEqual([done.sealedUnder, Object.keys(keysOf(done))], [newId, [`keys.${newId}`]]);
  assert.ok(done[`keys.${newId}`] >= first[`keys.${oldId}`], "the first walk was before the last facts");
  const kv = await gateway.kv();
  // An event stays as it is until its lifetime ends.
  const names = (await kv.list()).keys.map(({ name }) => name).filter((name) => !name.startsWith("event:"));
  assert.equal(names.length, 5);
  for (const name of names) assert.equal(keyId(await kv.get(name, "arrayBuffer")), newId, name);
  assert.equal((await gateway.reconcile()).keysCountedAt, done.keysCountedAt, "then nothing is woken");

  await restart(NEW_KEY);
  assert.deepEqual(await listAll(gateway), before);
  assert.deepEqual((await sessionOf(gateway, { sub: USER })("GET", "/edge/connections?limit=100")).json().total, 4);
  const { list } = (await gateway.call("GET", "/edge/connections/conn_a/events?limit=100")).json();
  assert.ok(list.filter(({ type }) => type.startsWith("connection.")).every(({ body }) => JSON.parse(body).data.connection.id === "conn_a"));
});

test("what is encrypted under a key that is not configured is counted, and the others are done", async (t) => {
  let gateway = await startGateway();
  t.after(() => gateway.close());
  const { folder } = gateway;
  await introduce(gateway, "conn_lost");
  await untilSettled(folder);
  await gateway.close({ keep: true });
  gateway = await startGateway({ folder, vars: { STORAGE_KEY: NEW_KEY } });
  await introduce(gateway, "conn_new");
  await untilSettled(folder);
  const state = await gateway.reconcile();
  assert.equal(state["keys.failed"], 1);
  assert.equal(Object.keys(keysOf(state)).length, 3, "the old key of KV's copy too");
  assert.equal(state.sealedUnder, undefined);
});

test("a ledger encrypts what it has anew when its alarm rings", async (t) => {
  let gateway = await startGateway();
  t.after(() => gateway.close());
  const { folder } = gateway;
  const handle = await introduce(gateway, "conn_a");
  await untilSettled(folder);
  await gateway.close({ keep: true });
  ageLedgerOf(folder, handle, () => {});
  gateway = await startGateway({ folder, vars: { STORAGE_KEY: BOTH } });
  const sealed = () => inLedgerOf(folder, handle, (ledger) => [
    ...ledger.prepare("SELECT record AS value FROM ledger UNION ALL SELECT body FROM deliveries").all(),
  ].map(({ value }) => keyId(value)));
  const kv = await gateway.kv();
  const inKv = async () => keyId(await kv.get(`conn:${handle}`, "arrayBuffer"));
  const old = inHubWith(folder, handle, (hub) => keyId(hub.prepare("SELECT record FROM connections").get().record));
  await eventually(async () => {
    assert.ok([...sealed(), await inKv()].every((id) => id !== old));
    assert.equal(dirtyLedgers(folder).length, 0);
  });
  assert.equal((await gateway.call("GET", "/edge/connections/conn_a")).status, 200);
});

test("a pass that is given up after nine failures goes on to encrypt all anew, and may fail as often again", async (t) => {
  let gateway = await startGateway();
  t.after(() => gateway.close());
  const { folder } = gateway;
  await introduce(gateway, "conn_a");
  await untilSettled(folder);
  const oldId = (await gateway.reconcile().then(() => gateway.reconcile())).sealedUnder;
  await gateway.close({ keep: true });
  // Eight slices have failed.
  inReconciler(folder, (reconciler) => reconciler.exec("UPDATE state SET value = iif(key = 'step', 2, 8) WHERE key IN ('step', 'failures')"));
  gateway = await startGateway({ folder, vars: { STORAGE_KEY: BOTH } });
  gateway.emulator.fault({ kind: "status", code: 502 });
  const state = await gateway.reconcile();
  assert.deepEqual([state.stopped, state.failures], ["failed", 0]);
  assert.ok(Object.keys(keysOf(state)).some((key) => key !== `keys.${oldId}`), JSON.stringify(state));
});
