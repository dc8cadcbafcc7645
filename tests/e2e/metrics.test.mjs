// Metrics: 1. what happens is counted within 15 s, under its minute, 2. reading them needs a gateway key or the console,
// 3. what an object counts comes too, 4. without the binding everything else works, 5. each batch goes to Analytics Engine, if that
// is bound, 6. an object that stores metrics keeps 24 hours.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { startForwarding } from "./forwarding.mjs";
import { consoleOf, eventually, introduce, refusal, SECRETS, sessionOf, startGateway } from "./harness.mjs";
import { addCounts, askMetrics, codesOf, pointsOf } from "./metrics.mjs";

const SOON = { within: 20_000, every: 500 };

const gateway = await startGateway({
  vars: { GATEWAY_KEY: `${SECRETS.GATEWAY_KEY},app:access:app-key-0123456789-0123456789-0123456` },
  watched: true,
});
after(() => gateway.close());
const { emulator } = gateway;

test("what happens is counted, by name, code and minute", async () => {
  const handle = await introduce(gateway, "conn_1");
  const expired = connectionEvent("connection.expired", { id: "conn_1", clientReferenceId: "user_456" });
  await gateway.deliver(expired);
  await gateway.deliver(expired);
  await gateway.deliver(connectionEvent("connection.updated", { id: "conn_1", clientReferenceId: "user_456" }), { scheme: "svix", id: "msg_1" });
  await gateway.deliver(expired, { secret: "whsec_wrong" });
  await gateway.send("POST", "/webhooks/ofauth", { body: "{}" });
  await gateway.call("GET", "/edge/none");

  const access = (path) => gateway.send("GET", path, { headers: { apikey: "app-key-0123456789-0123456789-0123456", "x-connection-id": handle } });
  await access("/v2/access/self");
  emulator.fault({ kind: "limit", match: { path: "/v2/access/self" } });
  await access("/v2/access/self");
  emulator.heal();
  emulator.fault({ kind: "refuse", type: "UNAUTHORIZED", match: { path: "/v2/access/self" } });
  await access("/v2/access/self");
  emulator.heal();
  emulator.connections.put({ id: "conn_2", clientReferenceId: "user_2", status: "active" });
  const other = await introduce(gateway, "conn_2", { user: "user_2" });
  emulator.connections.put({ id: "conn_2", clientReferenceId: "user_2", status: "expired" });
  await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": other } });

  const { secrets: [ofauth, svix], keys: [key, app] } = await codesOf(gateway);
  assert.match([ofauth, svix, key, app].join(), /^ofauth:[\da-f]{8},svix:[\da-f]{8},[\da-f]{8},app:[\da-f]{8}$/);
  const expected = {
    error: { ROUTE_NOT_FOUND: 1 },
    webhook_rejected: { MISSING_HEADERS: 1, SIGNATURE_MISMATCH: 1 },
    webhook_secret: { [ofauth]: 4, [svix]: 1 },
    session_expired: { call: 1, webhook: 1 },
    rate_limit: { low: 1 },
    api_key_refused: { UNAUTHORIZED: 1 },
  };
  const { list, total } = await eventually(async () => {
    const metrics = await metricsOf(gateway);
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, metrics.total[name]])), expected);
    return metrics;
  }, SOON);
  assert.equal(total.webhook_accepted.duplicate, 1);
  assert.ok(total.webhook_accepted.applied >= 3, JSON.stringify(total));
  assert.equal(total.gateway_key[app], 3);
  assert.ok(total.gateway_key[key] >= 3);
  assert.equal(total.upstream_error["429"], 1);
  assert.equal(total.upstream_error.UNAUTHORIZED, 1);
  assert.ok(total.upstream["4xx"] >= 3, JSON.stringify(total));
  for (const { minute } of list) assert.match(minute, /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/);
  const points = await pointsOf(gateway);
  const point = points.find(({ blobs }) => blobs[1] === "SIGNATURE_MISMATCH");
  assert.deepEqual(point, { indexes: ["webhook_rejected"], blobs: ["webhook_rejected", "SIGNATURE_MISMATCH"], doubles: [1] });
});

describe("GET /edge/metrics", () => {
  test("a gateway key and the console may read, and nobody else", async () => {
    assert.equal((await (await consoleOf(gateway))("GET", "/edge/metrics")).status, 200);
    refusal(await sessionOf(gateway, {})("GET", "/edge/metrics"), 403, "PERMISSION_DENIED");
    refusal(await gateway.send("GET", "/edge/metrics"), 401, "CREDENTIALS_MISSING");
    const app = { headers: { apikey: "app-key-0123456789-0123456789-0123456" } };
    refusal(await gateway.send("GET", "/edge/metrics", app), 403, "PERMISSION_DENIED");
    refusal(await gateway.call("POST", "/edge/metrics"), 405, "METHOD_NOT_ALLOWED");
  });

  test("the query chooses how many minutes", async () => {
    const now = Math.floor(Date.now() / 60_000);
    await addCounts(gateway, now - 100, "test old 1\n");
    await addCounts(gateway, now - 1_430, "test older 1\n");
    const total = async (query) => (await metricsOf(gateway, query)).total.test;
    assert.deepEqual(await total(""), undefined);
    assert.deepEqual(await total("?minutes=110"), { old: 1 });
    assert.deepEqual(await total("?minutes=1440"), { old: 1, older: 1 });
    for (const query of ["?minutes=0", "?minutes=1441", "?minutes=x", "?minute=1", "?minutes=1&minutes=1"]) {
      refusal(await gateway.call("GET", `/edge/metrics${query}`), 400, "BAD_REQUEST");
    }
  });

  test("counts are deleted after 24 hours", async () => {
    const now = Math.floor(Date.now() / 60_000);
    await addCounts(gateway, now - 1_440, "test ancient 1\n", 3);
    await addCounts(gateway, now, "test new 1\n", 3);
    const stored = await askMetrics(gateway, "read/0", { shard: 3 });
    assert.ok(stored.includes("test new 1") && !stored.includes("ancient"), stored);
  });
});

test("attempts to forward are counted by their result, and failures at once", async (t) => {
  const { app, gateway: forwarding } = await startForwarding(t);
  const answers = [{}, { status: 503 }, { hangUp: true }, { status: 404 }, { status: 410 }];
  app.answer = ({ body }) => answers[Number(/conn_(\d)/.exec(body)[1])];
  for (const place of [0, 1, 2, 3, 4]) await introduce(forwarding, `conn_${place}`);
  await eventually(async () => {
    const { taken, parked, refused, unanswered } = (await metricsOf(forwarding)).total.forward;
    assert.ok(taken === 1 && parked === 1 && refused >= 3 && unanswered >= 1);
  }, SOON);
});

test("passes are counted by how they ended", async (t) => {
  const passing = await startGateway();
  t.after(() => passing.close());
  await passing.reconcile();
  passing.emulator.fault({ kind: "refuse", type: "UNAUTHORIZED", match: { path: "/v2/account/connections" } });
  await passing.reconcile();
  await eventually(async () => {
    const { reconciliation, api_key_refused: refused } = (await metricsOf(passing)).total;
    assert.deepEqual([reconciliation, refused], [{ done: 1, stopped: 1 }, { UNAUTHORIZED: 1 }]);
  }, { within: 5_000 });
});

test("without the binding METRICS_STORE everything else works", async () => {
  const bare = await startGateway({ metrics: false });
  try {
    refusal(await bare.call("GET", "/edge/metrics"), 503, "NOT_CONFIGURED");
    await introduce(bare, "conn_bare");
    assert.equal((await bare.send("GET", "/healthz")).text, '{"ok":true}');
  } finally {
    await bare.close();
  }
});

async function metricsOf(gateway, query = "") {
  const answer = await gateway.call("GET", `/edge/metrics${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}
