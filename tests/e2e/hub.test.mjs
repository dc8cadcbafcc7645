// A user's own view, which the hub gives: 1. a session sees its own connections and no id, however it asks, 2. servers see
// ids there, 3. what a webhook changed is seen at once, also with KV stale or down, 4. a connection that changes hands moves
// from one view to the other, also with the hub failing, late messages and deliveries in disorder, 5. no answer to a session
// shows an id.

import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { accountOf } from "../emulator/account.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { eventually, listAll, refusal, sessionOf, startGateway, tokenOf } from "./harness.mjs";

const START = Date.parse("2026-05-06T07:08:09.000Z");
const [ADA, BOB] = ["user_ada", "user/bob & co=?"];
const STATUSES = ["active", "expired", "active", "awaiting_2fa", "disconnected"];
const OF_ADA = STATUSES.map((_, index) => `conn_Ada${index}kQ7`);
const OF_BOB = STATUSES.slice(0, 3).map((_, index) => `conn_Bob${index}zX4`);
const GRANTED = ["profile:read", "posts:read", "access:any", "connections:write", "connections:link"];

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
afterEach(async () => {
  await gateway.fail({});
  gateway.emulator.heal();
});

for (const [ids, user] of [[OF_ADA, ADA], [OF_BOB, BOB]]) {
  for (const [index, id] of ids.entries()) await tell(id, user, { minute: index, status: STATUSES[index] });
}
const handles = new Map();
for (const id of [...OF_ADA, ...OF_BOB]) {
  handles.set(id, (await gateway.call("GET", `/edge/connections/${id}`)).json().handle);
}

/** Every answer that a session got here, for the last test; proxied ones without their body. */
const answers = [];

test("a session lists its user's connections, newest first, with handles in the place of ids", async () => {
  for (const [user, ids] of [[ADA, OF_ADA], [BOB, OF_BOB]]) {
    const { list, total, hasMore } = await ask(user, "GET", "/edge/connections");
    assert.deepEqual(list.map(({ handle }) => handle), ids.toReversed().map((id) => handles.get(id)));
    assert.deepEqual([total, hasMore], [ids.length, false]);
    for (const record of list) {
      assert.equal(record.id, record.handle);
      assert.equal(record.clientReferenceId, user);
      const { id: _id, ...rest } = (await gateway.call("GET", `/edge/connections/${record.handle}`)).json();
      assert.deepEqual({ ...record, id: undefined }, { ...rest, id: undefined }, "all else as a server sees it");
    }
  }
  assert.deepEqual(await ask("user_nobody", "GET", "/edge/connections"), { list: [], total: 0, hasMore: false });
});

test("filters and pages of a session show its user's connections only, whatever they ask for", async () => {
  const person = (id) => String(accountOf(id).id);
  const newestFirst = OF_ADA.toReversed();
  const queries = [
    ["status=active", ["conn_Ada2kQ7", "conn_Ada0kQ7"]],
    ["status=disconnected", ["conn_Ada4kQ7"]],
    ["status=nothing", []],
    [`clientReferenceId=${ADA}`, newestFirst],
    [`clientReferenceId=${encodeURIComponent(BOB)}`, []],
    ["clientReferenceId=", []],
    [`platformUserId=${person(OF_ADA[1])}`, [OF_ADA[1]]],
    [`platformUserId=${person(OF_BOB[1])}`, []],
    [`clientReferenceId=${encodeURIComponent(BOB)}&platformUserId=${person(OF_BOB[1])}`, []],
    ["limit=2", newestFirst.slice(0, 2), true],
    ["limit=2&offset=2", newestFirst.slice(2, 4), true],
    ["limit=2&offset=4", newestFirst.slice(4)],
    ["offset=1000", []],
  ];
  for (const [query, ids, hasMore = false] of queries) {
    const page = await ask(ADA, "GET", `/edge/connections?${query}`);
    assert.deepEqual(page.list.map(({ handle }) => handle), ids.map((id) => handles.get(id)), query);
    assert.equal(page.hasMore, hasMore, query);
    if (query.includes("limit") || query.includes("offset")) assert.equal(page.total, OF_ADA.length);
    else assert.equal(page.total, ids.length);
  }
  for (const query of ["limit=0", "limit=101", "offset=-1", "unknown=1", "cursor=x", `id=${OF_ADA[0]}`]) {
    assert.deepEqual(refusal(await raw(ADA, "GET", `/edge/connections?${query}`)), [400, "BAD_REQUEST"], query);
  }
  const { cursor } = (await gateway.call("GET", "/edge/connections?limit=1")).json();
  const lent = await raw(ADA, "GET", `/edge/connections?limit=1&cursor=${cursor}`);
  assert.deepEqual(refusal(lent), [400, "BAD_REQUEST"], "a server's cursor");
});

test("a session reads a connection by its own handle, and finds none by an id or by another user's handle", async () => {
  for (const id of OF_ADA) {
    const record = await ask(ADA, "GET", `/edge/connections/${handles.get(id)}`);
    assert.deepEqual([record.id, record.handle], [handles.get(id), handles.get(id)]);
    assert.equal((await raw(ADA, "HEAD", `/edge/connections/${handles.get(id)}`)).status, 200);
  }
  const names = [...OF_ADA, ...OF_BOB, ...OF_BOB.map((id) => handles.get(id)), "conn_nobody", `acct_${"0".repeat(32)}`];
  const spellings = [OF_ADA[0].replace("_", "%5f"), handles.get(OF_ADA[0]).toUpperCase()];
  for (const name of [...names, ...spellings]) {
    const answer = await raw(ADA, "GET", `/edge/connections/${name}`);
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], name);
    assert.equal(answer.json().actionRequired, "relink_connection");
    assert.equal((await raw(ADA, "HEAD", `/edge/connections/${name}`)).status, 404, name);
  }
});

test("a token for one connection shows that one only", async () => {
  const claims = { sub: ADA, connection: handles.get(OF_ADA[1]), permissions: GRANTED };
  const { list, total } = await ask(claims, "GET", "/edge/connections");
  assert.deepEqual([list.map(({ handle }) => handle), total], [[handles.get(OF_ADA[1])], 1]);
  assert.equal((await raw(claims, "GET", `/edge/connections/${handles.get(OF_ADA[1])}`)).status, 200);
  const other = await raw(claims, "GET", `/edge/connections/${handles.get(OF_ADA[0])}`);
  assert.deepEqual(refusal(other), [404, "CONNECTION_NOT_FOUND"]);
  const theirs = { ...claims, connection: handles.get(OF_BOB[0]) };
  assert.deepEqual((await ask(theirs, "GET", "/edge/connections")).list, []);
  assert.equal((await raw(theirs, "GET", `/edge/connections/${handles.get(OF_BOB[0])}`)).status, 404);
});

test("a server's list by clientReferenceId shows ids, newest first, as of now", async () => {
  for (const [user, ids] of [[ADA, OF_ADA], [BOB, OF_BOB]]) {
    const path = `/edge/connections?clientReferenceId=${encodeURIComponent(user)}`;
    const { list } = (await gateway.call("GET", path)).json();
    assert.deepEqual(list.map(({ id }) => id), ids.toReversed());
    assert.deepEqual(list.map(({ handle }) => handle), ids.toReversed().map((id) => handles.get(id)));
    const active = (await gateway.call("GET", `${path}&status=active`)).json();
    assert.deepEqual(active.list, list.filter(({ status }) => status === "active"));
    assert.equal(active.list.length, 2);
  }
});

test("a session sees a change as soon as its webhook is answered, also while KV is a minute behind or fails", async () => {
  for (const [index, modes] of [{ read: "stale" }, { read: "fail" }, { put: "fail" }, { put: "slow" }].entries()) {
    const [id, user] = [`conn_fresh_${index}`, `user_fresh_${index}`];
    const message = JSON.stringify(modes);
    await tell(id, user, { status: "expired" });
    await sleep(modes.read ? 100 : 0);
    await gateway.fail(modes);
    await tell(id, user, { minute: 1, status: "active" });
    const [{ handle, status }] = (await ask(user, "GET", "/edge/connections")).list;
    assert.equal(status, "active", message);
    assert.equal((await ask(user, "GET", `/edge/connections/${handle}`)).status, "active", message);
    assert.deepEqual((await listedOf(user)).map(({ status }) => status), ["active"], message);

    await tell(`${id}_new`, user, { minute: 2 });
    const { list } = await ask(user, "GET", "/edge/connections");
    assert.deepEqual(list.map(({ status }) => status), ["active", "active"], `a new one, ${message}`);
    const named = { headers: { "x-connection-id": list[0].handle } };
    gateway.emulator.clear();
    assert.equal((await raw(user, "GET", "/v2/access/self", named)).status, 200, `and calls it, ${message}`);
    assert.deepEqual(gateway.emulator.requests.map(({ headers }) => headers["x-connection-id"]), [`${id}_new`]);
    assert.deepEqual(refusal(await raw(user, "GET", "/v2/access/self")), [400, "CONNECTION_AMBIGUOUS"]);

    await tell(id, user, { minute: 3, type: "connection.disconnected", status: "disconnected" });
    gateway.emulator.clear();
    assert.equal((await raw(user, "GET", "/v2/access/self")).status, 200, `the only one left is meant, ${message}`);
    assert.deepEqual(gateway.emulator.requests.map(({ headers }) => headers["x-connection-id"]), [`${id}_new`]);
    await gateway.fail({});
  }
});

test("a connection that moves to another user changes both views at once, also while KV is stale", async () => {
  const [id, from, to] = ["conn_moves", "user_from", "user_to"];
  await tell(id, from);
  const [{ handle }] = (await ask(from, "GET", "/edge/connections")).list;
  await eventually(async () => assert.ok((await listAll(gateway)).some((one) => one.id === id)));
  await gateway.fail({ read: "stale" });
  await tell(id, to, { minute: 1 });
  await assertOwner(id, handle, to, [from]);
  const named = { headers: { "x-connection-id": handle } };
  gateway.emulator.clear();
  assert.equal((await raw(to, "GET", "/v2/access/self", named)).status, 200, "by handle");
  assert.equal((await raw(to, "GET", "/v2/access/self")).status, 200, "as the only one");
  assert.deepEqual(refusal(await raw(from, "GET", "/v2/access/self")), [404, "CONNECTION_NOT_FOUND"]);
  assert.deepEqual(gateway.emulator.requests.map(({ headers }) => headers["x-connection-id"]), [id, id]);
  await gateway.fail({});
  await eventually(async () => {
    const answer = await raw(from, "GET", "/v2/access/self", named);
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], "the old user, once KV has caught up");
  });
  await tell(id, from, { minute: 2 });
  await assertOwner(id, handle, from, [to]);
});

test("while the hub is down webhooks get 200 and sessions 503, and later it catches up without a double", async () => {
  for (const mode of ["fail", "lost"]) {
    const users = ["a", "b", "c"].map((name) => `user_${mode}_${name}`);
    const id = `conn_${mode}`;
    await tell(id, users[0]);
    const [{ handle }] = (await ask(users[0], "GET", "/edge/connections")).list;
    await gateway.fail({ hub: mode });
    await tell(id, users[1], { minute: 1 });
    await tell(id, users[2], { minute: 2 });
    const down = await raw(users[0], "GET", "/edge/connections");
    assert.deepEqual([...refusal(down), down.headers["retry-after"]], [503, "STORAGE_UNAVAILABLE", "2"]);
    const list = await gateway.call("GET", `/edge/connections?clientReferenceId=${users[0]}`);
    assert.deepEqual(refusal(list), [503, "STORAGE_UNAVAILABLE"]);
    const access = await raw(users[0], "GET", "/v2/access/self");
    assert.deepEqual(refusal(access), [503, "STORAGE_UNAVAILABLE"], "which connection is meant is unknown");
    await sleep(2_500);
    await gateway.fail({});
    await eventually(async () => {
      const seen = [];
      for (const user of users.toReversed()) seen.push(...(await ask(user, "GET", "/edge/connections")).list);
      assert.ok(seen.length <= 1, `${mode}: it shows in ${seen.length} views`);
      await assertOwner(id, handle, users[2], users.slice(0, 2));
    }, { within: 20_000, every: 200 });
  }
});

test("the hub gets what it missed with the next delivery, also with a duplicate, and after a restart", async (t) => {
  const own = await startGateway({ faults: true });
  t.after(() => own.close());
  const listed = async (from) => (await sessionOf(from, { sub: ADA })("GET", "/edge/connections")).json().list;
  await own.fail({ hub: "fail" });
  const event = connectionEvent("connection.created", { id: "conn_missed", clientReferenceId: ADA });
  assert.equal((await own.deliver(event)).outcome, "applied");
  await own.fail({});
  assert.equal((await own.deliver(event)).outcome, "duplicate");
  const [{ handle }] = await listed(own);

  await own.fail({ hub: "fail" });
  const moved = connectionEvent("connection.updated", { id: "conn_missed", clientReferenceId: BOB });
  assert.equal((await own.deliver(moved)).outcome, "applied");
  await own.close({ keep: true });
  const again = await startGateway({ folder: own.folder });
  t.after(() => again.close());
  await eventually(async () => {
    assert.deepEqual(await listed(again), []);
    const { list } = (await sessionOf(again, { sub: BOB })("GET", "/edge/connections")).json();
    assert.deepEqual(list.map(({ handle }) => handle), [handle]);
  }, { within: 20_000, every: 200 });
});

test("a call that names its connection works while the hub is down", async () => {
  const named = { headers: { "x-connection-id": handles.get(OF_ADA[0]) } };
  await eventually(async () => assert.ok((await listAll(gateway)).some(({ id }) => id === OF_ADA[0])));
  await gateway.fail({ hub: "fail" });
  gateway.emulator.clear();
  assert.equal((await raw(ADA, "GET", "/v2/access/self", named)).status, 200);
  assert.equal(gateway.emulator.requests.length, 1);
  assert.deepEqual(refusal(await raw(BOB, "GET", "/v2/access/self", named)), [503, "STORAGE_UNAVAILABLE"]);
  assert.equal(gateway.emulator.requests.length, 1);
});

test("late messages to the hub change nothing, whichever user has the connection by then", async () => {
  const [one, two] = ["user_late_1", "user_late_2"];
  const handleOf = async (id) => (await gateway.call("GET", `/edge/connections/${id}`)).json().handle;
  const atOnceAndAtRest = async (check) => {
    await check();
    await sleep(2_500); // the late ones have come
    await check();
  };
  await tell("conn_back", one, { minute: 0, status: "pending" });
  await gateway.fail({ hub: "late" });
  await tell("conn_back", one, { minute: 1, status: "error" });
  await tell("conn_back", two, { minute: 2, status: "expired" });
  await gateway.fail({});
  await tell("conn_back", one, { minute: 3, status: "active" });
  const back = await handleOf("conn_back");
  await atOnceAndAtRest(async () => {
    await assertOwner("conn_back", back, one, [two]);
    assert.equal((await ask(one, "GET", `/edge/connections/${back}`)).status, "active");
  });

  const [three, four] = ["user_late_3", "user_late_4"];
  await gateway.fail({ hub: "late" });
  await tell("conn_left", three);
  await gateway.fail({});
  await tell("conn_left", four, { minute: 1 });
  const left = await handleOf("conn_left");
  await atOnceAndAtRest(() => assertOwner("conn_left", left, four, [three]));
});

test("deliveries in any order, with copies and at the same time, end with the newest user and no other", async () => {
  const users = Array.from({ length: 4 }, (_, index) => `user_order_${index}`);
  const orders = [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [0, 3, 3, 2, 1, 0], [3, 0, 1, 2, 2]];
  const statuses = ["pending", "expired", "error", "active"];
  const move = (id, index) => tell(id, users[index], { minute: index, status: statuses[index] });
  await Promise.all(
    orders.map(async (order, lane) => {
      for (const index of order) await move(`conn_order_${lane}`, index);
      await Promise.all(order.map((index) => move(`conn_order_${lane}_at_once`, index)));
    }),
  );
  const ids = orders.flatMap((_, lane) => [`conn_order_${lane}`, `conn_order_${lane}_at_once`]).sort();
  await eventually(async () => {
    const views = await Promise.all(users.map(listedOf));
    assert.deepEqual(views.map((view) => view.map(({ id }) => id).sort()), [[], [], [], ids]);
    assert.deepEqual([...new Set(views[3].map(({ status }) => status))], ["active"]);
  });
});

test("a clientReferenceId that is named only later, or never again, is kept", async () => {
  const [id, user] = ["conn_named_late", "user_named_late"];
  await tell(id, undefined);
  assert.deepEqual((await ask(user, "GET", "/edge/connections")).list, []);
  await tell(id, user, { minute: 1 });
  await tell(id, null, { minute: 2, status: "expired" });
  const { list } = await ask(user, "GET", "/edge/connections");
  assert.deepEqual(list.map(({ status, clientReferenceId }) => [status, clientReferenceId]), [["expired", user]]);
});

test("no answer of these tests showed a session an id, in a header or in a body of the gateway's own", async () => {
  const named = { headers: { "x-connection-id": handles.get(OF_ADA[0]) } };
  assert.equal((await raw(ADA, "GET", "/v2/access/proxy/headers", named)).status, 200);
  const types = ["SESSION_EXPIRED", "SESSION_NOT_PROVIDED", "UNAUTHORIZED", "FORBIDDEN"];
  for (const type of types) gateway.emulator.fault({ kind: "refuse", type, times: 1 });
  for (const _ of types) assert.ok((await raw(ADA, "PATCH", "/v2/access/proxy/echo", named)).status > 400);
  assert.ok(answers.length > 100, `${answers.length} answers`);
  for (const { text, headers } of answers) {
    const whole = text + JSON.stringify(headers);
    assert.ok(!whole.includes("conn_"), whole);
  }
});

/** A webhook about a connection of `user`, answered 200. */
async function tell(id, user, { minute = 0, status = "active", type = "connection.updated" } = {}) {
  const timestamp = new Date(START + minute * 60_000).toISOString();
  const answer = await gateway.deliver(connectionEvent(type, { id, clientReferenceId: user, timestamp, status }));
  assert.equal(answer.status, 200, answer.text);
}

async function raw(who, method, path, options) {
  const claims = typeof who === "string" ? { sub: who, permissions: GRANTED } : who;
  const answer = await sessionOf(gateway, tokenOf(claims))(method, path, options);
  const isOwn = answer.headers["x-ofauth-edge"] === "gateway";
  answers.push({ text: isOwn ? answer.text : "", headers: answer.headers });
  return answer;
}

async function ask(who, method, path) {
  const answer = await raw(who, method, path);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

/** In the owner's view and in nobody else's, by list and by handle, to sessions and to servers. */
async function assertOwner(id, handle, owner, others) {
  for (const user of [...others, owner]) {
    const expected = user === owner ? [handle] : [];
    assert.deepEqual((await ask(user, "GET", "/edge/connections")).list.map(({ handle }) => handle), expected, user);
    assert.equal((await raw(user, "GET", `/edge/connections/${handle}`)).status, user === owner ? 200 : 404, user);
    assert.deepEqual((await listedOf(user)).map(({ id }) => id), user === owner ? [id] : [], user);
  }
}

/** A user's connections, as a server sees them. */
async function listedOf(user) {
  const answer = await gateway.call("GET", `/edge/connections?limit=100&clientReferenceId=${encodeURIComponent(user)}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().list;
}
