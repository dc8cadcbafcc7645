// More samples of OFAuth's SDK document ("Connections"), as in client-samples.test.mjs: 1. delete; 2. what a status means, and
// health; 3. clean-up over all pages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient } from "../../pkg-template/client.mjs";
import { eventually } from "./harness.mjs";
import { ADA, GRANTED, startSamples } from "./samples.mjs";

const { emulator, sdk, page, pageOf, link, handleOf } = await startSamples();

// "Delete Connection". The sample keeps what it stored about a connection that was deleted before (not_found); with the
// gateway that is a success too, and only an id that nobody knows is not found.
async function deleteConnection(client, connectionId, removeStored) {
  const { data: result, error } = await client.link.connections.delete(connectionId);
  if (error && error.type !== "not_found") return `Failed to delete connection: ${error.message}`;
  await removeStored(connectionId);
  return error ? "Connection was already deleted or doesn't exist" : result.message;
}

test("delete a connection, twice, and an unknown one", async () => {
  await link("conn_Del1", { clientReferenceId: ADA });
  const handle = await handleOf("conn_Del1");
  const removed = [];
  const remove = (client, id) => deleteConnection(client, id, (done) => removed.push(done));
  for (const [client, id] of [
    [page, handle],
    [page, handle],
    [sdk, "conn_Del1"],
  ]) {
    assert.equal(await remove(client, id), `Connection ${id} has been successfully deleted`);
  }
  assert.equal(await remove(sdk, "conn_never"), "Connection was already deleted or doesn't exist");
  assert.deepEqual(removed, [handle, handle, "conn_Del1", "conn_never"]);
  assert.equal((await sdk.link.connections.getById("conn_Del1")).data.status, "disconnected");
});

// "Understanding Connection Status" and "Monitoring Connection Health". The sample takes any error but `unauthorized` for
// health, and a network error or a 429 of the first call for illness. Health says which it is; what cannot be told is
// neither.
async function checkConnectionHealth(client, connectionId) {
  const { data: health, error } = await client.link.connections.health(connectionId);
  if (error) return error.type === "not_found" ? false : undefined;
  switch (health.verdict) {
    case "healthy":
      return true;
    case "relink":
    case "waiting":
      return false;
    default: // unstable, rate_limited, upstream_down, operator_error: no fault of the connection's that is known
      return undefined;
  }
}

test("check a connection's health: a limit, an outage or a wrong key does not make it unhealthy", async () => {
  const handle = await handleOf("conn_Ada1");
  for (const client of [sdk, page]) {
    assert.equal(await checkConnectionHealth(client, handle), true);
    assert.equal(await checkConnectionHealth(client, await handleOf("conn_Ada2")), false);
    assert.equal(await checkConnectionHealth(client, `acct_${"0".repeat(32)}`), false);
    for (const rule of [
      { kind: "limit", retryAfter: 30 },
      { kind: "status", code: 500 },
      { kind: "refuse", type: "UNAUTHORIZED" },
    ]) {
      emulator.fault(rule);
      assert.equal(await checkConnectionHealth(client, handle), undefined, JSON.stringify(rule));
      emulator.heal();
    }
  }
  const gone = createClient({ baseUrl: "http://127.0.0.1:1", apiKey: "key", retry: false });
  assert.equal(await checkConnectionHealth(gone, handle), undefined);
});

test("a connection whose session is dead although its record is active is sent to Link", async () => {
  await link("conn_Dead1");
  emulator.fault({ kind: "refuse", type: "SESSION_EXPIRED", match: { connection: "conn_Dead1" } });
  assert.equal(await checkConnectionHealth(sdk, "conn_Dead1"), false);
  emulator.heal();
  await eventually(async () => (await sdk.link.connections.getById("conn_Dead1")).data.status === "expired");
  const { data: session } = await sdk.link.init({ connectionId: "conn_Dead1", redirectUrl: "https://app.example/linked" });
  assert.match(session.url, /^http/);
});

// "Cleanup Expired Connections". The sample advances the offset while it deletes, and so skips as many as it has deleted;
// it takes a page that could not be read for the end; it deletes a whole page at a time. `iterate` goes on after the last
// connection it has seen, whatever has become of that.
async function cleanupExpiredConnections(client, limit) {
  let deletedCount = 0;
  const failed = [];
  for await (const { data: connection, error } of client.link.connections.iterate({ status: "expired", limit })) {
    if (error) return { deletedCount, failed, error };
    const { error: deleteError } = await client.link.connections.delete(connection.id);
    if (deleteError) failed.push(connection.handle);
    else deletedCount += 1;
  }
  return { deletedCount, failed };
}

test("clean up expired connections over several pages, and miss none while deleting", async () => {
  await cleanupExpiredConnections(sdk, 100);
  const ids = Array.from({ length: 23 }, (_, index) => `conn_Old${index}`);
  await Promise.all(ids.map((id) => link(id, { status: "expired" })));
  emulator.clear();
  assert.deepEqual(await cleanupExpiredConnections(sdk, 5), { deletedCount: 23, failed: [] });
  const deleted = emulator.requests.filter(({ method }) => method === "DELETE").map(({ path }) => path.split("/").at(-1));
  assert.deepEqual(deleted.toSorted(), ids.toSorted());
  await eventually(async () => (await sdk.link.connections.getAll({ status: "expired" })).data.total === 0);
  for (const id of ids) assert.equal((await sdk.link.connections.getById(id)).data.status, "disconnected");
  assert.equal((await sdk.link.connections.getById("conn_Ada1")).data.status, "active");
});

test("clean up a user's own expired connections, whose list has no cursor", async () => {
  const ids = Array.from({ length: 7 }, (_, index) => `conn_Eve${index}`);
  for (const id of ids) await link(id, { clientReferenceId: "user_eve", status: id === "conn_Eve6" ? "active" : "expired" });
  const eve = pageOf(GRANTED, "user_eve");
  assert.deepEqual(await cleanupExpiredConnections(eve, 2), { deletedCount: 6, failed: [] });
  const { data } = await eve.link.connections.getAll();
  assert.deepEqual(data.list.map(({ status }) => status).toSorted(), ["active", ...Array(6).fill("disconnected")]);
});

test("a clean-up that cannot delete one says so, and goes on", async () => {
  const ids = ["conn_Stuck1", "conn_Stuck2", "conn_Stuck3"];
  for (const id of ids) await link(id, { status: "expired" });
  emulator.fault({ kind: "status", code: 500, match: { method: "DELETE", path: "/v2/account/connections/conn_Stuck2" } });
  const stuck = await handleOf("conn_Stuck2");
  assert.deepEqual(await cleanupExpiredConnections(sdk, 1), { deletedCount: 2, failed: [stuck] });
});
