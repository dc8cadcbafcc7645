#!/usr/bin/env node
// rustc starts this as its linker for wasm: leaves out exports that nothing calls, and so the code behind them.
//
// wasm-bindgen exports every class of a crate. Only the linker knows which functions a class alone uses: later they are entries of
// the table of functions, any of which the wasm may call.

import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { UNUSED_CLASSES } from "./glue.mjs";

// An export, and the function that describes it to wasm-bindgen.
const UNUSED_EXPORT = new RegExp(`^(__wbindgen_describe_)?(__wbg_)?([gs]et_)?(${UNUSED_CLASSES.join("|").toLowerCase()})_`);

const args = process.argv.slice(2);
const isUnused = (at) => args[at] === "--export" && UNUSED_EXPORT.test(args[at + 1]);
const needed = args.filter((_, at) => !isUnused(at) && !isUnused(at - 1));

const rustc = (...options) => execFileSync("rustc", options, { encoding: "utf8" });
const [, host] = /^host: (.+)$/m.exec(rustc("-vV"));
const linker = join(rustc("--print", "sysroot").trim(), "lib/rustlib", host, "bin/rust-lld");
const { status, error } = spawnSync(linker, needed, { stdio: "inherit" });
if (error) console.error(error.message);
process.exitCode = status ?? 1;
