// A connection's life, as webhooks tell it: 1. every order, with copies, one after another and all at once, ends in the
// same record in KV, 2. outcomes, under both schemes, 3. what tells one delivery from another, 4. instants that tie or lie
// in the future, 5. a disconnected connection stays so.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { connectionEvent, sdkEvent } from "../emulator/events.mjs";
import { randomFrom } from "../random.mjs";
import { eventually, KEY_OF_NO_ENVIRONMENT, listAll, refusal, startGateway, unixNow } from "./harness.mjs";

const SEED = 20260607;
const START = Date.parse("2026-02-03T04:05:06.789Z");

const gateway = await startGateway({ apiKey: KEY_OF_NO_ENVIRONMENT });
after(() => gateway.close());

const PROFILE = { id: 7, name: "Ann", username: "ann", avatar: "https://media.example/ann.jpg" };

/** Five events of one connection, a minute apart unless it ends sooner; each says something that no other one says. */
function lifeOf(id, end = 4) {
  const clientReferenceId = "user_1";
  const event = (minute, type, fields) => connectionEvent(`connection.${type}`, { id, timestamp: at(minute), ...fields });
  return [
    event(0, "created", { clientReferenceId, permissions: ["a"], userData: PROFILE }),
    event(1, "updated", { clientReferenceId, permissions: ["a", "b"], userData: { id: "7", name: "Ann B", avatar: null } }),
    event(2, "expired", { clientReferenceId, permissions: null, userData: null }),
    event(3, "updated", { clientReferenceId: undefined, permissions: ["c"], userData: { username: "annb" } }),
    event(end, "disconnected", { clientReferenceId: null }),
  ];
}

const RECONNECTED = {
  status: "active",
  statusReason: { type: "connection.updated", at: at(3) },
  clientReferenceId: "user_1",
  platformUserId: "7",
  accountChangedAt: null,
  permissions: ["c"],
  userData: { id: "7", name: "Ann B", username: "annb", avatar: null },
  metadata: { username: "annb", displayName: "Ann B", lastActivity: null },
  createdAt: at(0),
  updatedAt: at(3),
  expiredAt: null,
  expiresAt: null,
  lastCheckedAt: null,
  imported: null,
  live: null,
};
const gone = (minute) => ({ status: "disconnected", statusReason: { type: "connection.disconnected", at: at(minute) } });
const DISCONNECTED = { ...RECONNECTED, ...gone(4), updatedAt: at(4) };
const DISCONNECTED_EARLY = { ...RECONNECTED, ...gone(1.5) };

test("all 120 orders of a life, with copies among them, end in the same record, also if it was disconnected midway", async () => {
  const random = randomFrom(SEED);
  const orders = permutations([0, 1, 2, 3, 4]);
  const lanes = orders.map((order, lane) => {
    return { id: `conn_order_${lane}`, order: withCopies(order, random), end: random.pick([4, 1.5]) };
  });
  await Promise.all(lanes.map(({ id, order, end }) => deliverInTurn(lifeOf(id, end), order)));
  const idsOf = (wanted) => lanes.filter(({ end }) => end === wanted).map(({ id }) => id);
  await assertRecords(idsOf(4), DISCONNECTED, `seed ${SEED}`);
  await assertRecords(idsOf(1.5), DISCONNECTED_EARLY, `seed ${SEED}`);
});

test("all 24 orders without the disconnection end active", async () => {
  const random = randomFrom(SEED + 1);
  const orders = permutations([0, 1, 2, 3]);
  const lanes = orders.map((order, lane) => ({ id: `conn_alive_${lane}`, order: withCopies(order, random) }));
  await Promise.all(lanes.map(({ id, order }) => deliverInTurn(lifeOf(id), order)));
  await assertRecords(lanes.map(({ id }) => id), RECONNECTED, `seed ${SEED + 1}`);
});

test("five events and five copies of them, all at the same time, end in the same record", async () => {
  const random = randomFrom(SEED + 2);
  const ids = Array.from({ length: 20 }, (_, index) => `conn_at_once_${index}`);
  const all = ids.flatMap((id) => [...lifeOf(id), ...lifeOf(id)]);
  const answers = await Promise.all(random.shuffle(all).map((event) => gateway.deliver(event)));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(answers.filter(({ outcome }) => outcome === "duplicate").length, all.length / 2);
  await assertRecords(ids, DISCONNECTED, `seed ${SEED + 2}`);
});

// Side by side, since a second event of a connection waits out the second between two puts of a key.
describe("one connection", { concurrency: true }, () => {
  for (const scheme of ["ofauth", "svix"]) {
    test(`events in order are applied, copies are duplicate, and older events stale: ${scheme}`, async () => {
      const id = `conn_outcomes_${scheme}`;
      const life = lifeOf(id).map((event, index) => ({ event, id: `msg_${scheme}_${index}` }));
      const outcomes = async (deliveries) => {
        const seen = [];
        for (const { event, id } of deliveries) seen.push((await gateway.deliver(event, { scheme, id })).outcome);
        return seen;
      };
      assert.deepEqual(await outcomes(life), Array(5).fill("applied"));
      assert.deepEqual(await outcomes(life), Array(5).fill("duplicate"));
      const known = { permissions: ["old"], userData: undefined };
    const old = connectionEvent("connection.updated", { id, timestamp: at(1), ...known });
      const older = connectionEvent("connection.expired", { id, timestamp: at(-1), clientReferenceId: undefined });
      assert.deepEqual(await outcomes([{ event: old, id: "msg_0" }, { event: older, id: "msg_1" }]), ["stale", "stale"]);
      await assertRecords([id], DISCONNECTED);
    });
  }

  test("under svix the message id identifies the delivery, whatever the body and the time", async () => {
    const event = connectionEvent("connection.created", { id: "conn_message_id" });
    const other = connectionEvent("connection.expired", { id: "conn_message_id" });
    const deliver = (body, id, timestamp) => gateway.deliver(body, { scheme: "svix", id, timestamp });
    assert.equal((await deliver(event, "msg_b")).outcome, "applied");
    assert.equal((await deliver(event, "msg_b", unixNow() - 100)).outcome, "duplicate");
    assert.equal((await deliver(other, "msg_b")).outcome, "duplicate");
    assert.equal((await deliver(event, "msg_a")).outcome, "stale");
  });

  test("under ofauth a body with a timestamp is one delivery, however often it is signed", async () => {
    const event = connectionEvent("connection.created", { id: "conn_signed_again" });
    assert.equal((await gateway.deliver(event, { timestamp: unixNow() - 20 })).outcome, "applied");
    assert.equal((await gateway.deliver(event, { timestamp: unixNow() })).outcome, "duplicate");
  });

  test("two expiries without a timestamp are two deliveries, the same one again is a duplicate", async () => {
    const id = "conn_expires_twice";
    const now = unixNow();
    const expired = sdkEvent("connection.expired", { id, live: true });
    const deliver = async (event, timestamp) => (await gateway.deliver(event, { timestamp })).outcome;
    assert.equal(await deliver(sdkEvent("connection.created", { id, live: false }), now - 40), "applied");
    assert.equal(await deliver(expired, now - 30), "applied");
    assert.equal(await deliver(sdkEvent("connection.updated", { id }), now - 20), "applied");
    assert.equal(await deliver(expired, now - 10), "applied");
    assert.equal(await deliver(expired, now - 10), "duplicate");
    assert.equal(await deliver(expired, now - 30), "duplicate");

    const record = await show(id);
    const { status, expiredAt, updatedAt, createdAt, live } = record;
    const seconds = (ago) => new Date((now - ago) * 1000).toISOString();
    assert.deepEqual(
      { status, expiredAt, updatedAt, createdAt, live },
      { status: "expired", expiredAt: seconds(10), updatedAt: seconds(10), createdAt: seconds(40), live: true },
    );
    await eventually(async () => assert.deepEqual(await listed(id), record));
  });

  test("events of the same instant count in the order of a connection's life, in whatever order they come", async () => {
    const types = ["created", "updated", "expired", "disconnected"];
    const pairs = types.flatMap((first, index) => types.slice(index + 1).map((second) => [first, second]));
    const word = { created: "pending", updated: "active", expired: "expired", disconnected: "disconnected" };
    const lanes = pairs.flatMap(([first, second]) => [[first, second, second], [second, first, second]]);
    await Promise.all(
      lanes.map(async ([one, two, wins], lane) => {
        const id = `conn_tie_${lane}`;
        for (const type of [one, two]) {
          await gateway.deliver(connectionEvent(`connection.${type}`, { id, timestamp: at(0), status: word[type] }));
        }
        assert.equal((await show(id)).status, word[wins], `${one}, ${two}`);
      }),
    );
  });

  test("an event that is dated over 300 s after its signature, or unreadably, counts from its signature", async () => {
    const id = "conn_future";
    const signed = unixNow() - 60;
    const ahead = new Date((signed + 3600) * 1000).toISOString();
    const deliver = async (type, timestamp, status, seconds) => {
      await gateway.deliver(connectionEvent(type, { id, timestamp, status }), { timestamp: seconds });
      const shown = await show(id);
      return [shown.status, shown.updatedAt];
    };
    const isoOf = (seconds) => new Date(seconds * 1000).toISOString();
    assert.deepEqual(await deliver("connection.created", ahead, "pending", signed), ["pending", isoOf(signed)]);
    assert.deepEqual(await deliver("connection.updated", "yesterday", "active", signed + 1), ["active", isoOf(signed + 1)]);
    const within = isoOf(signed + 300);
    assert.deepEqual(await deliver("connection.updated", within, "error", signed), ["error", within], "300 s are believed");
  });

  test("a disconnected connection stays so, although later events may change its other fields", async () => {
    const id = "conn_gone";
    for (const event of lifeOf(id)) await gateway.deliver(event);
    const { handle } = await show(id);
    const later = (minute, type, fields) => connectionEvent(`connection.${type}`, { id, timestamp: at(minute), ...fields });
    const attempts = [
      gateway.deliver(later(10, "updated", { status: "active", permissions: ["d"] })),
      gateway.deliver(later(11, "created", { status: "active" }), { scheme: "svix", id: "msg_back" }),
      gateway.deliver(sdkEvent("connection.updated", { id, status: "active" })),
    ];
    assert.ok((await Promise.all(attempts)).every(({ status }) => status === 200));
    assert.equal((await gateway.deliver(later(12, "expired", { clientReferenceId: undefined }))).outcome, "stale");

    const record = await show(id);
    assert.equal(record.status, "disconnected");
    assert.equal(record.expiredAt, null);
    await eventually(async () => assert.deepEqual(await listed(id), record));
    gateway.emulator.clear();
    for (const name of [id, handle]) {
      const answer = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": name } });
      assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"]);
    }
    assert.deepEqual(gateway.emulator.requests, []);
  });
});

async function deliverInTurn(life, order) {
  for (const index of order) {
    const { status, text } = await gateway.deliver(life[index]);
    assert.equal(status, 200, text);
  }
}

/** In the list, which reads KV, and by id and by handle, which ask the ledger. */
async function assertRecords(ids, expected, message) {
  const mine = (list) => new Map(list.filter(({ id }) => ids.includes(id)).map((record) => [record.id, record]));
  const wanted = ids.map((id) => [id, expected]);
  const strip = ({ id: _id, handle: _handle, ...rest }) => rest;
  await eventually(async () => {
    const found = mine(await listAll(gateway));
    assert.deepEqual(ids.map((id) => [id, found.has(id) ? strip(found.get(id)) : undefined]), wanted, message);
  });
  const found = mine(await listAll(gateway));
  for (const id of ids) {
    for (const name of [id, found.get(id).handle]) assert.deepEqual(await show(name), found.get(id), message);
  }
}

async function show(name) {
  const answer = await gateway.call("GET", `/edge/connections/${name}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

async function listed(id) {
  return (await listAll(gateway)).find((record) => record.id === id);
}

function at(minute) {
  return new Date(START + minute * 60_000).toISOString();
}

function permutations(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

/** The order with two of its events once more, anywhere after they came. */
function withCopies(order, random) {
  const result = [...order];
  for (const copied of [random.pick(order), random.pick(order)]) {
    const first = result.indexOf(copied) + 1;
    result.splice(first + random.integer(result.length - first + 1), 0, copied);
  }
  return result;
}
