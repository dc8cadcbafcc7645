#!/usr/bin/env node
// worker-build starts this as its wasm-opt: makes the Worker's wasm smaller.
//
//   optimise.mjs INPUT -o OUTPUT [-g]
//
// 1. Exports that nothing calls are removed, and the code behind them.
// 2. The code is optimised for size.
// 3. What remains is ordered so that gzip finds more repetitions.
//
// -g keeps the names of functions. Other flags are those that worker-build passes to every wasm-opt, and are ignored.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import binaryen from "binaryen";
import { UNUSED_EXPORTS } from "./glue.mjs";

const WASM_FEATURES = ["BulkMemory", "BulkMemoryOpt", "ExceptionHandling", "Multivalue", "MutableGlobals", "NontrappingFPToInt", "ReferenceTypes", "SignExt"];

const { values, positionals } = parseArgs({
  options: { output: { type: "string", short: "o" }, names: { type: "boolean", short: "g" } },
  allowPositionals: true,
  strict: false,
});
const module = binaryen.readBinary(readFileSync(positionals[0]));
module.setFeatures(WASM_FEATURES.reduce((flags, feature) => flags | binaryen.Features[feature], 0));
// 1.
for (const name of exportNames().filter((name) => UNUSED_EXPORTS.test(name))) module.removeExport(name);
// 2.
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
// The first KiB of memory is the far end of the stack. An address there plus an offset never wraps around.
binaryen.setLowMemoryUnused(true);
module.optimize();
module.optimize();
// 3. Engines ignore the alignment that a load or store states. Without it, more of them are the same bytes. Functions of similar
// names do similar things, and gzip looks back only 32 KiB.
module.runPasses(["dealign", "reorder-functions-by-name"]);
binaryen.setDebugInfo(values.names ?? false);
writeFileSync(values.output, module.emitBinary());

function exportNames() {
  return Array.from({ length: module.getNumExports() }, (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)).name);
}
