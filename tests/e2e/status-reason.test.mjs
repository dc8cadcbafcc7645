// Which fact gave a connection its status, as the record shows it. 1. The webhook that won, also if a later one comes in between,
// 2. What the gateway learned itself. 3. Every view has the same: the ledger, the user's list, and the list from KV.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, listAll, sessionOf, startGateway } from "./harness.mjs";

const at = (minute) => new Date(Date.UTC(2026, 9, 1, 12, minute)).toISOString();

describe("the reason of a status", () => {
  /** @type {import("./harness.mjs").Gateway} */
  let gateway;
  before(async () => {
    gateway = await startGateway();
  });
  after(() => gateway.close());

  const record = async (id) => (await gateway.call("GET", `/edge/connections/${id}`)).json();
  const reasonOf = async (id) => (await record(id)).statusReason;
  const deliver = (type, id, minute, fields = {}) =>
    gateway.deliver(connectionEvent(`connection.${type}`, { id, timestamp: at(minute), ...fields }));

  test("the reason is the webhook that won, in whatever order they come", async () => {
    const life = [["created", 0], ["expired", 3], ["updated", 5], ["expired", 8]];
    for (const [name, order] of [["forwards", life], ["backwards", life.toReversed()]]) {
      for (const [type, minute] of order) await deliver(type, name, minute);
      assert.deepEqual(await reasonOf(name), { type: "connection.expired", at: at(8) }, name);
      assert.equal((await record(name)).expiredAt, at(8));
    }
    assert.equal((await deliver("updated", "forwards", 9)).outcome, "applied");
    assert.deepEqual(await reasonOf("forwards"), { type: "connection.updated", at: at(9) });
    const silent = { status: undefined, userData: { name: "Jane" } };
    assert.equal((await deliver("updated", "forwards", 10, silent)).outcome, "applied");
    assert.deepEqual(await reasonOf("forwards"), { type: "connection.updated", at: at(9) }, "it names no status");
    await deliver("disconnected", "backwards", 1);
    assert.deepEqual(await reasonOf("backwards"), { type: "connection.disconnected", at: at(1) });
  });

  test("the reason is null while no webhook has named a status", async () => {
    await deliver("updated", "conn_silent", 0, { status: undefined });
    const { status, statusReason } = await record("conn_silent");
    assert.deepEqual({ status, statusReason }, { status: "unknown", statusReason: null });
  });

  test("the reason may be what the gateway learned itself, with its time", async () => {
    await introduce(gateway, "conn_own");
    const { emulator } = gateway;
    const access = () => gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": "conn_own" } });
    const isNow = ({ type, at: instant }) => {
      assert.ok(Math.abs(Date.parse(instant) - Date.now()) < 20_000, instant);
      return type;
    };
    emulator.connections.put({ id: "conn_own", status: "expired" });
    assert.equal((await access()).json().type, "SESSION_EXPIRED");
    assert.equal(isNow(await reasonOf("conn_own")), "edge.expired");
    emulator.connections.put({ id: "conn_own", status: "active" });
    assert.equal((await access()).status, 200);
    assert.equal(isNow(await reasonOf("conn_own")), "edge.active");
    await gateway.call("POST", "/edge/connections/conn_own/invalidate");
    assert.equal(isNow(await reasonOf("conn_own")), "edge.invalidated");
    await gateway.call("DELETE", "/edge/connections/conn_own");
    assert.equal(isNow(await reasonOf("conn_own")), "edge.deleted");
    emulator.connections.put({ id: "conn_listed", clientReferenceId: "user_456", createdAt: at(0), updatedAt: at(4) });
    await gateway.reconcile();
    assert.deepEqual(await reasonOf("conn_listed"), { type: "edge.listed", at: at(4) });
  });

  test("every view shows the same reason, and a page may see it", async () => {
    const records = await Promise.all(["forwards", "conn_own", "conn_listed", "conn_silent"].map(record));
    await eventually(async () => {
      const fromKv = new Map((await listAll(gateway)).map((one) => [one.handle, one]));
      const ofUser = (await sessionOf(gateway, {})("GET", "/edge/connections?limit=100")).json().list;
      const fromHub = new Map(ofUser.map((one) => [one.handle, one]));
      for (const one of records) {
        assert.deepEqual(fromKv.get(one.handle), one);
        assert.deepEqual(fromHub.get(one.handle), { ...one, id: one.handle });
      }
    });
    const kv = await gateway.kv();
    const { metadata } = await kv.getWithMetadata(`conn:${records[0].handle}`);
    assert.equal(metadata.reason, `connection.updated ${at(9)}`);
    assert.ok(metadata.summary, "the summary is as older builds read it");
  });
});
