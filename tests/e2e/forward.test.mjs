// Connection events on their way to the app: 1. the original bytes, signed so that the npm package verifies them, 2. once each
// and in order, 3. the answer to OFAuth does not wait for the app, 4. only what changed something, also what the gateway learned
// itself, 5. what it costs, 6. nothing without FORWARD_URL, 7. a service binding in its place, 8. nothing is lost if the runtime is
// killed, also again and again, 9. nothing is sent about a deleted user.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { commitsBetween, readCommits } from "../../bench/worker/commits.mjs";
import { verifySignature, verifyWebhook } from "../../pkg/index.js";
import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, startGateway, unixNow } from "./harness.mjs";
import { FORWARD_SECRET, startApp, startForwarding } from "./forwarding.mjs";
import { inLedgerOf } from "./ledgers.mjs";

const BEGIN = Date.now() - 3_600_000;

test("the app gets the original bytes, and the npm package verifies them", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars: { FORWARD_SECRET: `${FORWARD_SECRET},whsec_${"o".repeat(40)}` } });
  const timestamp = new Date(Date.now() - 60_000).toISOString();
  const event = connectionEvent("connection.created", { id: "conn_bytes", timestamp });
  const body = Buffer.from(`  ${JSON.stringify(event, undefined, 3)}\n`);
  assert.equal((await gateway.deliver(body)).outcome, "applied");
  const [request] = await eventually(() => app.requests.length === 1 && app.requests);
  assert.deepEqual(request.body, body);
  assert.deepEqual([request.method, request.path], ["POST", "/hooks?from=edge"]);
  assert.equal(request.headers["content-type"], "application/json");

  const { type, data } = verifyWebhook(request.body, request.headers, FORWARD_SECRET);
  assert.deepEqual([type, data], ["connection.created", event.data]);
  const { scheme, timestamp: signed } = verifySignature(request.body, request.headers, [`whsec_${"n".repeat(40)}`, FORWARD_SECRET]);
  assert.deepEqual([scheme, Math.abs(signed - unixNow()) <= 5], ["ofauth", true], "it is signed when it is sent");

  const { list } = (await gateway.call("GET", "/edge/connections/conn_bytes/events")).json();
  assert.equal(request.headers["x-ofauth-edge-digest"], list[0].id);
  assert.equal(request.headers["x-ofauth-edge-original-timestamp"], String(Math.floor(Date.parse(timestamp) / 1_000)));
  assert.equal(Number(request.headers["x-ofauth-edge-version"]), versionOf(gateway, await handleOf(gateway, "conn_bytes")));
  const ours = Object.keys(request.headers).filter((name) => /^(cf-|apikey|authorization|x-connection-id)/.test(name));
  assert.deepEqual(ours.filter((name) => !/^cf-(worker|connecting-ip|ray)/.test(name)), [], "no credential goes along");
});

test("events about a connection come once each, in order, the next after the answer to the one before", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ after: 100 });
  const bodies = Array.from({ length: 8 }, (_, index) => change("conn_order", index));
  for (const body of bodies) assert.equal((await gateway.deliver(body)).outcome, "applied");
  await gateway.deliver(bodies[3]);
  await eventually(() => app.requests.filter(({ end }) => end).length === bodies.length);
  await sleep(500);
  assert.deepEqual(app.requests.map(({ body }) => body.toString()), bodies);
  app.requests.slice(1).forEach(({ at }, index) => assert.ok(at >= app.requests[index].end, `${index}`));
  const versions = app.requests.map(({ headers }) => Number(headers["x-ofauth-edge-version"]));
  assert.deepEqual(versions, versions.toSorted((a, b) => a - b));
  assert.equal(new Set(versions).size, versions.length);
});

test("many events that wait are all sent, even if they are more than one call may send", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => (index === 0 ? { after: 1_500 } : {});
  const bodies = Array.from({ length: 45 }, (_, index) => change("conn_many", index));
  for (const body of bodies) assert.equal((await gateway.deliver(body)).outcome, "applied");
  await eventually(() => app.requests.length === bodies.length, { within: 20_000 });
  assert.deepEqual(app.requests.map(({ body }) => body.toString()), bodies);
  await eventually(async () => assert.deepEqual(await outboxOf(gateway, "conn_many"), []));
});

test("the answer to OFAuth does not wait for a slow app, nor do other connections", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = ({ body }) => (body.includes("conn_slow") ? { after: 5_000 } : {});
  await gateway.deliver(change("conn_warm", 0));
  const answers = [];
  for (let index = 0; index < 5; index += 1) answers.push(await gateway.deliver(change("conn_slow", index)));
  for (const { outcome, ms } of answers) assert.deepEqual([outcome, ms < 1_000], ["applied", true], `${ms} ms`);
  await gateway.deliver(change("conn_quick", 0));
  await eventually(() => app.requests.some(({ body }) => body.includes("conn_quick")), { within: 2_000 });
  assert.equal(app.requests.filter(({ body }) => body.includes("conn_slow")).length, 1);
});

test("an event that changed nothing is not forwarded, nor one that EVENT_FORWARD does not name", async (t) => {
  const { app, gateway } = await startForwarding(t, { vars: { EVENT_FORWARD: "" } });
  await introduce(gateway, "conn_stale");
  const old = connectionEvent("connection.updated", { id: "conn_stale", timestamp: "2020-01-01T00:00:00Z" });
  assert.equal((await gateway.deliver(old)).outcome, "stale");
  assert.equal((await gateway.deliver({ type: "some.thing" })).outcome, "kept");
  await sleep(1_000);
  assert.deepEqual(app.requests.map(({ body }) => JSON.parse(body).type), ["connection.created"]);
});

test("what the gateway learned itself is forwarded, signed, with the connection's id and its user", async (t) => {
  const { app, gateway } = await startForwarding(t);
  await introduce(gateway, "conn_own", { user: "user_own" });
  const access = () => gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": "conn_own" } });
  gateway.emulator.connections.put({ id: "conn_own", clientReferenceId: "user_own", status: "expired" });
  assert.equal((await access()).json().type, "SESSION_EXPIRED");
  assert.equal((await access()).json().type, "SESSION_EXPIRED", "the second one is no news");
  gateway.emulator.connections.put({ id: "conn_own", clientReferenceId: "user_own", status: "active" });
  await eventually(() => app.requests.length === 2);
  assert.equal((await access()).status, 200);
  assert.equal((await gateway.call("POST", "/edge/connections/conn_own/invalidate")).status, 200);
  assert.equal((await gateway.call("DELETE", "/edge/connections/conn_own")).status, 200);
  await eventually(() => app.requests.length === 5);
  const events = app.requests.slice(1).map(({ body, headers }) => verifyWebhook(body, headers, FORWARD_SECRET));
  const statuses = { expired: "expired", active: "active", deleted: "disconnected" };
  for (const [index, what] of ["expired", "active", "expired", "deleted"].entries()) {
    const connection = { id: "conn_own", status: statuses[what] };
    const { type, known, data } = events[index];
    assert.deepEqual([type, known], [`edge.connection.${what}`, false]);
    assert.deepEqual(data, { clientReferenceId: "user_own", connection });
    assert.ok(Math.abs(Date.parse(events[index].timestamp) - Date.now()) < 20_000);
  }
  const { list } = (await gateway.call("GET", "/edge/connections/conn_own/events")).json();
  const digests = app.requests.map(({ headers }) => headers["x-ofauth-edge-digest"]);
  assert.deepEqual(digests, list.map(({ id }) => id).toReversed());
});

test("what the gateway learned itself is sent again, and is in the list meanwhile", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = (_, index) => (index === 1 ? { status: 503 } : {});
  await introduce(gateway, "conn_own_again");
  assert.equal((await gateway.call("POST", "/edge/connections/conn_own_again/invalidate")).status, 200);
  const [item] = await eventually(async () => {
    const { list } = (await gateway.call("GET", "/edge/deliveries?state=pending")).json();
    return list.length === 1 && list;
  });
  assert.equal(item.type, "edge.connection.expired");
  await eventually(() => app.requests.length === 3, { within: 15_000 });
  assert.deepEqual(app.requests[2].body, app.requests[1].body);
});

test("a forwarded event costs one commit and one request more, and without FORWARD_URL nothing more", async (t) => {
  const cost = async (gateway, id) => {
    await gateway.deliver(change(id, 0));
    await sleep(1_500);
    const ledgers = join(gateway.folder, "do/ofauth-edge-Ledger");
    const before = readCommits(ledgers);
    assert.equal((await gateway.deliver(change(id, 1))).outcome, "applied");
    await sleep(1_500);
    return commitsBetween(before, readCommits(ledgers));
  };
  const off = await startGateway();
  t.after(() => off.close());
  assert.equal(await cost(off, "conn_cost"), 2);
  for (const after of [0, 400]) {
    const { app, gateway } = await startForwarding(t);
    app.answer = () => ({ after });
    assert.equal(await cost(gateway, "conn_cost"), 3);
    assert.equal(app.requests.length, 2);
  }
});

test("without FORWARD_URL no outbox is made, and with it again the waiting events go", async (t) => {
  const app = await startApp(t);
  const first = await startGateway({ vars: { FORWARD_SECRET } });
  t.after(() => first.close());
  await first.deliver(change("conn_off", 0));
  const handle = await handleOf(first, "conn_off");
  assert.deepEqual(tablesOf(first, handle), ["deliveries", "former_hubs", "ledger"]);
  await first.close({ keep: true });

  const forwarding = { FORWARD_URL: app.url, FORWARD_SECRET };
  const on = await startGateway({ folder: first.folder, vars: forwarding });
  t.after(() => on.close());
  app.answer = () => ({ status: 503 });
  await on.deliver(change("conn_off", 1));
  await eventually(() => app.requests.length === 1);
  await on.close({ keep: true });

  const off = await startGateway({ folder: first.folder });
  t.after(() => off.close());
  assert.equal((await off.deliver(change("conn_off", 2))).outcome, "applied");
  await sleep(6_000);
  assert.equal(app.requests.length, 1);
  await off.close({ keep: true });

  app.answer = () => ({});
  const again = await startGateway({ folder: first.folder, vars: forwarding });
  t.after(() => again.close());
  await again.deliver(change("conn_off", 3));
  const sent = await eventually(() => app.requests.length === 3 && app.requests);
  assert.deepEqual(sent.map(({ body }) => body.toString()), [1, 1, 3].map((second) => change("conn_off", second)));
});

test("events go to a service binding instead of a URL, or with the URL if both are set", async (t) => {
  for (const url of ["", "https://app.internal/hooks?from=edge"]) {
    const requests = [];
    const FORWARD = async (request) => {
      const received = { url: request.url, headers: Object.fromEntries(request.headers), body: Buffer.from(await request.arrayBuffer()) };
      return new Response(null, { status: requests.push(received) === 1 ? 503 : 204 });
    };
    const vars = { FORWARD_URL: url, FORWARD_SECRET, OFAUTH_API_KEY: "sk_live_0123456789" };
    const gateway = await startGateway({ vars, services: { FORWARD } });
    t.after(() => gateway.close());
    await gateway.deliver(change("conn_service", 0));
    await eventually(() => requests.length === 2, { within: 15_000 });
    assert.deepEqual(requests.map((request) => request.url), Array(2).fill(url || "https://forward/"));
    assert.equal(verifyWebhook(requests[1].body, requests[1].headers, FORWARD_SECRET).type, "connection.updated");
  }
});

test("a service binding needs FORWARD_SECRET too", async (t) => {
  const gateway = await startGateway({ services: { FORWARD: async () => new Response() } });
  t.after(() => gateway.close());
  const health = await gateway.send("GET", "/healthz");
  assert.equal(health.status, 503);
  assert.match(health.text, /FORWARD_SECRET/);
});

test("what was acknowledged is sent after a kill, in order, until the app takes it", async (t) => {
  const { app, gateway: first } = await startForwarding(t);
  if (first.pid === undefined) return t.skip("the runtime's process is not known");
  app.answer = () => ({ after: 8_000 });
  const bodies = Array.from({ length: 3 }, (_, index) => change("conn_killed", index));
  for (const body of bodies) assert.equal((await first.deliver(body)).outcome, "applied");
  await first.kill();
  const before = app.requests.length;
  assert.ok(before <= 1, `${before}`);

  app.answer = () => ({});
  const vars = { FORWARD_URL: app.url, FORWARD_SECRET };
  const again = await startGateway({ folder: first.folder, vars });
  t.after(() => again.close());
  await eventually(() => app.requests.length === before + bodies.length, { within: 20_000 });
  const sent = app.requests.slice(before);
  assert.deepEqual(sent.map(({ body }) => body.toString()), bodies);
  if (before === 1) {
    const digest = "x-ofauth-edge-digest";
    assert.equal(sent[0].headers[digest], app.requests[0].headers[digest], "a repeated event has the same id");
  }
});

test("in spite of kills and failures of the app every event comes, in order, and none before an earlier one is taken", async (t) => {
  const { app, gateway } = await startForwarding(t);
  if (gateway.pid === undefined) return t.skip("the runtime's process is not known");
  const failures = [{ status: 503 }, { hangUp: true }, { after: 1_000 }, { status: 429, headers: { "retry-after": "1" } }];
  const taken = new Set();
  app.answer = ({ body }, index) => {
    const failure = index % 3 === 1 ? failures[Math.floor(index / 3) % failures.length] : {};
    if (!failure.status && !failure.hangUp) taken.add(body.toString());
    return failure;
  };
  const ids = ["conn_chaos_a", "conn_chaos_b", "conn_chaos_c"];
  let current = gateway;
  for (let second = 0; second < 6; second += 1) {
    const answers = await Promise.all(ids.map((id) => current.deliver(change(id, second))));
    assert.deepEqual(answers.map(({ outcome }) => outcome), ids.map(() => "applied"));
    if (second % 2 === 0) continue;
    await sleep(second * 100);
    await current.kill();
    current = await startGateway({ folder: gateway.folder, vars: { FORWARD_URL: app.url, FORWARD_SECRET } });
    t.after(current.close);
  }
  await eventually(() => taken.size === ids.length * 6, { within: 90_000, every: 200 });
  for (const id of ids) {
    const all = Array.from({ length: 6 }, (_, second) => change(id, second));
    const sent = app.requests.map(({ body }) => all.indexOf(body.toString())).filter((second) => second !== -1);
    assert.deepEqual(sent, sent.toSorted((a, b) => a - b), `${id}: ${sent}`);
  }
});

test("nothing more is sent about a deleted user", async (t) => {
  const { app, gateway } = await startForwarding(t);
  app.answer = () => ({ status: 503 });
  const handle = await introduce(gateway, "conn_deleted", { user: "user_deleted" });
  await eventually(() => app.requests.length === 1);
  assert.equal((await gateway.call("DELETE", "/edge/users/user_deleted")).json().deleted, 1);
  app.answer = () => ({});
  const rows = inLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare("SELECT id FROM outbox").all());
  assert.deepEqual(rows, []);
  await sleep(6_000);
  assert.equal(app.requests.length, 1);
});

/** An event about a connection that changes it, and is newer the larger `second` is. */
function change(id, second) {
  const timestamp = new Date(BEGIN + second * 1_000).toISOString();
  const permissions = [`permission-${second}:read`];
  return JSON.stringify(connectionEvent("connection.updated", { id, clientReferenceId: "user_456", permissions, timestamp }));
}


async function handleOf(gateway, id) {
  return (await gateway.call("GET", `/edge/connections/${id}`)).json().handle;
}

function versionOf({ folder }, handle) {
  return inLedgerOf(folder, handle, (ledger) => ledger.prepare("SELECT version FROM ledger").get().version);
}

async function outboxOf(gateway, id) {
  const handle = await handleOf(gateway, id);
  return inLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare("SELECT id FROM outbox").all());
}

function tablesOf({ folder }, handle) {
  const tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name";
  return inLedgerOf(folder, handle, (ledger) => ledger.prepare(tables).all().map(({ name }) => name));
}
