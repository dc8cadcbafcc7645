// Arguments that lie or throw: the caller's own doing, so a TypeError names the argument, an exception from a getter is its
// cause, and nothing verifies that was not signed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AT, BODY, codeOf, ofauth, SECRET, signedOfauth } from "./signed.mjs";

const { signWebhook, verifySignature, Webhook } = ofauth;

const GOOD = signedOfauth();
const verify = (body, headers = signedOfauth(""), secrets = SECRET, options = AT) =>
  verifySignature(body, headers, secrets, options);
const names = (argument, cause) => (error) => {
  assert.ok(error instanceof TypeError, error);
  assert.match(error.message, new RegExp(`ofauth-edge: .*${argument}`));
  if (cause !== undefined) assert.equal(error.cause, cause);
  return true;
};
const filled = (Bytes, length) => new Bytes(length).fill(97);
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

test("a body whose length is wrong is verified by its bytes", () => {
  class Short extends Uint8Array {
    get length() {
      return 1;
    }
  }
  assert.equal(codeOf(() => verify(filled(Short, 3), signedOfauth("a"))), "SIGNATURE_MISMATCH");
  assert.equal(codeOf(() => verify(filled(Short, 3), signedOfauth("aaa"))), "ok");
  assert.equal(codeOf(() => verify(filled(Short, 3_000_000), signedOfauth("a"))), "SIGNATURE_MISMATCH");
  class Long extends Uint8Array {
    get length() {
      return 5;
    }
  }
  assert.equal(codeOf(() => verify(filled(Long, 3), signedOfauth("aaa"))), "ok");
});

test("a body of a detached buffer is a TypeError that names the body", () => {
  const buffer = new ArrayBuffer(4);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  assert.throws(() => verify(buffer), names("body"));
  assert.throws(() => verify(view), names("body"));
});

// Node 18 has no buffers that shrink.
const shrinks = { skip: ArrayBuffer.prototype.resize === undefined };

test("a view that is outside of its shrunk buffer is a TypeError that names the body", shrinks, () => {
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const view = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  assert.throws(() => verify(view), names("body"));
  assert.throws(() => signWebhook(view, SECRET), names("body"));
});

test("a body that is detached while other arguments are read is a TypeError that names it", () => {
  const buffer = new ArrayBuffer(4);
  const get = () => {
    if (!buffer.detached) structuredClone(buffer, { transfer: [buffer] });
    return null;
  };
  assert.throws(() => verify(new Uint8Array(buffer), { get }), names("body"));
});

test("an empty body is bytes like any other", () => {
  for (const body of [new Uint8Array(0), new ArrayBuffer(0), Buffer.alloc(0), new Uint8Array(new ArrayBuffer(4), 4)]) {
    assert.equal(codeOf(() => verify(body)), "ok");
  }
});

test("the error for what is no body names its kind", () => {
  for (const [body, kind] of [
    [{}, "a parsed object"],
    [[], "a parsed object"],
    [new Blob([]), "a request or a blob"],
    [Promise.resolve(""), "a Promise"],
    [new Int8Array(1), "of kind Int8Array"],
    [new SharedArrayBuffer(1), "of kind SharedArrayBuffer"],
  ]) {
    assert.throws(() => verify(body), { name: "TypeError", message: new RegExp(`body must be the raw body .*not .*${kind}(\\.|$)`) });
  }
});

test("an object that passes itself off as an ArrayBuffer is a TypeError that names the body", () => {
  for (const fields of [{}, { length: 0 }, { byteLength: 0 }]) {
    assert.throws(() => verify({ [Symbol.toStringTag]: "ArrayBuffer", ...fields }), names("body"));
  }
});

test("an exception in a getter of the body is the cause of a TypeError", () => {
  const cause = new Error("the caller's");
  const get = () => {
    throw cause;
  };
  assert.throws(() => verify(Object.defineProperty({}, Symbol.toStringTag, { get })), names("body", cause));
  const view = Object.defineProperty(filled(Uint8Array, 3), Symbol.toStringTag, { get });
  try {
    assert.equal(verify(view, signedOfauth("aaa")).scheme, "ofauth"); // or its own tag is not read at all
  } catch (error) {
    assert.ok(names("body", cause)(error), error);
  }
});

test("a revoked Proxy is a TypeError that names the argument", () => {
  assert.throws(() => verify(revoked()), names("body"));
  assert.throws(() => verify(BODY, revoked()), names("headers"));
  assert.throws(() => verify(BODY, { headers: revoked() }), names("headers"));
  assert.throws(() => verify(BODY, { "ofauth-signature": revoked() }), names("headers"));
  assert.throws(() => verify(BODY, GOOD, revoked()), names("secrets"));
  assert.throws(() => verify(BODY, GOOD, { ofauth: revoked() }), names("secrets"));
  assert.throws(() => verify(BODY, GOOD, SECRET, revoked()), names("options"));
  assert.throws(() => verify(BODY, GOOD, SECRET, { now: revoked() }), names("options"));
});

test("a Date whose time is no number is a TypeError that names now", () => {
  const cause = new Error("the caller's");
  const dated = (getTime) => ({ [Symbol.toStringTag]: "Date", getTime });
  assert.throws(() => verify(BODY, GOOD, SECRET, { now: dated(() => 1n) }), names("options.now"));
  const thrower = () => ({
    valueOf() {
      throw cause;
    },
  });
  assert.throws(() => verify(BODY, GOOD, SECRET, { now: dated(thrower) }), names("options.now", cause));
});

test("an array with null in it is no header", () => {
  assert.equal(codeOf(() => verify(BODY, { "ofauth-signature": [null] })), "MISSING_HEADERS");
  assert.equal(codeOf(() => verify(BODY, { get: () => [null] })), "MISSING_HEADERS");
});

test("secrets in a Map, a Set, a String object, a promise or bytes are a TypeError that names them and their kind", () => {
  const lists = [new Map([["ofauth", SECRET]]), new Set([SECRET]), Object(SECRET), Promise.resolve(SECRET), Buffer.from(SECRET)];
  for (const secrets of lists) {
    const [, kind] = /(\w+)\]$/.exec(Object.prototype.toString.call(secrets));
    for (const act of [() => verify(BODY, GOOD, secrets), () => new Webhook(secrets)]) {
      assert.throws(act, names("secrets"));
      assert.throws(act, { message: new RegExp(`, not an object of kind ${kind}$`) });
    }
  }
});

test("a caller's mistake costs no new instance", () => {
  let made = 0;
  const Original = WebAssembly.Instance;
  WebAssembly.Instance = new Proxy(Original, { construct: (...all) => (made++, Reflect.construct(...all)) });
  try {
    const buffer = new ArrayBuffer(4);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    assert.throws(() => verify(view), TypeError);
    assert.equal(codeOf(() => verify(BODY, GOOD)), "ok");
  } finally {
    WebAssembly.Instance = Original;
  }
  assert.equal(made, 0);
});
