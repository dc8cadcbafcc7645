// The emulator itself: 1. who is let in, 2. the managed routes, 3. the routes made to try a proxy, 4. what is recorded,
// 5. steering over HTTP.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { buffer, json, text } from "node:stream/consumers";
import { after, beforeEach, test } from "node:test";

import { sha256OfLarge, startEmulator } from "./emulator.mjs";
import { connectionEvent } from "./events.mjs";
import { exchange, until } from "./testing.mjs";

const API_KEY = "sk_sandbox_emulator";
const CALLER = { apikey: API_KEY, "x-connection-id": "conn_alice" };

const emulator = await startEmulator({ apiKey: API_KEY });
for (const id of ["conn_alice", "conn_bob"]) emulator.connections.put({ id });
after(() => emulator.close());
beforeEach(() => emulator.clear());

test("a wrong or missing key is UNAUTHORIZED, whatever else the call says", async () => {
  for (const headers of [{}, { apikey: "sk_live_other" }, { authorization: `Bearer ${API_KEY}` }]) {
    const answer = await call("/v2/access/self", { headers: { "x-connection-id": "conn_alice", ...headers } });
    const { type, requestId } = await json(answer);
    assert.deepEqual([answer.statusCode, type, requestId], [401, "UNAUTHORIZED", answer.headers["x-request-id"]]);
  }
});

test("a call without a connection is told to link one", async () => {
  const answer = await call("/v2/access/self", { headers: { apikey: API_KEY } });
  const { type, actionRequired } = await json(answer);
  assert.deepEqual([answer.statusCode, type, actionRequired], [401, "SESSION_NOT_PROVIDED", "relink_connection"]);
});

test("a connection is always the same person, and no answer shows its id", async () => {
  const alice = await text(await call("/v2/access/self"));
  assert.equal(await text(await call("/v2/access/self")), alice);
  assert.doesNotMatch(alice, /conn_/);
  assert.equal(JSON.parse(alice).isAuth, true);

  const bob = await json(await call("/v2/access/self", { headers: { ...CALLER, "x-connection-id": "conn_bob" } }));
  assert.notEqual(bob.id, JSON.parse(alice).id);
});

test("following nextOffset reads all 45 subscribers once, ten at a time by default", async () => {
  const seen = new Set();
  const sizes = [];
  for (let offset = 0; offset !== undefined; ) {
    const page = await json(await call(`/v2/access/subscribers?offset=${offset}`));
    page.list.forEach(({ id }) => seen.add(id));
    sizes.push(page.list.length);
    assert.equal(page.hasMore, page.nextOffset !== undefined);
    offset = page.nextOffset;
  }
  assert.deepEqual(sizes, [10, 10, 10, 10, 5]);
  assert.equal(seen.size, 45);
});

test("a page of more than 20 subscribers is a bad request", async () => {
  assert.equal((await json(await call("/v2/access/subscribers?limit=20"))).list.length, 20);
  for (const query of ["limit=21", "limit=0", "limit=-1", "limit=ten", "offset=-1"]) {
    const answer = await call(`/v2/access/subscribers?${query}`);
    assert.deepEqual([answer.statusCode, (await json(answer)).type], [400, "BAD_REQUEST"], query);
  }
});

test("routes are matched on the raw path, and a path that matches none is ROUTE_NOT_FOUND", async () => {
  const none = ["/v2/access/./self", "/v2/access//self", "/v2/access/self/", "/v2/access/%73elf", "/v2/access/proxy/echoes", "/"];
  for (const path of none) {
    const answer = await call(path);
    assert.deepEqual([answer.statusCode, (await json(answer)).type], [404, "ROUTE_NOT_FOUND"], path);
  }
  assert.equal((await call("/v2/access/self", { method: "PUT" })).statusCode, 404);
});

test("echo answers with the request exactly as it came", async () => {
  const path = "/v2/access/proxy/echo/a/../b%2fc//d;e?q=%20+&q=?";
  const sent = Buffer.from([0, 255, 13, 10]);
  const answer = await json(await call(path, { method: "PURGE", headers: { ...CALLER, "X-Two-Words": "Yes" }, body: sent }));
  assert.equal(answer.method, "PURGE");
  assert.equal(answer.path, path);
  assert.equal(answer.headers["x-two-words"], "Yes");
  assert.ok(answer.rawHeaders.includes("X-Two-Words"));
  assert.deepEqual([answer.bodyLength, answer.bodySha256], [4, sha256(sent)]);
  assert.deepEqual(Buffer.from(answer.bodyBase64, "base64"), sent);
});

test("a large answer streams into echo, and has the hash that sha256OfLarge gives", async () => {
  const bytes = 20_000_001;
  const source = await call(`/v2/access/proxy/large?bytes=${bytes}`);
  assert.equal(source.headers["content-length"], String(bytes));
  const answer = await json(await call("/v2/access/proxy/echo", { method: "PUT", body: source }));
  assert.deepEqual([answer.bodyLength, answer.bodySha256], [bytes, sha256OfLarge(bytes)]);
  assert.equal(answer.bodyBase64, undefined);
});

test("a chunked large answer has the same bytes and no content-length", async () => {
  const answer = await call("/v2/access/proxy/large?bytes=100000&chunked=1");
  assert.equal(answer.headers["content-length"], undefined);
  assert.equal(sha256(await buffer(answer)), sha256OfLarge(100_000));
  assert.equal(sha256OfLarge(0), sha256(""));
});

test("server-sent events come in order, each with the time it was sent", async () => {
  const before = Date.now();
  const answer = await call("/v2/access/proxy/sse?count=3&interval=1");
  assert.equal(answer.headers["content-type"], "text/event-stream");
  const events = (await text(answer)).split("\n\n").slice(0, -1).map((event) => JSON.parse(event.replace(/^data: /, "")));
  assert.deepEqual(events.map(({ n }) => n), [0, 1, 2]);
  assert.ok(events.every(({ sentAt }) => sentAt >= before));
});

test("the first server-sent event comes at once, and a reader who then leaves is recorded as aborted", async () => {
  const answer = await call("/v2/access/proxy/sse?count=2&interval=60000");
  const [first] = await once(answer, "data"); // the second is a minute away
  assert.match(String(first), /^data: \{"n":0,/);
  assert.equal(emulator.requests[0].aborted, false);
  answer.destroy();
  await until(() => emulator.requests[0].aborted);
});

test("a redirect has the address and the status that the query asks for", async () => {
  const to = "http://127.0.0.1:9/elsewhere?a=b";
  const path = `/v2/access/proxy/redirect?to=${encodeURIComponent(to)}`;
  const found = await call(path);
  assert.deepEqual([found.statusCode, found.headers.location], [302, to]);
  assert.equal((await call(`${path}&status=307`, { method: "POST", body: "x" })).statusCode, 307);
  assert.equal((await call(`${path}&status=200`)).statusCode, 400);
});

test("the headers route answers with headers that a gateway must stop, and headers that it must pass", async () => {
  const { headers } = await call("/v2/access/proxy/headers");
  assert.equal(headers["set-cookie"].length, 2);
  const stopped = ["access-control-allow-origin", "access-control-allow-credentials", "x-connection-id", "x-of-cookie", "x-of-bc"];
  const passed = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ofauth-upload-total-parts", "etag"];
  const more = ["clear-site-data", "alt-svc", "connection", "keep-alive", "content-language", "cache-control"];
  for (const name of [...stopped, ...passed, ...more]) assert.ok(headers[name], name);
});

test("the status route answers any status, in OFAuth's error shape or empty where a body is not allowed", async () => {
  for (const code of [200, 404, 429, 503, 599]) {
    const answer = await call(`/v2/access/proxy/status?code=${code}`, { method: "DELETE" });
    assert.equal(answer.statusCode, code);
    assert.deepEqual(Object.keys(await json(answer)), ["error", "type", "requestId"]);
  }
  for (const code of [204, 304]) assert.equal(await text(await call(`/v2/access/proxy/status?code=${code}`)), "");
});

test("requests are recorded in order, refused ones too, with the length and the hash of the body", async () => {
  await text(await call("/nowhere?x=%41", { method: "POST", headers: { apikey: "wrong" }, body: "hello" }));
  await text(await call("/v2/access/self"));
  const [first, second] = emulator.requests;
  assert.deepEqual([first.method, first.path, first.headers.apikey], ["POST", "/nowhere?x=%41", "wrong"]);
  assert.deepEqual([first.bodyLength, first.bodySha256, first.bodyText], [5, sha256("hello"), "hello"]);
  assert.deepEqual([first.status, first.aborted], [404, false]);
  assert.deepEqual([second.path, second.bodyLength, second.bodySha256], ["/v2/access/self", 0, sha256("")]);
});

test("a request is recorded when its headers arrive, and an upload that breaks off never gets a hash", async () => {
  const upload = http.request(`${emulator.url}/v2/access/proxy/echo`, { method: "PUT", headers: CALLER });
  upload.on("error", () => {});
  upload.write("half");
  await until(() => emulator.requests.length === 1);
  assert.equal(emulator.requests[0].bodySha256, null);
  upload.destroy();
  await until(() => emulator.requests[0].aborted);
  assert.deepEqual([emulator.requests[0].bodyLength, emulator.requests[0].bodySha256], [null, null]);
});

test("clear forgets the recorded requests, and returns them", async () => {
  await text(await call("/v2/access/self"));
  assert.deepEqual(emulator.clear().map(({ path }) => path), ["/v2/access/self"]);
  assert.deepEqual(emulator.requests, []);
});

test("control lists and forgets requests without being recorded itself", async () => {
  await text(await call("/v2/access/self"));
  const { requests } = await json(await call("/_emulator/requests", { headers: {} }));
  assert.deepEqual(requests.map(({ path }) => path), ["/v2/access/self"]);
  assert.equal((await call("/_emulator/requests", { method: "DELETE" })).statusCode, 204);
  assert.deepEqual(emulator.requests, []);
});

test("control sends signed webhooks to the configured URL, and answers with their results", async (t) => {
  const received = [];
  const receiver = http.createServer(async (req, res) => {
    received.push({ signature: req.headers["ofauth-signature"], event: await json(req) });
    res.end('{"outcome":"applied"}');
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${receiver.address().port}/webhooks/ofauth`;
  const sending = await startEmulator({ apiKey: API_KEY, webhooks: { url, ofauthSecret: "whsec_test_secret" } });
  t.after(() => Promise.all([sending.close(), receiver.close()]));

  const events = [connectionEvent("connection.created"), connectionEvent("connection.expired")];
  const order = (fields) => ({ method: "POST", headers: JSON_TYPE, body: JSON.stringify({ events, ...fields }) });
  const { results } = await json(await call("/_emulator/webhooks", order({ duplicates: 1 }), sending));
  assert.deepEqual(results.map(({ status, outcome, duplicates }) => [status, outcome, duplicates.length]), [
    [200, "applied", 1],
    [200, "applied", 1],
  ]);
  assert.deepEqual(received.map(({ event }) => event), [events[0], events[0], events[1], events[1]]);
  assert.ok(received.every(({ signature }) => /^t=\d+,v1=[0-9a-f]{64}$/.test(signature)));
  assert.equal((await json(await call("/_emulator/webhooks", order({ disorder: 7 }), sending))).seed, 7);
  assert.deepEqual(sending.requests, []);

  assert.match((await json(await call("/_emulator/webhooks", order({ scheme: "svix" }), sending))).error, /svix/);
  assert.match((await json(await call("/_emulator/webhooks", order(), emulator))).error, /no webhook URL/);
  const asText = { ...order(), headers: { "content-type": "text/plain" } };
  assert.match((await json(await call("/_emulator/webhooks", asText, sending))).error, /application\/json/);
});

test("closing ends answers that are still under way", async () => {
  const closing = await startEmulator({ apiKey: API_KEY, opensUnknown: true });
  const answer = await call("/v2/access/proxy/sse?count=2&interval=60000", {}, closing);
  await once(answer, "data");
  const broken = assert.rejects(text(answer));
  await closing.close();
  await broken;
});

const JSON_TYPE = { "content-type": "application/json" };

function call(path, options, to = emulator) {
  return exchange(to, path, { headers: CALLER, ...options });
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
