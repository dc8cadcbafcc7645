// Compiles the Rust core to the wasm of the npm package, and optimises it.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";
import { hashInputs, isUpToDate, root } from "../scripts/inputs.mjs";
import { buildFolder, glueFolder } from "./bundle.mjs";
import { collectNotices } from "./notices.mjs";

// All supported runtimes have SIMD. It makes SHA-256 faster.
const TARGET_FLAGS = "-Ctarget-feature=+simd128";
// opt-level "z" inlines almost nothing. Inlining small functions makes the wasm faster and also smaller. Short copies are
// done without memory.copy, because V8 leaves the wasm for each memory.copy.
const LLVM_FLAGS = "-Cllvm-args=-inline-threshold=25 -max-store-memcpy=4";
const WASM_FEATURES = [
  "SIMD128",
  "BulkMemory",
  "BulkMemoryOpt",
  "SignExt",
  "MutableGlobals",
  "NontrappingFPToInt",
  "Multivalue",
  "ReferenceTypes",
];

// The next three constants serve to remove panic messages. A panic in the wasm ends in a trap, and nothing can print its
// message. But the compiler keeps the texts of all messages and the functions that compose them. So the texts are
// overwritten with zeros, which compress to almost nothing, and the functions are replaced by the trap.

// The texts in a message that name the source file of the panic.
const PANIC_LOCATIONS = /(\/rustc\/[0-9a-f]{40}\/library|index\.crates\.io-[0-9a-f]+|src)\/[\w./-]+\.rs/g;
// The other texts in messages: what Rust's libraries say, names of types, and the tables with which numbers are printed.
const PANIC_MESSAGES = new RegExp(
  [
    String.raw`slice index starts at | but ends at |index out of bounds: the len is | but the index is `,
    String.raw`range (start|end) index |" out of range for slice of length |any key length|mid > len`,
    String.raw`called \x60\w+::unwrap\(\)\x60 on an? \x60\w+\x60 value|attempt to [\w ]+ with len > usize::MAX|InvalidLength`,
    String.raw`capacity overflow|RefCell already \w+`,
    String.raw`cannot access a Thread Local Storage value during or after destruction: |AccessError`,
    String.raw`Utf8Errorvalid_up_toerror_len|0x0123456789ABCDEF`,
  ].join("|"),
  "g",
);
// The functions that begin a panic, and those that print values in its message.
const PANIC_FUNCTIONS =
  /panicking|_fail(_rt)?$|unwrap_failed|expect_failed|handle_error|capacity_overflow|handle_alloc_error|panic_access_error|fmt::Debug>::fmt/;
// The functions that print numbers and text. None may be left: they would print zeros.
const PRINTING_FUNCTIONS = /fmt::num|pad_integral|Display/;

// wasm-bindgen adds these exports for JavaScript values that the wasm holds and for exceptions that pass through it. This
// wasm has neither.
const UNUSED_EXPORTS = ["__wbindgen_start", "__wbindgen_externrefs", "__abort_handler", "__instance_terminated"];

// The wasm and its notices are kept until a source or a tool changes.
const optimisedFile = join(buildFolder, "optimised.wasm");
const noticesFile = join(buildFolder, "NOTICE");
const stampFile = join(buildFolder, ".optimised-from");
const STEPS = ["pkg-template/wasm.mjs", "pkg-template/notices.mjs", "package-lock.json"];

/**
 * Leaves the output of wasm-bindgen in {@link glueFolder}, with a module imports.js that exports the imports of the wasm.
 * @returns {{wasm: Buffer, notices: string}}   notices: the licenses of what is compiled into it
 */
export function buildWasm() {
  const hash = hashInputs(STEPS);
  if (isUpToDate(optimisedFile, stampFile, hash)) return { wasm: readFileSync(optimisedFile), notices: readFileSync(noticesFile, "utf8") };
  // Only as a cdylib. If cargo made the rlib too, it would leave out link-time optimisation, and the wasm would be twice as large.
  const cargoArgs = ["rustc", "--quiet", "--lib", "--crate-type", "cdylib", "--profile", "npm", "--features", "npm"];
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  run("cargo", [...cargoArgs, "--target", "wasm32-unknown-unknown", "--target-dir", buildFolder], {
    // --remap-path-prefix keeps the home folder of the machine out of the package.
    CARGO_ENCODED_RUSTFLAGS: [TARGET_FLAGS, LLVM_FLAGS, `--remap-path-prefix=${join(cargoHome, "registry/src")}=`].join("\x1f"),
  });
  const compiled = join(buildFolder, "wasm32-unknown-unknown/npm/ofauth_edge.wasm");
  const bindgenArgs = ["--target", "bundler", "--no-typescript", "--remove-producers-section"];
  run(join(root, ".tools/bin/wasm-bindgen"), [compiled, ...bindgenArgs, "--out-dir", glueFolder]);
  const { wasm, notices } = optimise(readFileSync(join(glueFolder, "ofauth_edge_bg.wasm")));
  writeImportsModule(wasm);
  writeFileSync(optimisedFile, wasm);
  writeFileSync(noticesFile, notices);
  writeFileSync(stampFile, hash);
  return { wasm, notices };
}

function optimise(bytes) {
  eraseTexts(bytes);
  const module = binaryen.readBinary(bytes);
  const notices = collectNotices(functionsOf(module).map(({ name }) => name));
  module.setFeatures(WASM_FEATURES.reduce((flags, feature) => flags | binaryen.Features[feature], 0));
  replacePanics(module);
  for (const name of UNUSED_EXPORTS) module.removeExport(name);
  binaryen.setOptimizeLevel(4);
  binaryen.setShrinkLevel(0);
  module.optimize();
  module.optimize();
  for (const { name } of functionsOf(module)) {
    if (PRINTING_FUNCTIONS.test(name)) throw new Error(`${name} is left in the wasm, but the text that it prints was overwritten with zeros`);
  }
  // Engines ignore the alignment that a load or store states. Without it, more of them are the same bytes.
  module.runPasses(["dealign", "strip-debug", "strip-producers", "strip-target-features"]);
  return { wasm: Buffer.from(module.emitBinary()), notices };
}

function eraseTexts(bytes) {
  for (const pattern of [PANIC_LOCATIONS, PANIC_MESSAGES]) {
    for (const { 0: { length }, index } of bytes.toString("latin1").matchAll(pattern)) bytes.fill(0, index, index + length);
  }
}

function replacePanics(module) {
  const panics = functionsOf(module).filter(({ name, module: importedFrom }) => !importedFrom && PANIC_FUNCTIONS.test(name));
  if (panics.length === 0) throw new Error("the wasm has no function that PANIC_FUNCTIONS matches: were names stripped or changed?");
  for (const { ref } of panics) binaryen.Function.setBody(ref, module.unreachable());
}

function functionsOf(module) {
  const refs = Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index));
  return refs.map((ref) => ({ ref, ...binaryen.getFunctionInfo(ref) }));
}

// wasm-bindgen makes a JavaScript wrapper for each import and export of the wasm. The package needs only the wrapper of the one
// import, sha256: engine.mjs calls the exports itself. This module passes on that wrapper and drops the others.
function writeImportsModule(wasm) {
  const names = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  if (names.length !== 1) throw new Error(`the wasm must import only sha256, but it imports ${names.join(", ")}`);
  const lines = [
    `import { ${names.join(", ")} } from "./ofauth_edge_bg.js";`,
    'export { __wbg_set_wasm } from "./ofauth_edge_bg.js";',
    // Bundlers can leave out an object literal that is not used. They cannot leave out a namespace import.
    `export const imports = { ${names.join(", ")} };`,
  ];
  writeFileSync(join(glueFolder, "imports.js"), `${lines.join("\n")}\n`);
}

/** Runs a program of the build. If it fails, so does the build. */
export function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
}
