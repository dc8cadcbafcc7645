// Builds the npm package into pkg/, a folder to pack, unless pkg/ was made from the very same sources and tools.
//
//   node pkg-template/build.mjs

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import binaryen from "binaryen";
import { build } from "esbuild";
import { hashOfInputs, isCurrent, root } from "../scripts/inputs.mjs";

const pkg = join(root, "pkg");
const template = join(root, "pkg-template");
const made = join(root, "target/npm");
// What all runtimes that are supported have: Node 18, Safari 16.4, Chrome 91, Firefox 89. SIMD makes SHA-256 quicker.
const RUST_FEATURES = "-Ctarget-feature=+simd128";
// Small functions are inlined, which pays in size too; "z" alone inlines next to nothing.
const INLINING = "-Cllvm-args=-inline-threshold=25";
const WASM_FEATURES = ["SIMD128", "BulkMemory", "BulkMemoryOpt", "SignExt", "MutableGlobals", "NontrappingFPToInt", "Multivalue", "ReferenceTypes"];
// Where a panic is in the sources, which only its message would say.
const PLACES = /(\/rustc\/[0-9a-f]{40}\/library|index\.crates\.io-[0-9a-f]+|src)\/[\w./-]+\.rs/g;
const PANICS = /panicking|_fail(_rt)?$|unwrap_failed|expect_failed|handle_error|capacity_overflow|handle_alloc_error|panic_access_error|fmt::Debug>::fmt/;

const stampFile = join(made, ".made-from");
const key = hashOfInputs(["pkg-template", "LICENSE", "package-lock.json"]);
if (!isCurrent(join(pkg, "package.json"), stampFile, key)) {
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
  for (const { 0: { length }, index } of bytes.toString("latin1").matchAll(PLACES)) bytes.fill(0, index, index + length);
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
  binaryen.setOptimizeLevel(4);
  binaryen.setShrinkLevel(0);
  module.optimize();
  module.optimize();
  module.runPasses(["strip-debug", "strip-producers", "strip-target-features"]);
  return module.emitBinary();
}

// Of the glue, only what the wasm imports goes into the package; the calls are made in engine.mjs.
function nameImports(wasm) {
  const names = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  writeFileSync(join(made, "glue/imports.js"), `export { ${["__wbg_set_wasm", ...names].join(", ")} } from "./ofauth_edge_bg.js";\n`);
}

// The entries share core.js; CommonJS has no such sharing, each of its entries is whole. The wasm goes in deflated: base64
// of anything else would grow by a third where it is compressed again.
async function makeJavaScript(wasm) {
  const deflated = deflateRawSync(wasm, { level: 9 }).toString("base64");
  writeFileSync(join(pkg, "embedded.js"), `export const bytes = ${wasm.length};\nexport const deflated = "${deflated}";\n`);
  const entries = (...names) => names.map((name) => join(template, `${name}.mjs`));
  const options = { bundle: true, outdir: pkg, target: "es2022", platform: "neutral", logLevel: "warning" };
  const shared = { "./core.js": null, "./embedded.js": null, "./ofauth_edge.wasm": null };
  const parts = {
    "./imports.js": join(made, "glue/imports.js"),
    "./ofauth_edge_bg.js": join(made, "glue/ofauth_edge_bg.js"),
    "./core.js": join(template, "core.mjs"),
    "./embedded.js": join(pkg, "embedded.js"),
  };
  await build({ ...options, entryPoints: entries("core"), format: "esm", plugins: [resolving(parts)] });
  await build({ ...options, entryPoints: entries("index", "slim", "workerd"), format: "esm", plugins: [resolving(shared)] });
  await build({
    ...options,
    entryPoints: entries("index", "slim"),
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    define: { "import.meta.url": "undefined" },
    plugins: [resolving(parts)],
  });
}

// Imports of these names are found at these paths, or, with null, left as they are. What wasm-bindgen has copied is taken
// from where it stands, since the engine imports it too and there must be one of it.
function resolving(places) {
  const setup = ({ onResolve }) => {
    onResolve({ filter: /^\.\/snippets\// }, ({ path }) => ({ path: join(root, path.replace(/^\.\/snippets\/[^/]+\//, "")) }));
    onResolve({ filter: /^\./ }, ({ path }) =>
      path in places ? (places[path] === null ? { path, external: true } : { path: places[path] }) : undefined);
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
  const types = join(root, "src/npm/types.d.ts");
  for (const extension of ["d.ts", "d.cts"]) copyFileSync(types, join(pkg, `index.${extension}`));
  const slim = readFileSync(join(template, "slim.d.ts"), "utf8");
  writeFileSync(join(pkg, "slim.d.ts"), slim);
  writeFileSync(join(pkg, "slim.d.cts"), slim.replace("./index.js", "./index.cjs"));
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
