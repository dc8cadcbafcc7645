// Secrets and options: 1. every shape that is allowed, 2. a mistake in the call is a TypeError that names the argument and
// says what to pass, 3. a secret that cannot be used is INVALID_SECRET without showing it, 4. the order of judgement.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { AT, BODY, codeOf, NOW, ofauth, SECRET, signedOfauth, signedSvix } from "./signed.mjs";

const { explainSignature, signWebhook, verifySignature, verifyWebhook, Webhook, WebhookVerificationError } = ofauth;

const GOOD = signedOfauth();
const SVIX = signedSvix();
const NOT_BASE64 = "whsec_***";
const withSecrets = (secrets, headers = GOOD) => verifySignature(BODY, headers, secrets, AT);
const withOptions = (options, headers = GOOD) => verifySignature(BODY, headers, SECRET, options);
const secretCode = (secrets, headers) => codeOf(() => withSecrets(secrets, headers));
const optionsCode = (options, headers) => codeOf(() => withOptions(options, headers));
const thrower = (cause) => ({
  get() {
    throw cause;
  },
  enumerable: true,
});

for (const [name, secrets, index] of [
  ["a string", SECRET, 0],
  ["an array", ["new", SECRET], 1],
  ["five", ["a", "b", "c", "d", SECRET], 4],
  ["a frozen array", Object.freeze([SECRET]), 0],
  ["an object with a string", { ofauth: SECRET }, 0],
  ["an object with an array", { ofauth: ["new", SECRET] }, 1],
  ["an object with an absent scheme", { ofauth: SECRET, svix: undefined }, 0],
  ["an object with an empty list for the other scheme", { ofauth: SECRET, svix: [] }, 0],
  ["an object without a prototype", Object.assign(Object.create(null), { ofauth: SECRET }), 0],
]) {
  test(`secrets: ${name} is taken, and the result says which one matched`, () => {
    assert.equal(withSecrets(secrets).secretIndex, index);
  });
}

test("a verified signature has its time, its scheme and the SHA-256 of the body", () => {
  const digest = createHash("sha256").update(BODY).digest("hex");
  assert.deepEqual(withSecrets(SECRET), { scheme: "ofauth", timestamp: NOW, secretIndex: 0, digest });
  assert.deepEqual(withSecrets({ svix: ["bmV3", SECRET] }, SVIX), { scheme: "svix", timestamp: NOW, secretIndex: 1, digest });
});

for (const [name, secrets] of [
  ["an empty string", ""],
  ["no secret", []],
  ["an object with empty lists", { ofauth: [], svix: [] }],
  ["six", ["a", "b", "c", "d", "e", SECRET]],
  ["an empty one among good ones", [SECRET, ""]],
  ["a trailing newline", `${SECRET}\n`],
  ["a leading space", ` ${SECRET}`],
  ["a no-break space at the end", `${SECRET}\u00a0`],
  ["a bad one for the other scheme", { ofauth: SECRET, svix: NOT_BASE64 }],
]) {
  test(`secrets: ${name} is INVALID_SECRET, whatever the headers are`, () => {
    for (const headers of [GOOD, {}, { "ofauth-signature": "x" }]) assert.equal(secretCode(secrets, headers), "INVALID_SECRET");
  });
}

test("a secret without a scheme must have the form of the scheme of the headers", () => {
  assert.equal(secretCode(NOT_BASE64, signedOfauth(BODY, { secret: NOT_BASE64 })), "ok");
  assert.equal(secretCode(NOT_BASE64, SVIX), "INVALID_SECRET");
});

test("an INVALID_SECRET says which secret is wrong, and shows none", () => {
  const secrets = { ofauth: [SECRET, " spaced-secret "] };
  assert.throws(() => withSecrets(secrets), ({ code, message, stack }) => {
    assert.equal(code, "INVALID_SECRET");
    assert.match(message, /1|second/);
    for (const secret of secrets.ofauth) assert.ok(!`${message}${stack}`.includes(secret.trim()));
    return true;
  });
});

test("an unusable secret is refused when it is used, not when a Webhook is made", () => {
  const webhook = new Webhook("");
  assert.equal(codeOf(() => webhook.verify(BODY, GOOD)), "INVALID_SECRET");
});

test("a Webhook keeps the secrets and options it was made with", () => {
  const secrets = { ofauth: [SECRET] };
  const options = { now: new Date(NOW * 1000), tolerance: 5 };
  const webhook = new Webhook(secrets, options);
  secrets.ofauth[0] = "other";
  options.tolerance = 0;
  options.now.setTime(0);
  assert.equal(webhook.verify(BODY, GOOD).type, "test.event");
});

test("a list of secrets is read again at each call", () => {
  const secrets = [SECRET];
  assert.equal(secretCode(secrets), "ok");
  secrets[0] = "other";
  assert.equal(secretCode(secrets), "SIGNATURE_MISMATCH");
});

for (const [argument, secrets] of [
  ["secrets", undefined],
  ["secrets", null],
  ["secrets", 1],
  ["secrets", Symbol("x")],
  ["secrets", () => SECRET],
  ["secrets[0]", [undefined]],
  ["secrets[1]", [SECRET, null]],
  ["secrets[1]", [SECRET, Buffer.from(SECRET)]],
  ["secrets.ofauth", { ofauth: null }],
  ["secrets.ofauth", { ofauth: 1 }],
  ["secrets.svix", { ofauth: SECRET, svix: {} }],
  ["secrets.svix[0]", { svix: [1] }],
]) {
  test(`a mistake in ${argument} is a TypeError that names it: ${describe(secrets)}`, () => {
    const wanted = ({ name, message }) => name === "TypeError" && message.includes(`${argument} must be`);
    assert.throws(() => withSecrets(secrets), wanted);
    assert.throws(() => verifyWebhook(BODY, GOOD, secrets), wanted);
    assert.throws(() => explainSignature(BODY, GOOD, secrets), wanted);
    assert.throws(() => new Webhook(secrets), wanted);
  });
}

test("signWebhook takes one secret, and any other type is a TypeError that names it", () => {
  for (const secret of [undefined, null, 1, [SECRET], { ofauth: SECRET }]) {
    assert.throws(() => signWebhook(BODY, secret), { name: "TypeError", message: /\bsecret must be a string/ });
  }
});

test("a tolerance is in whole seconds, in both directions, inclusive", () => {
  for (const [tolerance, now, expected] of [
    [0, NOW, "ok"],
    [0, NOW + 1, "TIMESTAMP_TOO_OLD"],
    [0, NOW - 1, "TIMESTAMP_TOO_NEW"],
    [10, NOW + 10, "ok"],
    [10, NOW - 10, "ok"],
    [10, NOW + 11, "TIMESTAMP_TOO_OLD"],
    [10, NOW - 11, "TIMESTAMP_TOO_NEW"],
    [undefined, NOW + 300, "ok"],
    [undefined, NOW + 301, "TIMESTAMP_TOO_OLD"],
    [Number.MAX_SAFE_INTEGER, 0, "ok"],
    [-0, NOW, "ok"],
  ]) {
    assert.equal(optionsCode({ tolerance, now }), expected, `${tolerance} ${now}`);
  }
});

test("now is a number or a Date, whose milliseconds are dropped", () => {
  assert.equal(optionsCode({ now: new Date(NOW * 1000 + 999), tolerance: 0 }), "ok");
  assert.equal(optionsCode({ now: new Date((NOW + 1) * 1000), tolerance: 0 }), "TIMESTAMP_TOO_OLD");
});

test("now is the time of the clock by default", () => {
  const headers = signedOfauth(BODY, { timestamp: Math.floor(Date.now() / 1000) });
  assert.equal(optionsCode(undefined, headers), "ok");
  assert.equal(optionsCode({}, headers), "ok");
  assert.equal(optionsCode({ tolerance: 5, now: undefined }, headers), "ok");
  assert.equal(optionsCode(undefined), "TIMESTAMP_TOO_OLD");
});

for (const [argument, values] of [
  ["options", [null, 1, "300", () => ({})]],
  ["options.tolerance", [NaN, -1, 0.5, Infinity, -Infinity, "300", null, true, 1n, new Date(), 2 ** 53]],
  ["options.now", [NaN, -1, 0.5, Infinity, "now", null, true, 1n, new Date(NaN), new Date(-1), {}, 2 ** 53]],
]) {
  test(`a mistake in ${argument} is a TypeError that names it`, () => {
    for (const value of values) {
      const options = argument === "options" ? value : { [argument.slice("options.".length)]: value };
      const wanted = ({ name, message }) => name === "TypeError" && message.includes(`${argument} must be`);
      assert.throws(() => withOptions(options), wanted, String(value));
      assert.throws(() => explainSignature(BODY, GOOD, SECRET, options), wanted, String(value));
      assert.throws(() => new Webhook(SECRET, options), wanted, String(value));
    }
  });
}

for (const [argument, options] of [
  ["options", null],
  ["options.scheme", { scheme: "stripe" }],
  ["options.scheme", { scheme: null }],
  ["options.id", { scheme: "svix" }],
  ["options.id", { scheme: "svix", id: "" }],
  ["options.id", { scheme: "svix", id: 1 }],
  ["options.id", { scheme: "svix", id: "msg_1\r\nx-admin: 1" }],
  ["options.id", { scheme: "svix", id: "msg\u0000" }],
  ["options.id", { scheme: "svix", id: "msg\t1" }],
  ["options.id", { scheme: "svix", id: "msg\u007f" }],
  ["options.id", { scheme: "svix", id: "msg\u0085" }],
  ["options.id", { scheme: "svix", id: "msg €" }],
  ["options.id", { scheme: "svix", id: " msg_1" }],
  ["options.id", { scheme: "svix", id: "msg_1 " }],
  ["options.timestamp", { timestamp: 0.5 }],
  ["options.timestamp", { timestamp: -1 }],
  ["options.timestamp", { timestamp: "1700000000" }],
  ["options.timestamp", { timestamp: new Date(NaN) }],
]) {
  test(`signing: a mistake in ${argument} is a TypeError that names it: ${describe(options)}`, () => {
    const wanted = ({ name, message }) => name === "TypeError" && message.includes(`${argument} must be`);
    assert.throws(() => signWebhook(BODY, SECRET, options), wanted);
  });
}

test("an exception in a getter of the caller is the cause of a TypeError that names the argument", () => {
  const cause = new Error("the caller's");
  const getter = (name) => Object.defineProperty({}, name, thrower(cause));
  const odd = Object.defineProperty([SECRET], 0, thrower(cause));
  const calls = [
    ["secrets", () => withSecrets(getter("ofauth"))],
    ["secrets", () => withSecrets(getter("svix"))],
    ["secrets", () => withSecrets(odd)],
    ["secrets.svix", () => withSecrets({ svix: odd })],
    ["secrets", () => new Webhook(getter("ofauth"))],
    ["options", () => withOptions(getter("now"))],
    ["options", () => withOptions(getter("tolerance"))],
    ["options", () => new Webhook(SECRET, getter("now"))],
    ["options", () => signWebhook(BODY, SECRET, getter("scheme"))],
    ["options", () => signWebhook(BODY, SECRET, getter("id"))],
  ];
  for (const [argument, call] of calls) {
    assert.throws(call, (error) => error instanceof TypeError && error.cause === cause && error.message.includes(argument));
  }
});

test("faults are found in the order: arguments, secrets, presence, form, time, signature, body", () => {
  const late = { ...AT, now: NOW + 1000 };
  const other = signedOfauth("other");
  const lone = "\ud800";
  const large = new Uint8Array(16 * 1024 * 1024 + 1);
  const judge = (body, headers, secrets, options) => codeOf(() => verifyWebhook(body, headers, secrets, options));
  for (const body of [lone, large]) {
    assert.throws(() => judge(body, {}, "", { now: NaN }), TypeError);
    assert.equal(judge(body, {}, "", late), "INVALID_SECRET");
    assert.equal(judge(body, {}, SECRET, late), "MISSING_HEADERS");
    assert.equal(judge(body, { "ofauth-signature": "" }, SECRET, late), "MALFORMED_HEADER");
    assert.equal(judge(body, { "ofauth-signature": "t=x,v1=00" }, SECRET, late), "INVALID_TIMESTAMP");
    assert.equal(judge(body, { "ofauth-signature": `t=${NOW}` }, SECRET, late), "NO_VALID_SIGNATURES");
    assert.equal(judge(body, other, SECRET, late), "TIMESTAMP_TOO_OLD");
    assert.equal(judge(body, other, SECRET, AT), body === lone ? "INVALID_BODY" : "BODY_TOO_LARGE");
  }
  assert.equal(judge("[", other, SECRET, late), "TIMESTAMP_TOO_OLD");
  assert.equal(judge("[", other, SECRET, AT), "SIGNATURE_MISMATCH");
  assert.equal(judge("[", signedOfauth("["), SECRET, AT), "INVALID_JSON");
  assert.equal(judge("[]", signedOfauth("[]"), SECRET, AT), "INVALID_EVENT");
});

test("a signed body verifies, under both schemes, at any time", () => {
  for (const [options, now] of [
    [undefined, undefined],
    [{ timestamp: NOW }, NOW],
    [{ timestamp: new Date(NOW * 1000 + 999), scheme: "ofauth" }, NOW],
    [{ timestamp: 0 }, 0],
    [{ scheme: "svix", id: "msg_1" }, undefined],
    [{ scheme: "svix", id: "msg é", timestamp: NOW }, NOW],
  ]) {
    const headers = signWebhook(BODY, SECRET, options);
    assert.equal(codeOf(() => verifySignature(BODY, headers, SECRET, { now, tolerance: now === undefined ? 5 : 0 })), "ok");
  }
});

test("a signature has the form that OFAuth sends", () => {
  assert.deepEqual(signWebhook(BODY, SECRET, { timestamp: NOW }), GOOD);
  assert.deepEqual(signWebhook(BODY, SECRET, { scheme: "svix", id: "msg_1", timestamp: NOW }), SVIX);
});

test("signed headers pass through a Headers object unchanged", () => {
  for (const id of ["msg_1", "a b", "é", "\u00a0", "!~"]) {
    const headers = signWebhook(BODY, SECRET, { scheme: "svix", id, timestamp: NOW });
    assert.deepEqual(Object.fromEntries(new Headers(headers)), headers);
  }
});

test("signing with an unusable secret is INVALID_SECRET", () => {
  for (const secret of ["", " x"]) assert.equal(codeOf(() => signWebhook(BODY, secret)), "INVALID_SECRET");
  assert.equal(codeOf(() => signWebhook(BODY, NOT_BASE64, { scheme: "svix", id: "msg_1" })), "INVALID_SECRET");
});

test("each exported function and class has its name, as stack traces show it", () => {
  for (const [name, value] of Object.entries(ofauth)) assert.equal(value.name, name);
});

test("an error has a name, a code, a message and a stack that begins with them", () => {
  assert.throws(() => withSecrets("other"), (error) => {
    assert.ok(error instanceof Error && error instanceof WebhookVerificationError);
    assert.deepEqual([error.name, error.code], ["WebhookVerificationError", "SIGNATURE_MISMATCH"]);
    assert.ok(error.message.length > 10);
    assert.ok(error.stack.startsWith(`WebhookVerificationError: ${error.message}`), error.stack);
    return true;
  });
});

function describe(value) {
  return typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : String(value);
}
