// How `listen` finds webhooks, with a gateway and a clock made up: 1. each once, whatever the lists' order and delay, 2. how far
// each poll goes back, 3. what is remembered, 4. how often it polls.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Feed } from "../../pkg-template/cli/feed.mjs";
import { createPace } from "../../pkg-template/cli/pace.mjs";

const START = Date.parse("2026-03-04T05:06:07.000Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const iso = (time) => new Date(time).toISOString();

/** A gateway that lists as the real one does: other events by their own time, those of a connection as they came. */
class FakeGateway {
  clockSkew = 0;
  now = START;
  others = [];
  connections = new Map();
  calls = [];
  fails = false;

  receive(id, { at = this.now, stamp = at, visible = at, type = "kept", data } = {}) {
    this.others.push({ id, type, receivedAt: iso(at), stamp: iso(stamp), encoding: "utf8", body: JSON.stringify({ type, data }), visible });
  }

  receiveAbout(handle, id, { at = this.now, updatedAt = iso(at), status = "active", type = "connection.updated" } = {}) {
    const connection = this.connections.get(handle) ?? { events: [] };
    connection.record = { handle, updatedAt, status };
    connection.events.unshift({ id, type, receivedAt: iso(at), stamp: iso(at), encoding: "utf8", body: "{}" });
    this.connections.set(handle, connection);
  }

  async read(path) {
    this.calls.push(path);
    if (this.fails) throw new Error("away");
    const url = new URL(path, "http://gateway");
    const [limit, from] = [Number(url.searchParams.get("limit")), Number(url.searchParams.get("cursor") ?? 0)];
    const [, handle] = /^\/edge\/connections\/([^/]+)\/events$/.exec(url.pathname) ?? [];
    const all = handle ? this.connections.get(handle).events : url.pathname === "/edge/events" ? this.#visible() : [...this.connections.values()].map(({ record }) => record);
    const next = from + limit < all.length ? String(from + limit) : undefined;
    return { list: all.slice(from, from + limit), hasMore: next !== undefined, ...(next && { cursor: next }) };
  }

  #visible() {
    return this.others.filter(({ visible }) => visible <= this.now).sort((a, b) => (a.stamp < b.stamp ? 1 : -1));
  }
}

function follow(options = {}) {
  const gateway = new FakeGateway();
  const feed = new Feed(gateway, { since: START, clock: () => gateway.now, ...options });
  const poll = async () => {
    const { events } = await feed.poll();
    events.forEach((event) => feed.finish(event));
    feed.settle();
    return events.map(({ id }) => id);
  };
  return { gateway, feed, poll };
}

test("each webhook comes once, in the order in which the gateway received them", async () => {
  const { gateway, poll } = follow();
  gateway.receive("old", { at: START - 1 });
  assert.deepEqual(await poll(), []);
  gateway.receive("b", { at: START + 2 });
  gateway.receive("a", { at: START + 1, stamp: START + 10 });
  gateway.receiveAbout("acct_1", "c", { at: START + 3 });
  gateway.now = START + 1_000;
  assert.deepEqual(await poll(), ["a", "b", "c"]);
  assert.deepEqual(await poll(), []);
});

test("a webhook that the list shows late, behind many known ones, comes within a minute", async () => {
  const { gateway, poll } = follow();
  for (let n = 0; n < 300; n++) gateway.receive(`n${n}`, { at: START + n });
  gateway.receive("hidden", { at: START + 5, visible: START + 50_000 });
  gateway.now = START + 1_000;
  assert.equal((await poll()).length, 300);
  gateway.now += MINUTE;
  assert.deepEqual(await poll(), ["hidden"]);
});

test("an event that OFAuth delivers hours late comes within the hour", async () => {
  const { gateway, poll } = follow();
  for (let n = 0; n < 300; n++) gateway.receive(`n${n}`, { at: START - n * MINUTE });
  await poll();
  gateway.now = START + MINUTE;
  gateway.receive("late", { stamp: START - 5 * HOUR });
  assert.deepEqual(await poll(), []);
  gateway.now = START + HOUR;
  assert.deepEqual(await poll(), ["late"]);
});

test("a quiet poll reads one small page of events and one of connections", async () => {
  const { gateway, poll } = follow();
  for (let n = 0; n < 300; n++) gateway.receive(`n${n}`, { at: START + n });
  gateway.receiveAbout("acct_1", "c");
  gateway.now = START + 1_000;
  await poll();
  gateway.now += 3 * MINUTE;
  await poll();
  gateway.calls.length = 0;
  gateway.now += 1_000;
  assert.deepEqual(await poll(), []);
  assert.deepEqual(gateway.calls, ["/edge/events?limit=5", "/edge/connections?limit=100"]);
});

test("two webhooks about a connection with the same time both come, also if the second one changes nothing", async () => {
  const { gateway, poll } = follow();
  for (let n = 0; n < 20; n++) gateway.receiveAbout(`acct_${n}`, `first ${n}`, { at: START - HOUR });
  await poll();
  const updatedAt = iso(START);
  gateway.now = START + 3 * MINUTE;
  gateway.receiveAbout("acct_1", "created", { updatedAt });
  assert.deepEqual(await poll(), ["created"]);
  gateway.now += 5_000;
  gateway.receiveAbout("acct_1", "expired", { updatedAt, status: "expired" });
  assert.deepEqual(await poll(), ["expired"]);
  gateway.now += 5_000;
  gateway.receiveAbout("acct_1", "again", { updatedAt, status: "expired" });
  assert.deepEqual(await poll(), ["again"]);
});

test("an event of the gateway's own is no webhook", async () => {
  const { gateway, poll } = follow();
  gateway.receiveAbout("acct_1", "noticed", { type: "edge.expired" });
  gateway.receiveAbout("acct_1", "sent");
  assert.deepEqual(await poll(), ["sent"]);
});

test("after a failed poll the next one finds all webhooks", async () => {
  const { gateway, poll } = follow();
  await poll();
  gateway.receive("a");
  gateway.receiveAbout("acct_1", "b");
  gateway.fails = true;
  await assert.rejects(poll(), /away/);
  gateway.fails = false;
  assert.deepEqual((await poll()).sort(), ["a", "b"]);
});

test("a poll that fails halfway through the connections reads the changed one again", async () => {
  const { gateway, poll } = follow();
  for (let n = 0; n < 20; n++) gateway.receiveAbout(`acct_${n}`, `first ${n}`, { at: START - HOUR });
  await poll();
  gateway.now = START + 5 * MINUTE;
  gateway.receiveAbout("acct_19", "new");
  const read = gateway.read.bind(gateway);
  gateway.read = async (path) => (path.includes("acct_19") ? Promise.reject(new Error("away")) : read(path));
  await assert.rejects(poll(), /away/);
  gateway.read = read;
  gateway.now += 5 * MINUTE;
  assert.deepEqual(await poll(), ["new"]);
});

test("the remembered state does not grow, and a feed goes on from it after days", async () => {
  const { gateway, feed, poll } = follow();
  for (let hour = 0; hour < 48; hour++) {
    for (let n = 0; n < 20; n++) gateway.receive(`${hour}.${n}`, { at: gateway.now + n });
    gateway.now += HOUR;
    assert.equal((await poll()).length, 20);
  }
  assert.ok(feed.done.size <= 20, `${feed.done.size}`);
  gateway.now += 72 * HOUR;
  gateway.receive("while away", { at: gateway.now - 40 * HOUR });
  const next = new Feed(gateway, { since: feed.since, done: new Map(feed.done), clock: () => gateway.now });
  assert.deepEqual((await next.poll()).events.map(({ id }) => id), ["while away"]);
});

test("a webhook that was not finished comes again after a start from a saved state", async () => {
  const { gateway, feed } = follow();
  for (const id of ["a", "b", "c"]) gateway.receive(id, { at: gateway.now++ });
  const { events } = await feed.poll();
  feed.finish(events[0]);
  const next = new Feed(gateway, { since: feed.since, done: new Map(feed.done), clock: () => gateway.now });
  assert.deepEqual((await next.poll()).events.map(({ id }) => id), ["b", "c"]);
});

test("with a user, events of other users are skipped, and do not make later polls longer", async () => {
  const { gateway, poll } = follow({ user: "her" });
  for (let n = 0; n < 300; n++) gateway.receive(`n${n}`, { at: START + n, data: { clientReferenceId: "him" } });
  gateway.receive("hers", { data: { connection: { clientReferenceId: "her" } } });
  gateway.now = START + 1_000;
  assert.deepEqual(await poll(), ["hers"]);
  gateway.calls.length = 0;
  await poll();
  assert.deepEqual(gateway.calls, ["/edge/events?limit=5", "/edge/connections?limit=100&clientReferenceId=her"]);
});

test("a clock that is ahead of the gateway's loses no webhook", async () => {
  const { gateway, poll } = follow();
  gateway.clockSkew = 600;
  await poll();
  gateway.receive("now by the gateway", { at: gateway.now - 9 * MINUTE + HOUR });
  gateway.now += HOUR;
  await poll();
  gateway.receive("soon", { at: gateway.now - 9 * MINUTE });
  gateway.now += MINUTE;
  assert.deepEqual(await poll(), ["soon"]);
});

test("listen polls every second on this machine, else every 5 s, and every minute when it is quiet", () => {
  let now = START;
  const clock = () => now;
  const quiet = { events: [], calls: 2 };
  assert.equal(createPace({ isLocal: true, clock }).next(quiet), 1_000);
  assert.equal(createPace({ isLocal: false, fixed: 2_000, clock }).next(quiet), 2_000);
  const pace = createPace({ isLocal: false, clock });
  assert.equal(pace.next(quiet), 5_000);
  now += 121_000;
  assert.equal(pace.next(quiet), MINUTE);
  assert.equal(pace.next({ events: [{}], calls: 2 }), 5_000);
  assert.equal(pace.next({ events: [{}], calls: 30 }), 30_000, "a list of 3,000 connections");
});
