// Pages of a user's list, which the hub selects by its table `listing`: 1. each page has the connections that an independent
// sort and filter gives, with the total, 2. it follows each change, 3. only the records of the page are opened, and a page with
// one that does not open leaves that out, 4. nor does a call open the others, whether it names a connection or not, 5. the hub
// of an older build lists completely, also if that build wrote in between, and its next update completes the table, 6. a
// look-up writes nothing, 7. a hub that runs an older build is asked for all, 8. the server's list reads no value of KV.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, listAll, refusal, sessionOf, startGateway, tokenOf } from "./harness.mjs";
import { damageRecords, inHubWith } from "./hubs.mjs";
import { untilSettled } from "./ledgers.mjs";

const START = Date.parse("2026-05-06T07:08:09.000Z");
const USER = "user/of many";
const COUNT = 47;
const STATUSES = ["active", "expired", "active", "awaiting_2fa", "disconnected", "expired"];

/** @type {import("./harness.mjs").Gateway} */
let gateway = await startGateway({ faults: true });
after(() => gateway.close());

/** What the hub must have: by id, each connection's handle, status and when it changed. */
const connections = new Map();
let minute = 0;
/** What the hub's copies were before the last change of its file, by handle. */
const undamaged = new Map();

before(async () => {
  const ids = Array.from({ length: COUNT }, (_, index) => `conn_page${index}`);
  // Five at a time have the same updatedAt, and they arrive in any order.
  const born = (index) => ({ minute: Math.floor(index / 5), status: STATUSES[index % STATUSES.length] });
  await Promise.all(ids.map((id, index) => tell(id, born(index))));
  minute = COUNT;
});

test("every page has the connections of its filter, newest first, and the total", async () => {
  for (const status of [undefined, ...new Set(STATUSES), "unknown", ""]) {
    for (const limit of [4, 20, 46, 47, 100]) await assertPages({ status, limit });
  }
  const beyond = await page({ offset: 1_000 });
  assert.deepEqual([beyond.list, beyond.total, beyond.hasMore], [[], COUNT, false]);
});

test("a filter by OnlyFans user, alone and with a status, gives the matching connections", async () => {
  const { list } = await page({ limit: 100 });
  for (const { handle, platformUserId, status } of list.slice(0, 3)) {
    const found = await page({ platformUserId });
    assert.deepEqual([found.list.map((one) => one.handle), found.total], [[handle], 1]);
    assert.equal((await page({ platformUserId, status })).total, 1);
    assert.equal((await page({ platformUserId, status: "unknown" })).total, 0);
  }
});

test("a change moves a connection to the front and to another filter, and a move to another user takes it away", async () => {
  await tell("conn_page3", { minute: ++minute, status: "expired" });
  await assertPages({ limit: 20 });
  assert.equal((await page({})).list[0].handle, connections.get("conn_page3").handle);
  await assertPages({ status: "expired", limit: 5 });
  await assertPages({ status: "awaiting_2fa", limit: 5 });

  await tell("conn_page7", { minute: ++minute, user: "user_else" });
  await assertPages({ limit: 20 });
  await tell("conn_page7", { minute: ++minute });
  await assertPages({ limit: 20 });

  const late = { minute: minute - 1, status: "awaiting_2fa" };
  const event = connectionEvent("connection.updated", { id: "conn_page7", timestamp: at(late.minute), status: late.status });
  assert.equal((await gateway.deliver(event)).outcome, "stale");
  await assertPages({ limit: 20 });
});

test("a page decrypts its own records only, and leaves out one that cannot be decrypted", async () => {
  const sorted = expected({}).map(({ handle }) => handle);
  await changeHub((hub) => damageRecords(hub, sorted.slice(20)));
  const first = await page({ limit: 20 });
  assert.deepEqual([first.list.map(({ handle }) => handle), first.total, first.hasMore], [sorted.slice(0, 20), COUNT, true]);
  const second = await page({ limit: 20, offset: 10 });
  assert.deepEqual([second.list.map(({ handle }) => handle), second.hasMore], [sorted.slice(10, 20), false]);
  await repair(sorted.slice(20));
  await assertPages({ limit: 20 });

  await gateway.hubRecords();
  for (const query of ["limit=20", "limit=20&offset=40", "status=expired&limit=5", "status=unknown", "offset=1000"]) {
    await session("GET", `/edge/connections?${query}`);
  }
  assert.deepEqual(await gateway.hubRecords(), [20, 7, 5, 0, 0]);
});

test("a call decrypts the connection that it names, or those that it may mean, and no other", async () => {
  const others = (isOther) => expected({}).filter(isOther).map(({ handle }) => handle);
  const [one, ...rest] = expected({ status: "active" }).map(({ id }) => id);
  const { handle } = connections.get(one);
  await gateway.hubRecords();
  assert.deepEqual(refusal(await call()), [400, "CONNECTION_AMBIGUOUS"]);
  assert.deepEqual(await forwarded(handle), [one]);
  assert.deepEqual(await gateway.hubRecords(), [2, 1]);

  await changeHub((hub) => damageRecords(hub, others((other) => other.id !== one)));
  assert.deepEqual(await forwarded(handle), [one]);
  await repair(others((other) => other.id !== one));

  for (const id of rest) await tell(id, { minute: ++minute, status: "awaiting_2fa" });
  assert.deepEqual(await forwarded(), [one], "the only active one");
  const chosen = [one, rest[0]];
  const unchosen = expected({}).filter(({ id }) => !chosen.includes(id));
  await Promise.all(unchosen.map(({ id }) => tell(id, { minute: ++minute, status: "disconnected" })));
  await tell(one, { minute: ++minute, status: "awaiting_2fa" });
  assert.deepEqual(refusal(await call()), [400, "CONNECTION_AMBIGUOUS"]);

  await changeHub((hub) => damageRecords(hub, others(({ id }) => !chosen.includes(id))));
  assert.deepEqual(refusal(await call()), [400, "CONNECTION_AMBIGUOUS"], "without opening the disconnected ones");
  await tell(rest[0], { minute: ++minute, status: "disconnected" });
  assert.deepEqual(await forwarded(), [one], "the only one that is not disconnected");
  await tell(one, { minute: ++minute, status: "disconnected" });
  assert.deepEqual(refusal(await call()), [404, "CONNECTION_NOT_FOUND"]);
  await repair(others(({ id }) => !chosen.includes(id)));
});

test("the hub of an older build lists completely, and its first update completes the table", async () => {
  await changeHub((hub) => hub.exec("DROP TABLE listing; DROP TABLE changes"));
  await assertPages({ limit: 20 });
  await assertPages({ status: "disconnected", limit: 20 });
  assert.equal(await readHub((hub) => hub.prepare("SELECT 1 FROM sqlite_master WHERE name = 'listing'").get()), undefined);
  await tell("conn_page5", { minute: ++minute, status: "expired" });
  await assertPages({ limit: 20 });
  await assertComplete();
});

test("what an older build wrote beside the table is listed, and the next update completes the table", async () => {
  const [left, ...others] = expected({}).map(({ handle }) => handle);
  const writes = {
    "a new connection": (hub) => hub.prepare("DELETE FROM listing WHERE handle = ?").run(others[0]),
    "a changed one": (hub) => hub.prepare("UPDATE listing SET version = version - 1, status = 'x', updated_at = ''").run(),
    "one that left": (hub) => hub.prepare("INSERT INTO listing VALUES ('acct_left', 1, 'active', '2026')").run(),
    "one of each": (hub) => {
      hub.prepare("UPDATE listing SET handle = 'acct_left' WHERE handle = ?").run(left);
    },
  };
  for (const [what, write] of Object.entries(writes)) {
    await changeHub(write);
    await assertPages({ limit: 20 }, what);
    await tell("conn_page9", { minute: ++minute, status: "expired" });
    await assertPages({ limit: 20 }, what);
    await assertComplete();
  }
});

test("a look-up writes nothing, also if the table is not complete", async () => {
  await tell("conn_page9", { minute: ++minute, status: "awaiting_2fa" }); // the answer to a call changes nothing about it
  await changeHub((hub) => hub.prepare("DELETE FROM listing WHERE handle = ?").run(expected({})[0].handle));
  await assertPages({ limit: 20 });
  await call();
  assert.equal(await readHub((hub) => hub.prepare("SELECT count(*) AS entries FROM listing").get().entries), COUNT - 1);
});

test("a hub that runs an older build is asked for all its records", async () => {
  await gateway.fail({ hub: "older" });
  await assertPages({ limit: 20 });
  await assertPages({ status: "expired", limit: 20 });
  const { handle } = expected({})[0];
  assert.equal((await session("GET", `/edge/connections/${handle}`)).json().handle, handle);
  await gateway.fail({});
  await tell("conn_page1", { minute: ++minute, status: "active" });
  await gateway.fail({ hub: "older" });
  assert.deepEqual(await forwarded(), ["conn_page1"]);
  await gateway.fail({});
});

test("a page of the server's list is answered without reading a value of KV", async () => {
  const fields = {
    permissions: ["profile:read", "posts:read", "posts:write", "messages:read", "messages:write", "vault:read", "vault:write"],
    userData: { name: "Jané von Musterfrau", username: "janemusterfrau", avatar: `https://public.example/${"a1b2c3d4/".repeat(14)}a.jpg` },
    createdAt: "2026-04-01T10:30:00.000Z",
    expiresAt: "2026-10-01T10:30:00.000Z",
    imported: false,
  };
  const ids = Array.from({ length: 100 - COUNT }, (_, index) => `conn_full${index}_0123456789abcdef`);
  await Promise.all(ids.map((id) => tell(id, { user: "0b7e5a70-7f3c-4c9b-9a51-1f0d8f2f7c11", ...fields })));
  const list = await eventually(async () => {
    const list = await listAll(gateway);
    return list.length === 100 && list;
  });
  assert.deepEqual(list.find(({ id }) => id === ids[0]).userData.avatar, fields.userData.avatar);
  const kv = await gateway.kv();
  for (const { handle } of list) {
    const { metadata } = await kv.getWithMetadata(`conn:${handle}`);
    await kv.put(`conn:${handle}`, "damaged", { metadata });
  }
  assert.deepEqual(await listAll(gateway), list);
});

/** A webhook about a connection, after which the hub has the change. */
async function tell(id, { minute = 0, status = "active", user = USER, ...more } = {}) {
  const fields = { id, clientReferenceId: user, timestamp: at(minute), status, ...more };
  const answer = await gateway.deliver(connectionEvent("connection.updated", fields));
  assert.equal(answer.outcome, "applied", answer.text);
  const record = (await gateway.call("GET", `/edge/connections/${id}`)).json();
  if (user === USER) connections.set(id, record);
  else connections.delete(id);
  await eventually(async () => {
    const copy = await sessionOf(gateway, { sub: user })("GET", `/edge/connections/${record.handle}`);
    assert.equal(copy.json().updatedAt, record.updatedAt);
  });
}

function session(method, target, options) {
  return sessionOf(gateway, tokenOf({ sub: USER, permissions: ["profile:read"] }))(method, target, options);
}

async function page(query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const target = `/edge/connections?${new URLSearchParams(given)}`;
  const ofSession = await session("GET", target);
  assert.equal(ofSession.status, 200, ofSession.text);
  const ofServer = await gateway.call("GET", `${target}&clientReferenceId=${encodeURIComponent(USER)}`);
  const seen = ofServer.json();
  const withHandles = seen.list.map((record) => ({ ...record, id: record.handle }));
  assert.deepEqual({ ...seen, list: withHandles }, ofSession.json(), "a server sees the same");
  return seen;
}

function expected({ status }) {
  const matching = [...connections.values()].filter((one) => status === undefined || one.status === status);
  const newestFirst = (a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt) || (a.handle < b.handle ? -1 : 1);
  return matching.sort(newestFirst);
}

/** All pages of that size are what the list must be. */
async function assertPages({ status, limit }, message = `${status}, ${limit} a page`) {
  const all = expected({ status });
  for (let offset = 0; offset === 0 || offset < all.length; offset += limit) {
    const { list, total, hasMore, cursor } = await page({ status, limit, offset });
    assert.deepEqual(list, all.slice(offset, offset + limit), message);
    assert.deepEqual([total, hasMore, cursor], [all.length, offset + limit < all.length, undefined], message);
  }
}

/** A call that names a connection, or none. */
function call(handle) {
  return session("GET", "/v2/access/self", handle ? { headers: { "x-connection-id": handle } } : {});
}

/** The ids of the connections for which OFAuth got that call. */
async function forwarded(handle) {
  gateway.emulator.clear();
  assert.equal((await call(handle)).status, 200);
  return gateway.emulator.requests.map(({ headers }) => headers["x-connection-id"]);
}

/** The hub's table has exactly an entry for each record. */
async function assertComplete() {
  const select = "SELECT handle, status, updated_at FROM listing JOIN connections USING (handle, version) WHERE record NOT NULL";
  const [entries, matching] = await readHub((hub) => [hub.prepare("SELECT * FROM listing").all(), hub.prepare(select).all()]);
  const wanted = expected({}).map(({ handle, status, updatedAt }) => ({ handle, status, updated_at: updatedAt }));
  const byHandle = (a, b) => (a.handle < b.handle ? -1 : 1);
  assert.deepEqual(matching.map((entry) => ({ ...entry })).sort(byHandle), wanted.sort(byHandle));
  assert.equal(entries.length, wanted.length);
}

/** What `work` reads in the hub of the user, while the gateway runs. */
async function readHub(work) {
  return inHubWith(gateway.folder, [...connections.values()][0].handle, work);
}

/** Changes the hub's file while the gateway is down. */
async function changeHub(change) {
  // A ledger that has something to tell would tell it after the restart, and the hub would write.
  await untilSettled(gateway.folder);
  await gateway.close({ keep: true });
  inHubWith(gateway.folder, [...connections.values()][0].handle, (hub) => {
    for (const { handle, record } of hub.prepare("SELECT handle, record FROM connections").all()) undamaged.set(handle, record);
    change(hub);
  });
  gateway = await startGateway({ faults: true, folder: gateway.folder });
}

/** Puts back the records of these connections as they were before the last change. */
async function repair(handles) {
  const records = new Map(undamaged);
  await changeHub((hub) => {
    const put = hub.prepare("UPDATE connections SET record = ? WHERE handle = ?");
    for (const handle of handles) put.run(records.get(handle), handle);
  });
}

function at(minute) {
  return new Date(START + minute * 60_000).toISOString();
}
