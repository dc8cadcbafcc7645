// Webhooks while everything around the gateway fails, and while the runtime is killed. Random deliveries about some connections
// come in any order, each in one to three requests, twenty requests at a time. KV fails one write in three and refuses those that
// come too soon, the hubs fail one call in five, and the app that gets the forwarded events fails one in four. Some of these
// failures come after the work is done. The runtime is killed in the midst of the deliveries, and once more after the last
// acknowledgement. Each time it is started again with what it had stored, and requests that were not acknowledged are
// sent again. In the end only the app still fails, and nothing is asked until KV, the hubs and the app have everything. Then:
//
// 1. alarms alone have finished what the last kill interrupted, 2. every delivery was accepted once, and is once in its
// connection's timeline, followed by the gateway's own event if it made the account another one, 3. every record is the one that
// fold.mjs makes of the deliveries (when its account became another one depends on their order, which the timeline has), 4. KV has
// the same records, 5. so have the users' hubs, 6. no user sees a connection of another user, 7. the app got every event that changed
// something, verified by the npm package, and with those alone that are newer than what it has, it has the same records.
//
// `make test-all` sends 1,000 deliveries about 50 connections and kills ten times, `make test` sends 100 about 5 and
// kills twice. The first line of output shows the seed. With SEED=… in the environment, a run sends the same deliveries in the
// same order again. Their times count from the start of the run, so ids that are hashes differ.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { isFull } from "../full.mjs";
import { randomFrom } from "../random.mjs";
import { assertHubs, assertKv, assertLedgers, assertTimeline, timelineOf, versionOf } from "./agreement.mjs";
import { randomDeliveries } from "./chaos-deliveries.mjs";
import { recordOf } from "./fold.mjs";
import { FORWARD_SECRET, startApp } from "./forwarding.mjs";
import { eventually, KEY_OF_NO_ENVIRONMENT, sessionOf, startGateway, unixNow } from "./harness.mjs";
import { dirtyLedgers, waitingForwards } from "./ledgers.mjs";
import { newReceiver } from "./receiver.mjs";

const { SEED = randomInt(2 ** 32) } = process.env;
const [COUNT, CONNECTIONS, KILLS] = isFull ? [1_000, 50, 10] : [100, 5, 2];
const USERS = ["user_a", "user_b", "user_c", "user_d", "user/ü & co=?"];
const AT_ONCE = 20;
const PATIENCE = { within: 240_000, every: 500 };
// No signature is too old, however slow the machine is.
const VARS = { WEBHOOK_TOLERANCE_SECONDS: "86400", FORWARD_SECRET };
const FAULTS = {
  seed: Number(SEED),
  gap: 1_500,
  put: ["fail", "lost", "limited", "limited", "limited", "limited"],
  hub: ["fail", "lost", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok"],
};
/** How the app fails. What is taken nevertheless comes again. */
const FAILURES = [{ status: 503 }, { status: 429, headers: { "retry-after": "1" } }, { hangUp: true }, { hangUp: true, isTaken: true }];
/** How often the app fails for one event. The waits double, so that without a limit one event might wait for many minutes. */
const MOST_FAILURES = 3;

const random = randomFrom(Number(SEED));
const ids = Array.from({ length: CONNECTIONS }, (_, index) => `conn_chaos${index}`);
const start = unixNow() - 3_600;
const deliveries = randomDeliveries(random, { count: COUNT, connections: ids, users: USERS, start });
const requests = random.shuffle(deliveries.flatMap((delivery) => delivery.requests));
/** When the runtime is killed: after how many requests, and how many ms later. */
const kills = randomKills();
const records = ids.map((id) => recordOf(id, deliveriesOf(id).map(({ fact }) => fact)));

const receiver = newReceiver(FORWARD_SECRET);
const randomAnswers = randomFrom(Number(SEED));
/** How often the app has failed for an event, by its digest. */
const failuresOfApp = new Map();

/** @type {import("./harness.mjs").Gateway} */
let gateway;
let services;
/** What ends after the tests. */
const closing = [];
/** The outcomes in the acknowledgements of each delivery. */
const heard = new Map(deliveries.map((delivery) => [delivery, []]));

console.log(`chaos: SEED=${SEED}, ${COUNT} deliveries about ${CONNECTIONS} connections`);

describe("after random deliveries, failures and kills", () => {
  before(async () => {
    const app = await startApp({ after: (close) => closing.push(close) });
    app.answer = (request) => {
      const id = request.headers["x-ofauth-edge-digest"];
      const failures = failuresOfApp.get(id) ?? 0;
      const fails = failures < MOST_FAILURES && randomAnswers.chance(25);
      const failure = fails ? randomAnswers.pick(FAILURES) : { isTaken: true };
      if (fails) failuresOfApp.set(id, failures + 1);
      if (failure.isTaken) receiver.take(request);
      return failure;
    };
    // A key of no environment may not forward to loopback by URL.
    services = { FORWARD: { external: { address: new URL(app.url).host, http: {} } } };
    gateway = await startFaulty();
    await deliverAll();
  });
  after(async () => {
    await gateway?.close();
    for (const close of closing) close();
  });

  test("alarms alone finish what the last kill interrupted", async () => {
    const isDone = () => assert.deepEqual([dirtyLedgers(gateway.folder), waitingForwards(gateway.folder)], [[], []]);
    await eventually(isDone, PATIENCE);
  });

  test("every delivery was accepted once, and is once in its connection's timeline", async () => {
    const check = async (record) => {
      const { id } = record;
      const sent = new Map(deliveriesOf(id).map((delivery) => [delivery.fact.id, delivery]));
      const { entries, made } = await assertTimeline(gateway, id, sent);
      assert.deepEqual(entries.map((entry) => entry.id).sort(), [...sent.keys()].sort(), id);
      for (const { id: delivery, outcome } of entries) {
        const answers = heard.get(sent.get(delivery)).filter((answer) => answer !== "duplicate");
        assert.deepEqual(answers, answers.length === 0 ? [] : [outcome], `${id}, ${delivery}`);
      }
      record.accountChangedAt = made.accountChangedAt;
    };
    await Promise.all(records.map(check));
    const changed = records.filter(({ accountChangedAt }) => accountChangedAt !== null);
    console.log(`chaos: ${changed.length} connections are with another account`);
  });

  test("every record is the one that the fold makes of the deliveries", () => assertLedgers(gateway, records));

  test("KV has every record, in a key's metadata and in its value", () => assertKv(gateway, records));

  test("every hub has its user's connections and no others", () => assertHubs(gateway, records, [...USERS, "user_nobody"]));

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

  test("the app got every event that changed something, and the newer ones make the same records", async () => {
    assert.deepEqual(receiver.refused, []);
    console.log(`chaos: the app dropped ${receiver.dropped()} events that it had`);
    for (const record of records) {
      const applied = (await timelineOf(gateway, record.id)).toReversed().filter(({ outcome }) => outcome === "applied");
      const { version, events } = receiver.taken(record.id);
      assert.deepEqual(events, applied.map(({ id, type, body }) => ({ id, type, body })), record.id);
      assert.deepEqual(receiver.recordOf(record.id), record);
      assert.equal(version, versionOf(gateway, record.handle), record.id);
    }
  });
});

/** A gateway among failures, with what an earlier one had stored. */
async function startFaulty(folder) {
  const started = await startGateway({ vars: VARS, services, apiKey: KEY_OF_NO_ENVIRONMENT, faults: true, folder });
  await started.fail(FAULTS);
  return started;
}

/**
 * Sends all requests, and each again until it is acknowledged. Kills the runtime as `kills` says, and once more after
 * the last acknowledgement.
 */
async function deliverAll() {
  if (gateway.pid === undefined) console.log("chaos: the runtime's process is not known here, so it is closed instead");
  const restarts = [];
  /** For each gateway that was killed, how many requests that cut off. */
  const cutOff = new Map();
  let [started, refused, failures] = [0, 0, 0];
  let running = Promise.resolve(gateway);
  const restart = async () => {
    const killed = gateway;
    failures += failuresOf(killed);
    cutOff.set(killed, 0);
    await killed.kill();
    gateway = await startFaulty(killed.folder);
    return gateway;
  };
  const isAcknowledged = async ({ delivery, headers }) => {
    const target = await running;
    started += 1;
    if (kills.has(started)) restarts.push(sleep(kills.get(started)).then(() => (running = running.then(restart))));
    const { body } = delivery;
    const answer = await target.send("POST", "/webhooks/ofauth", { headers, body }).catch((error) => ({ error }));
    if (answer.status === 200) heard.get(delivery).push(answer.json().outcome);
    else if (answer.status === 503 && answer.json().type !== "NOT_CONFIGURED") refused += 1;
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
  await gateway.fail({});
  const unheard = [...heard.values()].filter((outcomes) => outcomes.every((outcome) => outcome === "duplicate")).length;
  const counts = [...cutOff.values()].slice(0, KILLS);
  console.log(`chaos: ${started} requests, ${refused} answered 503, ${counts.join(" + ")} cut off by kills`);
  console.log(`chaos: ${unheard} deliveries were accepted although the answer was cut off`);
  console.log(`chaos: ${failures} writes to KV and messages to hubs failed`);
  assert.ok(failures > 0, "the platform failed");
  const [dirty, waiting] = [dirtyLedgers(gateway.folder).length, waitingForwards(gateway.folder).length];
  console.log(`chaos: the last kill interrupted ${dirty} ledgers, and ${waiting} events on their way to the app`);
  assert.ok(counts.length === KILLS && counts.every((count) => count > 0), "every kill in the midst cuts off requests");
}

/** How many lines of the log tell of a write to KV or a message to a hub that failed. */
function failuresOf({ logs }) {
  return logs.filter((line) => line.includes('"what":"projector"')).length;
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
