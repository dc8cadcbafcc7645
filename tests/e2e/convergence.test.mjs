// What the gateway promises for the time after a fault: the ledgers, KV and the hubs agree, though nobody has asked it for anything
// since, and nothing that was acknowledged is missing. In each test random deliveries come while something fails or the runtime is
// killed. Deliveries that were not acknowledged are not sent again, unless the test says so. Then:
//
// 1. alarms alone end what the fault has left, 2. every acknowledged delivery is in a timeline, once, 3. every record is the one
// that fold.mjs makes of its timeline, which has the gateway's own events after their causes, 4. KV and the hubs have the same records.
//
// `make test-all` runs all of them. `make test` leaves out five of the slowest: those of SLOW_FAULTS, and the one with all
// faults at once, of which each is in another test.
//
// The first line of output shows the seed. With SEED=… in the environment, a run sends the same deliveries and picks the same
// failures, but not at the same moments.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { isFull } from "../full.mjs";
import { randomFrom } from "../random.mjs";
import { assertHubs, assertKv, assertLedgers, assertTimeline } from "./agreement.mjs";
import { randomDeliveries } from "./chaos-deliveries.mjs";
import { handleOf } from "./fold.mjs";
import { eventually, introduce, KEY_OF_NO_ENVIRONMENT, startGateway, unixNow } from "./harness.mjs";
import { dirtyLedgers, untilSettled } from "./ledgers.mjs";

const { SEED: SEED_TEXT = randomInt(2 ** 32) } = process.env;
const SEED = Number(SEED_TEXT);
const OK = Array(5).fill("ok");
const FAULTS = {
  "KV is slow": { put: "slow" },
  "KV does not answer": { put: "hang" },
  "KV takes fewer writes per key than it promises": { put: "limited", gap: 3_000 },
  "KV shows what was there a minute ago": { read: "stale" },
  "KV cannot be read": { read: "fail" },
  "the hubs hear late": { hub: "late" },
  "the ledgers cannot be reached": { ledger: "fail" },
  "the ledgers' answers are lost": { ledger: "lost" },
};
/** They take longest. chaos.test.mjs has them too, and the test that deletes a user has all but KV's lost answers. */
const SLOW_FAULTS = {
  "KV fails": { put: "fail" },
  "KV writes, and its answers are lost": { put: "lost" },
  "the hubs fail": { hub: "fail" },
  "the hubs' answers are lost": { hub: "lost" },
};
const ALL_FAULTS = {
  gap: 1_500,
  put: ["fail", "lost", "slow", "hang", "limited", "limited", "limited", "limited"],
  read: ["fail", "stale", ...OK],
  ledger: ["fail", "lost", ...OK],
  hub: ["fail", "lost", "late", ...OK],
};
const USERS = ["user_a", "user_b", "user_c"];
const VARS = { WEBHOOK_TOLERANCE_SECONDS: "86400" };
const PATIENCE = { within: 120_000, every: 200 };
const GONE = "user_gone";
const GONE_IDS = Array.from({ length: 12 }, (_, index) => `conn_gone${index}`);

console.log(`convergence: SEED=${SEED}`);

describe("after a fault all agree, and nothing acknowledged is missing", { concurrency: 4 }, () => {
  const faults = { ...FAULTS, ...(isFull ? SLOW_FAULTS : {}) };
  for (const [index, [what, modes]] of Object.entries(faults).entries()) {
    test(what, async (t) => {
      const traffic = newTraffic(SEED + index);
      const gateway = await start(t);
      await traffic.send(gateway, traffic.deliveries.slice(0, 12));
      await gateway.fail({ ...modes, seed: SEED });
      await traffic.send(gateway, traffic.deliveries.slice(12));
      await sleep(2_500); // an alarm rings meanwhile
      await gateway.fail({});
      await traffic.assertConverged(gateway);
    });
  }

  test("300 deliveries about one connection at once, while KV takes one write per key and second", async (t) => {
    const traffic = newTraffic(SEED + 20, { count: 320, connections: 1 });
    const gateway = await start(t);
    await gateway.fail({ put: "limited" });
    const oldestFirst = traffic.deliveries.toSorted((a, b) => a.fact.stamp - b.fact.stamp);
    await traffic.send(gateway, oldestFirst.slice(0, 300), { atOnce: 300, isRepeated: true });
    for (const delivery of oldestFirst.slice(300)) {
      await traffic.send(gateway, [delivery]);
      await sleep(250);
    }
    const puts = await gateway.puts();
    assert.ok(puts.length > 2 && puts.every(({ isRefused }) => !isRefused), `it waits between writes: ${JSON.stringify(puts)}`);
    await traffic.assertConverged(gateway);
  });
});

// One after the other, because the harness cannot tell the processes of two runtimes apart that start at the same time.
describe("after a kill all agree, and nothing acknowledged is missing", () => {
  test("the runtime is killed after the commits and before any copy", async (t) => {
    const traffic = newTraffic(SEED + 21);
    const gateway = await start(t);
    await traffic.send(gateway, traffic.deliveries.slice(0, 12));
    await gateway.fail({ put: "hang", hub: "fail" });
    await traffic.send(gateway, traffic.deliveries.slice(12));
    assert.equal(dirtyLedgers(gateway.folder).length, traffic.ids.length);
    await gateway.kill();
    await traffic.assertConverged(await start(t, gateway));
  });

  test("the runtime is killed in the midst of requests, whose deliveries are stored already", async (t) => {
    const traffic = newTraffic(SEED + 22);
    const gateway = await start(t);
    await gateway.fail({ put: "hang" });
    const sent = traffic.send(gateway, traffic.deliveries, { mayBeCutOff: true });
    await eventually(() => dirtyLedgers(gateway.folder).length > 3, { every: 5 });
    await gateway.kill();
    await sent;
    const again = await start(t, gateway);
    await traffic.assertConverged(again);
    await traffic.send(again, traffic.deliveries, { isRepeated: true });
    await traffic.assertConverged(again);
  });

  test("the runtime is killed while a user is deleted, and KV and the hubs fail", async (t) => {
    const traffic = newTraffic(SEED + 23);
    let gateway = await start(t);
    await introduceGone(gateway);
    await traffic.send(gateway, traffic.deliveries.slice(0, 30));
    const modes = { put: "fail", hub: ["fail", "lost", ...OK] };
    await gateway.fail({ ...modes, seed: SEED });
    await Promise.all([startDeleting(gateway), traffic.send(gateway, traffic.deliveries.slice(30))]);
    gateway = await restart(t, gateway);
    await gateway.fail({ ...modes, seed: SEED + 1 });
    await sleep(2_500);
    await gateway.fail({});
    await eventually(() => assert.deepEqual(gateway.emulator.connections.all(), []), PATIENCE);
    await traffic.assertConverged(gateway);
    await assertGone(gateway);
  });

  const testIfFull = isFull ? test : () => undefined;
  testIfFull("all faults at once, a kill, hundreds of deliveries about one connection, and a user being deleted", async (t) => {
    const traffic = newTraffic(SEED + 24, { count: 80 });
    const burst = newTraffic(SEED + 25, { count: 200, connections: 1, prefix: "conn_burst" });
    let gateway = await start(t);
    await introduceGone(gateway);
    await gateway.fail({ ...ALL_FAULTS, seed: SEED });
    const options = { mayBeCutOff: true, isRepeated: true, gatewayNow: () => gateway, atOnce: 40 };
    const sent = [traffic, burst].map((one) => one.send(gateway, one.deliveries, options));
    await eventually(() => traffic.acknowledged() > 20 && burst.acknowledged() > 50, PATIENCE);
    await startDeleting(gateway);
    gateway = await restart(t, gateway);
    await gateway.fail({ ...ALL_FAULTS, seed: SEED + 1 });
    await Promise.all(sent);
    await sleep(5_000);
    await gateway.fail({});
    // What a ledger refused to the job is left to the next request.
    await untilQuiet(gateway);
    await traffic.assertConverged(gateway, [burst], await leftOf(gateway));
    await eventually(async () => (await gateway.call("DELETE", `/edge/users/${GONE}`)).status === 200, PATIENCE);
    await traffic.assertConverged(gateway, [burst]);
    await assertGone(gateway);
  });
});

async function introduceGone(gateway) {
  for (const id of GONE_IDS) await introduce(gateway, id, { user: GONE });
}

/** Has the user deleted, slowly, and waits until OFAuth has deleted some connections. */
async function startDeleting(gateway) {
  gateway.emulator.fault({ kind: "slow", ms: 1_000, match: { method: "DELETE" } });
  const isDeleting = () => gateway.emulator.requests.some(({ method, status }) => method === "DELETE" && status === 200);
  const isAsked = () => gateway.emulator.requests.some(({ method }) => method === "DELETE");
  await eventually(async () => {
    if (!isAsked()) gateway.call("DELETE", `/edge/users/${GONE}`).catch(() => "it may be cut off");
    await eventually(isDeleting, { within: 2_000, every: 10 });
  }, PATIENCE);
  assert.ok(gateway.emulator.connections.all().length > 0, "it is not done yet");
}

/** Kills the runtime and starts it again. OFAuth goes on. */
async function restart(t, gateway) {
  await gateway.kill();
  const connections = gateway.emulator.connections.save();
  const again = await start(t, gateway);
  again.emulator.connections.restore(connections);
  return again;
}

/** Waits until no connection was deleted for some seconds. */
async function untilQuiet(gateway) {
  for (let left, before; left === undefined || left !== before; await sleep(4_000)) {
    before = left;
    left = gateway.emulator.connections.all().length;
  }
}

/** The records that the ledgers still have of the user who is being deleted. */
async function leftOf(gateway) {
  const answers = await Promise.all(GONE_IDS.map((id) => gateway.call("GET", `/edge/connections/${handleOf(id)}`)));
  return answers.filter(({ status }) => status === 200).map((answer) => answer.json());
}

async function assertGone(gateway) {
  assert.deepEqual(gateway.emulator.connections.all(), []);
  assert.deepEqual(await leftOf(gateway), []);
}

/** A gateway that fails when told to, with what an earlier one had stored. */
async function start(t, { folder } = {}) {
  const gateway = await startGateway({ vars: VARS, apiKey: KEY_OF_NO_ENVIRONMENT, faults: true, folder });
  t.after(() => gateway.close());
  return gateway;
}

/** Random deliveries, and what became of them. */
function newTraffic(seed, { count = 60, connections = 6, prefix = "conn_fault" } = {}) {
  const random = randomFrom(seed >>> 0);
  const ids = Array.from({ length: connections }, (_, index) => `${prefix}${index}`);
  const made = randomDeliveries(random, { count, connections: ids, users: USERS, start: unixNow() - 3_600 });
  const deliveries = random.shuffle(made);
  const acknowledged = new Set();

  const deliver = async (gateway, { body, requests, fact }, { mayBeCutOff }) => {
    const [{ headers }] = requests;
    const answer = await gateway.send("POST", "/webhooks/ofauth", { headers, body }).catch((error) => {
      if (!mayBeCutOff) throw error;
      return { status: 503 };
    });
    assert.ok([200, 503].includes(answer.status), answer.text);
    if (answer.status === 200) acknowledged.add(fact.id);
    return answer.status === 200;
  };
  return {
    ids,
    deliveries,
    acknowledged: () => acknowledged.size,

    /** isRepeated: until it is acknowledged; mayBeCutOff: the runtime may be killed meanwhile */
    async send(first, chosen, { atOnce = 20, isRepeated = false, mayBeCutOff = false, gatewayNow = () => first } = {}) {
      const queue = chosen.values();
      const end = Date.now() + PATIENCE.within;
      const work = async () => {
        for (const delivery of queue) {
          while (!(await deliver(gatewayNow(), delivery, { mayBeCutOff })) && isRepeated) {
            assert.ok(Date.now() < end, "it is never acknowledged");
            await sleep(200);
          }
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
    },

    /** others: of other traffic; more: records of whose deliveries nothing is known here */
    async assertConverged(gateway, others = [], more = []) {
      await untilSettled(gateway.folder, PATIENCE);
      const all = [this, ...others];
      const records = (await Promise.all(all.map((one) => one.recordsOf(gateway)))).flat().concat(more);
      await assertKv(gateway, records);
      await assertHubs(gateway, records, [...USERS, GONE]);
      await assertLedgers(gateway, records);
    },

    /** The records of the connections, made of their timelines. */
    async recordsOf(gateway) {
      const sent = new Map(deliveries.map((delivery) => [delivery.fact.id, delivery]));
      const timelines = await Promise.all(ids.map((id) => assertTimeline(gateway, id, sent)));
      const stored = timelines.flatMap(({ entries }) => entries.map(({ id }) => id));
      assert.equal(new Set(stored).size, stored.length, "each once");
      assert.deepEqual([...acknowledged].filter((id) => !stored.includes(id)), [], "no acknowledged one is missing");
      return timelines.map(({ made }) => made).filter((record) => record !== undefined);
    },
  };
}
