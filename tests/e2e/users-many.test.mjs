// DELETE /edge/users/{clientReferenceId} of a user with many connections, which takes longer than an answer may: 1. it is a
// job with an answer on its way, 2. six at a time, 3. shared by whoever asks, 4. finished whoever leaves, 5. and after a
// crash, 6. it names what OFAuth refused, and tries that again, 7. late webhooks bring nothing back, 8. OFAuth's list
// refused or longer than a page, 9. builds beside it that do not know such jobs.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent, realtimeEvent } from "../emulator/events.mjs";
import { isFull } from "../full.mjs";
import { eventually, introduce, listAll, open, refusal, sessionOf, startGateway } from "./harness.mjs";
import { inHubWith } from "./hubs.mjs";

const DONE = "The user has been deleted";
const SLOW = 150;
const AT_ONCE = 6;

const gateway = await startGateway({ faults: true, vars: { EVENT_KEEP: "*" } });
after(() => gateway.close());
let count = 0;

// As long in both cases: more than the 10 s after which an answer says how far it is.
const [MANY, SLOW_EACH] = isFull ? [400, 150] : [100, 600];
test(`the answer says how many of ${MANY} connections are deleted, until all are, six at a time`, async () => {
  const { user, ids, handles } = await newUser(gateway, MANY);
  gateway.emulator.fault({ kind: "slow", ms: SLOW_EACH, match: { method: "DELETE" } });
  const inFlight = watch(gateway);
  const answers = [];
  do {
    const asked = Date.now();
    answers.push(await gateway.call("DELETE", path(user)));
    assert.ok(Date.now() - asked < 12_000, "no answer takes longer");
  } while (answers.at(-1).status === 202);
  gateway.emulator.heal();
  const done = answers.pop();
  assert.deepEqual([done.status, done.json()], [200, { success: true, message: DONE, deleted: MANY }]);
  assert.ok(answers.length > 0, "it takes longer than 10 s");
  const shown = answers.map((answer) => answer.json());
  for (const { done: deleted, remaining } of shown) assert.equal(deleted + remaining, MANY);
  const grows = shown.every(({ done: deleted }, index) => deleted > (shown[index - 1]?.done ?? 0));
  assert.ok(grows, JSON.stringify(shown));
  assert.equal(inFlight.most(), AT_ONCE);
  assertDeletedOnce(gateway, ids);
  await assertGone(gateway, user, ids, handles);
});

describe("with some connections more than one run takes", { concurrency: false }, () => {
  test("two requests at the same time share the job, and so does a later one", async () => {
    const { user, ids, handles } = await newUser(gateway, 40);
    gateway.emulator.fault({ kind: "slow", ms: SLOW, match: { method: "DELETE" } });
    const inFlight = watch(gateway);
    const both = [gateway.call("DELETE", path(user)), gateway.call("DELETE", path(user))];
    await eventually(() => asked(gateway).length > 10);
    const answers = await Promise.all([...both, gateway.call("DELETE", path(user))]);
    gateway.emulator.heal();
    for (const answer of answers) assert.deepEqual([answer.status, answer.json().deleted], [200, 40], answer.text);
    assert.equal(inFlight.most(), AT_ONCE);
    assertDeletedOnce(gateway, ids);
    await assertGone(gateway, user, ids, handles);
  });

  test("all is deleted even if the caller hangs up at once", async () => {
    const { user, ids, handles } = await newUser(gateway, 40);
    gateway.emulator.fault({ kind: "slow", ms: SLOW, match: { method: "DELETE" } });
    const call = open(gateway.port, "DELETE", path(user), { apikey: gateway.vars.GATEWAY_KEY });
    call.on("error", () => {}).end();
    await eventually(() => asked(gateway).length > 0, { every: 5 });
    call.destroy();
    await eventually(() => assertDeletedOnce(gateway, ids), { within: 20_000 });
    gateway.emulator.heal();
    // Nobody has an answer that says when the last ledger is done.
    await eventually(() => assertGone(gateway, user, ids, handles));
  });

  test("a connection that OFAuth refuses to delete is named, and only that one is tried again", async () => {
    const { user, ids, handles } = await newUser(gateway, 30);
    for (const number of [7, 20]) {
      const match = { method: "DELETE", path: `/v2/account/connections/${ids[number]}` };
      gateway.emulator.fault({ kind: "limit", retryAfter: 3, times: 1, match });
    }
    const refused = await gateway.call("DELETE", path(user));
    const { type, deleted, failed } = refused.json();
    const stuck = [handles[7], handles[20]].toSorted();
    assert.deepEqual([refused.status, type, deleted, failed], [429, "RATE_LIMIT_EXCEEDED", 28, stuck]);
    assert.deepEqual([refused.headers["retry-after"], refused.headers["x-ofauth-edge-action"]], ["3", "retry"]);
    const done = await gateway.call("DELETE", path(user));
    assert.deepEqual([done.status, done.json()], [200, { success: true, message: DONE, deleted: 2 }]);
    assert.deepEqual(ids.map((id) => asked(gateway, id).length).filter((times) => times !== 1), [2, 2]);
    await assertGone(gateway, user, ids, handles);
  });

  test("webhooks during the deletion bring nothing back", async () => {
    const { user, ids, handles } = await newUser(gateway, 30);
    gateway.emulator.fault({ kind: "slow", ms: SLOW, match: { method: "DELETE" } });
    const answer = deleteUser(user);
    await eventually(() => asked(gateway).length > 6, { every: 5 });
    const late = ["created", "updated", "expired"].flatMap((type) =>
      ids.map((id) => connectionEvent(`connection.${type}`, { id, clientReferenceId: user, status: "active" })),
    );
    for (const delivered of await Promise.all(late.map((event) => gateway.deliver(event)))) {
      assert.equal(delivered.status, 200, delivered.text);
    }
    assert.deepEqual([(await answer).status, (await answer).json().deleted], [200, 30]);
    gateway.emulator.heal();
    await assertGone(gateway, user, ids, handles);
  });

  test("connections that only OFAuth's list has are deleted, on all of its pages, and their events with them", async () => {
    const user = nextUser();
    const ids = Array.from({ length: 130 }, (_, index) => `conn_only_${user}_${index}`);
    for (const id of ids) gateway.emulator.connections.put({ id, clientReferenceId: user });
    const kept = await gateway.deliver(realtimeEvent("chatMessage", { id: ids[129], clientReferenceId: undefined }));
    assert.equal(kept.outcome, "kept");
    assert.equal((await deleteUser(user)).json().deleted, 130);
    assert.ok(ids.every((id) => !gateway.emulator.connections.get(id)));
    assert.ok(!(await gateway.call("GET", "/edge/events?limit=100")).text.includes(user));
  });

  test("if OFAuth refuses its list, the known connections are deleted, and the answer is the refusal", async () => {
    const { user, ids, handles } = await newUser(gateway, 2);
    gateway.emulator.connections.put({ id: "conn_unlisted", clientReferenceId: user });
    gateway.emulator.fault({ kind: "refuse", type: "UNAUTHORIZED", match: { method: "GET" } });
    const refused = await gateway.call("DELETE", path(user));
    gateway.emulator.heal();
    const { type, deleted, failed } = refused.json();
    assert.deepEqual([refused.status, type, deleted, failed], [401, "UNAUTHORIZED", 2, []], refused.text);
    await assertGone(gateway, undefined, ids, handles);
    assert.deepEqual((await gateway.call("DELETE", path(user))).json().deleted, 1);
    assert.equal(gateway.emulator.connections.get("conn_unlisted"), undefined);
  });

  for (const modes of [{ hub: "older" }, { ledger: "older" }]) {
    test(`beside a build that does not know such jobs the answer is 503, and repeated it succeeds: ${JSON.stringify(modes)}`, async () => {
      const { user, ids, handles } = await newUser(gateway, 8);
      await gateway.fail(modes);
      assert.deepEqual(refusal(await gateway.call("DELETE", path(user))), [503, "STORAGE_UNAVAILABLE"]);
      assert.deepEqual(asked(gateway), []);
      await gateway.fail({});
      const done = await gateway.call("DELETE", path(user));
      assert.deepEqual([done.status, done.json()], [200, { success: true, message: DONE, deleted: 8 }]);
      await assertGone(gateway, user, ids, handles);
    });
  }

  test("the hub keeps nothing that names the user or a connection", async () => {
    const { user, ids, handles } = await newUser(gateway, 3);
    gateway.emulator.fault({ kind: "status", code: 500, times: 1, match: { method: "DELETE" } });
    assert.equal((await gateway.call("DELETE", path(user))).status, 500);
    const look = () => inHubWith(gateway.folder, handles[0], (hub) => {
      const select = (table) => hub.prepare(`SELECT * FROM ${table}`).all();
      return { items: select("erasing"), shown: JSON.stringify(select("erasure"), (_, value) => textOf(value)) };
    });
    const { items, shown } = look();
    assert.deepEqual(items, []);
    for (const word of [user, ...ids]) assert.ok(!shown.includes(word), shown);
  });
});

test("a deletion that is killed in the middle goes on after a restart without a request", async (t) => {
  const first = await startGateway({});
  t.after(() => first.close());
  const { user, ids, handles } = await newUser(first, 60);
  first.emulator.fault({ kind: "slow", ms: SLOW, match: { method: "DELETE" } });
  const cut = first.call("DELETE", path(user)).catch((error) => error);
  await eventually(() => asked(first).filter(({ status }) => status === 200).length >= 20, { every: 5 });
  const left = first.emulator.connections.all().map(({ id }) => id);
  await first.kill();
  await cut;

  const again = await startGateway({ folder: first.folder });
  t.after(() => again.close());
  for (const id of left) again.emulator.connections.put({ id, clientReferenceId: user });
  assert.ok(left.length >= 30 && left.length <= 40, `${left.length} left`);
  await eventually(() => again.emulator.connections.all().length === 0, { within: 30_000, every: 100 });
  assert.ok(asked(again).length <= left.length + AT_ONCE, "what was deleted before is not deleted again");
  // Nobody has an answer that says when the last ledger is done.
  await eventually(() => assertGone(again, user, ids, handles));
  const done = await again.call("DELETE", path(user));
  assert.equal(done.status, 200, done.text);
});

function nextUser() {
  return `user_many${(count += 1)}_zQ`;
}

/** A user with so many active connections. */
async function newUser(where, size) {
  const user = nextUser();
  const ids = Array.from({ length: size }, (_, index) => `conn_${user}_${index}`);
  const handles = [];
  while (handles.length < size) {
    const next = ids.slice(handles.length, handles.length + 20);
    handles.push(...(await Promise.all(next.map((id) => introduce(where, id, { user })))));
  }
  where.emulator.clear();
  return { user, ids, handles };
}

function path(user) {
  return `/edge/users/${encodeURIComponent(user)}`;
}

/** Asks until the answer is not 202: on a busy machine a job may take longer than an answer. */
async function deleteUser(user) {
  for (;;) {
    const answer = await gateway.call("DELETE", path(user));
    if (answer.status !== 202) return answer;
  }
}

/** The deletes that OFAuth was asked for: of one connection, or all. */
function asked({ emulator }, id) {
  return emulator.requests.filter((seen) => seen.method === "DELETE" && (id === undefined || seen.path.endsWith(`/${id}`)));
}

/** Watches how many deletes OFAuth has not answered yet. */
function watch(where) {
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, asked(where).filter(({ status, aborted }) => status === null && !aborted).length);
  }, 10);
  return {
    most() {
      clearInterval(look);
      return most;
    },
  };
}

function assertDeletedOnce(where, ids) {
  const seen = asked(where).map((request) => request.path.split("/").at(-1));
  for (const id of ids) assert.equal(seen.filter((one) => one === id).length, 1, id);
  for (const id of ids) assert.equal(where.emulator.connections.get(id), undefined);
}

/** In any view and any store; without a user, only the connections. */
async function assertGone(where, user, ids, handles) {
  for (const name of [ids[0], ids.at(-1), handles[0], handles.at(-1)]) {
    assert.equal((await where.call("GET", `/edge/connections/${name}`)).status, 404, name);
  }
  await eventually(async () => {
    const listed = new Set((await listAll(where)).map(({ handle }) => handle));
    assert.deepEqual(handles.filter((handle) => listed.has(handle)), []);
    if (user === undefined) return;
    const { list } = (await sessionOf(where, { sub: user })("GET", "/edge/connections")).json();
    assert.deepEqual(list, []);
  });
  await sleep(100);
}

function textOf(value) {
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
}
