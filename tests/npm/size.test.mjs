// What the package weighs in an app. Sizes are gzipped at level 9; 1 KB is 1,000 bytes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { installed, makeProject } from "./project.mjs";

const KB = 1_000;
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

test("the wasm has at most 26 KB gzipped", () => {
  const size = gzipped(readFileSync(join(installed, "ofauth-edge/ofauth_edge.wasm")));
  assert.ok(size <= 26 * KB, `${size} bytes`);
});

test("an app that imports all of it, the client too, has at most 37 KB gzipped", async () => {
  const size = gzipped(await bundle('export * from "ofauth-edge";'));
  assert.ok(size <= 37 * KB, `${size} bytes`);
});

test("the client, which has no wasm in it, has at most 6.2 KB gzipped", async () => {
  const code = await bundle('export * from "ofauth-edge/client";');
  assert.ok(gzipped(code) <= 6.2 * KB, `${gzipped(code)} bytes`);
  assert.doesNotMatch(code, /WebAssembly/);
});

test("the element has at most 3 KB gzipped more than the client, and no wasm", async () => {
  const code = await bundle('import "ofauth-edge/element"; export * from "ofauth-edge/client";');
  const size = gzipped(code) - gzipped(await bundle('export * from "ofauth-edge/client";'));
  assert.match(code, /customElements\.define/);
  assert.ok(size <= 3 * KB, `${size} bytes`);
  assert.doesNotMatch(code, /WebAssembly/);
});

/** `code`, bundled and minified for browsers. */
async function bundle(code) {
  const options = { bundle: true, minify: true, format: "esm", write: false, logLevel: "silent" };
  const result = await build({ ...options, stdin: { contents: code, resolveDir: makeProject("node") } });
  return result.outputFiles[0].text;
}
