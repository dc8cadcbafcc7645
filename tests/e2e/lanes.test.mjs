// Events that are not about a connection, on their way to the app: 1. what EVENT_FORWARD names, also realtime ones, 2. one that
// the app refuses holds back no other, 3. a parked one is listed and replayed, and leaves the list with its lane, 4. nothing is lost
// by a kill, and nothing stays after the app has taken it, 5. a cancelled or failed Link, 6. nothing without FORWARD_URL.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { verifyWebhook } from "../../pkg/index.js";
import { FORWARD_SECRET, startForwarding } from "./forwarding.mjs";
import { eventually, startGateway } from "./harness.mjs";
import { ageLanes } from "./ledgers.mjs";
import { begin, browserOf } from "./linking.mjs";
import { filesOfClass, hasTable, inDatabase } from "./objects.mjs";

const DIGEST = "x-ofauth-edge-digest";
const vars = { EVENT_FORWARD: "*,!payout.*", EVENT_KEEP: "rules.*" };

test("what EVENT_FORWARD names goes to the app, and all else does not", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars });
  const timestamp = new Date(Date.now() - 60_000).toISOString();
  const chat = JSON.stringify({ type: "realtime.chat_message.received", timestamp, data: { eventBody: "é\u2028" } }, undefined, 2);
  assert.equal((await gateway.deliver(chat)).outcome, "kept");
  assert.equal((await gateway.deliver({ type: "payout.created" })).outcome, "ignored");
  assert.equal((await gateway.deliver("no event")).outcome, "kept");
  await eventually(() => app.requests.length === 2);
  await sleep(500);
  const [first, second] = app.requests.toSorted((a, b) => b.body.length - a.body.length);
  assert.deepEqual([first.body.toString(), second.body.toString(), app.requests.length], [chat, "no event", 2]);
  assert.equal(verifyWebhook(first.body, first.headers, FORWARD_SECRET).type, "realtime.chat_message.received");
  assert.match(first.headers[DIGEST], /^[0-9a-f]{64}$/);
  assert.equal(first.headers["x-ofauth-edge-original-timestamp"], String(Math.floor(Date.parse(timestamp) / 1_000)));
  assert.equal(first.headers["x-ofauth-edge-version"], undefined, "there is no record that it changes");
});

test("realtime events are not forwarded unless EVENT_FORWARD names them, the others are", async (t) => {
  const { app, gateway } = await startForwarding(t);
  assert.equal((await gateway.deliver({ type: "realtime.chat_typing.updated" })).outcome, "ignored");
  assert.equal((await gateway.deliver({ type: "rules.updated", data: { revision: "r1" } })).outcome, "kept");
  await eventually(() => app.requests.length === 1);
  await sleep(500);
  assert.deepEqual(app.requests.map(({ body }) => JSON.parse(body).type), ["rules.updated"]);
});

test("an event that the app refuses or does not answer holds back no other", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars });
  app.answer = ({ body }) => {
    const { n } = JSON.parse(body).data;
    if (n === 0) return { after: 60_000 };
    return n === 1 ? { status: 500 } : {};
  };
  for (let n = 0; n < 12; n += 1) await gateway.deliver(chatMessage(n));
  await eventually(() => new Set(app.requests.map(({ body }) => JSON.parse(body).data.n)).size === 12, { within: 5_000 });
});

test("a parked event is listed without a handle, and a replay sends it again", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars });
  app.answer = () => ({ status: 410 });
  await gateway.deliver(chatMessage(1));
  const [item] = await eventually(async () => {
    const { list } = (await gateway.call("GET", "/edge/deliveries")).json();
    return list.length === 1 && list;
  });
  const { id, type, handle, state, tries } = item;
  const expected = [app.requests[0].headers[DIGEST], "realtime.chat_message.received", null, "parked", 1];
  assert.deepEqual([id, type, handle, state, tries], expected);
  await eventually(() => lanesOf(gateway).some(({ parked_at }) => parked_at > 0));
  app.answer = () => ({});
  assert.equal((await gateway.call("POST", `/edge/deliveries/${id}/replay`)).status, 202);
  await eventually(() => app.requests.length === 2);
  assert.deepEqual([app.requests[1].headers["x-ofauth-edge-replay"], app.requests[1].body], ["1", app.requests[0].body]);
  await eventually(async () => assert.deepEqual((await gateway.call("GET", "/edge/deliveries")).json().list, []));
  await eventually(() => assert.deepEqual(lanesOf(gateway), []));
});

test("a lane that leaves long after its event was parked takes it off the list", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars });
  app.answer = () => ({ status: 410 });
  await gateway.deliver(chatMessage(1));
  const listed = async ({ call }) => (await call("GET", "/edge/deliveries")).json().list.length;
  await eventually(async () => (await listed(gateway)) === 1 && lanesOf(gateway).some(({ parked_at }) => parked_at > 0));
  await gateway.close({ keep: true });
  ageLanes(gateway.folder);
  const all = { ...vars, FORWARD_URL: app.url, FORWARD_SECRET };
  const again = await startGateway({ folder: gateway.folder, vars: all });
  t.after(() => again.close());
  await eventually(() => assert.deepEqual(lanesOf(again), []));
  assert.equal(await listed(again), 0);
});

test("after a kill what was acknowledged is sent, and a lane leaves nothing", async (t) => {
  const { app, gateway: first } = await startForwarding(t, { vars });
  if (first.pid === undefined) return t.skip("the runtime's process is not known");
  app.answer = () => ({ after: 8_000 });
  for (let n = 0; n < 3; n += 1) assert.equal((await first.deliver(chatMessage(n))).outcome, "kept");
  await first.kill();
  const before = app.requests.length;
  app.answer = () => ({});
  const again = await startGateway({ folder: first.folder, vars: { ...vars, FORWARD_URL: app.url, FORWARD_SECRET } });
  t.after(() => again.close());
  await eventually(() => app.requests.length === before + 3, { within: 30_000 });
  const sent = app.requests.slice(before).map(({ body }) => JSON.parse(body).data.n);
  assert.deepEqual(sent.toSorted(), [0, 1, 2]);
  await eventually(() => assert.deepEqual(lanesOf(again), []));
});

test("a cancelled or failed Link is told to the app, if there is a Link session", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars: { APP_RETURN_URL: "https://home.example/" } });
  const visit = (query) => gateway.send("GET", `/link/callback?${new URLSearchParams(query)}`);
  await visit({ status: "cancelled", step: "2fa", client_reference_id: "user_nobody" });
  assert.equal((await begin(browserOf(gateway, "user_link"))).status, 200);
  const cancelled = { status: "cancelled", step: "2fa", client_reference_id: "user_link" };
  assert.equal((await visit(cancelled)).status, 303);
  await eventually(() => app.requests.length === 1);
  assert.equal((await visit({ status: "error", error_code: "account_locked", client_reference_id: "user_link" })).status, 303);
  await eventually(() => app.requests.length === 2);
  const events = app.requests.map(({ body, headers }) => verifyWebhook(body, headers, FORWARD_SECRET));
  assert.deepEqual(events.map(({ type, data }) => [type, data]), [
    ["edge.link.cancelled", { clientReferenceId: "user_link", step: "2fa" }],
    ["edge.link.failed", { clientReferenceId: "user_link", errorCode: "account_locked" }],
  ]);
  await eventually(() => assert.deepEqual(lanesOf(gateway), []));
  for (const step of ["2fa", "login"]) assert.equal((await visit({ ...cancelled, step })).status, 303);
  assert.deepEqual(lanesOf(gateway), [], "a repeated visit is not told again");
  assert.deepEqual(lanesOf(gateway, "deliveries"), [], "only the lane stays");

  assert.equal((await begin(browserOf(gateway, "user_link"))).status, 200);
  await visit(cancelled);
  await eventually(() => app.requests.length === 3);
  const [first, , third] = app.requests.map(({ headers }) => headers[DIGEST]);
  assert.notEqual(third, first, "another Link session is told");
});

test("without FORWARD_URL no lane is made", async (t) => {
  const gateway = await startGateway({ vars: { EVENT_FORWARD: "*" } });
  t.after(() => gateway.close());
  assert.equal((await gateway.deliver(chatMessage(1))).outcome, "ignored");
  await begin(browserOf(gateway, "user_off"));
  await gateway.send("GET", "/link/callback?status=cancelled&client_reference_id=user_off");
  assert.deepEqual(lanesOf(gateway), []);
});

function chatMessage(n) {
  return { type: "realtime.chat_message.received", timestamp: new Date().toISOString(), data: { n } };
}

/** The rows of all outboxes, or those of another table beside an outbox. */
function lanesOf({ folder }, table = "outbox") {
  const rowsIn = (ledger) => (hasTable(ledger, "outbox") ? ledger.prepare(`SELECT * FROM ${table}`).all() : []);
  return filesOfClass(folder, "Ledger").flatMap((file) => inDatabase(folder, "Ledger", file, rowsIn));
}
