// The samples of OFAuth's SDK document ("Connections"), run by the client against the gateway. Each keeps its sample's
// shape; what was wrong with the sample is named above it and mended. `sdk` is a server's client, `page` a user's.
//
// 1. all active connections, one user's, one by id; 2. bulk map over all pages; 3. not found, permission, rate limit; 4. a
// cached look-up per user. What becomes of dead connections is in client-samples-cleanup.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient } from "../../pkg-template/client.mjs";
import { accountOf } from "../emulator/account.mjs";
import { eventually, tokenOf } from "./harness.mjs";
import { ADA, GRANTED, startSamples, userOf } from "./samples.mjs";

const { emulator, baseUrl, sdk, page, pageOf, link, handleOf } = await startSamples();

// "Get All Active Connections". The sample logs the connections' ids, which are credentials: the handle is for logs.
async function listActive(client) {
  const lines = [];
  const { data: connections, error } = await client.link.connections.getAll({ status: "active", limit: 50, offset: 0 });
  if (error) {
    lines.push(`Failed to get connections: ${error.message}`);
  } else {
    lines.push(`Found ${connections.total} total connections`);
    lines.push(`Showing ${connections.list.length} connections`);
    connections.list.forEach((connection) => {
      lines.push(`${connection.handle}: ${connection.metadata.username}, ${connection.status}, ${connection.createdAt}`);
    });
    if (connections.hasMore) lines.push("More connections available");
  }
  return lines;
}

test("get all active connections, as a server and as a page", async () => {
  const { data: ada } = await sdk.link.connections.getById("conn_Ada1");
  const line = `${ada.handle}: ${accountOf("conn_Ada1").username}, active, ${ada.createdAt}`;
  for (const client of [sdk, page]) {
    assert.deepEqual(await listActive(client), ["Found 1 total connections", "Showing 1 connections", line]);
  }
});

// "Get Connections for Specific User". The sample calls the data `userConnections` and then asks `if (data)`, which does
// not exist. Ids with more digits than a number holds must be strings.
async function listOfUser(client, platformUserId) {
  const { data: userConnections, error } = await client.link.connections.getAll({ platformUserId, status: "active" });
  if (error) return error.type;
  return userConnections.list.map((connection) => `${connection.handle} - ${connection.status}`);
}

test("get the connections of an OnlyFans user, by number or string", async () => {
  const user = userOf("conn_Ada1");
  const line = `${await handleOf("conn_Ada1")} - active`;
  for (const client of [sdk, page]) {
    for (const id of [user, Number(user)]) assert.deepEqual(await listOfUser(client, id), [line]);
    assert.deepEqual(await listOfUser(client, "1"), []);
    assert.equal(await listOfUser(client, 2 ** 53), "bad_request", "which user that is cannot be told");
  }
});

test("an id that is too long for a number finds its own user, and no other", async () => {
  const [one, other] = ["90071992547409931", "90071992547409932"];
  assert.equal(Number(one), Number(other));
  await link("conn_Long1", { userData: { id: one, name: "One", username: "one" } });
  await link("conn_Long2", { userData: { id: other, name: "Two", username: "two" } });
  const { data } = await sdk.link.connections.getAll({ platformUserId: one });
  assert.deepEqual(
    data.list.map(({ id, platformUserId }) => [id, platformUserId]),
    [["conn_Long1", one]],
  );
});

// "Get Connection by ID". The sample drops the error of getMe: a profile that could not be read looks like one without a
// name.
async function describeConnection(client, connectionId) {
  const { data: connection, error } = await client.link.connections.getById(connectionId);
  if (error) return error.type === "not_found" ? "Connection not found" : error.message;
  if (connection.status !== "active") return `${connection.metadata.username}: ${connection.status}`;
  const { data: profile, error: failed } = await client.self.getMe({ authentication: { connectionId: connection.id } });
  return failed ? `no profile: ${failed.code}, ${failed.action}` : `${profile.username}: ${connection.status}`;
}

test("get a connection by id, and its profile", async () => {
  const name = accountOf("conn_Ada1").username;
  const handle = await handleOf("conn_Ada1");
  for (const [client, id] of [
    [sdk, "conn_Ada1"],
    [sdk, handle],
    [page, handle],
  ]) {
    assert.equal(await describeConnection(client, id), `${name}: active`);
  }
  assert.equal(await describeConnection(sdk, "conn_Ada2"), `${accountOf("conn_Ada2").username}: expired`);
  assert.equal(await describeConnection(sdk, "conn_invalid"), "Connection not found");
  assert.equal(await describeConnection(page, "conn_Ada1"), "Connection not found", "a page knows no ids");
  emulator.fault({ kind: "refuse", type: "UNAUTHORIZED" });
  assert.equal(await describeConnection(sdk, "conn_Ada1"), "no profile: UNAUTHORIZED, operator");
});

// "Managing Multiple Connections". The sample reads the first page only, and its ids through parseInt, which rounds long
// ones and takes "12ab" for 12.
async function getActiveConnectionsForUsers(userIds) {
  const wanted = new Set(userIds);
  const activeConnections = new Map();
  for await (const { data: connection, error } of sdk.link.connections.iterate({ status: "active", limit: 5 })) {
    if (error) return { activeConnections, error };
    if (wanted.has(connection.platformUserId)) activeConnections.set(connection.platformUserId, connection.id);
  }
  return { activeConnections };
}

test("map many users to their connections, over all pages", async () => {
  const ids = Array.from({ length: 17 }, (_, index) => `conn_Bulk${index}`);
  await Promise.all(ids.map((id) => link(id)));
  const longUser = "90071992547409931";
  const { activeConnections, error } = await getActiveConnectionsForUsers([
    ...ids.map(userOf),
    longUser,
    userOf("conn_Ada2"),
    "1",
  ]);
  assert.equal(error, undefined);
  const expected = [...ids.map((id) => [userOf(id), id]), [longUser, "conn_Long1"]];
  assert.deepEqual([...activeConnections].toSorted(), expected.toSorted(), "neither the expired one nor the neighbour's");
});

// "Connection Not Found".
test("a connection that does not exist is not_found", async () => {
  const { data, error } = await sdk.link.connections.getById("conn_invalid");
  assert.deepEqual([data, error.type, error.code, error.status], [undefined, "not_found", "CONNECTION_NOT_FOUND", 404]);
});

// "Permission Errors". The sample guesses that the connection belongs to another application; that of another user is not
// found, and `forbidden` is a permission that the token lacks.
test("a delete without the permission is forbidden, another user's connection not found", async () => {
  const handle = await handleOf("conn_Ada1");
  const { error } = await pageOf(["profile:read"]).link.connections.delete(handle);
  assert.deepEqual([error.type, error.code, error.action], ["forbidden", "PERMISSION_DENIED", "give_up"]);
  await link("conn_Eve1", { clientReferenceId: "user_eve" });
  assert.equal((await pageOf(GRANTED, "user_eve").link.connections.delete(handle)).error.type, "not_found");
  assert.equal((await page.link.connections.getById(handle)).data.status, "active");
});

// "Rate Limiting". The sample waits five seconds, whatever it is told, and never repeats the call. The client waits by
// itself as long as it is told, up to `retry.maxWait`; beyond that, the error says how long.
test("a limit is waited for as long as its answer asks", async () => {
  emulator.fault({ kind: "limit", retryAfter: 3, times: 1 });
  const started = performance.now();
  const { data } = await page.subscribers.list({ limit: 20, authentication: { connectionId: await handleOf("conn_Ada1") } });
  const waited = performance.now() - started;
  assert.deepEqual([data.list.length, data.hasMore], [20, true]);
  assert.ok(waited >= 2_990 && waited < 6_000, `${waited} ms`);
});

async function listPatiently(client, options, sleep) {
  for (;;) {
    const { data, error } = await client.subscribers.list(options);
    if (error?.type !== "too_many_requests") return { data, error };
    await sleep(error.retryAfter * 1_000);
  }
}

test("a longer limit is returned to the caller", async () => {
  emulator.fault({ kind: "limit", retryAfter: 45, times: 1 });
  emulator.fault({ kind: "limit", times: 1 });
  const waits = [];
  const options = { authentication: { connectionId: "conn_Ada1" } };
  const { data } = await listPatiently(sdk, options, async (ms) => waits.push(ms));
  assert.deepEqual([waits, data.list.length > 0], [[45_000, 60_000], true], "60 s where no time is named");
});

// "Connection-Based User Management". The sample takes list[0] on trust, reads ids through parseInt, takes an error for "no
// connection", and keeps a connection that has died for five minutes: nothing ever clears its cache, and the method
// that would is declared to return void though it is async.
class UserConnectionManager {
  #cache = new Map();

  /** The user's active connection, null if there is none; throws if it cannot be told. */
  async getUserConnection(userId) {
    const cached = this.#cache.get(userId);
    if (cached && Date.now() - cached.timestamp < 300_000) return cached.connectionId;
    const { data: connections, error } = await sdk.link.connections.getAll({ platformUserId: userId, status: "active" });
    if (error) throw new Error(error.message, { cause: error });
    const connection = connections.list.find(({ platformUserId }) => platformUserId === userId);
    if (!connection) return null;
    this.#cache.set(userId, { connectionId: connection.id, timestamp: Date.now() });
    return connection.id;
  }

  /** Calls with the user's connection; one that turns out dead or gone is forgotten, and another one tried. */
  async use(userId, call) {
    const connectionId = await this.getUserConnection(userId);
    if (connectionId === null) return null;
    const result = await call(connectionId);
    if (result.error?.action === "relink") this.clearUserCache(userId);
    return result;
  }

  clearUserCache(userId) {
    this.#cache.delete(userId);
  }
}

test("a cached look-up per user serves from the cache, and forgets a connection that died", async () => {
  await link("conn_Cached1");
  const userId = userOf("conn_Cached1");
  const manager = new UserConnectionManager();
  const getMe = (connectionId) => sdk.self.getMe({ authentication: { connectionId } });
  assert.equal((await manager.use(userId, getMe)).data.username, accountOf("conn_Cached1").username);
  assert.equal(await manager.getUserConnection("1"), null);

  assert.equal((await sdk.link.connections.invalidate("conn_Cached1")).error, undefined);
  assert.equal(await manager.getUserConnection(userId), "conn_Cached1", "from the cache");
  assert.equal((await manager.use(userId, getMe)).error.action, "relink");
  await eventually(async () => (await manager.getUserConnection(userId)) === null);
});

test("a page may use a fixed token", async () => {
  const mine = createClient({ baseUrl, token: tokenOf({ sub: ADA, permissions: ["profile:read"] }) });
  const { data: profile } = await mine.self.getMe();
  assert.equal(profile.username, accountOf("conn_Ada1").username, "its user's only active connection is meant");
});
