// CLEANUP_EXPIRED_AFTER_DAYS. 1. All connections that have been expired for so long are deleted at OFAuth, and no others. 2. OFAuth
// is asked first: one that works is active, and one about which OFAuth says nothing stays. 3. Off by default.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { listAll, startGateway } from "./harness.mjs";
import { untilSettled } from "./ledgers.mjs";

const DAY = 86_400_000;
const ago = (days) => new Date(Date.now() - days * DAY).toISOString();

/** A gateway that knows 30 connections expired for 40 days, and 3 others. */
async function startWithExpired(t, vars) {
  const gateway = await startGateway({ vars });
  t.after(() => gateway.close());
  const put = (id, fields) => gateway.emulator.connections.put({ id, clientReferenceId: `user_${id}`, createdAt: ago(90), ...fields });
  for (let place = 0; place < 30; place += 1) put(`conn_old${place}`, { status: "expired", expiredAt: ago(40), updatedAt: ago(40) });
  put("conn_young", { status: "expired", expiredAt: ago(20), updatedAt: ago(20) });
  put("conn_later", { status: "expired", expiredAt: ago(20), updatedAt: ago(40) });
  put("conn_active", { updatedAt: ago(50) });
  return gateway;
}

const deletes = ({ emulator }) => emulator.requests.filter(({ method }) => method === "DELETE");

test("connections that have been expired for so long are deleted, each after OFAuth was asked about it, and no others", async (t) => {
  const gateway = await startWithExpired(t, { CLEANUP_EXPIRED_AFTER_DAYS: "30" });
  const { emulator } = gateway;
  emulator.fault({ kind: "status", code: 502, match: { path: "/v2/access/self", connection: "conn_old7" } });
  await gateway.reconcile();
  await untilSettled(gateway.folder);
  assert.equal(deletes(gateway).length, 0, "the first pass learns of them after it has copied what KV has");
  // It works again, which neither the list nor a webhook has said.
  const answered = emulator.connections.refusalOf.bind(emulator.connections);
  emulator.connections.refusalOf = (id) => (id === "conn_old3" ? undefined : answered(id));
  const state = await gateway.reconcile({ within: 60_000 });
  await untilSettled(gateway.folder);
  assert.equal(state.cleaned, 29);
  const statuses = new Map((await listAll(gateway)).map(({ id, status }) => [id, status]));
  const left = { conn_old7: "expired", conn_old3: "active", conn_young: "expired", conn_later: "expired", conn_active: "active" };
  for (let place = 0; place < 30; place += 1) left[`conn_old${place}`] ??= "disconnected";
  assert.deepEqual(Object.fromEntries([...statuses].sort()), Object.fromEntries(Object.entries(left).sort()));
  assert.equal(deletes(gateway).length, 28);
  const order = emulator.requests.map(({ method, path, headers }) => `${method} ${headers["x-connection-id"] ?? path.split("/").at(-1)}`);
  for (const { path } of deletes(gateway)) {
    const id = path.split("/").at(-1);
    assert.ok(order.indexOf(`GET ${id}`) !== -1 && order.indexOf(`GET ${id}`) < order.indexOf(`DELETE ${id}`), id);
  }
  const { list } = (await gateway.call("GET", "/edge/connections/conn_old0/events")).json();
  assert.deepEqual(list.map(({ type }) => type), ["edge.deleted", "edge.listed"]);
});

test("a connection that is linked again between the question and the delete stays", async (t) => {
  const gateway = await startGateway({ vars: { CLEANUP_EXPIRED_AFTER_DAYS: "30" } });
  t.after(() => gateway.close());
  const { emulator } = gateway;
  const fields = { clientReferenceId: "user_456", createdAt: ago(90), status: "expired", expiredAt: ago(40), updatedAt: ago(40) };
  emulator.connections.put({ id: "conn_relinked", ...fields });
  await gateway.reconcile();
  await untilSettled(gateway.folder);
  const answered = emulator.connections.refusalOf.bind(emulator.connections);
  let linked;
  emulator.connections.refusalOf = (id) => {
    const refusal = answered(id);
    emulator.connections.refusalOf = answered;
    linked = gateway.deliver(connectionEvent("connection.updated", { id, clientReferenceId: "user_456", status: "active" }));
    return refusal;
  };
  emulator.fault({ kind: "slowBody", ms: 2_000, match: { path: "/v2/access/self" } });
  await gateway.reconcile({ within: 60_000 });
  assert.equal((await linked).status, 200);
  assert.equal(deletes(gateway).length, 0);
  const [{ status }] = await listAll(gateway);
  assert.equal(status, "active");
});

test("without the variable nothing is deleted, and OFAuth is asked nothing", async (t) => {
  const gateway = await startWithExpired(t, {});
  for (let pass = 0; pass < 2; pass += 1) {
    await gateway.reconcile();
    await untilSettled(gateway.folder);
  }
  assert.ok(gateway.emulator.requests.every(({ path }) => path.startsWith("/v2/account/connections?")));
});
