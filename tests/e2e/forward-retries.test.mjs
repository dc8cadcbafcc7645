// Events that the app does not take at once: 1. failures are tried again, and the next event waits, 2. the waits grow and
// outlast a restart, 3. Retry-After is respected, 4. redirects are not followed, 5. an app that hangs is given up after 10 s,
// 6. a 410 parks, other refusals park after 24 hours, failures after 72, and the next event goes, 7. bodies stay until then,
// 8. an event whose delivery is gone does not hold up the others, 9. the log says what happened, without ids. Nobody waits for
// days: while the gateway is down, the instants in its files are moved into the past.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, startGateway } from "./harness.mjs";
import { FORWARD_SECRET, forwardErrors, startApp, startForwarding } from "./forwarding.mjs";
import { ageLedgerOf, inLedgerOf } from "./ledgers.mjs";

const HOUR = 3_600_000;
const DIGEST = "x-ofauth-edge-digest";
const SIGNATURE = "ofauth-signature";

test("an event that fails is sent again with the same id and a new signature, and the next one waits", async (t) => {
  const { app, gateway } = await startForwarding(t);
  const failures = [{ status: 503 }, { hangUp: true }];
  app.answer = (_, index) => failures[index] ?? {};
  await introduce(gateway, "conn_again");
  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_again" }));
  await eventually(() => app.requests.length === 4, { within: 25_000 });
  assert.deepEqual(app.requests.map(({ body }) => JSON.parse(body).type.slice(11)), ["created", "created", "created", "expired"]);
  const [first, second, third, next] = app.requests;
  assert.equal(new Set([first, second, third].map(({ headers }) => headers[DIGEST])).size, 1);
  assert.equal(new Set([first, second, third].map(({ headers }) => headers[SIGNATURE])).size, 3);
  assert.notEqual(next.headers[DIGEST], first.headers[DIGEST]);
  const waits = [second.at - first.at, third.at - second.at];
  assert.ok(waits[0] > 2_300 && waits[0] < 7_000 && waits[1] > 4_800 && waits[1] < 12_000, `${waits} ms`);
  assert.deepEqual(forwardErrors(gateway), ["the app answered 503"], "the first failure of an event is logged");
  const log = gateway.logs.join("\n");
  assert.ok(!log.includes("conn_again") && !log.includes(first.headers[DIGEST]) && !log.includes(app.url));
});

test("a new event does not hurry one that waits", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 500, headers: { "retry-after": "600" } });
  const handle = await introduce(gateway, "conn_patient");
  await eventually(() => app.requests.length === 1);
  const due = await eventually(() => rowsOf(gateway, handle)[0].attempts === 1 && rowsOf(gateway, handle)[0].due_at);
  assert.ok(due > Date.now() + 590_000, "Retry-After is respected");
  for (const status of ["expired", "active"]) {
    await gateway.deliver(connectionEvent("connection.updated", { id: "conn_patient", status }));
  }
  await sleep(3_000);
  assert.equal(app.requests.length, 1);
  await eventually(() => alarmOf(gateway, handle) === due);
});

test("waits and attempts outlast a restart", async (t) => {
  const { app, gateway: first } = await startForwarding(t);
  app.answer = () => ({ status: 500, headers: { "retry-after": "6" } });
  const handle = await introduce(first, "conn_restarted");
  await eventually(() => rowsOf(first, handle)[0].attempts === 1);
  await first.close({ keep: true });
  app.answer = () => ({});
  const again = await restart(t, first, app);
  await eventually(() => app.requests.length === 2, { within: 15_000 });
  const wait = app.requests[1].at - app.requests[0].at;
  assert.ok(wait >= 5_900, `${wait} ms`);
  await eventually(() => assert.deepEqual(rowsOf(again, handle), []));
});

test("a redirect is not followed, and its address gets nothing", async (t) => {
  const { app, gateway } = await startForwarding(t);
  const elsewhere = await startApp(t);
  app.answer = () => ({ status: 307, headers: { location: elsewhere.url } });
  const handle = await introduce(gateway, "conn_redirected");
  const [row] = await eventually(() => rowsOf(gateway, handle)[0]?.attempts === 1 && rowsOf(gateway, handle));
  assert.ok(row.refused_at > 0, "it counts as a refusal");
  assert.equal(elsewhere.requests.length, 0);
  assert.deepEqual(forwardErrors(gateway), ["the app answered 307"]);
});

test("an attempt that the app does not answer ends after 10 s, and is repeated", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => (index === 0 ? { after: 60_000 } : {});
  await introduce(gateway, "conn_hanging");
  await eventually(() => app.requests.length === 2, { within: 30_000 });
  const wait = app.requests[1].at - app.requests[0].at;
  assert.ok(wait > 12_000 && wait < 20_000, `${wait} ms`);
  assert.deepEqual(forwardErrors(gateway), ["the app did not answer: timeout"]);
});

test("a 410 parks the event, and the next one goes", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => (index === 0 ? { status: 410, after: 300 } : {});
  const handle = await introduce(gateway, "conn_gone");
  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_gone" }));
  await eventually(() => app.requests.length === 2);
  const [row, ...others] = await eventually(() => rowsOf(gateway, handle).length === 1 && rowsOf(gateway, handle));
  assert.ok(row.parked_at > 0 && others.length === 0);
  assert.equal(row.id, app.requests[0].headers[DIGEST]);
  assert.deepEqual(forwardErrors(gateway), ["the app answered 410; parked: 1 tries, 0 unanswered"]);
});

for (const [status, hours, ends] of [[404, 24, "refused_at"], [503, 72, "received"]]) {
  test(`a ${status} parks the event after ${hours} hours and not before, and its body stays until then`, async (t) => {
    const vars = { EVENT_TTL_SECONDS: "60" };
    const { app, gateway: first } = await startForwarding(t, { vars });
    app.answer = (_, index) => (index === 0 ? {} : { status });
    const handle = await introduce(first, "conn_parked");
    await first.deliver(connectionEvent("connection.expired", { id: "conn_parked" }));
    await first.deliver(connectionEvent("connection.updated", { id: "conn_parked" }));
    await eventually(() => rowsOf(first, handle)[0].attempts === 1);
    await first.close({ keep: true });
    age(first, handle, (hours - 1) * HOUR, ends);

    const second = await restart(t, first, app, vars);
    await eventually(() => rowsOf(second, handle)[0].attempts === 2, { within: 15_000 });
    if (ends === "received") {
      const hasBody = "SELECT body IS NOT NULL AS has FROM deliveries ORDER BY rowid";
      const bodies = inLedgerOf(first.folder, handle, (ledger) => ledger.prepare(hasBody).all().map(({ has }) => has));
      assert.deepEqual(bodies, [0, 1, 1], "the body of the event that was taken is deleted");
    }
    await second.close({ keep: true });
    age(first, handle, HOUR, ends);

    const third = await restart(t, first, app, vars);
    const isParked = () => rowsOf(third, handle)[0].parked_at > 0;
    await eventually(isParked, { within: 15_000 });
    app.answer = () => ({});
    assert.ok(forwardErrors(third).includes(`the app answered ${status}; parked: 3 tries, 0 unanswered`));
    const types = app.requests.map(({ body }) => JSON.parse(body).type.slice(11));
    assert.deepEqual(types.slice(0, 4), ["created", "expired", "expired", "expired"]);
    await eventually(() => app.requests.some(({ body }) => body.includes("connection.updated")), { within: 15_000 });
  });
}

test("an event whose delivery is gone does not hold up the next one", async (t) => {
  const { app, gateway: first } = await startForwarding(t);
  app.answer = () => ({ status: 503 });
  const handle = await introduce(first, "conn_lost");
  await first.deliver(connectionEvent("connection.expired", { id: "conn_lost" }));
  await eventually(() => rowsOf(first, handle)[0].attempts === 1);
  await first.close({ keep: true });
  ageLedgerOf(first.folder, handle, (ledger) => {
    ledger.prepare("UPDATE deliveries SET body = NULL WHERE type = 'connection.created'").run();
    ledger.prepare("UPDATE outbox SET due_at = 0").run();
  });
  app.answer = () => ({});
  const again = await restart(t, first, app);
  await eventually(() => app.requests.length === 2, { within: 15_000 });
  assert.match(app.requests[1].body.toString(), /connection\.expired/);
  await eventually(() => assert.deepEqual(rowsOf(again, handle), []));
  assert.deepEqual(forwardErrors(again), ["an event was deleted before the app took it"]);
});

/** Moves what `ends` a row's time into the past, and has it sent at once. */
function age(gateway, handle, ms, ends) {
  ageLedgerOf(gateway.folder, handle, (ledger) => {
    const table = ends === "received" ? "deliveries" : "outbox";
    ledger.prepare(`UPDATE ${table} SET ${ends} = ${ends} - ?`).run(ms);
    ledger.prepare("UPDATE outbox SET due_at = 0").run();
    ledger.prepare("UPDATE ledger SET alarm_at = 0").run(); // so that it prunes when the alarm rings
  });
}

async function restart(t, { folder }, app, vars = {}) {
  const gateway = await startGateway({ folder, vars: { FORWARD_URL: app.url, FORWARD_SECRET, ...vars } });
  t.after(() => gateway.close());
  return gateway;
}

function rowsOf({ folder }, handle) {
  const select = "SELECT id, due_at, attempts, refused_at, parked_at FROM outbox ORDER BY rowid";
  return inLedgerOf(folder, handle, (ledger) => ledger.prepare(select).all());
}

function alarmOf({ folder }, handle) {
  return inLedgerOf(folder, handle, (ledger) => ledger.prepare("SELECT alarm_at FROM ledger").get().alarm_at);
}
