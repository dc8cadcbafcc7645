// Bodies: 1. every shape of the same bytes verifies alike, 2. bytes count, not text, 3. what is no body is refused by
// name, 4. the limit of 16 MiB is exact and judged before anything is copied.

import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";

import { AT, codeOf, ofauth, SECRET, signedOfauth as signed } from "./signed.mjs";

const { explainSignature, signWebhook, verifySignature, verifyWebhook } = ofauth;

const MIB = 1024 * 1024;
const TEXT = '{"type":"test.event","data":"é€😀"}';
const BYTES = new TextEncoder().encode(TEXT);

const verify = (body, headers = signed(body)) => verifySignature(body, headers, SECRET, AT);
const into = (buffer, offset = 0) => {
  const view = new Uint8Array(buffer, offset, BYTES.length);
  view.set(BYTES);
  return view;
};

const SHAPES = {
  "a string": TEXT,
  "a Uint8Array": BYTES,
  "a view with an offset": into(new ArrayBuffer(BYTES.length + 20), 7),
  "an ArrayBuffer": BYTES.slice().buffer,
  "a Buffer": Buffer.from(TEXT),
  "a Buffer from Node's pool": Buffer.concat([Buffer.from(TEXT)]).subarray(0),
  "a view on a SharedArrayBuffer": into(new SharedArrayBuffer(BYTES.length + 20), 7),
  "a view on a resizable ArrayBuffer": into(new ArrayBuffer(BYTES.length + 20, { maxByteLength: 1000 }), 7),
  "a view that follows the length of its buffer": followed(),
  "a resizable ArrayBuffer": followed().buffer,
  "a view on a growable SharedArrayBuffer": into(new SharedArrayBuffer(BYTES.length, { maxByteLength: 1000 })),
  "a Uint8Array of another realm": vm.runInNewContext(`new Uint8Array([${BYTES}])`),
  "an ArrayBuffer of another realm": vm.runInNewContext(`new Uint8Array([${BYTES}]).buffer`),
  "an object of a class derived from Uint8Array": new (class Bytes extends Uint8Array {})(BYTES),
};

for (const [name, body] of Object.entries(SHAPES)) {
  test(`${name} verifies as any other form of the same bytes does`, () => {
    assert.deepEqual(verify(body, signed(TEXT)), verify(TEXT));
    const event = verifyWebhook(body, signed(TEXT), SECRET, AT);
    assert.deepEqual(event, { known: false, type: "test.event", timestamp: null, data: "é€😀" });
    assert.deepEqual(signWebhook(body, SECRET, { timestamp: AT.now }), signWebhook(TEXT, SECRET, { timestamp: AT.now }));
    assert.equal(explainSignature(body, signed(TEXT), SECRET, AT).ok, true);
  });
}

for (const [name, bytes] of [
  ["a byte order mark", [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
  ["two byte order marks", [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x31]],
  ["NUL", [0x00, 0x61, 0x00]],
  ["a byte that is never UTF-8", [0x7b, 0xff, 0x7d]],
  ["UTF-8 that breaks off", [0x22, 0xe2, 0x82]],
  ["overlong UTF-8", [0xc0, 0x80]],
  ["a surrogate in UTF-8", [0xed, 0xa0, 0x80]],
  ["CRLF", [0x0d, 0x0a, 0x0d, 0x0a]],
  ["nothing at all", []],
]) {
  test(`${name} verifies byte by byte`, () => {
    const body = Uint8Array.from(bytes);
    assert.equal(codeOf(() => verify(body)), "ok");
    const changed = [Uint8Array.from([...bytes, 0]), body.map((byte, place) => (place === 0 ? byte ^ 1 : byte)), body.subarray(1)];
    for (const other of changed) {
      if (other.join() !== body.join()) assert.equal(codeOf(() => verify(other, signed(body))), "SIGNATURE_MISMATCH");
    }
  });
}

test("a string's byte order mark and NUL are bytes like any other", () => {
  for (const body of ["\ufeff{}", "\0{}\0"]) {
    assert.equal(codeOf(() => verify(body, signed(Buffer.from(body)))), "ok");
    assert.equal(codeOf(() => verify(body, signed("{}"))), "SIGNATURE_MISMATCH");
  }
});

test("the replacement character is not what it replaces", () => {
  const broken = Uint8Array.from([0x22, 0xff, 0x22]);
  assert.equal(codeOf(() => verify(new TextDecoder().decode(broken), signed(broken))), "SIGNATURE_MISMATCH");
});

test("a change of the body after the call does not change the event", () => {
  const body = Buffer.from('{"type":"test.event","data":"first"}');
  const event = verifyWebhook(body, signed(body), SECRET, AT);
  body.fill(0);
  assert.equal(event.data, "first");
});

test("the caller's bytes are left as they are", () => {
  const body = Buffer.from(TEXT);
  verifyWebhook(body, signed(body), SECRET, AT);
  assert.equal(body.toString(), TEXT);
});

test("half of a surrogate pair in a string is INVALID_BODY, wherever it stands", () => {
  for (const body of ["\ud83d", "\ude00", '{"a":"\ud83d"}', "\ude00\ud83d", `${"a".repeat(9000)}\ud83d`]) {
    assert.equal(codeOf(() => verify(body, signed("x"))), "INVALID_BODY");
    assert.equal(codeOf(() => verifyWebhook(body, signed("x"), SECRET, AT)), "INVALID_BODY");
    assert.equal(codeOf(() => signWebhook(body, SECRET)), "INVALID_BODY");
    assert.equal(codeOf(() => explainSignature(body, signed("x"), SECRET, AT)), "INVALID_BODY");
  }
});

for (const [name, body] of Object.entries({
  undefined: undefined,
  null: null,
  "a number": 1,
  "a boolean": true,
  "a bigint": 1n,
  "a symbol": Symbol("body"),
  "a function": () => "{}",
  "a parsed event": { type: "test.event" },
  "an array of bytes": [...BYTES],
  "a String object": Object("{}"),
  "a promise": Promise.resolve("{}"),
  "a Blob": new Blob(["{}"]),
  "a stream": new Blob(["{}"]).stream(),
  "a DataView": new DataView(new ArrayBuffer(2)),
  "a Uint16Array": new Uint16Array(2),
  "an Int8Array": new Int8Array(2),
  "a Uint8ClampedArray": new Uint8ClampedArray(2),
  "a SharedArrayBuffer": new SharedArrayBuffer(2),
})) {
  test(`${name} is no body, and a TypeError says so and what to pass`, () => {
    const wanted = { name: "TypeError", message: /\bbody\b.*\bstring\b.*Uint8Array.*ArrayBuffer/ };
    assert.throws(() => verifySignature(body, signed("{}"), SECRET), wanted);
    assert.throws(() => verifyWebhook(body, signed("{}"), SECRET), wanted);
    assert.throws(() => explainSignature(body, signed("{}"), SECRET), wanted);
    assert.throws(() => signWebhook(body, SECRET), wanted);
  });
}

test("a body of 16 MiB verifies, whatever its type", () => {
  const ascii = "a".repeat(16 * MIB);
  assert.equal(codeOf(() => verify(ascii)), "ok");
  assert.equal(codeOf(() => verify(Buffer.from(ascii))), "ok");
  const wide = "é€".repeat((16 * MIB) / 5 - 1);
  assert.equal(codeOf(() => verify(wide)), "ok");
});

test("a body of one byte more is BODY_TOO_LARGE, whatever its type", () => {
  const length = 16 * MIB + 1;
  const wide = `${"€".repeat((16 * MIB) / 3)}aa`;
  assert.equal(Buffer.byteLength(wide), length);
  const headers = signed("x");
  for (const body of ["a".repeat(length), wide, new Uint8Array(length), new ArrayBuffer(length), Buffer.alloc(length)]) {
    assert.equal(codeOf(() => verify(body, headers)), "BODY_TOO_LARGE");
    assert.equal(codeOf(() => signWebhook(body, SECRET)), "BODY_TOO_LARGE");
    assert.equal(codeOf(() => explainSignature(body, headers, SECRET, AT)), "BODY_TOO_LARGE");
  }
});

test("a body that is too large is never copied", () => {
  const before = process.memoryUsage();
  const body = new ArrayBuffer(1024 * MIB); // of pages that nobody has touched
  for (let call = 0; call < 20; call += 1) {
    assert.equal(codeOf(() => verify(body, signed("x"))), "BODY_TOO_LARGE");
    assert.equal(codeOf(() => verify(new Uint8Array(body), signed("x"))), "BODY_TOO_LARGE");
  }
  const grown = process.memoryUsage().rss - before.rss;
  assert.ok(grown < 256 * MIB, `${Math.round(grown / MIB)} MiB`);
});

function followed() {
  const buffer = new ArrayBuffer(BYTES.length, { maxByteLength: 1000 });
  const view = new Uint8Array(buffer);
  view.set(BYTES);
  return view;
}
