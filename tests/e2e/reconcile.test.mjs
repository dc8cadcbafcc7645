// Passes of reconciliation. 1. The first one imports what OFAuth had before the gateway. 2. A webhook that was lost is repaired,
// and what agrees costs nothing. 3. A record that two passes contradict follows the list. 4. A connection that two passes miss is
// missing, until something later is known. 5. An implausible list, a refused key and a key of another environment stop a pass.
// 6. A rate limit is waited for. 7. A pass goes on after a crash. 8. Connections of another environment are left alone.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { connectionEvent, sdkEvent } from "../emulator/events.mjs";
import { eventually, introduce, KEY_OF_NO_ENVIRONMENT, listAll, sessionOf, startGateway } from "./harness.mjs";
import { untilSettled } from "./ledgers.mjs";
import { ageAbsences } from "./reconcilers.mjs";

const USER = "user_456";
const LONG_AGO = "2026-01-02T03:04:05.678Z";

describe("reconciliation", () => {
  /** @type {import("./harness.mjs").Gateway} */
  let gateway;
  beforeEach(async () => {
    gateway = await startGateway();
  });
  afterEach(() => gateway.close());

  const record = async (id) => (await gateway.call("GET", `/edge/connections/${id}`)).json();
  const types = async (id) => {
    const { list } = (await gateway.call("GET", `/edge/connections/${id}/events`)).json();
    return list.map(({ type }) => type);
  };
  /** Passes until the records follow the list, also where a webhook told it otherwise. */
  const agree = async () => {
    for (let pass = 0; pass < 3; pass += 1) {
      await gateway.reconcile();
      await settled();
    }
    assert.equal((await gateway.reconcile()).repaired, 0);
  };
  const settled = () => untilSettled(gateway.folder);
  /** The same gateway, started again after `work` has changed what it stored. */
  const restarted = async (work, vars) => {
    const { folder, emulator } = gateway;
    const saved = emulator.connections.save();
    await gateway.close({ keep: true });
    work?.(folder);
    gateway = await startGateway({ folder, vars });
    gateway.emulator.connections.restore(saved);
  };

  test("the first pass imports what OFAuth had before, for servers, and for the user if OFAuth names one", async () => {
    const { connections } = gateway.emulator;
    const times = { createdAt: LONG_AGO, updatedAt: "2026-02-02T03:04:05.678Z" };
    connections.put({ id: "conn_own", clientReferenceId: USER, ...times });
    const expiredAt = "2026-03-02T03:04:05.678Z";
    connections.put({ id: "conn_nobody", clientReferenceId: null, status: "expired", expiredAt, imported: true, ...times });
    const state = await gateway.reconcile();
    assert.deepEqual([state.imported, state.repaired, state.listed, state.stopped], [2, 0, 2, null]);
    const { status, createdAt, updatedAt, userData } = await record("conn_own");
    assert.deepEqual({ status, createdAt, updatedAt }, { status: "active", ...times });
    assert.deepEqual(userData, connections.get("conn_own").userData);
    const nobody = await record("conn_nobody");
    assert.deepEqual([nobody.status, nobody.expiredAt, nobody.clientReferenceId, nobody.imported], ["expired", expiredAt, null, true]);
    assert.deepEqual((await listAll(gateway)).map(({ id }) => id).sort(), ["conn_nobody", "conn_own"]);
    const ownList = (await sessionOf(gateway, { sub: USER })("GET", "/edge/connections")).json().list;
    assert.deepEqual(ownList.map(({ platformUserId }) => platformUserId), [userData.id]);
    assert.deepEqual(await types("conn_own"), ["edge.listed"]);
  });

  test("a lost webhook is repaired, and what agrees is not written again", async () => {
    await introduce(gateway, "conn_lost");
    await introduce(gateway, "conn_told");
    await agree();
    const before = [await types("conn_lost"), await types("conn_told"), await record("conn_told")];
    gateway.emulator.connections.put({ id: "conn_lost", status: "expired" });
    gateway.emulator.connections.put({ id: "conn_told", lastCheckedAt: new Date().toISOString() });
    const state = await gateway.reconcile();
    assert.deepEqual([state.imported, state.repaired], [0, 1]);
    const { status, expiredAt } = await record("conn_lost");
    assert.deepEqual([status, expiredAt], ["expired", gateway.emulator.connections.get("conn_lost").expiredAt]);
    assert.deepEqual([(await types("conn_lost")).slice(1), await types("conn_told"), await record("conn_told")], before);
  });

  test("a record that is newer than the item stays, until the next pass contradicts it too", async () => {
    await introduce(gateway, "conn_a");
    await agree();
    // The list does not say when this changed.
    gateway.emulator.connections.put({ id: "conn_a", permissions: ["posts:write"], updatedAt: LONG_AGO });
    assert.equal((await gateway.reconcile()).repaired, 0);
    assert.notDeepEqual((await record("conn_a")).permissions, ["posts:write"]);
    const { repaired, startedAt } = await gateway.reconcile();
    const { permissions, updatedAt: now } = await record("conn_a");
    assert.deepEqual([repaired, permissions, now], [1, ["posts:write"], new Date(startedAt).toISOString()]);
  });

  test("a connection that two passes miss is missing, until it is listed again or something later is known", async () => {
    const put = (id) => gateway.emulator.connections.put({ id, clientReferenceId: USER, createdAt: LONG_AGO, updatedAt: LONG_AGO });
    for (const id of ["conn_gone", "conn_back", "conn_used", "conn_stays"]) put(id);
    await agree();
    for (const id of ["conn_gone", "conn_back", "conn_used"]) gateway.emulator.connections.remove(id);
    const first = await gateway.reconcile();
    assert.deepEqual([first.absent, first.missing], [3, 0]);
    assert.deepEqual([(await gateway.reconcile()).missing, (await record("conn_gone")).status], [0, "active"], "too soon");
    await restarted(ageAbsences);
    const updated = connectionEvent("connection.updated", { id: "conn_used", clientReferenceId: USER, status: "active" });
    assert.equal((await gateway.deliver({ ...updated, timestamp: new Date(Date.now() + 1_000).toISOString() })).outcome, "applied");
    assert.equal((await gateway.reconcile()).missing, 2);
    for (const [id, status] of [["conn_gone", "missing"], ["conn_back", "missing"], ["conn_used", "active"], ["conn_stays", "active"]]) {
      assert.equal((await record(id)).status, status, id);
    }
    assert.equal((await types("conn_gone"))[0], "edge.missing");
    put("conn_back");
    await settled();
    await gateway.reconcile();
    assert.equal((await record("conn_back")).status, "active");
    const expired = connectionEvent("connection.expired", { id: "conn_gone", clientReferenceId: USER });
    assert.equal((await gateway.deliver(expired)).outcome, "applied");
    assert.equal((await record("conn_gone")).status, "expired");
  });

  test("if too many connections are absent, the pass stops and says so, and none is missing", async () => {
    const ids = Array.from({ length: 12 }, (_, place) => `conn_${place}`);
    for (const id of ids) gateway.emulator.connections.put({ id, clientReferenceId: USER, createdAt: LONG_AGO, updatedAt: LONG_AGO });
    await agree();
    for (const id of ids.slice(1)) gateway.emulator.connections.remove(id);
    const { passes } = await gateway.reconcile();
    await restarted(ageAbsences);
    const state = await gateway.reconcile();
    assert.deepEqual([state.stopped, state.absent, state.passes], ["too_many_missing", 11, passes]);
    assert.ok((await listAll(gateway)).every(({ status }) => status === "active"));
    const line = JSON.parse(gateway.logs.find((text) => text.includes('"reconcile"')));
    assert.deepEqual([line.level, line.error], ["error", "stopped: too_many_missing: OFAuth lists 11 of 12 connections no more"]);
    for (const id of ids.slice(1)) gateway.emulator.connections.put({ id, clientReferenceId: USER });
    assert.equal((await gateway.reconcile()).stopped, null);
  });

  test("a key of another environment changes nothing, and OFAuth is not asked", async () => {
    await introduce(gateway, "conn_a");
    await agree();
    const before = await listAll(gateway);
    for (const environment of ["live", "sandbox"]) {
      await restarted(undefined, environment === "live" ? { OFAUTH_API_KEY: "sk_live_e2e_0123456789" } : {});
      gateway.emulator.connections.put({ id: "conn_foreign" });
      const state = await gateway.reconcile();
      if (environment === "sandbox") assert.deepEqual([state.stopped, state.imported], [null, 1]);
      else assert.deepEqual([state.stopped, gateway.emulator.requests.length, await listAll(gateway)], ["other_environment", 0, before]);
    }
  });

  test("without an earlier pass, what webhooks said of their environment tells that the key is of another one", async () => {
    const body = { eventType: "connection.created", live: false, data: { clientReferenceId: USER, connection: { id: "conn_a", status: "active" } } };
    assert.equal((await gateway.deliver(body)).outcome, "applied");
    await settled();
    await restarted(undefined, { OFAUTH_API_KEY: "sk_live_e2e_0123456789" });
    assert.equal((await gateway.reconcile()).stopped, "other_environment");
    await restarted();
    assert.equal((await gateway.reconcile()).stopped, null);
  });

  test("connections of another environment than the key are left alone: they are neither expected nor absent", async () => {
    await restarted(undefined, { OFAUTH_API_KEY: KEY_OF_NO_ENVIRONMENT });
    const created = (id, live) => gateway.deliver(sdkEvent("connection.created", { id, clientReferenceId: USER, live }));
    for (let place = 0; place < 12; place += 1) assert.equal((await created(`conn_other${place}`, true)).outcome, "applied");
    for (let place = 0; place < 20; place += 1) {
      assert.equal((await created(`conn_own${place}`, false)).outcome, "applied");
      gateway.emulator.connections.put({ id: `conn_own${place}`, clientReferenceId: USER });
    }
    await settled();
    await restarted();
    const { stopped, absent, listed } = await gateway.reconcile();
    assert.deepEqual([stopped, absent, listed], [null, 0, 20]);
    gateway.emulator.connections.remove("conn_own7");
    await settled();
    assert.equal((await gateway.reconcile()).absent, 1);
    const others = (await listAll(gateway)).filter(({ live }) => live);
    assert.deepEqual(others.map(({ status }) => status), Array(12).fill("active"));
  });

  test("a refused key stops the pass, and a rate limit is waited for", async () => {
    gateway.emulator.connections.put({ id: "conn_a", clientReferenceId: USER });
    gateway.emulator.fault({ kind: "limit", retryAfter: 2, times: 1, match: { path: "/v2/account/connections" } });
    const before = Date.now();
    const state = await gateway.reconcile();
    assert.deepEqual([state.imported, state.stopped], [1, null]);
    assert.ok(Date.now() - before >= 2_000);
    await restarted(undefined, { OFAUTH_API_KEY: "sk_sandbox_unknown" });
    assert.equal((await gateway.reconcile()).stopped, "refused");
  });

  test("a pass that was interrupted goes on, and repeats nothing in a timeline", async () => {
    for (let place = 0; place < 60; place += 1) gateway.emulator.connections.put({ id: `conn_${place}`, clientReferenceId: `user_${place}` });
    await gateway.cron();
    await eventually(async () => (await gateway.reconciler()).imported >= 20);
    const { folder, emulator } = gateway;
    const saved = emulator.connections.save();
    await gateway.kill();
    gateway = await startGateway({ folder });
    gateway.emulator.connections.restore(saved);
    const state = await eventually(async () => {
      const now = await gateway.reconciler();
      return now.step === 0 && now;
    }, { within: 60_000 });
    assert.deepEqual([state.passes, state.listed], [1, 60]);
    await settled();
    assert.equal((await listAll(gateway)).length, 60);
    for (const id of ["conn_59", "conn_40", "conn_30", "conn_0"]) assert.deepEqual(await types(id), ["edge.listed"], id);
  });
});
