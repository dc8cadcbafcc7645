// Webhooks as OFAuth sends them: 1. signatures, 2. one delivery and its retries, 3. copies, order and disorder, 4. the events.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { accountOf } from "./account.mjs";
import { connectionEvent, REALTIME_JSON, realtimeEvent, rulesEvent, sdkEvent } from "./events.mjs";
import { sign, WebhookSender } from "./webhooks.mjs";

const SECRET = "whsec_test_secret";
const SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const vectors = JSON.parse(await readFile(new URL("../fixtures/signatures.json", import.meta.url)));

for (const { name, scheme, headers, body_base64, secrets } of vectors.filter(({ expect }) => expect === "ok")) {
  test(`signing gives the signature of the shared vector: ${scheme}, ${name}`, () => {
    const body = Buffer.from(body_base64, "base64");
    const find = (suffix) => headers[`svix-${suffix}`] ?? headers[`webhook-${suffix}`];
    const stated = scheme === "svix" ? find("signature") : headers["ofauth-signature"];
    const timestamp = Number(scheme === "svix" ? find("timestamp") : /t=(\d+)/.exec(stated)[1]);
    const signed = secrets.map((secret) => sign({ scheme, secret, id: find("id"), timestamp, body }));
    if (scheme === "svix") assert.ok(signed.some((one) => stated.split(" ").includes(one["svix-signature"])));
    else assert.ok(signed.some((one) => stated.toLowerCase().includes(one["OFAuth-Signature"].split(",")[1])));
  });
}

test("a secret that cannot be used is refused without being shown", () => {
  assert.throws(() => sign({ secret: "", body: "" }), TypeError);
  for (const secret of ["whsec_***", "whsec_"]) {
    const refusal = (error) => error instanceof TypeError && !error.message.includes("***");
    assert.throws(() => sign({ scheme: "svix", secret, id: "msg_1", body: "" }), refusal);
    assert.throws(() => new WebhookSender({ url: "http://127.0.0.1", scheme: "svix", secret }), refusal);
  }
});

test("any 2xx ends a delivery, and its answer is the result", async (t) => {
  const { url, received } = await receiver(t, (_, res) => res.writeHead(202).end('{"outcome":"kept"}'));
  const result = await new WebhookSender({ url, secret: SECRET }).deliver("raw \u00e9 text");
  const attempts = [{ status: 202, body: '{"outcome":"kept"}' }];
  assert.deepEqual(result, { delivered: true, status: 202, outcome: "kept", id: null, attempts, duplicates: [] });
  assert.equal(received[0].method, "POST");
  assert.equal(received[0].headers["content-type"], "application/json");
  assert.deepEqual(received[0].body, Buffer.from("raw \u00e9 text"));
});

test("an answer that is not 2xx is tried again: same body, same id, signed afresh at its own time", async (t) => {
  let now = 1_700_000_000_000;
  t.mock.method(Date, "now", () => (now += 1_000));
  const statuses = [500, 302, 404, 200];
  const { url, received } = await receiver(t, (_, res) => res.writeHead(statuses.shift(), { location: "/x" }).end());
  const sender = new WebhookSender({ url, secret: SVIX_SECRET, scheme: "svix", backoffMs: 1 });
  const result = await sender.deliver(connectionEvent("connection.created"));
  assert.deepEqual(result.attempts.map(({ status }) => status), [500, 302, 404, 200]);

  const { headers, body } = received[0];
  assert.equal(headers["svix-id"], result.id);
  const times = received.map((one) => Number(one.headers["svix-timestamp"]));
  assert.ok(times.every((time, index) => index === 0 || time > times[index - 1]), String(times));
  for (const [index, one] of received.entries()) {
    const expected = sign({ scheme: "svix", secret: SVIX_SECRET, id: result.id, timestamp: times[index], body });
    assert.equal(one.headers["svix-signature"], expected["svix-signature"]);
    assert.deepEqual(one.body, body);
  }
});

test("a delivery is given up after five attempts, each pause twice the one before", async (t) => {
  const { url, received } = await receiver(t, (_, res) => res.writeHead(503).end("later"));
  const result = await new WebhookSender({ url, secret: SECRET, backoffMs: 20 }).deliver({});
  assert.deepEqual([result.delivered, result.status, result.attempts.length], [false, 503, 5]);
  assert.deepEqual(result.attempts[4], { status: 503, body: "later" });
  const pauses = received.slice(1).map(({ at }, index) => at - received[index].at);
  pauses.forEach((pause, index) => assert.ok(pause >= 20 * 2 ** index - 2, `pause ${index}: ${pause} ms`));
});

test("no answer in time is a failed attempt, and a 2xx whose body never ends is none", async (t) => {
  const answers = [() => {}, (res) => res.writeHead(200).write("half")];
  const { url } = await receiver(t, (_, res) => answers.shift()(res));
  const result = await new WebhookSender({ url, secret: SECRET, timeoutMs: 500, backoffMs: 1 }).deliver({});
  assert.deepEqual(result.attempts, [{ error: "no answer within 500 ms" }, { status: 200, body: "half" }]);
  assert.equal(result.delivered, true);
});

test("if nobody listens, the attempt has failed without a status", async (t) => {
  const { url, close } = await receiver(t, () => {});
  await close();
  const result = await new WebhookSender({ url, secret: SECRET, attempts: 2, backoffMs: 1 }).deliver({});
  assert.deepEqual([result.status, result.outcome, result.attempts.length], [null, null, 2]);
  assert.match(result.attempts[0].error, /ECONNREFUSED/);
});

test("a sender that is aborted stops waiting, and rejects", async (t) => {
  const stop = new AbortController();
  const { url } = await receiver(t, (_, res) => res.writeHead(500).end("", () => stop.abort()));
  const sender = new WebhookSender({ url, secret: SECRET, backoffMs: 600_000, signal: stop.signal });
  await assert.rejects(sender.deliver({}), { name: "AbortError" });
});

test("duplicates are the same delivery again, signed at the time given", async (t) => {
  const { url, received } = await receiver(t, (_, res) => res.end());
  const sender = new WebhookSender({ url, secret: SVIX_SECRET, scheme: "svix" });
  const result = await sender.deliver({ n: 1 }, { duplicates: 2, id: "msg_again", timestamp: 1_700_000_000 });
  assert.deepEqual(result.duplicates.map(({ id, status }) => [id, status]), [["msg_again", 200], ["msg_again", 200]]);
  const signatures = new Set(received.map(({ headers }) => headers["svix-signature"]));
  assert.deepEqual([received.length, signatures.size, received[0].headers["svix-timestamp"]], [3, 1, "1700000000"]);
});

test("events of one connection arrive in order, retries and all, while others are on the way", async (t) => {
  const seen = { conn_a: [], conn_b: [], conn_c: [] };
  let calls = 0;
  const { url } = await receiver(t, async ({ body }, res) => {
    const { timestamp, data } = JSON.parse(body);
    if ((calls += 1) % 3 === 0) return res.writeHead(500).end();
    await sleep(calls % 5);
    seen[data.connection.id].push(timestamp);
    res.end();
  });
  const events = Array.from({ length: 24 }, (_, n) => {
    const timestamp = new Date(1_700_000_000_000 + n).toISOString();
    return connectionEvent("connection.updated", { id: Object.keys(seen)[n % 3], timestamp });
  });
  const sender = new WebhookSender({ url, secret: SECRET, attempts: 50, backoffMs: 0 });
  const { seed, order, results } = await sender.deliverAll(events, { concurrency: 3 });
  assert.equal(seed, null);
  assert.ok(results.every(({ delivered }) => delivered));
  assert.deepEqual([...order].sort((a, b) => a - b), [...events.keys()]);
  for (const stamps of Object.values(seen)) assert.deepEqual(stamps, [...stamps].sort());
  assert.equal(Object.values(seen).flat().length, 24);
});

test("disorder shuffles events and copies alike, the same way for the same seed", async (t) => {
  const { url, received } = await receiver(t, (_, res) => res.end());
  const sender = new WebhookSender({ url, secret: SECRET });
  const events = Array.from({ length: 10 }, (_, n) => ({ n }));
  const once = await sender.deliverAll(events, { disorder: 42, duplicates: 1 });
  const arrived = received.map(({ body }) => JSON.parse(body).n);
  const again = await sender.deliverAll(events, { disorder: 42, duplicates: 1 });
  assert.deepEqual([once.seed, once.order], [42, arrived]);
  assert.deepEqual(again.order, once.order);
  assert.notDeepEqual(once.order, [...once.order].sort((a, b) => a - b));
  assert.ok(once.results.every(({ duplicates }) => duplicates.length === 1));

  const picked = await sender.deliverAll(events, { disorder: true });
  assert.deepEqual((await sender.deliverAll(events, { disorder: picked.seed })).order, picked.order);
});

test("a connection event has the documented envelope and names the person the Access API answers for", () => {
  const fields = { id: "conn_1", clientReferenceId: "user_1", timestamp: "2024-01-15T10:30:00Z" };
  const { id, ...person } = accountOf("conn_1");
  const connection = { id: "conn_1", status: "active", permissions: ["profile:read", "posts:read"] };
  assert.deepEqual(connectionEvent("connection.created", fields), {
    type: "connection.created",
    timestamp: "2024-01-15T10:30:00Z",
    data: { clientReferenceId: "user_1", connection: { ...connection, userData: { id: String(id), ...person } } },
  });
  assert.deepEqual(sdkEvent("connection.created", fields), {
    eventType: "connection.created",
    live: false,
    data: {
      clientReferenceId: "user_1",
      connection: { ...connection, platformUserId: String(id), userData: { userId: String(id), ...person } },
    },
  });
});

test("expired and disconnected events have neither permissions nor user, and an undefined field is absent", () => {
  for (const status of ["expired", "disconnected"]) {
    const { data } = connectionEvent(`connection.${status}`, { id: "conn_1", clientReferenceId: undefined });
    assert.equal(JSON.stringify(data), JSON.stringify({ connection: { id: "conn_1", status } }));
  }
  assert.equal(connectionEvent("connection.updated", { clientReferenceId: null }).data.clientReferenceId, null);
});

test("every kind of realtime event repeats its JSON as raw text", () => {
  for (const kind of Object.keys(REALTIME_JSON)) {
    const { type, data } = realtimeEvent(kind, { id: "conn_1", environment: "sandbox" });
    assert.deepEqual([type, data.connection.id, data.environment], ["of.websocket.event.received", "conn_1", "sandbox"]);
    assert.deepEqual(JSON.parse(data.rawText), data.json);
    assert.match(data.receivedAt, /\.\d{9}Z$/);
  }
  assert.equal(rulesEvent({ type: "rules.update" }).type, "rules.update");
});

/** A webhook endpoint that keeps what it gets and answers as told. */
async function receiver(t, answer) {
  const received = [];
  const server = http.createServer(async (req, res) => {
    const request = { method: req.method, headers: req.headers, at: performance.now(), body: await buffer(req) };
    received.push(request);
    answer(request, res);
  });
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await once(server.close(), "close");
  };
  t.after(close);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${server.address().port}/webhooks/ofauth`, received, close };
}
