// Builds the npm package into pkg/, a folder to pack, unless pkg/ was made from the very same sources and tools.
//
//   node pkg-template/build.mjs

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import binaryen from "binaryen";
import { build } from "esbuild";
import { hashInputs, isUpToDate, root } from "../scripts/inputs.mjs";

const pkg = join(root, "pkg");
const template = join(root, "pkg-template");
const made = join(root, "target/npm");
// What all runtimes that are supported have. SIMD makes SHA-256 quicker.
const RUST_FEATURES = "-Ctarget-feature=+simd128";
// Small functions are inlined, which pays in size too; "z" alone inlines next to nothing. Short copies are
// done in place: V8 leaves wasm for each memory.copy.
const INLINING = "-Cllvm-args=-inline-threshold=50 -max-store-memcpy=4";
const WASM_FEATURES = ["SIMD128", "BulkMemory", "BulkMemoryOpt", "SignExt", "MutableGlobals", "NontrappingFPToInt", "Multivalue", "ReferenceTypes"];
// Where a panic is in the sources, which only its message would say.
const PLACES = /(\/rustc\/[0-9a-f]{40}\/library|index\.crates\.io-[0-9a-f]+|src)\/[\w./-]+\.rs/g;
// What only it would say, too; filled with zeros, that costs nothing once it is compressed.
const LAST_WORDS = new RegExp(
  [
    String.raw`slice index starts at | but ends at |index out of bounds: the len is | but the index is `,
    String.raw`range (start|end) index |" out of range for slice of length |any key length|mid > len`,
    String.raw`called \x60\w+::unwrap\(\)\x60 on an? \x60\w+\x60 value|attempt to [\w ]+ with len > usize::MAX|InvalidLength`,
    String.raw`capacity overflow|RefCell already \w+`,
    String.raw`cannot access a Thread Local Storage value during or after destruction: |AccessError`,
    String.raw`Utf8Errorvalid_up_toerror_len|0001020304\d{190}|0x0123456789ABCDEF`,
  ].join("|"),
  "g",
);
// wasm-bindgen's own, for values of JavaScript in the wasm, of which there are none, and for exceptions thrown across it.
const UNUSED = ["__wbindgen_start", "__wbindgen_externrefs", "__abort_handler", "__instance_terminated"];
const PANICS = /panicking|_fail(_rt)?$|unwrap_failed|expect_failed|handle_error|capacity_overflow|handle_alloc_error|panic_access_error|fmt::Debug>::fmt/;

const stampFile = join(made, ".made-from");
const key = hashInputs(["pkg-template", "LICENSE", "package-lock.json"]);
if (!isUpToDate(join(pkg, "package.json"), stampFile, key)) {
  console.log("npm package: building");
  rmSync(pkg, { recursive: true, force: true });
  mkdirSync(pkg, { recursive: true });
  const wasm = makeWasm();
  nameImports(wasm);
  await makeJavaScript(wasm);
  copyRest();
  writeFileSync(stampFile, key);
}
printSizes();

function makeWasm() {
  // As a cdylib alone: with the rlib beside it, cargo would leave link-time optimisation out, and the wasm is twice as large.
  const crate = ["rustc", "--quiet", "--lib", "--crate-type", "cdylib", "--profile", "npm", "--features", "npm"];
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  run("cargo", [...crate, "--target", "wasm32-unknown-unknown", "--target-dir", made], {
    // The paths of the machine that builds are nobody's business.
    CARGO_ENCODED_RUSTFLAGS: [RUST_FEATURES, INLINING, `--remap-path-prefix=${join(cargoHome, "registry/src")}=`].join("\x1f"),
  });
  const compiled = join(made, "wasm32-unknown-unknown/npm/ofauth_edge.wasm");
  const glue = ["--target", "bundler", "--no-typescript", "--remove-producers-section"];
  run(join(root, ".tools/bin/wasm-bindgen"), [compiled, ...glue, "--out-dir", join(made, "glue")]);
  const wasm = optimised(readFileSync(join(made, "glue/ofauth_edge_bg.wasm")));
  writeFileSync(join(pkg, "ofauth_edge.wasm"), wasm);
  return Buffer.from(wasm);
}

// A panic ends in a trap. What it does before, composing a message for a stderr that is not there, is cut off.
function optimised(bytes) {
  for (const words of [PLACES, LAST_WORDS]) {
    for (const { 0: { length }, index } of bytes.toString("latin1").matchAll(words)) bytes.fill(0, index, index + length);
  }
  const module = binaryen.readBinary(bytes);
  module.setFeatures(WASM_FEATURES.reduce((all, feature) => all | binaryen.Features[feature], 0));
  let cut = 0;
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const ref = module.getFunctionByIndex(index);
    const { name, module: importedFrom } = binaryen.getFunctionInfo(ref);
    if (importedFrom || !PANICS.test(name)) continue;
    binaryen.Function.setBody(ref, module.unreachable());
    cut++;
  }
  if (cut === 0) throw new Error("no panic in the wasm: have its functions lost their names, or been renamed?");
  for (const name of UNUSED) module.removeExport(name);
  binaryen.setOptimizeLevel(4);
  binaryen.setShrinkLevel(0);
  module.optimize();
  module.optimize();
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const { name } = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (/fmt::num|pad_integral|Display/.test(name)) throw new Error(`${name} is left in the wasm, and what it writes with is filled with zeros`);
  }
  module.runPasses(["strip-debug", "strip-producers", "strip-target-features"]);
  return module.emitBinary();
}

// Of the glue, only what the wasm imports goes into the package; the calls are made in engine.mjs.
function nameImports(wasm) {
  const names = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  if (names.length !== 1) throw new Error(`the wasm imports ${names}, and what more than sha256 needs is cut off`);
  const lines = [
    `import { ${names.join(", ")} } from "./ofauth_edge_bg.js";`,
    'export { __wbg_set_wasm } from "./ofauth_edge_bg.js";',
    // An object that is plain to see can be left out, a namespace cannot.
    `export const imports = { ${names.join(", ")} };`,
  ];
  writeFileSync(join(made, "glue/imports.js"), `${lines.join("\n")}\n`);
}

// The entries share core.js and client.js; CommonJS has no such sharing, each of its entries is whole but for the wasm. That goes in
// deflated: base64 of anything else would grow by a third where it is compressed again.
async function makeJavaScript(wasm) {
  const deflated = deflate(join(pkg, "ofauth_edge.wasm")).toString("base64");
  writeFileSync(join(made, "deflated.js"), `export const bytes = ${wasm.length};\nexport const deflated = "${deflated}";\n`);
  const entries = (...names) => names.map((name) => join(template, `${name}.mjs`));
  const options = { bundle: true, outdir: pkg, target: "es2022", platform: "neutral", logLevel: "warning" };
  const apart = ["./core.js", "./client.js", "./embedded.js", "./embedded.cjs", "./ofauth_edge.wasm"];
  const parts = {
    "./imports.js": join(made, "glue/imports.js"),
    "./ofauth_edge_bg.js": join(made, "glue/ofauth_edge_bg.js"),
    "./core.js": join(template, "core.mjs"),
    "./client.js": join(template, "client.mjs"),
    "./deflated.js": join(made, "deflated.js"),
  };
  const common = { ...options, format: "cjs", outExtension: { ".js": ".cjs" }, define: { "import.meta.url": "undefined" } };
  await build({ ...options, entryPoints: entries("core", "client", "embedded"), format: "esm", plugins: [resolving(parts)] });
  await build({ ...options, entryPoints: entries("index", "slim", "workerd"), format: "esm", plugins: [resolving({}, apart)] });
  await build({ ...common, entryPoints: entries("embedded"), plugins: [resolving(parts)] });
  const whole = { ...parts, "./embedded.js": "./embedded.cjs" };
  await build({ ...common, entryPoints: entries("index", "slim", "client"), plugins: [resolving(whole, apart)] });
}

// By zopfli, which takes its time: a fifteenth less to download than from zlib. It writes gzip, of which what stands around is cut.
function deflate(path) {
  // What it writes stands beside what it reads.
  const copy = join(made, "embedded.wasm");
  copyFileSync(path, copy);
  run(join(root, ".tools/bin/zopfli"), [copy]);
  const gzip = readFileSync(`${copy}.gz`);
  const [, , method, flags] = gzip;
  if (method !== 8 || flags !== 0) throw new Error("zopfli wrote another header than a plain one");
  return gzip.subarray(10, -8);
}

// Imports of names in `places` are found there; what is then in `apart` stays a file of its own. What wasm-bindgen has copied
// is taken from where it stands, since the engine imports it too and there must be one of it.
function resolving(places, apart = []) {
  const setup = ({ onResolve }) => {
    onResolve({ filter: /^\.\/snippets\// }, ({ path }) => ({ path: join(root, path.replace(/^\.\/snippets\/[^/]+\//, "")) }));
    onResolve({ filter: /^\./ }, ({ path: name }) => {
      const path = places[name] ?? name;
      return apart.includes(path) ? { path, external: true } : name in places ? { path } : undefined;
    });
  };
  return { name: "places", setup };
}

function copyRest() {
  const manifest = JSON.parse(readFileSync(join(template, "package.json"), "utf8"));
  manifest.version = /^version = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))[1];
  writeFileSync(join(pkg, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(template, "README.md"), join(pkg, "README.md"));
  copyFileSync(join(root, "LICENSE"), join(pkg, "LICENSE"));
  copyFileSync(join(root, "node_modules/fflate/LICENSE"), join(pkg, "LICENSE-fflate"));
  copyTypes(join(root, "src/npm/types.d.ts"), "index");
  copyTypes(join(template, "slim.d.ts"), "slim");
  copyTypes(join(template, "client.d.ts"), "client");
}

function copyTypes(from, name) {
  const types = readFileSync(from, "utf8");
  writeFileSync(join(pkg, `${name}.d.ts`), types);
  writeFileSync(join(pkg, `${name}.d.cts`), types.replace(/"\.\/(index|client)\.js"/g, '"./$1.cjs"'));
}

function printSizes() {
  const wasm = readFileSync(join(pkg, "ofauth_edge.wasm"));
  console.log(`npm package: pkg/ofauth_edge.wasm has ${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} gzipped`);
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
}
