// What is kept, under other circumstances: 1. a new storage key beside the old one, 2. sealed values moved to another place,
// 3. values that are damaged or not the gateway's, 4. more than a key's metadata can hold, 5. more than 1,000 connections.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { slowTest } from "../full.mjs";
import { eventually, listAll, refusal, SECRETS, startGateway } from "./harness.mjs";

const NEW_KEY = Buffer.alloc(32, "new storage key").toString("base64");

const gateway = await startGateway();
after(() => gateway.close());

test("with a new storage key before the old one all values can be read, and new values need only the new key", async (t) => {
  const old = await start(t);
  const events = ["conn_a", "conn_b"].map((id) => connectionEvent("connection.created", { id }));
  for (const event of events) await old.deliver(event);
  await old.deliver({ type: "kept.old" });
  const before = await listAll(old);
  await old.close({ keep: true });

  const both = await start(t, { folder: old.folder, vars: { STORAGE_KEY: `${NEW_KEY},${SECRETS.STORAGE_KEY}` } });
  assert.deepEqual(await listAll(both), before);
  assert.deepEqual((await both.call("GET", "/edge/connections/conn_a")).json(), before.find(({ id }) => id === "conn_a"));
  assert.equal((await both.deliver(events[0])).outcome, "duplicate");
  await both.deliver(connectionEvent("connection.expired", { id: "conn_a" }));
  await both.deliver({ type: "kept.new" });
  await eventually(async () => assert.ok((await listAll(both)).some(({ status }) => status === "expired")));
  assert.deepEqual(await keptTypes(both), ["kept.new", "kept.old"]);
  await both.close({ keep: true });

  const fresh = await start(t, { folder: old.folder, vars: { STORAGE_KEY: NEW_KEY } });
  assert.deepEqual((await listAll(fresh)).map(({ id, status }) => [id, status]), [["conn_a", "expired"]]);
  assert.equal((await fresh.call("GET", "/edge/connections/conn_a")).json().status, "expired");
  assert.deepEqual(await keptTypes(fresh), ["kept.new"]);
  const lost = await fresh.deliver(connectionEvent("connection.expired", { id: "conn_b" }));
  assert.deepEqual(refusal(lost), [503, "STORAGE_KEY_MISSING"], "what cannot be read is not written over");

  const { handle, clientReferenceId } = before.find(({ id }) => id === "conn_b");
  const erased = await fresh.call("DELETE", `/edge/users/${clientReferenceId}`);
  const { type, deleted, failed } = erased.json();
  assert.deepEqual([erased.status, type, failed], [503, "STORAGE_KEY_MISSING", [handle]], "nor is it deleted");
  assert.equal(deleted, 1, "but the other one is");
  assert.equal(erased.headers["x-ofauth-edge-action"], "operator");
});

test("an encrypted value that is moved to another key is not readable there", async () => {
  await gateway.deliver(connectionEvent("connection.created", { id: "conn_rich" }));
  await gateway.deliver(connectionEvent("connection.created", { id: "conn_poor" }));
  const [rich, poor] = [await handleOf("conn_rich"), await handleOf("conn_poor")];
  const kv = await gateway.kv();
  const { value, metadata } = await kv.getWithMetadata(`conn:${rich}`, "arrayBuffer");
  const nobody = `acct_${"1".repeat(32)}`;
  await kv.put(`conn:${poor}`, value, { metadata });
  await kv.put(`conn:${nobody}`, value, { metadata });
  await kv.put("event:0000000000001:moved", value, { metadata });

  gateway.emulator.clear();
  const access = (handle) => gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": handle } });
  assert.equal((await access(poor)).status, 200, "its ledger still knows it");
  assert.deepEqual(refusal(await access(nobody)), [404, "CONNECTION_NOT_FOUND"]);
  assert.deepEqual(gateway.emulator.requests.map(({ headers }) => headers["x-connection-id"]), ["conn_poor"]);
  assert.deepEqual((await listAll(gateway)).map(({ id }) => id), ["conn_rich"]);
  assert.deepEqual(await keptTypes(gateway), []);
});

test("damaged values, and values of others, are skipped", async (t) => {
  const own = await start(t);
  await own.deliver(connectionEvent("connection.created", { id: "conn_sound" }));
  await own.deliver({ type: "kept.sound" });
  const kv = await own.kv();
  const rubbish = ["", "x", "\u0000".repeat(100), '{"id":"conn_forged","status":"active"}'];
  for (const [index, value] of rubbish.entries()) {
    const handle = `acct_${String(index).repeat(32)}`;
    await kv.put(`conn:${handle}`, value, { metadata: { status: "active", updatedAt: 7, summary: value } });
    await kv.put(`event:000000000000${index}:msg_${index}`, value, { metadata: "odd" });
    await kv.put(`event:not-a-number-${index}`, value);
    const answer = await own.call("GET", "/v2/access/self", { headers: { "x-connection-id": handle } });
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"]);
  }
  await kv.put("conn:", "x");
  await kv.put("rules", "x", { metadata: { stamp: "soon" } });
  assert.deepEqual((await listAll(own)).map(({ id }) => id), ["conn_sound"]);
  assert.deepEqual(await keptTypes(own), ["kept.sound"]);
  assert.equal((await own.deliver({ type: "rules.updated", data: { revision: 8 } })).outcome, "kept");
});

test("a record that is too large for a key's metadata is listed whole", async () => {
  const permissions = Array.from({ length: 500 }, (_, index) => `permission-${index}:read`);
  const userData = { id: "1", name: "😀".repeat(300), username: '"'.repeat(500), avatar: null };
  const fields = { id: "conn_large", clientReferenceId: "r".repeat(2_000), permissions, userData, status: "s".repeat(500) };
  assert.equal((await gateway.deliver(connectionEvent("connection.created", fields))).outcome, "applied");
  const alone = (await gateway.call("GET", "/edge/connections/conn_large")).json();
  assert.deepEqual([alone.permissions, alone.status], [permissions, fields.status]);
  assert.deepEqual(alone.userData, userData);
  for (const query of ["", `&clientReferenceId=${fields.clientReferenceId}`, `&status=${fields.status}`]) {
    const inList = async () => (await listAll(gateway, query)).find(({ id }) => id === "conn_large");
    await eventually(async () => assert.deepEqual(await inList(), alone));
  }
});

slowTest("with more than 1,000 connections the total is unknown, and the cursor shows each one once", async (t) => {
  const own = await start(t);
  const COUNT = 1_030;
  const ids = Array.from({ length: COUNT }, (_, index) => `conn_${index}`);
  const waiting = [...ids];
  const work = async () => {
    for (let id = waiting.pop(); id; id = waiting.pop()) {
      const event = connectionEvent("connection.created", { id, status: id.endsWith("7") ? "expired" : "active" });
      assert.equal((await own.deliver(event)).outcome, "applied");
    }
  };
  await Promise.all(Array.from({ length: 32 }, work));
  const list = await eventually(async () => {
    const list = await listAll(own);
    return list.length === COUNT && list;
  });
  assert.deepEqual(list.map(({ id }) => id).sort(), ids.sort());
  const handles = list.map(({ handle }) => handle);
  assert.deepEqual(handles, handles.toSorted());

  const page = async (query) => (await own.call("GET", `/edge/connections?${query}`)).json();
  const { total, hasMore } = await page("limit=100");
  assert.deepEqual([total, hasMore], [null, true]);
  const last = await page("limit=100&offset=1000");
  assert.deepEqual([last.list.map(({ handle }) => handle), last.hasMore], [handles.slice(1000), false]);
  assert.equal((await page("status=expired&limit=1")).total, ids.filter((id) => id.endsWith("7")).length);
});

async function start(t, options) {
  const started = await startGateway(options);
  t.after(() => started.close());
  return started;
}

async function handleOf(id) {
  return (await gateway.call("GET", `/edge/connections/${id}`)).json().handle;
}

async function keptTypes(from) {
  const answer = await from.call("GET", "/edge/events?limit=100");
  assert.equal(answer.status, 200, answer.text);
  return answer.json().list.map(({ type }) => type).sort();
}
