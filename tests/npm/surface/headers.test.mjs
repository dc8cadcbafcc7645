// Headers: 1. told apart by shape, 2. names without regard to case, 3. one value each, 4. what is none is refused by name,
// 5. of two schemes the right one is judged.

import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import vm from "node:vm";

import { AT, BODY, codeOf, ofauth, SECRET, signedOfauth, signedSvix } from "./signed.mjs";

const { verifySignature, verifyWebhook, Webhook } = ofauth;

const GOOD = signedOfauth();
const SVIX = signedSvix();
const BAD = "t=1700000000,v1=00";
const verify = (headers, secrets = SECRET) => verifySignature(BODY, headers, secrets, AT);
const code = (headers, secrets) => codeOf(() => verify(headers, secrets));
const renamed = (headers, name) => Object.fromEntries(Object.entries(headers).map(([key, value]) => [name(key), value]));

for (const [scheme, headers] of [["ofauth", GOOD], ["svix", SVIX]]) {
  const shapes = {
    "a Headers object": new Headers(headers),
    "a Request": new Request("http://localhost/", { headers }),
    "a Response": new Response(null, { headers }),
    "a Map": new Map(Object.entries(headers)),
    "an object with get": { get: (name) => headers[name] ?? null },
    "an object with get that answers undefined": { get: (name) => headers[name] },
    "an object with such headers": { headers: { get: (name) => headers[name] ?? null } },
    "Express's request": { get: (name) => headers[name.toLowerCase()], headers, body: {} },
    "a record": headers,
    "a record without a prototype": Object.assign(Object.create(null), headers),
    "a record of a class": Object.assign(new (class Head {})(), headers),
    "a record with a header named headers": { headers: "x", ...headers },
    "a record with a header named get": { get: "x", ...headers },
    "a record with other headers, some absent": { host: "x", "set-cookie": ["a", "b"], "x-absent": undefined, ...headers },
    "a record in upper case": renamed(headers, (name) => name.toUpperCase()),
    "a record as Python writes it": renamed(headers, (name) => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())),
    "a record of arrays of one": Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    "a frozen record": Object.freeze({ ...headers }),
    "a Proxy of a record": new Proxy({ ...headers }, {}),
    "a Proxy of a Headers object": proxied(new Headers(headers)),
    "a record with getters": withGetters(headers),
    "a record of another realm": vm.runInNewContext(`(${JSON.stringify(headers)})`),
  };
  for (const [name, shape] of Object.entries(shapes)) {
    test(`${scheme}, ${name}: verifies`, () => {
      assert.deepEqual(verify(shape), { ...verify(headers), scheme });
    });
  }
}

test("Node's own req.headers and req.headersDistinct verify", async (t) => {
  const answers = [];
  const server = http.createServer((request, response) => {
    for (const headers of [request.headers, request.headersDistinct]) answers.push(code(headers));
    response.end();
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: GOOD });
  assert.deepEqual(answers, ["ok", "ok"]);
});

test("headers named webhook-* are those of svix", () => {
  assert.equal(code(renamed(SVIX, (name) => name.replace("svix", "webhook"))), "ok");
});

test("a header that is null, undefined, or an empty array is absent", () => {
  for (const value of [null, undefined, []]) assert.equal(code({ "ofauth-signature": value }), "MISSING_HEADERS");
});

test("an undefined header does not hide one of another case", () => {
  assert.equal(code({ "OFAuth-Signature": undefined, ...GOOD }), "ok");
});

test("empty headers are MISSING_HEADERS", () => {
  for (const headers of [{}, Object.create(null), new Headers(), new Map(), new Request("http://localhost/")]) {
    assert.equal(code(headers), "MISSING_HEADERS");
  }
});

test("an inherited header is no header", () => {
  assert.equal(code(Object.create(GOOD)), "MISSING_HEADERS");
});

test("an array of several values is MALFORMED_HEADER, even if they are equal", () => {
  const [value] = Object.values(GOOD);
  for (const values of [[value, value], [value, BAD], [BAD, value], ["", value]]) {
    assert.equal(code({ "ofauth-signature": values }), "MALFORMED_HEADER");
  }
});

test("two keys equal but for case are MALFORMED_HEADER, under both schemes", () => {
  assert.equal(code({ ...GOOD, "OFAuth-Signature": GOOD["ofauth-signature"] }), "MALFORMED_HEADER");
  for (const name of Object.keys(SVIX)) {
    assert.equal(code({ ...SVIX, [name.toUpperCase()]: SVIX[name] }), "MALFORMED_HEADER", name);
  }
});

test("a header twice in a Headers object is MALFORMED_HEADER", () => {
  const headers = new Headers(GOOD);
  headers.append("ofauth-signature", GOOD["ofauth-signature"]);
  assert.equal(code(headers), "MALFORMED_HEADER");
});

test("the error says that a header was given more than once", () => {
  assert.throws(() => verify({ ...GOOD, "OFAUTH-SIGNATURE": "x" }), { code: "MALFORMED_HEADER", message: /more than once/ });
});

test("a header of 8,192 bytes is read, and one of a byte more is MALFORMED_HEADER", () => {
  const [value] = Object.values(GOOD);
  const padded = (length) => ({ "ofauth-signature": `${value},${"x".repeat(length - value.length - 1)}` });
  assert.equal(code(padded(8_192)), "ok");
  assert.equal(code(padded(8_193)), "MALFORMED_HEADER");
  assert.equal(code({ "ofauth-signature": `${value},${"é".repeat(4_096)}` }), "MALFORMED_HEADER");
  assert.equal(code({ "ofauth-signature": "x".repeat(20_000_000) }), "MALFORMED_HEADER");
});

test("half of a surrogate pair in a header does no harm", () => {
  assert.equal(code({ "ofauth-signature": `${GOOD["ofauth-signature"]},\ud800` }), "ok");
  assert.equal(code({ "ofauth-signature": "\ud800" }), "MALFORMED_HEADER");
});

for (const [name, headers] of Object.entries({
  undefined: undefined,
  null: null,
  "the header's value": GOOD["ofauth-signature"],
  "a number": 1,
  "a function": () => null,
  "an array of pairs": Object.entries(GOOD),
  "an array of raw headers": Object.entries(GOOD).flat(),
})) {
  test(`${name} cannot be headers, and a TypeError says so and what to pass`, () => {
    const wanted = { name: "TypeError", message: /\bheaders\b.*Headers object.*req\.headers/ };
    assert.throws(() => verify(headers), wanted);
    assert.throws(() => verifyWebhook(BODY, headers, SECRET), wanted);
    assert.throws(() => new Webhook(SECRET).verify(BODY, headers), wanted);
  });
}

test("a value that is no string is a TypeError that names the header", () => {
  for (const value of [1, true, {}, () => "x", Symbol("x"), 1n, [1], [{}]]) {
    assert.throws(() => verify({ "ofauth-signature": value }), { name: "TypeError", message: /headers\["ofauth-signature"\]/ });
    assert.throws(() => verify({ get: () => value }), { name: "TypeError", message: /headers\["ofauth-signature"\]/ });
  }
});

test("values of other headers may be of any type", () => {
  assert.equal(code({ ...GOOD, "x-number": 1, "x-symbol": Symbol("x"), [Symbol("key")]: "x" }), "ok");
});

test("an exception in the caller's headers is the cause of a TypeError that names them", () => {
  const cause = new Error("the caller's");
  const thrower = () => {
    throw cause;
  };
  const proxies = ["ownKeys", "get", "getOwnPropertyDescriptor"].map((trap) => new Proxy({ ...GOOD }, { [trap]: thrower }));
  const getters = ["get", "headers", "ofauth-signature"].map(getting);
  for (const headers of [{ get: thrower }, { headers: { get: thrower } }, ...getters, ...proxies]) assert.throws(() => verify(headers), { name: "TypeError", message: /\bheaders\b/, cause });

  function getting(name) {
    return Object.defineProperty({ "x-other": "x" }, name, { get: thrower, enumerable: true });
  }
});

test("a WebhookVerificationError from a caller's getter is a cause too, not our own verdict", () => {
  const cause = new ofauth.WebhookVerificationError("SIGNATURE_MISMATCH", "forged");
  const thrower = () => {
    throw cause;
  };
  const headers = { get: thrower };
  assert.throws(() => verify(headers), { name: "TypeError", cause });
});

test("headers whose getter verifies another webhook disturb nothing", () => {
  const inner = [];
  const headers = {
    get(name) {
      inner.push(code({ "ofauth-signature": BAD }), code(signedSvix(), { svix: SECRET }));
      return GOOD[name] ?? null;
    },
  };
  assert.equal(code(headers), "ok");
  assert.deepEqual([...new Set(inner)], ["NO_VALID_SIGNATURES", "ok"]);
});

test("a secret without a scheme is for the scheme of the headers", () => {
  assert.equal(verify(GOOD).scheme, "ofauth");
  assert.equal(verify(SVIX).scheme, "svix");
});

test("with headers of both schemes only ofauth is verified", () => {
  assert.equal(verify({ ...SVIX, ...GOOD }).scheme, "ofauth");
  assert.equal(code({ ...SVIX, ...signedOfauth("other") }), "SIGNATURE_MISMATCH");
  assert.equal(code({ ...SVIX, "ofauth-signature": "" }), "MALFORMED_HEADER");
});

test("with headers of both schemes and a secret for one, that one is verified", () => {
  assert.equal(verify({ ...SVIX, ...signedOfauth("other") }, { svix: SECRET }).scheme, "svix");
  assert.equal(verify({ ...signedSvix("other"), ...GOOD }, { ofauth: SECRET }).scheme, "ofauth");
});

test("headers only of a scheme without a secret are MISSING_HEADERS", () => {
  assert.equal(code(SVIX, { ofauth: SECRET }), "MISSING_HEADERS");
  assert.equal(code(GOOD, { svix: SECRET }), "MISSING_HEADERS");
  assert.equal(code(GOOD, { ofauth: undefined, svix: SECRET }), "MISSING_HEADERS");
});

test("svix with one of its three headers missing is MISSING_HEADERS", () => {
  for (const name of Object.keys(SVIX)) {
    const { [name]: _, ...rest } = SVIX;
    assert.equal(code(rest), "MISSING_HEADERS", name);
  }
});

function proxied(target) {
  const bound = (inner, name) => (typeof inner[name] === "function" ? inner[name].bind(inner) : inner[name]);
  return new Proxy(target, { get: bound });
}

function withGetters(headers) {
  const properties = Object.entries(headers).map(([name, value]) => [name, { get: () => value, enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(properties));
}
