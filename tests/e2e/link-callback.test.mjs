// What a browser may say when it comes back, and what of it is believed: 1. without a Link session under way, nothing,
// 2. with one, only what the ledger or OFAuth's own list confirms, 3. at the cost of one look-up in that list in 5 s,
// 4. the same each time, 5. while storage or OFAuth fails nothing is lost, 6. several Link sessions at once, 7. what is logged.
// Every answer here is also held against what comeBack() asks of any. How the callback may be called, and where it leads, is
// in link-callback-request.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { visitLink } from "../emulator/visitor.mjs";
import { BACK, HOME, PENDING, startCallbacks, success, UNKNOWN } from "./callbacks.mjs";
import { eventually, introduce, refusal } from "./harness.mjs";
import { assertUnknown, browserOf, handleOf, LIST, pageOf, pagesAsked, recordOf } from "./linking.mjs";

const { gateway, emulator, newUser, underWay, at } = await startCallbacks();

/** A visit takes 6 s at most, so there is room for two look-ups. Each of these reads one page. */
function assertFewLookUps() {
  assert.ok(pagesAsked(gateway) <= 2, `${pagesAsked(gateway)} pages`);
}

test("without a Link session under way a callback is not believed, stores nothing and asks OFAuth nothing", async () => {
  const [ada, bob] = [newUser(), newUser()];
  const own = await introduce(gateway, "conn_linked_ada", { user: ada });
  await introduce(gateway, "conn_linked_bob", { user: bob });
  emulator.connections.put({ id: "conn_only_upstream", clientReferenceId: ada });
  for (const id of ["conn_linked_ada", "conn_linked_bob", "conn_only_upstream", "conn_made_up", own, "", "a b"]) {
    assert.deepEqual(await at(success(id, ada)), UNKNOWN, id);
  }
  for (const query of [
    { status: "success", connection_id: "conn_linked_ada" },
    { status: "success", client_reference_id: ada },
    { status: "success", connection_id: "conn_only_upstream", client_reference_id: "" },
    { status: "cancelled", step: "login", client_reference_id: ada },
    { status: "error", error_code: "2fa_failed", client_reference_id: ada },
    success("conn_only_upstream", "x".repeat(5_000)),
  ]) {
    assert.deepEqual(await at(query), UNKNOWN, JSON.stringify(query));
  }
  assert.deepEqual(emulator.requests, []);
  await assertUnknown(gateway, "conn_only_upstream");
  await assertUnknown(gateway, "conn_made_up");
});

test("a connection of another user is not bound, and stays that user's", async () => {
  const bob = newUser();
  const handle = await introduce(gateway, "conn_bobs_own", { user: bob });
  const { user, back, id } = await underWay();
  const before = await recordOf(gateway, handle);
  const guesses = Array.from({ length: 5 }, () => at(success("conn_bobs_own", user)));
  for (const told of await Promise.all(guesses)) assert.deepEqual(told, PENDING);
  assertFewLookUps();
  assert.deepEqual(await recordOf(gateway, handle), before);
  const { list } = (await browserOf(gateway, user)("GET", "/edge/connections")).json();
  assert.ok(!list.some((one) => one.handle === handle));
  assert.deepEqual(await at(back), [BACK, { status: "success", connection: await handleOf(gateway, id) }], "a guess takes nothing");
});

test("made-up ids, many at once, cost one look-up in 5 s, nothing is stored, and who really comes back is not kept waiting", async () => {
  const { user, back, id: linked } = await underWay();
  const ids = Array.from({ length: 12 }, (_, index) => `conn_made_up_${index}`);
  const guesses = [...ids, "conn_", "acct_1", "a b", ""].map((id) => at(success(id, user)));
  await eventually(() => pagesAsked(gateway) > 0);
  const started = Date.now();
  assert.deepEqual(await at(back), [BACK, { status: "success", connection: await handleOf(gateway, linked) }]);
  assert.ok(Date.now() - started < 4_000, "it shares the look-up of a guess");
  for (const told of await Promise.all(guesses)) assert.ok(["pending", "unknown"].includes(told[1].status), told[1].status);
  assertFewLookUps();
  assert.ok(emulator.requests.every(({ path }) => path.startsWith(LIST)));
  for (const id of ids) await assertUnknown(gateway, id);
});

test("with the reference of another user who has a Link session under way nothing is bound to that user", async () => {
  const [ada, bob] = [await underWay(), await underWay()];
  assert.deepEqual(await at(success(ada.id, bob.user)), PENDING);
  await assertUnknown(gateway, ada.id);
  const { list } = (await browserOf(gateway, bob.user)("GET", "/edge/connections")).json();
  assert.deepEqual(list.map(({ handle }) => handle), [await handleOf(gateway, bob.id)], "what OFAuth itself lists as bob's");
  for (const { back, id, user } of [ada, bob]) {
    const told = await at(back);
    const { handle, clientReferenceId } = await recordOf(gateway, id);
    assert.deepEqual([told, clientReferenceId], [[BACK, { status: "success", connection: handle }], user]);
  }
});

test("an item that OFAuth lists for no user, or for another one, is not bound", async () => {
  for (const clientReferenceId of [null, "user_else", undefined]) {
    const { back, id } = await underWay();
    emulator.connections.put({ id, clientReferenceId: clientReferenceId ?? null });
    if (clientReferenceId === undefined) emulator.set({ listShape: "sdk" });
    assert.deepEqual(await at(back), PENDING);
    assert.equal(pagesAsked(gateway), 1);
    await assertUnknown(gateway, id);
    emulator.reset();
  }
});

test("a list that ignores its filters and begins with other connections does not mislead", async () => {
  const { back, id, user } = await underWay({ listFilters: "ignored" });
  for (let index = 0; index < 20; index += 1) {
    emulator.connections.put({ id: `conn_later_${index}`, clientReferenceId: index % 2 ? user : "user_else" });
  }
  assert.deepEqual(await at(back), [BACK, { status: "success", connection: await handleOf(gateway, id) }]);
  assert.equal((await recordOf(gateway, id)).clientReferenceId, user);
  for (let index = 0; index < 20; index += 2) await assertUnknown(gateway, `conn_later_${index}`);
});

test("three pages of OFAuth's list are read, and what lies beyond is pending until its webhook comes", async () => {
  const fill = (count, year) => {
    for (let index = 0; index < count; index += 1) {
      emulator.connections.put({ id: `conn_${year}_${index}`, createdAt: `${year}-01-01T00:00:00.000Z` });
    }
  };
  const within = await underWay();
  fill(299, 2099);
  assert.equal((await at(within.back))[1].status, "success");
  const offsets = () => emulator.requests.map(({ path }) => path);
  const asked = [0, 100, 200].map((offset) => `${LIST}limit=100&offset=${offset}`);
  assert.deepEqual(offsets(), asked);

  emulator.reset();
  const beyond = await underWay({ linkWebhook: "held" });
  fill(300, 2099);
  for (const told of await Promise.all([1, 2, 3].map(() => at(beyond.back)))) assert.deepEqual(told, PENDING);
  assert.deepEqual(new Set(offsets()), new Set(asked));
  await assertUnknown(gateway, beyond.id);
  await emulator.outbox.release();
  const handle = await handleOf(gateway, beyond.id);
  emulator.clear();
  assert.deepEqual(await at(beyond.back), [BACK, { status: "success", connection: handle }]);
  assert.equal(pagesAsked(gateway), 0);
});

test("a reload of the callback gets the first answer again, and nothing is done twice", async () => {
  const { user, back, id } = await underWay();
  const first = await at(back);
  assert.equal(first[1].status, "success");
  const before = [await recordOf(gateway, id), emulator.requests.length];
  for (let visit = 0; visit < 3; visit += 1) assert.deepEqual(await at(back), first);
  assert.deepEqual(await at(success("conn_other", user)), UNKNOWN);
  assert.deepEqual([await recordOf(gateway, id), emulator.requests.length], before);
});

test("two callbacks at the same time bind once", async () => {
  const { user, back, id } = await underWay();
  const told = await Promise.all([at(back), at(back)]);
  const connection = await handleOf(gateway, id);
  for (const answer of told) assert.deepEqual(answer, [BACK, { status: "success", connection }]);
  assertFewLookUps();
  const { list } = (await browserOf(gateway, user)("GET", "/edge/connections")).json();
  assert.deepEqual(list.map(({ handle }) => handle), [connection]);
});

test("after a delete the connection does not come back, and OFAuth is not asked", async () => {
  const { back, id, user } = await underWay({ linkWebhook: "before", accountWebhook: "never" });
  assert.equal((await gateway.call("DELETE", `/edge/connections/${id}`)).status, 200);
  emulator.connections.put({ id, clientReferenceId: user }); // a list that has not heard of it yet
  emulator.clear();
  assert.deepEqual(await at(back), PENDING);
  assert.deepEqual(emulator.requests, []);
  assert.equal((await recordOf(gateway, id)).status, "disconnected");
});

test("after its user was deleted a Link session does not wait for a connection", async () => {
  const { back, id, user } = await underWay();
  assert.equal((await gateway.call("DELETE", `/edge/users/${user}`)).status, 200);
  emulator.clear();
  assert.deepEqual(await at(back), UNKNOWN);
  assert.deepEqual(emulator.requests, []);
  await assertUnknown(gateway, id);
});

test("after its end a Link session does not wait for a connection", async () => {
  emulator.set({ linkSeconds: 0 });
  const late = newUser();
  await pageOf(browserOf(gateway, late), { redirectUrl: BACK });
  const { back, id } = await underWay({ linkSeconds: 1 });
  emulator.connections.put({ id: "conn_too_late", clientReferenceId: late });
  await sleep(1_100);
  assert.deepEqual(await at(back), UNKNOWN);
  assert.deepEqual(await at(success("conn_too_late", late)), UNKNOWN);
  assert.deepEqual(emulator.requests, []);
  await assertUnknown(gateway, id);
  await assertUnknown(gateway, "conn_too_late");
});

test("while the hub or the ledger fails the browser is told to try again, and later all is as usual", async () => {
  for (const modes of [{ hub: "fail" }, { hub: "lost" }, { ledger: "fail" }, { ledger: "lost" }]) {
    const { back, id } = await underWay();
    await gateway.fail(modes);
    const answer = await gateway.send("GET", `/link/callback${back.search}`);
    assert.deepEqual(refusal(answer), [503, "STORAGE_UNAVAILABLE"], JSON.stringify(modes));
    assert.deepEqual([answer.headers["retry-after"], answer.headers["cache-control"]], ["2", "private, no-store"]);
    assert.doesNotMatch(answer.text, /conn_/);
    await gateway.fail({});
    assert.deepEqual(await at(back), [BACK, { status: "success", connection: await handleOf(gateway, id) }]);
  }
  const { back, id } = await underWay();
  await gateway.fail({ read: "fail", put: "fail" });
  assert.equal((await at(back))[1].status, "success", "KV is not needed");
  assert.equal((await recordOf(gateway, id)).status, "active");
});

test("a list that fails is like one without the connection, and the next callback asks again", async () => {
  const faults = [
    { kind: "status", code: 500 },
    { kind: "status", code: 404, body: "html" },
    { kind: "refuse", type: "UNAUTHORIZED" },
    { kind: "dropMidway" },
    { kind: "redirect", to: "https://elsewhere.example/" },
  ];
  for (const fault of faults) {
    const { back, id } = await underWay();
    emulator.fault({ ...fault, match: { path: LIST.slice(0, -1) } });
    assert.deepEqual(await at(back), PENDING, fault.kind);
    await assertUnknown(gateway, id);
    emulator.heal();
    assert.equal((await at(back))[1].status, "success", fault.kind);
  }
});

test("a Link session of a server leads to APP_RETURN_URL, and its callback is checked like any other", async () => {
  const user = newUser();
  const redirectUrl = `http://127.0.0.1:${gateway.port}/link/callback`;
  emulator.set({ linkWebhook: "never" });
  const page = await pageOf(gateway.call, { clientReferenceId: user, redirectUrl });
  assert.deepEqual(await at(success("conn_made_up", user)), [HOME, { by: "gateway", status: "pending" }]);
  const back = await visitLink(page);
  const connection = back.searchParams.get("connection_id");
  const [home, told] = await at(back);
  const expected = { by: "gateway", status: "success", connection: await handleOf(gateway, connection) };
  assert.deepEqual([home, told], [HOME, expected]);
});

test("each of several Link sessions of a user can succeed, and their number is limited", async () => {
  const user = newUser();
  const ada = browserOf(gateway, user);
  emulator.set({ linkWebhook: "never" });
  for (let index = 0; index < 8; index += 1) await pageOf(ada, { redirectUrl: BACK, connectionId: null });
  const ends = [];
  for (let index = 0; index < 8; index += 1) {
    emulator.connections.put({ id: `conn_several_${index}`, clientReferenceId: user });
    ends.push((await at(success(`conn_several_${index}`, user)))[1].status);
  }
  assert.deepEqual(ends, [...Array(5).fill("success"), ...Array(3).fill("unknown")]);
});

test("each visit writes one line to the log, without an id, a reference, a handle or a page", async () => {
  const { user, back } = await underWay();
  const before = gateway.logs.length;
  await at(back);
  await at(success("conn_made_up_too", user));
  const written = () => gateway.logs.slice(before).filter((line) => line.includes('"route":"link_callback"'));
  await eventually(() => written().length === 2);
  for (const line of gateway.logs) assert.doesNotMatch(line, /conn_|acct_|cs_|user_of_callback|app\.example/);
});
