// The organisation's calls: 1. the key, 2. listing, 3. deleting and invalidating, 4. importing, 5. settings, and what each
// means to the Access API and to webhooks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startEmulator } from "./emulator.mjs";
import { API_KEY, callerOf, startWithReceiver, until } from "./testing.mjs";

const { receiver, emulator, call } = await startWithReceiver();
const LIST = "/v2/account/connections";
const IMPORT = `${LIST}/import`;
const SESSION = { cookie: "sess=s1; auth_id=12345; fp=f1", userAgent: "Browser/1.0" };

test("whoami names the organisation and its permissions, to its key only", async () => {
  const { status, json } = await call("GET", "/v2/account/whoami");
  assert.deepEqual([status, Object.keys(json)], [200, ["id", "name", "permissions"]]);
  assert.ok(json.permissions.includes("profile:read"));
  const wrong = await call("GET", "/v2/account/whoami", { headers: { apikey: "sk_live_other" } });
  assert.deepEqual([wrong.status, wrong.json.type], [401, "UNAUTHORIZED"]);
});

test("a wrong key is refused on every organisation's route", async () => {
  const others = [["POST", "/v2/link/init"], ["GET", "/v2/dynamic-rules"], ["GET", "/v2/vault-plus/list"]];
  for (const [method, path] of [["GET", LIST], ["DELETE", `${LIST}/conn_a`], ["POST", IMPORT], ...others]) {
    assert.equal((await call(method, path, { headers: { apikey: "no" } })).json.type, "UNAUTHORIZED", path);
  }
});

test("a list has OFAuth's items, newest first, ten by default", async () => {
  for (let n = 0; n < 12; n += 1) emulator.connections.put({ id: `conn_${n}` });
  const first = (await call("GET", LIST)).json;
  assert.deepEqual([first.list.length, first.hasMore, first.list[0].id, "total" in first], [10, true, "conn_11", false]);
  const rest = (await call("GET", `${LIST}?limit=5&offset=10`)).json;
  assert.deepEqual([rest.list.map(({ id }) => id), rest.hasMore], [["conn_1", "conn_0"], false]);
  const keys = "id status userData permissions expiredAt createdAt updatedAt clientReferenceId imported lastCheckedAt";
  assert.deepEqual(Object.keys(first.list[0]).sort(), keys.split(" ").sort());
  const outOfRange = ["limit=0", "limit=101", "offset=-1"];
  for (const query of outOfRange) assert.equal((await call("GET", `${LIST}?${query}`)).status, 400);
});

test("a list is filtered by status and by being imported, unless the filters are ignored", async () => {
  emulator.connections.put({ id: "conn_a" });
  emulator.connections.put({ id: "conn_e", status: "expired" });
  emulator.connections.put({ id: "conn_i", imported: true });
  const ids = async (query) => (await call("GET", `${LIST}?${query}`)).json.list.map(({ id }) => id);
  assert.deepEqual(await ids("status=expired"), ["conn_e"]);
  assert.deepEqual(await ids("status=active&imported=true"), ["conn_i"]);
  assert.deepEqual(await ids("status=nonsense"), []);
  emulator.set({ listFilters: "ignored" });
  assert.equal((await ids("status=expired&imported=true")).length, 3);
});

test("a list can have the SDK document's shape, with a total and the user's id as a filter", async () => {
  emulator.set({ listShape: "sdk" });
  const { userData } = emulator.connections.put({ id: "conn_a" });
  emulator.connections.put({ id: "conn_e", status: "expired" });
  const { list, total, hasMore } = (await call("GET", `${LIST}?platformUserId=${userData.id}`)).json;
  assert.deepEqual([total, hasMore, list[0].id, list[0].platformUserId], [1, false, "conn_a", userData.id]);
  assert.deepEqual([list[0].metadata.username, list[0].metadata.displayName], [userData.username, userData.name]);
  assert.ok(list[0].expiresAt > list[0].createdAt);
  assert.ok(!("expiresAt" in (await call("GET", `${LIST}?status=expired`)).json.list[0]));
});

test("the older paths list and delete too", async () => {
  emulator.connections.put({ id: "conn_a" });
  assert.equal((await call("GET", "/v2/connections?limit=1")).json.list[0].id, "conn_a");
  assert.equal((await call("DELETE", "/v2/connections/conn_a")).json.success, true);
  assert.equal((await call("GET", "/v2/connectionsx")).json.type, "ROUTE_NOT_FOUND");
});

test("a deleted connection is gone from the list, from the Access API, and for a second delete", async () => {
  emulator.connections.put({ id: "conn_a", clientReferenceId: "user_1" });
  assert.equal((await access("conn_a")).status, 200);
  const { status, json } = await call("DELETE", `${LIST}/conn_a`);
  assert.deepEqual([status, json.success], [200, true]);
  assert.deepEqual((await call("GET", LIST)).json.list, []);
  assert.deepEqual(shown(await access("conn_a")), [401, "SESSION_NOT_PROVIDED", "relink_connection"]);
  assert.deepEqual(shown(await call("DELETE", `${LIST}/conn_a`)), [404, "RESOURCE_NOT_FOUND", undefined]);
  await until(() => receiver.events.length === 1);
  const [{ type, data }] = receiver.events;
  assert.deepEqual([type, data.clientReferenceId], ["connection.disconnected", "user_1"]);
  assert.deepEqual(data.connection, { id: "conn_a", status: "disconnected" });
});

test("an invalidated connection stays as expired, and a second time sends no webhook", async () => {
  emulator.connections.put({ id: "conn_a" });
  for (const _ of ["once", "again"]) assert.equal((await call("POST", `${LIST}/conn_a/invalidate`)).status, 200);
  const [{ status, expiredAt }] = (await call("GET", LIST)).json.list;
  assert.deepEqual([status, typeof expiredAt], ["expired", "string"]);
  assert.deepEqual(shown(await access("conn_a")), [401, "SESSION_EXPIRED", "relink_connection"]);
  await until(() => receiver.events.length === 1);
  assert.equal(receiver.events[0].type, "connection.expired");
  assert.equal((await call("POST", `${LIST}/conn_never/invalidate`)).status, 404);
});

test("Access calls are refused for every status but active, and for an unknown id", async (t) => {
  const expected = {
    expired: [401, "SESSION_EXPIRED", "relink_connection"],
    revoked: [401, "SESSION_EXPIRED", "relink_connection"],
    pending: [401, "SESSION_NOT_PROVIDED", "relink_connection"],
    awaiting_2fa: [401, "SESSION_NOT_PROVIDED", "relink_connection"],
    failed: [401, "SESSION_NOT_PROVIDED", "relink_connection"],
    error: [503, "NETWORK_ERROR", undefined],
  };
  for (const [status, refusal] of Object.entries(expected)) {
    emulator.connections.put({ id: "conn_a", status });
    assert.deepEqual(shown(await access("conn_a")), refusal, status);
  }
  assert.deepEqual(shown(await access("conn_never_named")), [401, "SESSION_NOT_PROVIDED", "relink_connection"]);

  const open = await startEmulator({ apiKey: API_KEY, opensUnknown: true });
  t.after(() => open.close());
  const headers = { "x-connection-id": "conn_a" };
  assert.equal((await callerOf(open)("GET", "/v2/access/self", { headers })).json.isAuth, true);
  open.connections.remove("conn_a");
  assert.equal((await callerOf(open)("GET", "/v2/access/self", { headers })).status, 401);
});

test("a webhook can be sent before the answer, be held until released, or never", async () => {
  emulator.connections.put({ id: "conn_a" });
  emulator.set({ accountWebhook: "before" });
  await call("POST", `${LIST}/conn_a/invalidate`);
  assert.equal(receiver.events.length, 1);

  emulator.set({ accountWebhook: "held" });
  await call("DELETE", `${LIST}/conn_a`);
  assert.deepEqual([receiver.events.length, emulator.outbox.held.length], [1, 1]);
  await emulator.outbox.release();
  assert.deepEqual(receiver.events.map(({ type }) => type), ["connection.expired", "connection.disconnected"]);
  assert.ok(emulator.outbox.sent.every(({ delivery }) => delivery.outcome === "applied"));

  emulator.set({ accountWebhook: "never" });
  emulator.connections.put({ id: "conn_b" });
  await call("DELETE", `${LIST}/conn_b`);
  assert.deepEqual([emulator.outbox.sent.length, emulator.outbox.held.length], [2, 0]);
});

test("an imported session is a connection of the cookie's user", async () => {
  const body = { ...SESSION, permissions: ["profile:read"], clientReferenceId: "user_1" };
  const { status, json } = await call("POST", IMPORT, { body });
  assert.deepEqual([status, json.status, json.imported, json.userData.id], [200, "active", true, "12345"]);
  assert.deepEqual([json.permissions, json.clientReferenceId], [["profile:read"], "user_1"]);
  assert.equal((await access(json.id)).json.id, 12345);
  await until(() => receiver.events.length === 1);
  assert.equal(receiver.events[0].type, "connection.created");
});

test("a session imported twice, or another user's, is a conflict", async () => {
  const { id } = (await call("POST", IMPORT, { body: SESSION })).json;
  const other = { ...SESSION, cookie: "sess=s2; auth_id=999; fp=f2" };
  assert.equal((await call("POST", IMPORT, { body: SESSION })).status, 409);
  assert.equal((await call("POST", IMPORT, { body: { ...SESSION, cookie: "sess=s9; auth_id=12345; fp=f1" } })).status, 409);
  assert.deepEqual(shown(await call("PATCH", `${IMPORT}/${id}`, { body: other })), [409, "CONFLICT", undefined]);
  const second = (await call("POST", IMPORT, { body: other })).json;
  assert.equal((await call("PATCH", `${IMPORT}/${second.id}`, { body: SESSION })).status, 409);
});

test("a new session for an imported connection makes an expired one active again under its id", async () => {
  const { id } = (await call("POST", IMPORT, { body: { ...SESSION, clientReferenceId: "user_1" } })).json;
  await call("POST", `${LIST}/${id}/invalidate`);
  const again = await call("PATCH", `${IMPORT}/${id}`, { body: { ...SESSION, cookie: "sess=s2; auth_id=12345; fp=f1" } });
  assert.deepEqual([again.status, again.json.id, again.json.status, again.json.expiredAt], [200, id, "active", null]);
  assert.equal(again.json.clientReferenceId, "user_1");
  await until(() => receiver.events.length === 3);
  assert.equal(receiver.events[2].type, "connection.updated");
  assert.equal((await call("PATCH", `${IMPORT}/conn_never`, { body: SESSION })).status, 404);
});

test("an import without a whole session is a bad request that says what it lacks", async () => {
  const wrong = [[{}, /cookie and userAgent/], [{ ...SESSION, cookie: "sess=1" }, /lacks auth_id, fp/], ["{", /cookie/]];
  for (const [body, words] of wrong) {
    const { status, json } = await call("POST", IMPORT, { body });
    assert.equal(status, 400);
    assert.match(json.error, words);
  }
});

test("settings of the organisation and of each connection are kept as they were set", async () => {
  emulator.connections.put({ id: "conn_a" });
  for (const path of ["/v2/account/settings", `${LIST}/conn_a/settings`]) {
    assert.ok((await call("GET", path)).json.vaultCache);
    const set = await call("PATCH", path, { body: { vaultCache: { path } } });
    assert.deepEqual(set.json, { vaultCache: { path } });
    assert.deepEqual((await call("GET", path)).json, set.json);
    assert.equal((await call("PATCH", path, { body: "[]" })).status, 400);
  }
  assert.equal((await call("GET", `${LIST}/conn_never/settings`)).status, 404);
});

function access(id) {
  return call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
}

function shown({ status, json }) {
  return [status, json.type, json.actionRequired];
}
