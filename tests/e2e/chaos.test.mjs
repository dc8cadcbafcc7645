// Webhooks while the runtime is killed. Random deliveries about some connections come in any order, each in one to three
// requests, twenty requests at a time. The runtime is killed in the midst of them, and once more after the last
// acknowledgement. Each time it is started again with what it had stored, and requests that were not acknowledged are
// sent again. In the end nothing is asked until KV and the hubs have every record. Then:
//
// 1. alarms alone have finished what the last kill interrupted, 2. every delivery was accepted once, and is once in its
// connection's timeline, 3. every record is the one that fold.mjs makes of the deliveries (when its account
// became another one depends on their order, which the timeline has), 4. KV has the same records,
// 5. so have the users' hubs, 6. no user sees a connection of another user.
//
// `make test-all` (CHAOS=full) sends 1,000 deliveries and kills ten times, `make test` sends 100 and kills twice. The
// first line of output shows the seed. With SEED=… in the environment, a run sends the same deliveries in the same order
// again. Their times count from the start of the run, so ids that are hashes differ.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { randomDeliveries, randomFrom } from "./chaos-deliveries.mjs";
import { accountChangesOf, handleOf, metadataOf, outcomesOf, recordOf } from "./fold.mjs";
import { eventually, KEY_OF_NO_ENVIRONMENT, listAll, sessionOf, startGateway, unixNow } from "./harness.mjs";
import { dirtyLedgers } from "./ledgers.mjs";

const { CHAOS, SEED = randomInt(2 ** 32) } = process.env;
const [COUNT, CONNECTIONS, KILLS] = CHAOS === "full" ? [1_000, 50, 10] : [100, 8, 2];
const USERS = ["user_a", "user_b", "user_c", "user_d", "user/ü & co=?"];
const AT_ONCE = 20;
const PATIENCE = 90_000;
const VARS = { WEBHOOK_TOLERANCE_SECONDS: "86400" }; // so that no signature is too old, however slow the machine is

const random = randomFrom(Number(SEED));
const ids = Array.from({ length: CONNECTIONS }, (_, index) => `conn_chaos${index}`);
const start = unixNow() - 3_600;
const deliveries = randomDeliveries(random, { count: COUNT, connections: ids, users: USERS, start });
const requests = random.shuffle(deliveries.flatMap((delivery) => delivery.requests));
/** When the runtime is killed: after how many requests, and how many ms later. */
const kills = randomKills();
const records = ids.map((id) => recordOf(id, deliveriesOf(id).map(({ fact }) => fact)));

/** @type {import("./harness.mjs").Gateway} */
let gateway;
/** The outcomes in the acknowledgements of each delivery. */
const heard = new Map(deliveries.map((delivery) => [delivery, []]));

console.log(`chaos: SEED=${SEED}, ${COUNT} deliveries about ${CONNECTIONS} connections`);

describe("after random deliveries and kills", () => {
  before(async () => {
    gateway = await startGateway({ vars: VARS, apiKey: KEY_OF_NO_ENVIRONMENT });
    await deliverAll();
  });
  after(() => gateway?.close());

  test("alarms alone finish what the last kill interrupted", async () => {
    const isDone = () => assert.deepEqual(dirtyLedgers(gateway.folder), []);
    await eventually(isDone, { within: PATIENCE, every: 500 });
  });

  test("every delivery was accepted once, and is once in its connection's timeline", async () => {
    const check = async (id) => {
      const sent = new Map(deliveriesOf(id).map((delivery) => [delivery.fact.id, delivery]));
      const all = (await timelineOf(id)).toReversed();
      const timeline = all.filter(isFromOFAuth);
      const shown = timeline.map(({ receivedAt: _, outcome: __, ...rest }) => rest);
      assert.deepEqual(shown.sort(byId), [...sent.values()].map(shownOf).sort(byId), id);
      const outcomes = timeline.map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, outcomesOf(timeline.map((entry) => sent.get(entry.id).fact)), id);
      const changes = accountChangesOf(timeline.map((entry) => sent.get(entry.id).fact));
      const told = all.filter((entry) => !isFromOFAuth(entry)).map((entry) => entry.id);
      assert.deepEqual(told, changes.map((fact) => `${fact.id}_account`), id);
      records.find((record) => record.id === id).accountChangedAt = changes.length === 0 ? null : new Date(changes.at(-1).stamp).toISOString();
      for (const { id: delivery, outcome } of timeline) {
        const answers = heard.get(sent.get(delivery)).filter((answer) => answer !== "duplicate");
        assert.deepEqual(answers, answers.length === 0 ? [] : [outcome], `${id}, ${delivery}`);
      }
    };
    await Promise.all(ids.map(check));
  });

  test("every record is the one that the fold makes of the deliveries", async () => {
    const answers = await Promise.all(records.map(({ handle }) => gateway.call("GET", `/edge/connections/${handle}`)));
    assert.deepEqual(answers.map((answer) => answer.json()), records);
  });

  test("KV has every record, in a key's metadata and in its value", async () => {
    const kv = await gateway.kv();
    const { keys } = await kv.list({ prefix: "conn:" });
    const inClear = keys.map(({ name, metadata: { summary: _, ...rest } }) => [name, rest]);
    const sorted = records.toSorted(byHandle);
    assert.deepEqual(inClear, sorted.map((record) => [`conn:${record.handle}`, metadataOf(record)]));
    assert.deepEqual(await listAll(gateway), sorted);
    // A list reads the values of keys whose metadata have no summary.
    for (const [name, metadata] of inClear) await kv.put(name, await kv.get(name, "arrayBuffer"), { metadata });
    assert.deepEqual(await listAll(gateway), sorted);
  });

  test("every hub has its user's connections and no others", async () => {
    for (const user of [...USERS, "user_nobody"]) {
      const own = records.filter(({ clientReferenceId }) => clientReferenceId === user).sort(byNewest);
      assert.deepEqual(await listAll(gateway, `&clientReferenceId=${encodeURIComponent(user)}`), own, user);
      const answer = await sessionOf(gateway, { sub: user })("GET", "/edge/connections?limit=100");
      assert.deepEqual(answer.json().list, own.map((record) => ({ ...record, id: record.handle })), user);
    }
  });

  test("no user sees a connection of another user", async () => {
    for (const user of USERS) {
      const session = sessionOf(gateway, { sub: user });
      const check = async ({ handle, clientReferenceId }) => {
        const status = clientReferenceId === user ? 200 : 404;
        for (const path of [handle, `${handle}/events?limit=1`]) {
          assert.equal((await session("GET", `/edge/connections/${path}`)).status, status, `${user}: ${path}`);
        }
      };
      await Promise.all(records.map(check));
    }
  });
});

/**
 * Sends all requests, and each again until it is acknowledged. Kills the runtime as `kills` says, and once more after
 * the last acknowledgement.
 */
async function deliverAll() {
  if (gateway.pid === undefined) console.log("chaos: the runtime's process is not known here, so it is closed instead");
  const restarts = [];
  /** For each gateway that was killed, how many requests that cut off. */
  const cutOff = new Map();
  let [started, refused] = [0, 0];
  let running = Promise.resolve(gateway);
  const restart = async () => {
    const killed = gateway;
    cutOff.set(killed, 0);
    await killed.kill();
    gateway = await startGateway({ vars: VARS, apiKey: KEY_OF_NO_ENVIRONMENT, folder: killed.folder });
    return gateway;
  };
  const isAcknowledged = async ({ delivery, headers }) => {
    const target = await running;
    started += 1;
    if (kills.has(started)) restarts.push(sleep(kills.get(started)).then(() => (running = running.then(restart))));
    const { body } = delivery;
    const answer = await target.send("POST", "/webhooks/ofauth", { headers, body }).catch((error) => ({ error }));
    if (answer.status === 200) heard.get(delivery).push(answer.json().outcome);
    else if (answer.status === 503) refused += 1;
    else if (answer.error && cutOff.has(target)) cutOff.set(target, cutOff.get(target) + 1);
    else assert.fail(`not accepted: ${answer.error ?? `${answer.status} ${answer.text}`}`);
    return answer.status === 200;
  };
  const queue = requests.values();
  const work = async () => {
    for (const request of queue) while (!(await isAcknowledged(request))) await sleep(100);
  };
  const workers = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  await Promise.all(restarts);
  for (const { reason } of workers) if (reason) throw reason;
  await restart();
  const unheard = [...heard.values()].filter((outcomes) => outcomes.every((outcome) => outcome === "duplicate")).length;
  const counts = [...cutOff.values()].slice(0, KILLS);
  console.log(`chaos: ${started} requests, ${refused} answered 503, ${counts.join(" + ")} cut off by kills`);
  console.log(`chaos: ${unheard} deliveries were accepted although the answer was cut off`);
  console.log(`chaos: ${dirtyLedgers(gateway.folder).length} ledgers were interrupted by the last kill`);
  assert.ok(counts.length === KILLS && counts.every((count) => count > 0), "every kill in the midst cuts off requests");
}

/** In equal parts of the first four fifths of the requests, one kill each. */
function randomKills() {
  const half = Math.floor((0.4 * requests.length) / KILLS);
  const afterRequests = (index) => (2 * index + 1) * half + random.integer(half);
  return new Map(Array.from({ length: KILLS }, (_, index) => [afterRequests(index), random.integer(60)]));
}

function deliveriesOf(id) {
  return deliveries.filter(({ connection }) => connection === id);
}

function isFromOFAuth({ type }) {
  return type !== "edge.connection.account_changed";
}

/** All of a connection's timeline, newest first. */
async function timelineOf(id) {
  const list = [];
  for (let cursor; ; ) {
    const query = `limit=7${cursor ? `&cursor=${cursor}` : ""}`;
    const page = await gateway.call("GET", `/edge/connections/${handleOf(id)}/events?${query}`);
    assert.equal(page.status, 200, page.text);
    list.push(...page.json().list);
    cursor = page.json().cursor;
    if (!cursor) return list;
  }
}

/** A delivery as a timeline shows it, without what depends on the order of arrival. */
function shownOf({ body, fact: { id, type, stamp } }) {
  return { id, type, stamp: new Date(stamp).toISOString(), encoding: "utf8", body };
}

function byId(a, b) {
  return a.id < b.id ? -1 : 1;
}

function byHandle(a, b) {
  return a.handle < b.handle ? -1 : 1;
}

function byNewest(a, b) {
  return a.updatedAt === b.updatedAt ? byHandle(a, b) : a.updatedAt < b.updatedAt ? 1 : -1;
}
