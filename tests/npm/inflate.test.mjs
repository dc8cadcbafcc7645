// The package's own inflate, which platforms without node:zlib need, against the deflate of zlib: one block and many, long distances
// and lengths, codes of all lengths.

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
  text: Buffer.from(Array.from({ length: 500 }, (_, index) => `${index}: ${text.slice(index % 40)}`).join("")),
  "zeros among letters": Buffer.concat([letters(500), Buffer.alloc(100_000), letters(500)]),
  "letters, over several blocks": letters(300_000),
  "a repetition 32 KiB apart": Buffer.concat([Buffer.from(text), letters(32_768 - text.length), Buffer.from(text.repeat(20)), letters(9)]),
  "the wasm": readFileSync(join(installed, "ofauth-edge/ofauth_edge.wasm")),
};
const ways = {
  "level 1": { level: 1 },
  "level 9": { level: 9 },
  "Huffman codes only": { strategy: constants.Z_HUFFMAN_ONLY },
};

/** Random bytes that have few values, some of them rare: zlib gives each a code of its own. */
function letters(length) {
  return randomBytes(length).map((byte) => byte & randomBytes(1)[0]);
}

for (const [name, bytes] of Object.entries(inputs)) {
  for (const [way, options] of Object.entries(ways)) {
    test(`${name}, ${way}: comes back as it was`, () => {
      assert.ok(bytes.equals(inflate(deflateRawSync(bytes, options), bytes.length)));
    });
  }
}
