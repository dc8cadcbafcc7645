#!/usr/bin/env node
// worker-build starts this as its esbuild, in the folder where it builds: puts src/worker/entry.js and
// what it imports in the place of worker-build's own entry, removes what the wasm does not use, and bundles.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeUnused, shortenNames } from "./glue.mjs";
import { root } from "./inputs.mjs";

const [GLUE, WASM] = ["index.js", "index_bg.wasm"];

// What the entry imports from its own folder stays there. Only `./index.js` is in the folder of the build.
const entry = readFileSync(join(root, "src/worker/entry.js"), "utf8");
writeFileSync("shim.js", entry.replace(/"\.\/(reconcile\/[^"]+)"/, (_, file) => JSON.stringify(join(root, "src/worker", file))));
const wasm = readFileSync(WASM);
const glue = removeUnused(readFileSync(GLUE, "utf8"), wasm);
const args = process.argv.slice(2);
const parts = args.includes("--minify") ? shortenNames(glue, wasm) : { glue, wasm };
writeFileSync(GLUE, parts.glue);
writeFileSync(WASM, parts.wasm);
const esbuild = join(root, `node_modules/@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
const { status, error } = spawnSync(esbuild, args, { stdio: "inherit" });
if (error) console.error(error.message);
process.exitCode = status ?? 1;
