// Events that the app has not taken: 1. what the list says, 2. an event that the app takes is not listed, 3. pages, 4. who may
// read and replay, 5. a replay, which verifies, 6. a replay of what is not there, 7. nothing is parked that the index was not
// told, 8. a deleted user leaves nothing in the list.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { verifyWebhook } from "../../pkg/index.js";
import { connectionEvent } from "../emulator/events.mjs";
import { consoleOf, eventually, introduce, sessionOf, startGateway } from "./harness.mjs";
import { FORWARD_SECRET, startForwarding } from "./forwarding.mjs";
import { ageLedgerOf, inLedgerOf } from "./ledgers.mjs";

const DIGEST = "x-ofauth-edge-digest";

test("the list says what became of each event that the app did not take at once", async (t) => {
  const { app, gateway } = await startForwarding(t);
  const failures = [{ hangUp: true }, { status: 503 }];
  app.answer = (_, index) => failures[index] ?? { status: 410 };
  const handle = await introduce(gateway, "conn_listed");
  const [first] = await eventually(async () => nonEmpty(await list(gateway, "pending")));
  const { id } = first;
  assert.equal(id, app.requests[0].headers[DIGEST]);
  const { firstTriedAt, nextTryAt, ...rest } = first;
  const expected = { id, type: "connection.created", handle, state: "pending", tries: 1, unanswered: 1, refused: 0 };
  assert.deepEqual(rest, { ...expected, lastAnswer: "network_error", parkedAt: null });
  assert.ok(Math.abs(Date.parse(firstTriedAt) - Date.now()) < 5_000);
  assert.ok(Date.parse(nextTryAt) - Date.parse(firstTriedAt) >= 2_500);
  assert.deepEqual(await list(gateway, "parked"), []);

  await eventually(async () => assert.equal((await list(gateway, "pending"))[0].lastAnswer, "503"), { within: 15_000 });
  const [parked] = await eventually(async () => nonEmpty(await list(gateway, "parked")), { within: 25_000 });
  assert.deepEqual([parked.tries, parked.unanswered, parked.refused, parked.lastAnswer], [3, 1, 2, "410"]);
  assert.deepEqual([parked.firstTriedAt, parked.nextTryAt], [firstTriedAt, null]);
  assert.ok(Math.abs(Date.parse(parked.parkedAt) - Date.now()) < 5_000);
  assert.deepEqual(await list(gateway, "pending"), []);
  assert.deepEqual((await gateway.call("GET", "/edge/deliveries")).json(), { list: [parked] });
});

test("what the app takes is not listed, not even after a failure", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => (index === 0 ? { status: 500 } : {});
  await introduce(gateway, "conn_taken");
  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_taken" }));
  await eventually(async () => nonEmpty(await list(gateway, "pending")));
  await eventually(() => app.requests.length === 3, { within: 15_000 });
  await eventually(async () => assert.deepEqual([await list(gateway, "pending"), await list(gateway, "parked")], [[], []]));
});

test("the list has pages, and its cursors are for one state", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 410 });
  const handles = [];
  for (let index = 0; index < 5; index += 1) {
    handles.push(await introduce(gateway, `conn_page_${index}`));
    await eventually(async () => (await list(gateway, "parked")).length === index + 1);
  }
  const seen = [];
  let cursor = "";
  for (let page = 0; page < 3; page += 1) {
    const answer = (await gateway.call("GET", `/edge/deliveries?state=parked&limit=2${cursor}`)).json();
    seen.push(...answer.list.map(({ handle }) => handle));
    assert.equal(typeof answer.cursor, page < 2 ? "string" : "undefined");
    cursor = `&cursor=${answer.cursor}`;
    if (page === 0) {
      const other = await gateway.call("GET", `/edge/deliveries?state=pending${cursor}`);
      assert.deepEqual([other.status, other.json().type], [400, "BAD_REQUEST"]);
    }
  }
  assert.deepEqual(seen, handles.toReversed(), "the one that failed last comes first");
  for (const query of ["state=other", "limit=0", "limit=101", "offset=1", "cursor=x"]) {
    assert.equal((await gateway.call("GET", `/edge/deliveries?${query}`)).status, 400, query);
  }
});

test("servers and the console read and replay; pages do not, and no answer has an id of OFAuth's", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 410 });
  await introduce(gateway, "conn_secret");
  const [{ id }] = await eventually(async () => nonEmpty(await list(gateway, "parked")));
  const operator = await consoleOf(gateway);
  const shown = await operator("GET", "/edge/deliveries");
  assert.deepEqual([shown.status, shown.json().list.length, shown.text.includes("conn_secret")], [200, 1, false]);
  app.answer = () => ({});
  assert.equal((await operator("POST", `/edge/deliveries/${id}/replay`)).status, 202);
  await eventually(() => app.requests.length === 2);
  const page = sessionOf(gateway, { permissions: ["access:any", "connections:write"] });
  for (const [method, target] of [["GET", "/edge/deliveries"], ["POST", `/edge/deliveries/${id}/replay`]]) {
    const answer = await page(method, target);
    assert.deepEqual([answer.status, answer.json().type], [403, "PERMISSION_DENIED"], target);
    assert.equal((await gateway.send(method, target)).status, 401);
  }
});

test("a replay sends the same bytes with a fresh signature, says so, and what follows stays in order", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => (index === 0 ? { status: 410 } : {});
  await introduce(gateway, "conn_replayed");
  const [{ id }] = await eventually(async () => nonEmpty(await list(gateway, "parked")));
  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_replayed" }));
  await eventually(() => app.requests.length === 2);
  await sleep(1_100);
  const answer = await gateway.call("POST", `/edge/deliveries/${id}/replay`);
  assert.deepEqual([answer.status, answer.json().success], [202, true]);
  await eventually(() => app.requests.length === 3);
  const [first, between, again] = app.requests;
  assert.deepEqual(again.body, first.body);
  assert.deepEqual([again.headers[DIGEST], first.headers[DIGEST]], [id, id]);
  assert.notEqual(again.headers["ofauth-signature"], first.headers["ofauth-signature"]);
  const marks = [first, between, again].map(({ headers }) => headers["x-ofauth-edge-replay"]);
  assert.deepEqual(marks, [undefined, undefined, "1"]);
  assert.equal(verifyWebhook(again.body, again.headers, FORWARD_SECRET).type, "connection.created");
  await eventually(async () => assert.deepEqual(await list(gateway, "parked"), []));
});

test("a replay that fails is tried again, and one of an event that waits hurries it", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 503, headers: { "retry-after": new Date(Date.now() + 600_000).toUTCString() } });
  await introduce(gateway, "conn_hurried");
  const [{ id, nextTryAt }] = await eventually(async () => nonEmpty(await list(gateway, "pending")));
  assert.ok(Date.parse(nextTryAt) > Date.now() + 590_000, "a Retry-After that is a date is respected");
  app.answer = (_, index) => (index === 1 ? { status: 500 } : {});
  assert.equal((await gateway.call("POST", `/edge/deliveries/${id}/replay`)).status, 202);
  await eventually(() => app.requests.length === 3, { within: 20_000 });
  assert.deepEqual(app.requests.map(({ headers }) => headers["x-ofauth-edge-replay"]), [undefined, "1", "1"]);
});

test("a replay that is asked for during an attempt is not lost with it", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => [{ status: 503 }, { status: 410, after: 2_000 }, {}][index];
  await introduce(gateway, "conn_meanwhile");
  const [{ id }] = await eventually(async () => nonEmpty(await list(gateway, "pending")));
  await eventually(() => app.requests.length === 2, { within: 20_000 });
  assert.equal((await gateway.call("POST", `/edge/deliveries/${id}/replay`)).status, 202);
  await eventually(() => app.requests.length === 3, { within: 10_000 });
  assert.deepEqual(app.requests.map(({ headers }) => headers["x-ofauth-edge-replay"]), [undefined, undefined, "1"]);
  await eventually(async () => assert.deepEqual(await list(gateway, "parked"), []));
});

test("a replay of what does not wait is refused", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 410 });
  const handle = await introduce(gateway, "conn_bodiless");
  const [{ id }] = await eventually(async () => nonEmpty(await list(gateway, "parked")));
  const replay = async (other) => {
    const answer = await gateway.call("POST", `/edge/deliveries/${other}/replay`);
    return [answer.status, answer.json().type];
  };
  assert.deepEqual(await replay("nothing"), [404, "DELIVERY_NOT_FOUND"]);
  assert.deepEqual(await replay("a%2Fb"), [404, "DELIVERY_NOT_FOUND"]);
  await eventually(() => rowsOf(gateway, handle)[0].parked_at > 0);
  await gateway.close({ keep: true });
  ageLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare("UPDATE deliveries SET body = NULL").run());

  const off = await startGateway({ folder: gateway.folder });
  const refused = await off.call("POST", `/edge/deliveries/${id}/replay`);
  const { type, error } = refused.json();
  assert.deepEqual([refused.status, type], [400, "BAD_REQUEST"], "without a target");
  assert.match(error, /FORWARD_URL.*FORWARD.*FORWARD_QUEUE/, "any of the three is one");
  await off.close({ keep: true });
  const again = await startGateway({ folder: gateway.folder, vars: { FORWARD_URL: app.url, FORWARD_SECRET } });
  t.after(() => again.close());
  assert.equal((await again.call("POST", `/edge/deliveries/${id}/replay`)).status, 404);
  assert.deepEqual(await list(again, "parked"), [], "an event without a body leaves the list");
});

test("an event is not parked before the index has heard of it, and the longer that takes, the more rarely it is told", async (t) => {
  const { app, gateway } = await startForwarding(t, { faults: true });
  app.answer = () => ({ status: 410, after: 1_500 });
  const handle = await introduce(gateway, "conn_unheard");
  await gateway.fail({ ledger: "fail" });
  await eventually(() => rowsOf(gateway, handle)[0].attempts === 1);
  const [{ parked_at, due_at }] = rowsOf(gateway, handle);
  assert.equal(parked_at, null);
  assert.ok(due_at > Date.now() + 50_000);
  await gateway.close({ keep: true });
  ageLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare("UPDATE outbox SET due_at = 0, attempts = 8").run());

  const vars = { FORWARD_URL: app.url, FORWARD_SECRET };
  const later = await startGateway({ folder: gateway.folder, faults: true, vars });
  t.after(() => later.close());
  await later.fail({ ledger: "fail" });
  await eventually(() => rowsOf(later, handle)[0].attempts === 9);
  assert.ok(rowsOf(later, handle)[0].due_at > Date.now() + 29 * 60_000, "half an hour to an hour");
  await later.close({ keep: true });
  ageLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare("UPDATE outbox SET due_at = 0, attempts = 1").run());

  const again = await startGateway({ folder: gateway.folder, vars });
  t.after(() => again.close());
  const [item] = await eventually(async () => nonEmpty(await list(again, "parked")));
  assert.deepEqual([item.handle, item.tries], [handle, 2]);
});

test("a deleted user's events leave the list", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 410 });
  await introduce(gateway, "conn_erased", { user: "user_erased" });
  await introduce(gateway, "conn_stays", { user: "user_stays" });
  await eventually(async () => (await list(gateway, "parked")).length === 2);
  assert.equal((await gateway.call("DELETE", "/edge/users/user_erased")).json().deleted, 1);
  assert.equal((await list(gateway, "parked")).length, 1);
});

test("a user who is deleted during an attempt leaves nothing in the list", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 503, after: 4_000 });
  await introduce(gateway, "conn_erased", { user: "user_erased" });
  await eventually(() => app.requests.length === 1);
  assert.equal((await gateway.call("DELETE", "/edge/users/user_erased")).json().deleted, 1);
  assert.equal(app.requests[0].end, undefined, "the attempt is under way");
  await eventually(() => app.requests[0].end !== undefined, { within: 10_000 });
  await sleep(1_000);
  assert.deepEqual(await list(gateway, "pending"), []);
});

async function list(gateway, state) {
  const answer = await gateway.call("GET", `/edge/deliveries?state=${state}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().list;
}

function nonEmpty(items) {
  return items.length > 0 && items;
}

function rowsOf({ folder }, handle) {
  const select = "SELECT attempts, due_at, parked_at FROM outbox";
  return inLedgerOf(folder, handle, (ledger) => ledger.prepare(select).all());
}
