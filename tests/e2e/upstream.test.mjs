// What comes back from OFAuth, and from whatever stands before it: 1. encodings, lengths and statuses as they are,
// 2. answers that break off, 3. answers that are none. The upstream here says whatever it is told to.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { eventually, open, refusal, startGateway } from "./harness.mjs";

const upstream = await startUpstream();
const gateway = await startGateway({ vars: { OFAUTH_API_URL: `http://127.0.0.1:${upstream.port}` } });
after(async () => {
  await gateway.close();
  upstream.close();
});

test("an encoded body stays encoded, byte for byte", async () => {
  const text = Buffer.from("the same again and again, ".repeat(500));
  const compressed = { gzip: gzipSync(text), br: brotliCompressSync(text), deflate: deflateSync(text) };
  for (const [encoding, body] of Object.entries({ ...compressed, identity: text, odd: text })) {
    for (const accept of [{}, { "accept-encoding": encoding }, { "accept-encoding": "gzip, br" }]) {
      upstream.say(response(200, { "content-encoding": encoding, "content-type": "text/plain", etag: 'W/"1"' }, body));
      const answer = await access("GET", accept);
      assert.deepEqual([answer.status, answer.headers["content-encoding"]], [200, encoding]);
      assert.equal(answer.headers["content-length"], String(body.length));
      assert.equal(answer.headers.etag, 'W/"1"');
      assert.ok(answer.body.equals(body), encoding);
    }
  }
});

test("an answer to HEAD keeps its content-length", async () => {
  upstream.say(response(200, { "content-type": "video/mp4", "content-length": "123456", "accept-ranges": "bytes" }, ""));
  const { status, headers, body } = await access("HEAD");
  assert.deepEqual([status, headers["content-length"], headers["accept-ranges"], body.length], [200, "123456", "bytes", 0]);
});

test("any status comes back with its headers, and repeated headers with all their values", async () => {
  for (const status of [200, 201, 202, 204, 205, 206, 207, 226, 299, 304, 400, 402, 409, 418, 451, 499, 520, 530, 599]) {
    const empty = [204, 205, 304].includes(status);
    const headers = { link: ["<a>; rel=x", "<b>; rel=y"], "content-range": "bytes 0-1/9", "x-any": "1" };
    upstream.say(response(status, headers, empty ? "" : "ok"));
    const answer = await access("POST");
    assert.deepEqual([answer.status, answer.text], [status, empty ? "" : "ok"]);
    assert.deepEqual([answer.headers.link, answer.headers["x-any"]], ["<a>; rel=x, <b>; rel=y", "1"]);
    assert.equal(answer.headers["x-ofauth-edge"], "upstream");
  }
});

test("headers that the upstream's Connection names do not come back", async () => {
  const hops = { connection: "close, X-Hop", "x-hop": "1", "proxy-authenticate": "Basic" };
  upstream.say(response(200, { ...hops, "x-kept": "1" }, "ok"));
  const { headers } = await access("GET");
  assert.deepEqual([headers["x-hop"], headers["proxy-authenticate"], headers["x-kept"]], [undefined, undefined, "1"]);
});

test("an answer without a request id of OFAuth, or with an empty one, has the gateway's", async () => {
  for (const headers of [{}, { "x-request-id": "" }]) {
    upstream.say(response(200, headers, "ok"));
    const answer = await access("GET");
    assert.match(answer.headers["x-request-id"], /^req_[\w-]+$/);
    const { upstreamRequestId } = await gateway.lineOf(answer.headers["x-request-id"]);
    assert.equal(upstreamRequestId, null);
  }
});

test("a body that breaks off does not look whole", async () => {
  const begun = { length: "content-length: 100\r\n\r\nhalf", chunked: "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n" };
  for (const [name, rest] of Object.entries(begun)) {
    upstream.say(`HTTP/1.1 200 OK\r\n${rest}`);
    await assert.rejects(access("GET"), { code: "ECONNRESET" }, name);
  }
});

test("an answer that is not HTTP, or no answer, is a 502 in OFAuth's shape", async () => {
  const nonsense = ["", "nonsense\r\n\r\n", "HTTP/1.1 two hundred\r\n\r\n", "HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"];
  for (const bytes of nonsense) {
    upstream.say(bytes);
    assert.deepEqual(refusal(await access("POST")), [502, "UPSTREAM_UNREACHABLE"], bytes);
  }
});

test("a status that HTTP does not have is a 502 in OFAuth's shape, and the error names it", async () => {
  for (const status of [600, 700, 999]) {
    upstream.say(response(status, {}, "odd"));
    const answer = await access("POST");
    assert.equal(answer.status, 502, `${status}: ${answer.text}`);
    assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"]);
    assert.match(answer.json().error, new RegExp(`\\b${status}\\b`));
  }
});

test("a switch to another protocol that the caller has not asked for is a 502", async () => {
  upstream.say(response(101, { upgrade: "websocket", connection: "upgrade" }, ""));
  const answer = await access("POST");
  assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"], answer.text);
});

test("a forwarded call that OFAuth does not answer ends when its caller leaves", async () => {
  upstream.say(undefined);
  for (const method of ["POST", "PUT", "DELETE"]) {
    const headers = { authorization: `Bearer ${gateway.vars.GATEWAY_KEY}`, "x-connection-id": "conn_upstream" };
    const request = open(gateway.port, method, "/v2/access/self", headers);
    request.on("error", () => {}).end("{}");
    await eventually(() => upstream.connections.size === 1);
    await sleep(500);
    // workerd does not notice before an answer begins that a caller has only stopped sending.
    request.socket.resetAndDestroy();
    await eventually(() => upstream.connections.size === 0);
  }
});

test("a change that the gateway itself makes is given up after 30 s without an answer", async () => {
  upstream.say(undefined);
  const started = Date.now();
  const headers = { "content-type": "application/json" };
  const [deleted, invalidated, init] = await Promise.all([
    gateway.call("DELETE", "/edge/connections/conn_upstream"),
    gateway.call("POST", "/edge/connections/conn_upstream/invalidate"),
    gateway.call("POST", "/v2/link/init", { headers, body: "{}" }),
  ]);
  for (const answer of [deleted, invalidated, init]) {
    assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"]);
    assert.ok(answer.ms > 29_000 && answer.ms < 34_000, `${answer.ms} ms`);
  }
  assert.ok(Date.now() - started < 36_000);
});

function access(method, headers = {}) {
  return gateway.call(method, "/v2/access/self", { headers: { "x-connection-id": "conn_upstream", ...headers } });
}

function response(status, headers, body) {
  const all = { ...(status === 204 || status === 304 ? {} : { "content-length": Buffer.byteLength(body) }), ...headers };
  const lines = Object.entries(all).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`));
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} As Told\r\n${lines.join("")}\r\n`), Buffer.from(body)]);
}

/** Answers each request with the bytes it was told last, and hangs up. Without bytes it says nothing. */
async function startUpstream() {
  let bytes = "";
  const connections = new Set();
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    socket.once("data", () => bytes !== undefined && socket.end(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, connections, say: (next) => (bytes = next), close: () => server.close() };
}
