// explainSignature finds what frameworks and tools make of a body, of a secret and of svix headers: each way as it happens in
// practice, made with the platform's own functions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { AT, NOW, ofauth, SECRET, signedOfauth, signedSvix } from "./signed.mjs";

const { explainSignature } = ofauth;

const EVENT = {
  type: "connection.created",
  timestamp: "2024-01-15T10:30:00Z",
  data: {
    clientReferenceId: "user_456",
    connection: {
      id: "conn_abc123",
      status: "active",
      permissions: ["profile:read"],
      userData: { id: "1", name: "Zoë €", username: "zoe", avatar: "https://cdn.example/é.jpg" },
    },
  },
};
const BODY = JSON.stringify(EVENT);
const sorted = (value) =>
  value === null || typeof value !== "object" || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));

/** What was received, and the cause; all signed as BODY, unless `signed` says otherwise. */
const CASES = {
  "AWS Lambda's base64": { body: Buffer.from(BODY).toString("base64"), cause: "body_base64" },
  "Buffer's latin1": { body: Buffer.from(BODY).toString("latin1"), cause: "body_latin1" },
  "TextDecoder's latin1": { body: new TextDecoder("latin1").decode(Buffer.from(BODY)), cause: "body_latin1" },
  gzip: { body: gzipSync(BODY), cause: "body_gzip", isProven: false },
  "an empty body": { body: "", cause: "body_empty", isProven: false },
  "an object as a string": { body: String(EVENT), cause: "body_object_string", isProven: false },
  "sorted keys": { body: JSON.stringify(sorted(EVENT)), cause: "json_keys_reordered" },
  "sorted keys on several lines": { body: JSON.stringify(sorted(EVENT), null, 2), cause: "json_keys_reordered" },
  "slashes that PHP escapes without JSON_UNESCAPED_SLASHES": { body: BODY.replaceAll("/", "\\/"), cause: "json_reserialised" },
  "slashes that were escaped when signed": { body: BODY, signed: BODY.replaceAll("/", "\\/"), cause: "json_reserialised" },
  "a space at the end": { body: `${BODY} `, cause: "outer_white_space_added" },
  "white space around": { body: ` \t${BODY}\n\n`, cause: "outer_white_space_added" },
  "a space that was trimmed": { body: BODY, signed: `${BODY} `, cause: "outer_white_space_removed" },
};

for (const [name, { body, signed = BODY, cause, isProven = true }] of Object.entries(CASES)) {
  test(`${name} is ${cause}, under both schemes`, () => {
    for (const headers of [signedOfauth(signed), signedSvix(signed)]) {
      const told = explainSignature(body, headers, SECRET, AT);
      assert.deepEqual([told.ok, told.cause, told.evidence.macMatches], [false, cause, isProven]);
    }
  });
}

for (const secret of [`"${SECRET}"`, `'${SECRET}'`, `${SECRET}\\n`, `"${SECRET}\\n"`]) {
  test(`the secret ${secret.replace(SECRET, "…")} is secret_quoted, under both schemes`, () => {
    for (const headers of [signedOfauth(BODY), signedSvix(BODY)]) {
      const told = explainSignature(BODY, headers, secret, AT);
      assert.deepEqual([told.cause, told.evidence.macMatches, told.evidence.secretIndex], ["secret_quoted", true, 0]);
      assert.ok(!JSON.stringify(told).includes(SECRET));
    }
  });
}

test("headers of both families are mixed_header_families", () => {
  const { "svix-id": id, ...rest } = signedSvix(BODY);
  assert.deepEqual(explained({ "webhook-id": id, ...rest }), ["mixed_header_families", true]);
  const webhook = Object.fromEntries(Object.entries(signedSvix(BODY)).map(([name, value]) => [name.replace("svix", "webhook"), value]));
  assert.deepEqual(explained({ ...signedSvix("another"), ...webhook }), ["mixed_header_families", true]);
});

test("a message id that was not signed is wrong_svix_id", () => {
  const headers = signedSvix(BODY, { id: "msg_1" });
  assert.deepEqual(explained({ ...headers, "svix-id": " msg_1" }), ["wrong_svix_id", true]);
});

function explained(headers) {
  const { cause, evidence } = explainSignature(BODY, headers, { svix: SECRET }, AT);
  return [cause, evidence.macMatches];
}

test("a diagnosis of a body of 1 MiB takes under 20 s", { timeout: 20_000 }, () => {
  const large = JSON.stringify({ ...EVENT, text: "é".repeat(400_000) });
  assert.equal(explainSignature(large, signedOfauth("another", { timestamp: NOW }), SECRET, AT).cause, "unknown");
});
