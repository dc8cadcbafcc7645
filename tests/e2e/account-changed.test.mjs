// A connection whose OnlyFans account becomes another one. 1. The record says since when, the timeline and the app hear of it.
// 2. Only a change of the shown account counts: not the first one, not a late webhook, not a copy. 3. The list of OFAuth shows it
// too. 4. A page learns when, and not whose account it was. 5. A gateway key accepts the account by its id, and nobody else does.
// 6. With REFUSE_CHANGED_ACCOUNT, calls are refused until then. 7. Nothing of it is lost if the runtime is killed. 8. A deleted user
// leaves nothing of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { verifyWebhook } from "../../pkg/index.js";
import { connectionEvent, sdkEvent } from "../emulator/events.mjs";
import { FORWARD_SECRET, startForwarding } from "./forwarding.mjs";
import { consoleOf, eventually, listAll, refusal, SECRETS, sessionOf, startGateway } from "./harness.mjs";
import { inLedgerOf } from "./ledgers.mjs";

const USER = "user_456";
const CHANGED = "edge.connection.account_changed";
const at = (minute) => new Date(Date.UTC(2026, 9, 1, 12, minute)).toISOString();

/** A webhook that names the account of a connection. */
const event = (id, account, minute, type = "updated") =>
  connectionEvent(`connection.${type}`, { id, clientReferenceId: USER, timestamp: at(minute), userData: { id: account, name: `of ${account}` } });

const record = async (gateway, id) => (await gateway.call("GET", `/edge/connections/${id}`)).json();
const timeline = async (gateway, id) => (await gateway.call("GET", `/edge/connections/${id}/events`)).json().list;
const access = (call, id) => call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
const accept = (call, id, account) =>
  call("POST", `/edge/connections/${id}/accept-account?platformUserId=${account}`);

async function started(t, vars) {
  const gateway = await startGateway({ vars });
  t.after(() => gateway.close());
  return gateway;
}

/** A connection whose account was "111" and is "222" since `at(1)`. Answers its handle. */
async function change(gateway, id) {
  assert.equal((await gateway.deliver(event(id, "111", 0, "created"))).outcome, "applied");
  assert.equal((await gateway.deliver(event(id, "222", 1))).outcome, "applied");
  const { handle, accountChangedAt } = await record(gateway, id);
  assert.equal(accountChangedAt, at(1));
  return handle;
}

test("the record says since when, and the timeline and the app hear of it", async (t) => {
  const { app, gateway } = await startForwarding(t);
  await gateway.deliver(event("conn_a", "111", 0, "created"));
  assert.equal((await record(gateway, "conn_a")).accountChangedAt, null);
  const handle = await change(gateway, "conn_b");
  await gateway.deliver(event("conn_b", "222", 2));
  const { platformUserId, accountChangedAt, updatedAt } = await record(gateway, "conn_b");
  assert.deepEqual([platformUserId, accountChangedAt, updatedAt], ["222", at(1), at(2)], "it stays");

  const list = (await timeline(gateway, "conn_b")).toReversed();
  assert.deepEqual(list.map(({ type }) => type), ["connection.created", "connection.updated", CHANGED, "connection.updated"]);
  const { id, stamp, outcome, actor, body } = list[2];
  assert.deepEqual([id, stamp, outcome, actor], [`${list[1].id}_account`, at(1), "applied", "gateway"]);
  const connection = { id: "conn_b", status: "active", platformUserId: "222", formerPlatformUserId: "111" };
  const data = { clientReferenceId: USER, connection };
  assert.deepEqual(JSON.parse(body), { type: CHANGED, timestamp: at(1), data });
  const shown = (await (await consoleOf(gateway))("GET", `/edge/connections/${handle}/events`)).json().list;
  assert.equal(JSON.parse(shown[1].body).data.connection.id, handle, "the console sees no id");

  const sent = await eventually(() => app.requests.length === 5 && app.requests.slice(1));
  const read = sent.map(({ body: bytes, headers }) => verifyWebhook(bytes, headers, FORWARD_SECRET));
  assert.deepEqual(read.map(({ type }) => type), list.map(({ type }) => type));
  assert.deepEqual(sent.map(({ headers }) => headers["x-ofauth-edge-digest"]), list.map((delivery) => delivery.id));
  assert.deepEqual([read[2].known, read[2].data], [false, data]);
  const versions = sent.map(({ headers }) => Number(headers["x-ofauth-edge-version"]));
  assert.ok(versions.every((version, index) => index === 0 || version > versions[index - 1]), `${versions}`);

  await eventually(async () => {
    const view = await record(gateway, "conn_b");
    assert.deepEqual((await listAll(gateway)).find(({ id: one }) => one === "conn_b"), view);
    assert.deepEqual(await listAll(gateway, `&clientReferenceId=${USER}`).then((all) => all.find(({ id: one }) => one === "conn_b")), view);
  });
});

test("only a change of the shown account counts", async (t) => {
  const { app, gateway } = await startForwarding(t);
  const newer = event("conn_late", "222", 5);
  assert.equal((await gateway.deliver(newer)).outcome, "applied");
  assert.equal((await gateway.deliver(event("conn_late", "111", 1))).outcome, "stale", "it comes too late");
  assert.equal((await gateway.deliver(event("conn_late", "111", 0, "created"))).outcome, "applied", "it says when it was made");
  assert.equal((await gateway.deliver(newer)).outcome, "duplicate");
  // The same account as a number, and events that name none.
  const sdk = sdkEvent("connection.updated", { id: "conn_late", platformUserId: 222, userData: { userId: 222 } });
  assert.equal((await gateway.deliver(sdk)).outcome, "applied");
  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_late", timestamp: at(9) }));
  const { platformUserId, accountChangedAt } = await record(gateway, "conn_late");
  assert.deepEqual([platformUserId, accountChangedAt], ["222", null]);

  await change(gateway, "conn_once");
  assert.equal((await gateway.deliver(event("conn_once", "222", 1))).outcome, "duplicate");
  assert.equal((await gateway.deliver(event("conn_once", "333", 0))).outcome, "stale");
  assert.equal((await record(gateway, "conn_once")).accountChangedAt, at(1));
  const types = async (id) => (await timeline(gateway, id)).map(({ type }) => type).filter((type) => type === CHANGED);
  assert.deepEqual([await types("conn_late"), await types("conn_once")], [[], [CHANGED]]);
  const isTold = ({ body }) => JSON.parse(body).type === CHANGED;
  await eventually(() => app.requests.filter(isTold).length === 1);
});

test("OFAuth's list shows a change of the account too", async (t) => {
  const { app, gateway } = await startForwarding(t);
  await gateway.deliver(event("conn_listed", "111", 0, "created"));
  const { emulator } = gateway;
  const userData = { id: "222", name: "of 222", username: "other", avatar: null };
  emulator.connections.put({ id: "conn_listed", clientReferenceId: USER, userData, createdAt: at(0), updatedAt: at(7) });
  await gateway.reconcile();
  assert.equal((await record(gateway, "conn_listed")).accountChangedAt, at(7));
  assert.deepEqual((await timeline(gateway, "conn_listed")).map(({ type }) => type), [CHANGED, "edge.listed", "connection.created"]);
  const sent = await eventually(() => app.requests.length === 2 && app.requests.map(({ body }) => JSON.parse(body)));
  assert.deepEqual([sent[1].type, sent[1].data.connection.formerPlatformUserId], [CHANGED, "111"]);
  await gateway.reconcile();
  assert.equal((await timeline(gateway, "conn_listed")).length, 3, "once");
});

test("a page learns when the account changed, and not whose it was before", async (t) => {
  const gateway = await started(t);
  const handle = await change(gateway, "conn_page");
  const page = sessionOf(gateway, { permissions: ["connections:write", "access:any"] });
  const answers = await Promise.all(["", "/events", "/health"].map((path) => page("GET", `/edge/connections/${handle}${path}`)));
  assert.equal(answers[0].json().accountChangedAt, at(1));
  assert.ok(answers[1].json().list.some(({ type }) => type === CHANGED));
  for (const { text } of answers) assert.ok(!text.includes("111"), text);
});

test("a gateway key accepts the account by its id, and nobody else does", async (t) => {
  const manager = "manager-".padEnd(40, "0123456789");
  const reader = "reader-".padEnd(40, "0123456789");
  const keys = [`ops:manage:${manager}`, `eye:read+access+link+sessions:${reader}`];
  const gateway = await started(t, { GATEWAY_KEY: [SECRETS.GATEWAY_KEY, ...keys].join(",") });
  const handle = await change(gateway, "conn_accept");
  const as = (apikey) => (method, target, { headers, body } = {}) => gateway.send(method, target, { headers: { apikey, ...headers }, body });
  const page = sessionOf(gateway, { permissions: ["connections:write"] });
  const refused = async (call, account, status, type, name = handle) =>
    assert.deepEqual(refusal(await accept(call, name, account)), [status, type], `${name}: ${account}`);

  await refused(page, "222", 403, "PERMISSION_DENIED");
  await refused(await consoleOf(gateway), "222", 403, "PERMISSION_DENIED");
  await refused(as(reader), "222", 403, "PERMISSION_DENIED");
  for (const account of ["111", "", "222&x=1", "222%00"]) await refused(gateway.call, account, 400, "BAD_REQUEST");
  await refused(gateway.call, "222", 404, "CONNECTION_NOT_FOUND", "conn_nobody");
  await refused(gateway.call, "222", 404, "CONNECTION_NOT_FOUND", handle.replace(/.$/, (last) => (last === "0" ? "1" : "0")));
  for (const query of ["", "?", "?account=222"]) {
    const answer = await gateway.call("POST", `/edge/connections/${handle}/accept-account${query}`);
    assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], query);
  }
  assert.equal((await gateway.call("GET", `/edge/connections/${handle}/accept-account`)).status, 405);
  assert.equal((await record(gateway, "conn_accept")).accountChangedAt, at(1), "nothing of it counts");

  const before = await record(gateway, "conn_accept");
  const { status, text } = await accept(as(manager), handle, "%32" + "22");
  assert.deepEqual([status, JSON.parse(text)], [200, { success: true, message: "Connection conn_accept may be used with its account" }]);
  assert.deepEqual(await record(gateway, "conn_accept"), { ...before, accountChangedAt: null });
  assert.equal((await accept(gateway.call, "conn_accept", "222")).status, 200, "it may be repeated, and by id");
  const [accepted, ...rest] = await timeline(gateway, "conn_accept");
  assert.deepEqual([accepted.type, accepted.actor, accepted.outcome], ["edge.account_accepted", "key:ops", "applied"]);
  assert.equal(rest[0].type, CHANGED);

  await gateway.deliver(event("conn_accept", "222", 3));
  assert.equal((await record(gateway, "conn_accept")).accountChangedAt, null, "it stays accepted");
  await gateway.deliver(event("conn_accept", "111", 4));
  assert.equal((await record(gateway, "conn_accept")).accountChangedAt, at(4), "the first account again is another one");
  await refused(gateway.call, "222", 400, "BAD_REQUEST");
});

test("who accepts the account at the same time gets the same answer, and it is accepted once", async (t) => {
  const gateway = await started(t);
  const handle = await change(gateway, "conn_twice");
  const answers = await Promise.all(Array.from({ length: 8 }, () => accept(gateway.call, handle, "222")));
  assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  const types = (await timeline(gateway, "conn_twice")).map(({ type }) => type);
  assert.equal(types.filter((type) => type === "edge.account_accepted").length, 1, `${types}`);
});

test("with REFUSE_CHANGED_ACCOUNT calls are refused until the account is accepted, else they are not", async (t) => {
  const gateway = await started(t, { REFUSE_CHANGED_ACCOUNT: "on" });
  const page = sessionOf(gateway, { permissions: ["profile:read"] });
  await gateway.deliver(event("conn_refused", "111", 0, "created"));
  assert.equal((await access(gateway.call, "conn_refused")).status, 200);
  await gateway.deliver(event("conn_refused", "222", 1));
  const { handle } = await record(gateway, "conn_refused");
  const isRefused = async (call, id) => {
    const answer = await access(call, id);
    assert.deepEqual(refusal(answer), [403, "ACCOUNT_CHANGED"]);
    const { error, actionRequired } = answer.json();
    assert.deepEqual([answer.headers["x-ofauth-edge-action"], answer.headers["x-ofauth-edge"]], ["give_up", "gateway"]);
    assert.deepEqual([typeof error, actionRequired], ["string", undefined]);
    return true;
  };
  await isRefused(gateway.call, "conn_refused");
  // These read copies of the record, which come a moment later.
  const others = [[gateway.call, handle], [page, handle], [page, ""]];
  for (const [call, id] of others) await eventually(() => isRefused(call, id));
  gateway.emulator.clear();
  for (const [call, id] of others) await isRefused(call, id);
  assert.equal(gateway.emulator.requests.length, 0, "OFAuth is not asked");
  assert.equal((await gateway.call("GET", `/edge/connections/${handle}/health`)).json().verdict, "healthy", "its health is shown");

  assert.equal((await accept(gateway.call, handle, "222")).status, 200);
  for (const [call, id] of [[gateway.call, "conn_refused"], [gateway.call, handle], [page, handle]]) {
    await eventually(async () => assert.equal((await access(call, id)).status, 200));
  }
  for (const text of ["off", "", undefined]) {
    const other = await started(t, { REFUSE_CHANGED_ACCOUNT: text });
    await change(other, "conn_free");
    assert.equal((await access(other.call, "conn_free")).status, 200, `${text}`);
  }
});

test("no change of an account is lost if the runtime is killed", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars: { REFUSE_CHANGED_ACCOUNT: "on" } });
  if (gateway.pid === undefined) return t.skip("the runtime's process is not known");
  app.answer = () => ({ after: 8_000 });
  await gateway.deliver(event("conn_killed", "111", 0, "created"));
  assert.equal((await gateway.deliver(event("conn_killed", "222", 1))).outcome, "applied");
  await gateway.kill();
  const before = app.requests.length;

  app.answer = () => ({});
  const vars = { FORWARD_URL: app.url, FORWARD_SECRET, REFUSE_CHANGED_ACCOUNT: "on" };
  const again = await startGateway({ folder: gateway.folder, vars });
  t.after(() => again.close());
  assert.deepEqual(refusal(await access(again.call, "conn_killed")), [403, "ACCOUNT_CHANGED"]);
  const sent = await eventually(() => app.requests.length === before + 3 && app.requests.slice(before), { within: 20_000 });
  assert.deepEqual(sent.map(({ body }) => JSON.parse(body).type), ["connection.created", "connection.updated", CHANGED]);
  assert.equal((await accept(again.call, "conn_killed", "222")).status, 200);
  await again.kill();
  const third = await startGateway({ folder: gateway.folder, vars });
  t.after(() => third.close());
  assert.equal((await access(third.call, "conn_killed")).status, 200);
});

test("a deleted user leaves no trace of either account", async (t) => {
  const gateway = await started(t);
  const handle = await change(gateway, "conn_gone");
  gateway.emulator.connections.put({ id: "conn_gone", clientReferenceId: USER });
  assert.equal((await gateway.call("DELETE", `/edge/users/${USER}`)).status, 200);
  const rows = inLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare("SELECT id FROM deliveries").all());
  assert.deepEqual(rows, []);
});
