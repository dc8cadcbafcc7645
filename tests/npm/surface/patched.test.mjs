// A platform whose hash was patched, before the package asked for it, by someone who calls the package in it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { AT, codeOf, ofauth, SECRET, signedOfauth } from "./signed.mjs";

const verify = (body, signed = body) => codeOf(() => ofauth.verifySignature(body, signedOfauth(signed), SECRET, AT));

test("a call within the hash of another one is right, and so are the other one and those after it", () => {
  let within = false;
  let inner;
  process.getBuiltinModule = () => ({
    hash(algorithm, data, encoding) {
      if (!within) {
        within = true;
        inner = [verify("inner"), verify("inner", "else")];
        within = false;
      }
      return createHash(algorithm).update(data).digest(encoding);
    },
  });
  // The platform's hash is asked for only after the wasm has hashed 1 MiB itself.
  const large = "x".repeat(200_000);
  for (let call = 0; call < 6; call++) assert.equal(verify(large), "ok");
  assert.equal(verify("outer", "else"), "SIGNATURE_MISMATCH");
  assert.equal(verify("outer"), "ok");
  assert.deepEqual(inner, ["ok", "SIGNATURE_MISMATCH"]);
});
