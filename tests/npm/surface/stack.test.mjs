// A call on an almost exhausted stack fails as any JavaScript does, with a RangeError: never with a wrong verdict, and what
// comes after it is right again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AT, BODY, ofauth, SECRET, signedOfauth } from "./signed.mjs";

const { explainSignature, signWebhook, verifySignature, verifyWebhook } = ofauth;

const NUMBER_ID = '{"type":"connection.created","data":{"connection":{"id":12345678901234567890}}}';
// Signed beforehand: the signer takes more stack than what is tested.
const headers = signedOfauth();
const numberHeaders = signedOfauth(NUMBER_ID);
const CALLS = {
  verifySignature: () => verifySignature(BODY, headers, SECRET, AT),
  verifyWebhook: () => verifyWebhook(BODY, headers, SECRET, AT),
  "verifyWebhook with ids that are numbers": () => verifyWebhook(NUMBER_ID, numberHeaders, SECRET, AT),
  explainSignature: () => explainSignature(BODY, headers, SECRET, AT),
  signWebhook: () => signWebhook(BODY, SECRET, { timestamp: AT.now }),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} gives its result or a RangeError on an almost exhausted stack`, () => {
    const right = call();
    const limit = deepest();
    for (let depth = limit + 5; depth > limit - 700; depth -= 1) {
      let result = right;
      try {
        result = at(depth, call);
      } catch (error) {
        assert.ok(error instanceof RangeError, `at ${depth} of ${limit}: ${error}`);
      }
      assert.deepEqual(result, right, `at ${depth} of ${limit}`);
      assert.deepEqual(call(), right, `after ${depth} of ${limit}`);
    }
  });
}

function at(depth, act) {
  return depth > 0 ? at(depth - 1, act) : act();
}

function deepest() {
  let [low, high] = [0, 1_000_000];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    try {
      at(middle, () => 0);
      low = middle;
    } catch {
      high = middle;
    }
  }
  return low;
}
