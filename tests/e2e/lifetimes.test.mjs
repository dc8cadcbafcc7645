// What is deleted in time. Nobody waits for months here: while the gateway is down, the instants in its files are moved
// into the past, and the runtime's alarms to now. 1. Bodies go, then deliveries, 2. everything about a connection goes 90
// days after its end, 3. what comes of it after that is new, and every view knows it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, listAll, refusal, sessionOf, startGateway } from "./harness.mjs";
import { ageLedgerOf, ledgerCount } from "./ledgers.mjs";

const DAY = 86_400_000;
const USER = "user_456";

test("a body is deleted after its time, a delivery after 30 days, and the record stays", async (t) => {
  const first = await startGateway();
  t.after(() => first.close());
  const [id, other] = ["conn_aged", "conn_other"];
  for (const one of [id, other]) {
    await introduce(first, one);
    await first.deliver(connectionEvent("connection.updated", { id: one, clientReferenceId: USER }));
  }
  const handle = await handleOf(first, id);
  await first.close({ keep: true });
  ageLedgerOf(first.folder, handle, (ledger) => {
    const age = ledger.prepare("UPDATE deliveries SET received = received - ? WHERE type = ?");
    age.run(7 * DAY, "connection.updated");
    age.run(30 * DAY, "connection.created");
  });

  const again = await startGateway({ folder: first.folder });
  t.after(() => again.close());
  await eventually(async () => {
    const { list } = (await again.call("GET", `/edge/connections/${id}/events`)).json();
    const seen = list.map(({ type, body, encoding }) => [type, typeof body, typeof encoding]);
    assert.deepEqual(seen, [["connection.updated", "undefined", "undefined"]]);
  });
  assert.equal((await again.call("GET", `/edge/connections/${id}`)).json().status, "active");
  const others = (await again.call("GET", `/edge/connections/${other}/events`)).json().list;
  assert.ok(others.length === 2 && others.every(({ body }) => body));
});

test("90 days after its end nothing is left of a connection, and what comes of it later is new", async (t) => {
  const first = await startGateway();
  t.after(() => first.close());
  const ids = ["conn_ended", "conn_ended_too", "conn_erased", "conn_living"];
  for (const id of ids) await introduce(first, id, { user: id === "conn_erased" ? "user_erased" : USER });
  const handles = await Promise.all(ids.map((id) => handleOf(first, id)));
  for (const id of ids.slice(0, 2)) assert.equal((await first.call("DELETE", `/edge/connections/${id}`)).status, 200);
  assert.equal((await first.call("DELETE", "/edge/users/user_erased")).json().deleted, 1);
  await eventually(async () => assert.equal((await listAll(first)).length, 3));
  await first.close({ keep: true });
  for (const handle of handles.slice(0, 3)) {
    ageLedgerOf(first.folder, handle, (ledger) => {
      const [{ left }] = ledger.prepare("SELECT purge_at - ? AS left FROM ledger").all(Date.now());
      assert.ok(Math.abs(left - 90 * DAY) < 60_000, `${left} ms`);
      ledger.prepare("UPDATE ledger SET purge_at = ?").run(Date.now() - 1);
    });
  }

  const again = await startGateway({ folder: first.folder });
  t.after(() => again.close());
  const kv = await again.kv();
  await eventually(async () => {
    for (const id of ids.slice(0, 2)) assert.equal((await again.call("GET", `/edge/connections/${id}`)).status, 404, id);
    assert.deepEqual((await kv.list({ prefix: "conn:" })).keys.map(({ name }) => name), [`conn:${handles[3]}`]);
    const { list } = (await sessionOf(again, {})("GET", "/edge/connections")).json();
    assert.deepEqual(list.map(({ handle }) => handle), [handles[3]]);
  }, { within: 15_000, every: 200 });
  const timeline = await again.call("GET", `/edge/connections/${ids[0]}/events`);
  assert.deepEqual(refusal(timeline), [404, "CONNECTION_NOT_FOUND"]);
  await eventually(() => ledgerCount(again.folder) === 1, { within: 15_000, every: 200 });

  const event = connectionEvent("connection.updated", { id: ids[0], clientReferenceId: USER, userData: { name: "new" } });
  assert.equal((await again.deliver(event)).outcome, "applied");
  const record = (await again.call("GET", `/edge/connections/${ids[0]}`)).json();
  assert.deepEqual([record.status, record.handle, record.userData.name], ["active", handles[0], "new"]);
  const { list } = (await sessionOf(again, {})("GET", "/edge/connections")).json();
  assert.deepEqual(list.map(({ handle }) => handle).toSorted(), [handles[0], handles[3]].toSorted(), "the hub too");
  await eventually(async () => assert.equal((await listAll(again)).length, 2));
});

async function handleOf(gateway, id) {
  return (await gateway.call("GET", `/edge/connections/${id}`)).json().handle;
}
