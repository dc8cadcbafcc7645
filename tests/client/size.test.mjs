// What a page pays for the client: at most 6.1 KB (6,100 bytes) gzipped, and no wasm.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const ENTRY = fileURLToPath(new URL("../../pkg-template/client.mjs", import.meta.url));

test("the client alone has at most 6.1 KB, minified and gzipped, and imports nothing of the wasm", async () => {
  const options = {
    entryPoints: [ENTRY],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
  };
  const { outputFiles, metafile } = await build(options);
  const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  assert.ok(size <= 6_100, `${size} bytes`);
  for (const file of Object.keys(metafile.inputs)) assert.match(file, /pkg-template\/client(\/\w+)?\.mjs$/);
});
