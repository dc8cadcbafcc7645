// Whose fault an error is: 1. each code has the HTTP status to answer with, 2. a variable that is not set is a TypeError that says
// so, 3. what was passed instead of a raw body is named, 4. an error keeps its code when it is copied or serialised.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";

import { AT, BODY, NOW, ofauth, SECRET, signedOfauth } from "./signed.mjs";

const { signWebhook, verifySignature, verifyWebhook, Webhook, WebhookVerificationError } = ofauth;

const GOOD = signedOfauth();
const thrown = (act) => {
  try {
    act();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
};
const withBody = (body, headers = signedOfauth(body)) => thrown(() => verifyWebhook(body, headers, SECRET, AT));
const SIGNED_TEXT = { "ofauth-signature": signWebhook("no json", SECRET, { timestamp: NOW })["ofauth-signature"] };

for (const [status, code, error] of [
  [401, "SIGNATURE_MISMATCH", () => withBody(BODY, signedOfauth("other"))],
  [401, "MISSING_HEADERS", () => withBody(BODY, {})],
  [401, "MALFORMED_HEADER", () => withBody(BODY, { "ofauth-signature": "x" })],
  [401, "NO_VALID_SIGNATURES", () => withBody(BODY, { "ofauth-signature": `t=${NOW}` })],
  [401, "INVALID_TIMESTAMP", () => withBody(BODY, { "ofauth-signature": "t=-1" })],
  [401, "TIMESTAMP_TOO_OLD", () => withBody(BODY, signedOfauth(BODY, { timestamp: NOW - 301 }))],
  [401, "TIMESTAMP_TOO_NEW", () => withBody(BODY, signedOfauth(BODY, { timestamp: NOW + 301 }))],
  [400, "INVALID_JSON", () => withBody("no json", SIGNED_TEXT)],
  [400, "INVALID_EVENT", () => withBody("[]")],
  [400, "INVALID_BODY", () => withBody("\ud800", GOOD)],
  [413, "BODY_TOO_LARGE", () => withBody("x".repeat(16 * 1024 * 1024 + 1), GOOD)],
  [500, "INVALID_SECRET", () => thrown(() => verifyWebhook(BODY, GOOD, "", AT))],
  [500, "INVALID_SECRET", () => thrown(() => verifyWebhook(BODY, GOOD, `${SECRET}\n`, AT))],
]) {
  test(`the status of ${code} is ${status}`, () => {
    const { status: given, statusCode, code: givenCode } = error();
    assert.deepEqual([givenCode, given, statusCode], [code, status, status]);
  });
}

for (const [name, secrets] of Object.entries({
  undefined: undefined,
  null: null,
  "a scheme that is undefined": { ofauth: undefined },
  "both schemes undefined": { ofauth: undefined, svix: undefined },
  "an empty object": {},
})) {
  test(`secrets: ${name} is a TypeError that asks whether the variable is set`, () => {
    const wanted = { name: "TypeError", message: /secrets must be.*is the variable set\?/ };
    for (const act of [() => verifySignature(BODY, GOOD, secrets, AT), () => new Webhook(secrets)]) assert.throws(act, wanted);
  });
}

test("secrets: the name of a scheme in another case is a TypeError with the right spelling", () => {
  for (const secrets of [{ ofAuth: SECRET }, { OFAUTH: SECRET, svix: SECRET }, { ofauth: SECRET, Svix: SECRET }]) {
    assert.throws(() => verifySignature(BODY, GOOD, secrets, AT), { name: "TypeError", message: /secrets must be.*write (ofauth|svix)$/ });
  }
});

for (const [name, body, hint] of [
  ["no body parser", undefined, /undefined.*body parser.*express\.raw/],
  ["a JSON body parser", JSON.parse(BODY), /parsed object.*express\.raw/],
  ["a stream of Node", Readable.from(["{}"]), /stream.*node:stream\/consumers/],
  ["a web stream", new Response("{}").body, /stream/],
  ["a promise of the body", Promise.resolve("{}"), /Promise.*[Aa]wait/],
  ["the request", new Request("http://localhost", { method: "POST", body: "{}" }), /await request\.arrayBuffer\(\).*verifyRequest/],
]) {
  test(`body: ${name} is a TypeError that names it`, () => {
    assert.throws(() => verifyWebhook(body, GOOD, SECRET, AT), { name: "TypeError", message: hint });
  });
}

test("a signature that does not match an empty body says so, because a parser may have read the body before", () => {
  assert.match(withBody("", GOOD).message, /^SIGNATURE_MISMATCH: .*; the body is empty$/);
  assert.match(withBody(new Uint8Array(0), GOOD).message, /; the body is empty$/);
  assert.doesNotMatch(withBody("x", GOOD).message, /empty/);
});

test("an error has its code after structuredClone, JSON.stringify and String", () => {
  const error = withBody(BODY, signedOfauth("other"));
  assert.match(structuredClone(error).message, /^SIGNATURE_MISMATCH: /);
  const { name, code, status, message } = JSON.parse(JSON.stringify(error));
  assert.deepEqual([name, code, status, message], ["WebhookVerificationError", "SIGNATURE_MISMATCH", 401, error.message]);
  assert.match(String(error), /SIGNATURE_MISMATCH/);
});

test("the methods of a Webhook work when they are detached", () => {
  const { verify, sign } = new Webhook(SECRET, AT);
  assert.equal(verify(BODY, sign(BODY, { timestamp: NOW })).type, "test.event");
});

test("a subclass of Webhook may override verify", () => {
  class Counting extends Webhook {
    calls = 0;
    verify(body, headers) {
      this.calls += 1;
      return super.verify(body, headers);
    }
  }
  const webhook = new Counting(SECRET, AT);
  const { verify } = webhook;
  verify(BODY, GOOD);
  webhook.verify(BODY, GOOD);
  assert.equal(webhook.calls, 2);
});

test("a Webhook signs with its newest secret of the scheme, under either set of names", () => {
  const webhook = new Webhook({ ofauth: [SECRET, "old"], svix: ["bmV3", SECRET] }, AT);
  assert.deepEqual(webhook.sign(BODY, { timestamp: NOW }), GOOD);
  const headers = webhook.sign(BODY, { scheme: "svix", id: "msg_1", timestamp: NOW, prefix: "webhook" });
  assert.deepEqual(Object.keys(headers), ["webhook-id", "webhook-timestamp", "webhook-signature"]);
  assert.equal(verifySignature(BODY, headers, { svix: "bmV3" }, AT).scheme, "svix");
  assert.throws(() => new Webhook({ ofauth: SECRET }).sign(BODY, { scheme: "svix", id: "msg_1" }), { code: "INVALID_SECRET" });
});

test("signWebhook writes webhook-* names if asked, and refuses others", () => {
  const options = { scheme: "svix", id: "msg_1", timestamp: NOW };
  const names = (prefix) => Object.keys(signWebhook(BODY, SECRET, { ...options, prefix }));
  assert.deepEqual(names("webhook"), ["webhook-id", "webhook-timestamp", "webhook-signature"]);
  assert.deepEqual(names(undefined), ["svix-id", "svix-timestamp", "svix-signature"]);
  assert.throws(() => names("x"), { name: "TypeError", message: /options\.prefix must be/ });
});

test("a WebhookVerificationError that a user makes has a status too", () => {
  assert.equal(new WebhookVerificationError("INVALID_EVENT", "no").status, 400);
});
