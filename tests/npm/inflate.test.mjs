// The package's own inflate, which platforms without node:zlib need, against the deflate of zlib: stored blocks, fixed and dynamic
// codes, long distances and lengths.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";

import { inflate } from "../../pkg-template/inflate.mjs";
import { installed } from "./project.mjs";

const text = "The quick brown fox jumps over the lazy dog. ";
const inputs = {
  "no bytes": Buffer.alloc(0),
  "one byte": Buffer.from("x"),
  text: Buffer.from(text.repeat(100)),
  zeros: Buffer.alloc(100_000),
  "random bytes, over several stored blocks": randomBytes(200_000),
  "a repetition 32 KiB apart": Buffer.concat([randomBytes(32_768 - 10), Buffer.from(text), randomBytes(32_000), Buffer.from(text.repeat(20))]),
  "the wasm": readFileSync(join(installed, "ofauth-edge/ofauth_edge.wasm")),
};
const ways = {
  "level 0": { level: 0 },
  "level 1": { level: 1 },
  "level 9": { level: 9 },
  "fixed codes": { strategy: constants.Z_FIXED },
  "Huffman codes only": { strategy: constants.Z_HUFFMAN_ONLY },
};

for (const [name, bytes] of Object.entries(inputs)) {
  for (const [way, options] of Object.entries(ways)) {
    test(`${name}, ${way}: inflate gives the original bytes`, () => {
      assert.ok(bytes.equals(inflate(deflateRawSync(bytes, options), bytes.length)));
    });
  }
}
