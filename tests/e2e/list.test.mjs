// What servers see of connections: 1. the record, in a list and alone, 2. filters, 3. pages, of all and of one user's,
// 4. queries that are refused, 5. one by id and by handle, 6. methods and paths.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent, sdkEvent } from "../emulator/events.mjs";
import { eventually, listAll, refusal, startGateway } from "./harness.mjs";

const COUNT = 27;
const START = Date.parse("2026-04-05T06:07:08.900Z");
const USERS = ["user_a", "user_b", "user/ü & co=?"];
const CREATED = new Date(START).toISOString();

const gateway = await startGateway();
after(() => gateway.close());

const all = Array.from({ length: COUNT }, (_, index) => ({
  id: `conn_${String(index).padStart(2, "0")}`,
  reference: USERS[index % 3],
  status: ["active", "expired", "awaiting_2fa", "active"][index % 4],
  person: String(100_000_000 + (index % 5)),
}));
await Promise.all(all.map(introduce));
const listed = await eventually(async () => {
  const list = await listAll(gateway);
  return list.length === COUNT && list;
});

test("a record has exactly the fields of the contract, in a list and alone", async () => {
  const fields = { timestamp: CREATED, clientReferenceId: "user_whole", permissions: ["posts:read", "chats:*"] };
  const userData = { id: 562630475, name: "Jané 😀", username: "jane", avatar: "https://media.example/j.jpg" };
  const more = { userData, createdAt: "2025-01-01T00:00:00Z", expiresAt: "2027-01-01T00:00:00Z", imported: false };
  const whole = {
    id: "conn_whole",
    status: "active",
    statusReason: { type: "connection.created", at: CREATED },
    clientReferenceId: "user_whole",
    platformUserId: "562630475",
    accountChangedAt: null,
    permissions: ["posts:read", "chats:*"],
    userData: { id: "562630475", name: "Jané 😀", username: "jane", avatar: "https://media.example/j.jpg" },
    metadata: { username: "jane", displayName: "Jané 😀", lastActivity: null },
    createdAt: "2025-01-01T00:00:00Z",
    updatedAt: CREATED,
    expiredAt: null,
    expiresAt: "2027-01-01T00:00:00Z",
    lastCheckedAt: null,
    imported: false,
    live: null,
  };
  const nothing = { clientReferenceId: null, platformUserId: null, accountChangedAt: null, userData: null, createdAt: null, expiresAt: null, lastCheckedAt: null };
  const bare = {
    ...nothing,
    id: "conn_bare",
    status: "expired",
    statusReason: { type: "connection.expired", at: CREATED },
    permissions: [],
    metadata: { username: null, displayName: null, lastActivity: null },
    updatedAt: CREATED,
    expiredAt: CREATED,
    imported: null,
    live: null,
  };
  await gateway.deliver(connectionEvent("connection.created", { id: "conn_whole", ...fields, ...more }));
  const expired = { id: "conn_bare", timestamp: CREATED, clientReferenceId: null };
  await gateway.deliver(connectionEvent("connection.expired", expired));
  for (const expected of [whole, bare]) {
    const alone = (await gateway.call("GET", `/edge/connections/${expected.id}`)).json();
    assert.match(alone.handle, /^acct_[0-9a-f]{32}$/);
    assert.deepEqual(alone, { ...expected, handle: alone.handle });
    const inList = async () => (await listAll(gateway)).find(({ id }) => id === expected.id);
    await eventually(async () => assert.deepEqual(await inList(), alone));
  }
});

test("the sandbox is told from production, and an id that came as a number keeps every digit", async () => {
  await gateway.deliver(sdkEvent("connection.created", { id: "conn_sdk", live: false }));
  assert.equal((await gateway.call("GET", "/edge/connections/conn_sdk")).json().live, false);
  const [connection, user, account] = ["98765432109876543210", "12345678901234567890", "12345678901234567891"];
  const data = `{"clientReferenceId":${user},"connection":{"id":${connection},"userData":{"id":${account}}}}`;
  await gateway.deliver(`{"type":"connection.created","data":${data}}`);
  const record = (await gateway.call("GET", `/edge/connections/${connection}`)).json();
  assert.deepEqual([record.id, record.clientReferenceId, record.platformUserId], [connection, user, account]);
  assert.equal(record.userData.id, account);
});

test("filters by status, user and OnlyFans account give the matching connections, alone and together", async () => {
  const { person } = all[3];
  const queries = [
    [{ status: "active" }, (one) => one.status === "active"],
    [{ status: "awaiting_2fa" }, (one) => one.status === "awaiting_2fa"],
    [{ clientReferenceId: USERS[0] }, (one) => one.reference === USERS[0]],
    [{ clientReferenceId: USERS[2] }, (one) => one.reference === USERS[2]],
    [{ platformUserId: person }, (one) => one.person === person],
    [{ platformUserId: person, status: "expired" }, (one) => one.person === person && one.status === "expired"],
    [{ clientReferenceId: USERS[1], status: "active" }, (one) => one.reference === USERS[1] && one.status === "active"],
    [{ status: "no such status" }, () => false],
    [{ status: "Active" }, (one) => one.status === "active"],
    [{ status: "AWAITING_2FA", platformUserId: person }, (one) => one.person === person && one.status === "awaiting_2fa"],
    [{ status: "EXPIRED", clientReferenceId: USERS[1] }, (one) => one.reference === USERS[1] && one.status === "expired"],
    [{ status: "" }, () => false],
    [{ clientReferenceId: "user_" }, () => false],
    [{ platformUserId: "1" }, () => false],
    [{ clientReferenceId: USERS[0], platformUserId: "1" }, () => false],
  ];
  for (const [query, isWanted] of queries) {
    const answer = await gateway.call("GET", `/edge/connections?limit=100&${new URLSearchParams(query)}`);
    const { list, total, hasMore, cursor } = answer.json();
    const wanted = all.filter(isWanted).map(({ id }) => id);
    const mine = list.filter(({ id }) => /^conn_\d\d$/.test(id)).map(({ id }) => id);
    assert.deepEqual(mine.sort(), wanted, JSON.stringify(query));
    assert.deepEqual([total, hasMore, cursor], [list.length, false, undefined], JSON.stringify(query));
  }
});

test("pages by limit, by offset and by cursor show the same connections in the order of their handles", async () => {
  const query = "status=active";
  const active = (await listAll(gateway)).filter(({ status }) => status === "active");
  const wanted = active.map(({ handle }) => handle).sort();
  const page = async (more) => (await gateway.call("GET", `/edge/connections?${query}&${more}`)).json();
  for (const limit of [1, 2, 4, wanted.length - 1, wanted.length, 100]) {
    const [byOffset, byCursor] = [[], []];
    for (let offset = 0; offset < wanted.length; offset += limit) {
      const { list, total, hasMore } = await page(`limit=${limit}&offset=${offset}`);
      assert.deepEqual([total, hasMore], [wanted.length, offset + limit < wanted.length]);
      byOffset.push(...list);
    }
    for (let cursor; ; ) {
      const { list, total, hasMore, cursor: next } = await page(`limit=${limit}${cursor ? `&cursor=${cursor}` : ""}`);
      assert.deepEqual([total, hasMore], [wanted.length, next !== undefined]);
      byCursor.push(...list);
      cursor = next;
      if (!cursor) break;
    }
    for (const list of [byOffset, byCursor]) assert.deepEqual(list.map(({ handle }) => handle), wanted, `limit ${limit}`);
  }
  assert.deepEqual((await page("offset=1000")).list, []);
  assert.equal((await gateway.call("GET", "/edge/connections")).json().list.length, 20);
});

test("a user's connections come newest first, by limit and offset, and have no cursor", async () => {
  const query = "clientReferenceId=user_b";
  const page = async (more) => (await gateway.call("GET", `/edge/connections?${query}&${more}`)).json();
  const wanted = all.filter(({ reference }) => reference === "user_b").map(({ id }) => id).reverse();
  for (const limit of [1, 2, 4, wanted.length - 1, wanted.length, 100]) {
    const ids = [];
    for (let offset = 0; offset < wanted.length; offset += limit) {
      const { list, total, hasMore, cursor } = await page(`limit=${limit}&offset=${offset}`);
      assert.deepEqual([total, hasMore, cursor], [wanted.length, offset + limit < wanted.length, undefined]);
      ids.push(...list.map(({ id }) => id));
    }
    assert.deepEqual(ids, wanted, `limit ${limit}`);
  }
  assert.deepEqual((await page("offset=1000")).list, []);
  const { cursor } = (await gateway.call("GET", "/edge/connections?limit=1")).json();
  const lent = await gateway.call("GET", `/edge/connections?${query}&cursor=${cursor}`);
  assert.deepEqual(refusal(lent), [400, "BAD_REQUEST"]);
});

test("an unknown or wrong query is refused", async () => {
  const { cursor } = (await gateway.call("GET", "/edge/connections?limit=1&status=active")).json();
  const limits = ["limit=0", "limit=101", "limit=-1", "limit=1.5", "limit=1e1", "limit=ten", "limit=", "limit=1x"];
  const offsets = ["offset=-1", "offset=1001", "offset=x", "offset="];
  const keys = ["unknown=1", "Status=active", "=1", "id=conn_00", "status[]=active"];
  const twice = ["status=active&status=expired", "limit=1&limit=1"];
  const cursors = ["cursor=", "cursor=x", `cursor=${cursor}`, `status=expired&cursor=${cursor}`];
  for (const query of [...limits, ...offsets, ...keys, ...twice, ...cursors, `status=active&cursor=${cursor}&offset=1`]) {
    assert.deepEqual(refusal(await gateway.call("GET", `/edge/connections?${query}`)), [400, "BAD_REQUEST"], query);
  }
  assert.equal((await gateway.call("GET", `/edge/connections?status=active&cursor=${cursor}`)).status, 200);
});

test("a connection is shown by handle and by id, to GET and to HEAD", async () => {
  const [record] = listed;
  for (const name of [record.handle, record.id, encodeURIComponent(record.id), record.id.replace("_", "%5f")]) {
    const answer = await gateway.call("GET", `/edge/connections/${name}`);
    assert.deepEqual([answer.status, answer.json()], [200, record], name);
    assert.equal(answer.headers["content-type"], "application/json");
    const head = await gateway.call("HEAD", `/edge/connections/${name}`);
    assert.deepEqual([head.status, head.body.length], [200, 0]);
  }
  const head = await gateway.call("HEAD", "/edge/connections?limit=1");
  assert.deepEqual([head.status, head.body.length], [200, 0]);
});

test("an unknown connection, and a text that can be none, is not found", async () => {
  const { handle } = listed[0];
  const unknown = ["conn_unknown", `acct_${"0".repeat(32)}`, handle.toUpperCase(), `${handle}0`, handle.slice(0, -1)];
  for (const name of [...unknown, "a%2Cb", "a%20b", "%FF", "x".repeat(300)]) {
    const answer = await gateway.call("GET", `/edge/connections/${name}`);
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], name);
    assert.equal(answer.json().actionRequired, "relink_connection");
    assert.equal((await gateway.call("HEAD", `/edge/connections/${name}`)).status, 404, name);
  }
});

test("an unknown method is a 405 that names the known ones, and an unknown path is a 404", async () => {
  for (const method of ["POST", "PUT", "PATCH"]) {
    for (const path of ["/edge/connections", `/edge/connections/${listed[0].handle}`, "/healthz"]) {
      const answer = await gateway.call(method, path);
      assert.deepEqual(refusal(answer), [405, "METHOD_NOT_ALLOWED"], `${method} ${path}`);
      assert.match(answer.headers.allow, /^GET, HEAD/);
    }
  }
  const none = ["/edge/connections/", "/edge", "/edge/", "/edge/connections/a/b", "/edge/event", "/healthz/"];
  for (const path of [...none, "/Edge/connections", "/webhooks", "/v2/access", "/v2"]) {
    assert.deepEqual(refusal(await gateway.call("GET", path)), [404, "ROUTE_NOT_FOUND"], path);
  }
});

test("/healthz is open to anyone, and says only that all is well", async () => {
  const answer = await gateway.send("GET", "/healthz");
  assert.deepEqual([answer.status, answer.json()], [200, { ok: true }]);
});

async function introduce({ id, reference, status, person }, index) {
  const timestamp = new Date(START + index * 1_000).toISOString();
  const userData = { id: person, name: `Name ${index}`, username: `name${index}`, avatar: null };
  const fields = { id, clientReferenceId: reference, timestamp, status, userData };
  const answer = await gateway.deliver(connectionEvent("connection.created", fields));
  assert.equal(answer.outcome, "applied", answer.text);
}
