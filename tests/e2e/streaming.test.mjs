// Bodies pass through and are not kept: 1. 100 MB up, 2. 100 MB down, 3. what that costs in memory, 4. both directions move
// while the other end is still busy, 5. server-sent events one by one, 6. who leaves in the middle is not waited for.

import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { sha256OfLarge } from "../emulator/emulator.mjs";
import { eventually, open, startGateway } from "./harness.mjs";

const SMALL = 1_000_000;
const LARGE = 100_000_000;
const ALLOWED = 32 * 1024; // KiB

const gateway = await startGateway();
after(() => gateway.close());

for (const chunked of [false, true]) {
  const told = chunked ? "without a length" : "with its length";
  test(`100 MB up, ${told}, arrive unchanged`, async () => {
    const { sent, echoed } = await upload(gateway, LARGE, { chunked });
    assert.deepEqual([echoed.bodyLength, echoed.bodySha256], [LARGE, sent]);
  });

  test(`100 MB down, ${told}, arrive unchanged`, async () => {
    const { length, sha256, headers } = await download(gateway, LARGE, { chunked });
    assert.deepEqual([length, sha256], [LARGE, sha256OfLarge(LARGE)]);
    assert.equal(headers["content-length"], chunked ? undefined : String(LARGE));
  });
}

const told = existsSync("/proc/self/status") ? false : "the system does not tell a process's peak memory";
test("100 MB in each direction, read late, cost no more than 32 MiB of memory over 1 MB", { skip: told }, async (t) => {
  const peakAfter = async (bytes) => {
    const fresh = await startGateway();
    t.after(() => fresh.close());
    for (const chunked of [false, true]) {
      await upload(fresh, bytes, { chunked });
      await download(fresh, bytes, { chunked, hesitate: 500 });
    }
    return peak(fresh.pid);
  };
  const small = await peakAfter(SMALL);
  const large = await peakAfter(LARGE);
  const figures = `${toMiB(small)} MiB after 1 MB, ${toMiB(large)} MiB after 100 MB: ${toMiB(large - small)} MiB more`;
  t.diagnostic(figures);
  assert.ok(large - small <= ALLOWED, figures);
});

test("an upload reaches OFAuth while it is still being sent", async () => {
  gateway.emulator.clear();
  const half = Buffer.alloc(100_000, "a");
  const request = openAs("POST", "/v2/access/proxy/echo", { "content-length": 2 * half.length });
  request.write(half);
  await eventually(() => gateway.emulator.requests.length === 1);
  assert.equal(gateway.emulator.requests[0].bodyLength, null, "the body is not there yet");
  request.end(half);
  const [response] = await once(request, "response");
  assert.equal(JSON.parse(await buffer(response)).bodyLength, 2 * half.length);
});

test("server-sent events arrive one by one, each before the next is sent", async () => {
  const request = openAs("GET", "/v2/access/proxy/sse?count=8&interval=250");
  request.end();
  const [response] = await once(request, "response");
  assert.equal(response.headers["content-type"], "text/event-stream");
  const events = [];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      events.push({ ...JSON.parse(text.slice("data: ".length, end)), arrivedAt: Date.now() });
    }
  }
  assert.deepEqual(events.map(({ n }) => n), [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const [index, { arrivedAt }] of events.slice(0, -1).entries()) {
    const { sentAt } = events[index + 1];
    assert.ok(arrivedAt < sentAt, `event ${index} arrived at ${arrivedAt}, event ${index + 1} was sent at ${sentAt}`);
  }
});

test("an answer without an end is passed on from its start, and ends when its reader leaves", async () => {
  gateway.emulator.clear();
  const request = openAs("GET", "/v2/access/proxy/sse?count=100000&interval=20");
  request.end();
  const [response] = await once(request, "response");
  await once(response, "data");
  response.on("error", () => {}).destroy();
  await eventually(() => gateway.emulator.requests[0].aborted);
});

test("an upload that breaks off is not passed on as if it were whole", async () => {
  gateway.emulator.clear();
  const request = openAs("POST", "/v2/access/proxy/echo", { "content-length": 1_000_000 });
  request.on("error", () => {}).write(Buffer.alloc(1_000, "a"));
  await eventually(() => gateway.emulator.requests.length === 1);
  request.destroy();
  await eventually(() => gateway.emulator.requests[0].aborted);
  assert.equal(gateway.emulator.requests[0].bodyLength, null);
});

async function upload(to, bytes, { chunked }) {
  const hash = createHash("sha256");
  const length = chunked ? { "transfer-encoding": "chunked" } : { "content-length": bytes };
  const request = openAs("PUT", "/v2/access/proxy/echo", length, to);
  const answered = once(request, "response");
  await pipeline(Readable.from(chunks(bytes, hash), { objectMode: false }), request);
  const [response] = await answered;
  assert.equal(response.statusCode, 200);
  return { sent: hash.digest("hex"), echoed: JSON.parse(await buffer(response)) };
}

async function download(from, bytes, { chunked, hesitate = 0 }) {
  const request = openAs("GET", `/v2/access/proxy/large?bytes=${bytes}${chunked ? "&chunked=1" : ""}`, {}, from);
  request.end();
  const [response] = await once(request, "response");
  assert.equal(response.statusCode, 200);
  await sleep(hesitate);
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of response) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { length, sha256: hash.digest("hex"), headers: response.headers };
}

function openAs(method, target, headers = {}, { port, vars } = gateway) {
  return open(port, method, target, { apikey: vars.GATEWAY_KEY, "x-connection-id": "conn_stream", ...headers });
}

/** Bytes of which no two stretches are alike, so that a lost or swapped one shows. */
function* chunks(bytes, hash) {
  const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  const zeros = Buffer.alloc(65_536);
  for (let left = bytes; left > 0; left -= zeros.length) {
    const chunk = stream.update(zeros.subarray(0, left));
    hash.update(chunk);
    yield chunk;
  }
}

/** The most memory a process ever had resident, in KiB. */
function peak(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
}

function toMiB(kib) {
  return Math.round(kib / 1024);
}
