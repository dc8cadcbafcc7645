#!/usr/bin/env node
// worker-build starts this as its wasm-opt: makes the Worker's wasm smaller.
//
//   optimise.mjs INPUT -o OUTPUT [-g]
//
// 1. The code is optimised for size.
// 2. What remains is ordered so that gzip finds more repetitions.
//
// -g keeps the names of functions. Other flags are those that worker-build passes to every wasm-opt, and are ignored.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import binaryen from "binaryen";
import { withOrderedNames } from "./order.mjs";

const WASM_FEATURES = ["BulkMemory", "BulkMemoryOpt", "ExceptionHandling", "Multivalue", "MutableGlobals", "NontrappingFPToInt", "ReferenceTypes", "SignExt"];

const { values, positionals } = parseArgs({
  options: { output: { type: "string", short: "o" }, names: { type: "boolean", short: "g" } },
  allowPositionals: true,
  strict: false,
});
// 1.
const module = read(readFileSync(positionals[0]));
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
// The first KiB of memory is the far end of the stack. An address there plus an offset never wraps around.
binaryen.setLowMemoryUnused(true);
module.optimize();
module.optimize();
// Engines ignore the alignment that a load or store states. Without it, more of them are the same bytes.
module.runPasses(["dealign"]);
binaryen.setDebugInfo(true);
const optimised = Buffer.from(module.emitBinary());
// 2.
const ordered = read(withOrderedNames(optimised));
// Binaryen reads the features of a module from the sections that are removed here.
ordered.runPasses(["reorder-functions-by-name", "strip-producers", "strip-target-features"]);
binaryen.setDebugInfo(values.names ?? false);
writeFileSync(values.output, ordered.emitBinary());

function read(wasm) {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(WASM_FEATURES.reduce((flags, feature) => flags | binaryen.Features[feature], 0));
  return module;
}
