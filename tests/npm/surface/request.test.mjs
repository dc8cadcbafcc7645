// verifyRequest: 1. reads the body of a Request once and returns its event, 2. stops at the limit, 3. names what is no Request.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AT, BODY, ofauth, SECRET, signedOfauth, signedSvix } from "./signed.mjs";

const { verifyRequest, WebhookVerificationError } = ofauth;
const post = (body = BODY, init = {}) => new Request("http://localhost/", { method: "POST", body, headers: signedOfauth(body), ...init });
const refused = (request, code, options) =>
  assert.rejects(verifyRequest(request, SECRET, { ...AT, ...options }), (error) => error instanceof WebhookVerificationError && error.code === code);

test("verifyRequest gives the event of a Request, under both schemes", async () => {
  for (const headers of [signedOfauth(), signedSvix()]) {
    const event = await verifyRequest(post(BODY, { headers }), { ofauth: SECRET, svix: SECRET }, AT);
    assert.deepEqual(event, { type: "test.event", data: null, known: false, timestamp: null });
  }
});

test("verifyRequest takes the options of verifyWebhook", async () => {
  await refused(post(), "TIMESTAMP_TOO_NEW", { now: AT.now - 11, tolerance: 10 });
  await assert.rejects(verifyRequest(post(), SECRET, { tolerance: -1 }), { name: "TypeError", message: /options\.tolerance/ });
});

test("a body that is not signed is refused", () => refused(post(BODY, { headers: signedOfauth("x") }), "SIGNATURE_MISMATCH"));

test("a body without a stream is read too", async () => {
  const { headers } = post();
  const request = { headers, arrayBuffer: async () => new TextEncoder().encode(BODY).buffer };
  assert.equal((await verifyRequest(request, SECRET, AT)).type, "test.event");
  await refused(request, "BODY_TOO_LARGE", { maxBytes: BODY.length - 1 });
});

test("a body of maxBytes is read, and one of a byte more is BODY_TOO_LARGE", async () => {
  assert.equal((await verifyRequest(post(), SECRET, { ...AT, maxBytes: BODY.length })).type, "test.event");
  await refused(post(), "BODY_TOO_LARGE", { maxBytes: BODY.length - 1 });
});

test("the limit is 1 MiB by default", () => refused(post("x".repeat(1024 * 1024 + 1)), "BODY_TOO_LARGE"));

test("a stream that never ends is cancelled at the limit", async () => {
  let pulled = 0;
  let isCancelled = false;
  const body = new ReadableStream({
    pull: (controller) => void ((pulled += 1), controller.enqueue(new Uint8Array(1_000))),
    cancel: () => void (isCancelled = true),
  });
  await refused(post(BODY, { body, duplex: "half" }), "BODY_TOO_LARGE", { maxBytes: 10_000 });
  assert.ok(isCancelled && pulled < 20, `${pulled}`);
});

test("a content-length over the limit is refused before anything is read", async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("read")) });
  await refused(post(BODY, { body, duplex: "half", headers: { "content-length": "2000000" } }), "BODY_TOO_LARGE");
});

test("if a body breaks off, verifyRequest rejects with the platform's error", async () => {
  const broken = new Error("the sender went away");
  const body = new ReadableStream({ pull: (controller) => controller.error(broken) });
  await assert.rejects(verifyRequest(post(BODY, { body, duplex: "half" }), SECRET, AT), (error) => error === broken);
});

test("a Request that has been read is a TypeError that says so", async () => {
  const request = post();
  await request.text();
  await assert.rejects(verifyRequest(request, SECRET, AT), { name: "TypeError", message: /not read yet.*clone\(\)/ });
});

test("what is no Request is a TypeError that says what to do", async () => {
  for (const request of [undefined, BODY, {}, new Headers(), { headers: signedOfauth(), body: BODY }]) {
    await assert.rejects(verifyRequest(request, SECRET, AT), { name: "TypeError", message: /request must be a Fetch Request.*verifyWebhook/ });
  }
});

test("a maxBytes of a wrong type is a TypeError that names it", async () => {
  for (const maxBytes of [-1, 0.5, Number.NaN, "1", 16 * 1024 * 1024 + 1]) {
    await assert.rejects(verifyRequest(post(), SECRET, { ...AT, maxBytes }), { name: "TypeError", message: /options\.maxBytes must be/ });
  }
});
