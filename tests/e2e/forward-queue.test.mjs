// Events on their way to a queue: 1. a consumer verifies them with the npm package, whenever it reads them, 2. bytes that are no
// text come too, 3. the queue goes before the other targets, and needs FORWARD_SECRET, 4. what the queue does not take is tried
// again, 5. what is too large for it is parked at once.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { verifyWebhook } from "../../pkg/index.js";
import { connectionEvent } from "../emulator/events.mjs";
import { request } from "./client.mjs";
import { FORWARD_SECRET, forwardErrors, startApp } from "./forwarding.mjs";
import { eventually, startGateway } from "./harness.mjs";

const vars = { FORWARD_SECRET, OFAUTH_API_KEY: "sk_live_0123456789" };
const gateway = await startGateway({ queue: true, watched: true, vars });
after(() => gateway.close());

/** What the queue has given to its consumer, the bodies as bytes. */
async function received(from = gateway) {
  const messages = (await request(from.consumer, "GET", "/")).json();
  return messages.map(({ body, timestamp }) => {
    const { body: text, encoding, ...others } = JSON.parse(body);
    return { ...others, encoding, body: Buffer.from(text, encoding), timestamp: new Date(timestamp) };
  });
}

test("a consumer verifies each event with the npm package, whenever it reads it", async () => {
  const timestamp = new Date(Date.now() - 60_000).toISOString();
  const event = connectionEvent("connection.created", { id: "conn_queue", timestamp, live: true });
  const body = Buffer.from(`\ufeff${JSON.stringify(event, undefined, 2)}\n`).subarray(3);
  assert.equal((await gateway.deliver(body)).outcome, "applied");
  const [message] = await eventually(async () => {
    const messages = await received();
    return messages.length === 1 && messages;
  });
  assert.deepEqual(Object.keys(message).sort(), ["body", "encoding", "headers", "timestamp"]);
  assert.deepEqual([message.encoding, message.body], ["utf8", body]);
  const verified = verifyWebhook(message.body, message.headers, FORWARD_SECRET, { now: message.timestamp });
  assert.deepEqual([verified.type, verified.data], ["connection.created", event.data]);
  const later = { now: new Date(message.timestamp.getTime() + 3_600_000) };
  assert.throws(() => verifyWebhook(message.body, message.headers, FORWARD_SECRET, later), { code: "TIMESTAMP_TOO_OLD" });
  const { list } = (await gateway.call("GET", "/edge/connections/conn_queue/events")).json();
  const { "ofauth-signature": signature, ...headers } = message.headers;
  assert.match(signature, /^t=\d+,v1=[0-9a-f]{64}$/);
  assert.deepEqual(headers, {
    "content-type": "application/json",
    "x-ofauth-edge-digest": list[0].id,
    "x-ofauth-edge-original-timestamp": String(Math.floor(Date.parse(timestamp) / 1_000)),
    "x-ofauth-edge-version": headers["x-ofauth-edge-version"],
  });
  assert.ok(Number(headers["x-ofauth-edge-version"]) > 0);
  await eventually(async () => {
    const { list: waiting } = (await gateway.call("GET", "/edge/deliveries?state=pending")).json();
    assert.deepEqual(waiting, []);
  });
});

test("bytes that are no text come as base64, and a byte order mark stays", async () => {
  const bodies = [Buffer.from([0xff, 0xfe, 0x7b]), Buffer.from('\ufeff{"type":"some.thing"}')];
  for (const body of bodies) assert.equal((await gateway.deliver(body)).outcome, "kept");
  const sent = await eventually(async () => {
    const messages = (await received()).slice(1);
    return messages.length === 2 && messages;
  });
  const bytes = (list) => list.map((body) => body.toString("hex")).sort();
  assert.deepEqual(bytes(sent.map(({ body }) => body)), bytes(bodies));
  assert.deepEqual(sent.map(({ encoding }) => encoding).sort(), ["base64", "utf8"]);
});

test("what the queue does not take is tried again, and a replay says so", async (t) => {
  const broken = await startGateway({ vars, services: { FORWARD_QUEUE: async () => new Response() } });
  t.after(() => broken.close());
  assert.equal((await broken.deliver({ type: "some.thing" })).outcome, "kept");
  const [item] = await eventually(async () => {
    const { list } = (await broken.call("GET", "/edge/deliveries?state=pending")).json();
    return list.length === 1 && list;
  });
  assert.deepEqual([item.lastAnswer, item.unanswered, item.refused], ["queue_error", 1, 0]);
  const replay = await broken.call("POST", `/edge/deliveries/${item.id}/replay`);
  assert.equal(replay.status, 202);
  await eventually(async () => {
    const { list } = (await broken.call("GET", "/edge/deliveries?state=pending")).json();
    assert.ok(list[0].tries >= 2, JSON.stringify(list));
  });
});

test("an event that is too large for the queue is parked at once, and the status and the log say so", async () => {
  const before = (await received()).length;
  // As a message, each of these characters has two bytes.
  const sized = (length) => JSON.stringify({ type: "some.thing", data: "é".repeat(length) });
  assert.equal((await gateway.deliver(sized(63_000))).outcome, "kept");
  await eventually(async () => assert.equal((await received()).length, before + 1, "126,000 bytes are not too many"));
  assert.equal((await gateway.deliver(sized(65_000))).outcome, "kept");
  const [item] = await eventually(async () => {
    const { list } = (await gateway.call("GET", "/edge/deliveries")).json();
    return list.length === 1 && list;
  });
  const { state, lastAnswer, tries, unanswered, refused } = item;
  assert.deepEqual([state, lastAnswer, tries, unanswered, refused], ["parked", "too_large", 1, 0, 1]);
  const { lines } = (await gateway.call("GET", "/edge/status")).json();
  assert.deepEqual(lines.find(({ name }) => name === "parkedForwards").value, 1);
  const line = "the event is too large for the queue; parked: 1 tries, 0 unanswered";
  assert.deepEqual(forwardErrors(gateway), [line]);
  await eventually(async () => {
    const { forward } = (await gateway.call("GET", "/edge/metrics?minutes=5")).json().total;
    assert.deepEqual([forward?.parked, forward?.refused], [1, 1]);
  });
});

test("the queue goes before a service and a URL, and needs FORWARD_SECRET", async (t) => {
  const app = await startApp(t);
  const requests = [];
  const services = { FORWARD: async (incoming) => new Response(null, { status: requests.push(incoming) && 204 }) };
  const all = await startGateway({ queue: true, services, vars: { FORWARD_SECRET, FORWARD_URL: app.url } });
  t.after(() => all.close());
  await all.deliver(connectionEvent("connection.created", { id: "conn_all" }));
  await eventually(async () => (await received(all)).length === 1);
  assert.deepEqual([requests.length, app.requests.length], [0, 0]);

  const bare = await startGateway({ queue: true });
  t.after(() => bare.close());
  const health = await bare.send("GET", "/healthz");
  assert.equal(health.status, 503);
  assert.match(health.text, /FORWARD_SECRET/);
});
