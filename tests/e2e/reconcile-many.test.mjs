// Many connections at OFAuth, whose list changes while it is read, and of which webhooks tell only a part. The runtime is killed in
// the midst of the first pass. Then: 1. after the changes have ended, passes make the records those of the list, 2. what OFAuth
// does not have any more is missing, and nothing else is, 3. STORAGE_KEY is rotated while webhooks arrive and are forwarded, until
// the old key is not needed, also for the events that the app takes only then. Each time a record's status has the reason that is
// newest in its timeline, and the account is another one since the event that says so, right after its cause.
//
// `make test-all` has 2,500 connections, `make test` 250. The first line of output shows the seed. With SEED=… in the
// environment, a run makes the same changes, but not at the same moments.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { isFull } from "../full.mjs";
import { randomFrom } from "../random.mjs";
import { assertLedgers, timelineOf } from "./agreement.mjs";
import { ACCOUNT_CHANGED } from "./fold.mjs";
import { FORWARD_SECRET, startApp } from "./forwarding.mjs";
import { eventually, listAll, SECRETS, startGateway } from "./harness.mjs";
import { untilSettled, waitingForwards } from "./ledgers.mjs";
import { newReceiver } from "./receiver.mjs";
import { ageAbsences } from "./reconcilers.mjs";

const { SEED = randomInt(2 ** 32) } = process.env;
const COUNT = isFull ? 2_500 : 250;
const PATIENCE = { within: 600_000, every: 200 };
const STATUSES = ["active", "active", "active", "expired", "awaiting_2fa"];
const NEW_KEY = Buffer.alloc(32, "newer").toString("base64");
const DAY = 86_400_000;
/** What names a status in a timeline here. Of those of the same time, the last one wins. */
const RANKS = ["connection.updated", "edge.listed", "edge.missing"];

const random = randomFrom(Number(SEED));
console.log(`reconcile: SEED=${SEED}, ${COUNT} connections`);

describe("with many connections", () => {
  /** @type {import("./harness.mjs").Gateway} */
  let gateway;
  let [created, removed] = [0, 0];

  const connections = () => gateway.emulator.connections;
  const settled = () => untilSettled(gateway.folder, PATIENCE);
  /** Ends the gateway and starts it again with what it had stored. OFAuth stays as it was. */
  const restart = async ({ kill = false, vars } = {}, work) => {
    const { folder, emulator } = gateway;
    const saved = emulator.connections.save();
    await (kill ? gateway.kill() : gateway.close({ keep: true }));
    work?.(folder);
    gateway = await startGateway({ folder, vars });
    connections().restore(saved);
  };
  /** Passes until one finds nothing to repair. */
  const agree = async () => {
    for (let pass = 0; pass < 6; pass += 1) {
      await settled();
      const { repaired, imported, stopped } = await gateway.reconcile(PATIENCE);
      assert.equal(stopped, null);
      if (pass > 1 && repaired + imported === 0) return;
    }
    assert.fail("the records do not follow the list");
  };

  before(async () => {
    gateway = await startGateway();
    for (let place = 0; place < COUNT; place += 1) add({ age: random.integer(300) * DAY });
    await tell(random.shuffle(connections().all()).slice(0, COUNT / 10));
    await settled();
    await changeDuring(async () => {
      await gateway.cron();
      await eventually(async () => (await gateway.reconciler()).imported >= COUNT / 4, PATIENCE);
    });
    await restart({ kill: true });
    await changeDuring(() => eventually(async () => (await gateway.reconciler()).step === 0, PATIENCE));
    await settled();
    await changeDuring(() => gateway.reconcile(PATIENCE));
  });
  after(() => gateway?.close());

  test("the records become those of the list, although it changed while it was read", async () => {
    await agree();
    await assertExact();
  });

  test("what OFAuth has no more is missing, and nothing else", async () => {
    await restart({}, ageAbsences);
    await agree();
    await restart({}, ageAbsences);
    await agree();
    await assertExact();
    const isListed = ({ id }) => connections().get(id) !== undefined;
    const gone = (await listAll(gateway)).filter((record) => !isListed(record));
    assert.ok(gone.length > 0);
    // One that was changed shortly before it was deleted is newer than the passes that missed it.
    const wrong = gone.filter(({ status, updatedAt }) => status !== "missing" && Date.parse(updatedAt) < Date.now() - 600_000);
    assert.deepEqual(wrong, []);
    assert.ok((await listAll(gateway, "&status=missing")).every((record) => !isListed(record)));
  });

  test("a key is rotated while webhooks arrive and are forwarded, until nothing needs it", async (t) => {
    const app = await startApp(t);
    const receiver = newReceiver(FORWARD_SECRET);
    let isOpen = false;
    app.answer = (request, index) => {
      // Until the old key is gone, the app refuses most events. They wait, encrypted under it.
      if (!isOpen && index % 4 > 0) return { status: 503, headers: { "retry-after": "5" } };
      receiver.take(request);
      return {};
    };
    const forwarding = { FORWARD_URL: app.url, FORWARD_SECRET };
    await restart({ vars: forwarding });
    const since = new Date().toISOString();
    const { sealedUnder: old } = await gateway.reconciler();
    const applied = new Map();
    const change = async () => {
      const [item] = random.shuffle(connections().all());
      const changes = random.chance(30) ? { userData: randomAccount() } : { permissions: [`permission-${random.integer(100)}:read`] };
      const body = await tell([connections().put({ id: item.id, ...changes })]);
      if (body) applied.set(item.id, [...(applied.get(item.id) ?? []), body]);
    };
    for (let count = 0; count < 40; count += 1) await change();
    await restart({ vars: { ...forwarding, STORAGE_KEY: `${NEW_KEY},${SECRETS.STORAGE_KEY}` } });
    assert.ok(waitingForwards(gateway.folder).length > 10, "events wait under the old key");
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        await change();
        await sleep(20);
      }
    })();
    const state = await eventually(async () => {
      const now = await gateway.reconcile(PATIENCE);
      return now.sealedUnder !== old && now;
    }, PATIENCE);
    isOver = true;
    await traffic;
    const ids = Object.keys(state).filter((key) => key.startsWith("keys."));
    assert.deepEqual(ids, [`keys.${state.sealedUnder}`]);
    assert.ok(state[ids[0]] >= 3 * COUNT * 0.8, "ledger, hub and KV");
    assert.ok(waitingForwards(gateway.folder).length > 0, "events wait still");
    isOpen = true;
    await restart({ vars: { ...forwarding, STORAGE_KEY: NEW_KEY } });
    // They may have waited for so long that the next attempt is minutes away.
    const first = new Map(waitingForwards(gateway.folder).toReversed().map(({ handle, id }) => [handle, id]));
    for (const id of first.values()) await gateway.call("POST", `/edge/deliveries/${id}/replay`);
    await eventually(() => assert.deepEqual(waitingForwards(gateway.folder), []), PATIENCE);
    assert.deepEqual(receiver.refused, []);
    const isOwn = ({ type }) => type === ACCOUNT_CHANGED;
    for (const id of new Set([...applied.keys(), ...receiver.ids()])) {
      const timeline = (await timelineOf(gateway, id)).toReversed().filter(({ receivedAt }) => receivedAt >= since);
      const events = timeline.filter((entry) => entry.outcome === "applied" && (!entry.type.startsWith("edge.") || isOwn(entry)));
      const taken = receiver.taken(id)?.events ?? [];
      assert.deepEqual(taken, events.map(({ id: digest, type, body }) => ({ id: digest, type, body })), id);
      assert.deepEqual(taken.filter((event) => !isOwn(event)).map(({ body }) => body), applied.get(id) ?? [], id);
    }
    assert.ok(receiver.ids().some((id) => receiver.taken(id).events.some(isOwn)), "an account became another one");
    await agree();
    await assertExact();
    assert.equal((await gateway.reconciler()).unreadable, 0);
  });

  function add({ age = 0 } = {}) {
    created += 1;
    const [createdAt, updatedAt] = [age, age * random.integer(100) / 100].map((ago) => new Date(Date.now() - ago).toISOString());
    const status = random.pick(STATUSES);
    const clientReferenceId = random.pick([null, ...Array.from({ length: 9 }, () => `user_${random.integer(COUNT / 5)}`)]);
    const expiredAt = status === "expired" ? updatedAt : null;
    return connections().put({ id: `conn_${created}`, status, clientReferenceId, createdAt, updatedAt, expiredAt, imported: random.pick([true, false]) });
  }

  /** OFAuth's webhooks about these connections. Answers the body of the last one that changed something. */
  async function tell(items) {
    let applied;
    for (const { id, clientReferenceId, status, permissions, userData, updatedAt } of items) {
      const event = connectionEvent("connection.updated", { id, clientReferenceId, status, permissions, userData, timestamp: updatedAt });
      const body = JSON.stringify(event);
      const answer = await gateway.deliver(body);
      assert.equal(answer.status, 200, answer.text);
      if (answer.outcome === "applied") applied = body;
    }
    return applied;
  }

  /** Changes the list, and tells a quarter of it, until `work` is done. */
  async function changeDuring(work) {
    let isOver = false;
    const done = work().finally(() => (isOver = true));
    while (!isOver) {
      const { id } = random.pick(connections().all());
      const change = random.integer(10);
      if (change === 0 && removed < COUNT / 12) {
        connections().remove(id);
        removed += 1;
      } else {
        const userData = random.chance(10) ? randomAccount() : { name: `Name ${random.integer(100)}` };
        const item = change < 3 ? add() : connections().put({ id, status: random.pick(STATUSES), userData });
        if (random.integer(4) === 0) await tell([item]);
      }
      await sleep(50);
    }
    await done;
  }

  /** All that the list says, the records say, and the timelines say why. */
  async function assertExact() {
    const records = new Map((await listAll(gateway)).map((record) => [record.id, record]));
    const shown = ({ id, status, permissions, clientReferenceId, userData, imported }) => ({ id, status, permissions, clientReferenceId, userData, imported });
    for (const item of connections().all()) {
      const record = records.get(item.id);
      assert.deepEqual(record && shown(record), shown(item), item.id);
      assert.ok(record.createdAt && (record.status !== "expired" || record.expiredAt), item.id);
    }
    const rest = records.values();
    const work = async () => {
      for (const record of rest) {
        await assertLedgers(gateway, [record]);
        await assertReasons(record);
      }
    };
    await Promise.all(Array.from({ length: 10 }, work));
  }

  /** The timeline says why the record has its status, and since when it is with another account. */
  async function assertReasons({ id, statusReason, platformUserId, accountChangedAt }) {
    const timeline = (await timelineOf(gateway, id)).toReversed();
    const unknown = timeline.filter(({ type }) => type !== ACCOUNT_CHANGED && !RANKS.includes(type));
    assert.deepEqual(unknown, [], id);
    const order = (a, b) => Date.parse(a.stamp) - Date.parse(b.stamp) || RANKS.indexOf(a.type) - RANKS.indexOf(b.type);
    const { type, stamp } = timeline.filter((entry) => entry.type !== ACCOUNT_CHANGED).sort(order).at(-1);
    assert.deepEqual(statusReason, { type, at: stamp }, id);
    let account;
    for (const [index, change] of timeline.entries()) {
      if (change.type !== ACCOUNT_CHANGED) continue;
      const cause = timeline[index - 1];
      assert.deepEqual([change.id, change.stamp, cause.outcome], [`${cause.id}_account`, cause.stamp, "applied"], id);
      const { connection } = JSON.parse(change.body).data;
      assert.equal(connection.formerPlatformUserId, account ?? connection.formerPlatformUserId, id);
      assert.notEqual(connection.formerPlatformUserId, connection.platformUserId, id);
      account = connection.platformUserId;
    }
    assert.equal(platformUserId, account ?? platformUserId, id);
    assert.equal(accountChangedAt, timeline.findLast((entry) => entry.type === ACCOUNT_CHANGED)?.stamp ?? null, id);
  }

  function randomAccount() {
    return { id: String(900_000_000 + random.integer(1_000)) };
  }
});
