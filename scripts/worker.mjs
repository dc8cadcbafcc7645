// Builds the Worker with worker-build. Does nothing if the last build used the same sources and tools.
//
//   node scripts/worker.mjs                builds into build/
//   node scripts/worker.mjs --test-hooks   builds into target/worker-test-hooks/, with code that only tests need
//   node scripts/worker.mjs --names        builds into target/worker-names/, with the names of functions, for `make weight`

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashInputs, isUpToDate, root } from "./inputs.mjs";

const toolsFolder = join(root, ".tools/bin");
const [, , option] = process.argv;
const withNames = option === "--names";
const features = option === "--test-hooks" ? "worker,test-hooks" : "worker";
const outputFolder = option ? `target/worker-${option.slice(2)}` : "build";
const stampFile = join(root, outputFolder, ".made-from");

const inputsHash = hashInputs(["scripts/worker.mjs", "scripts/bundle.mjs"]);
if (!isUpToDate(join(root, outputFolder, "index.js"), stampFile, inputsHash)) build();

function build() {
  console.log(option ? `Worker (${option}): building` : "Worker: building");
  const crate = writeCrate();
  const { status, error } = spawnSync(join(toolsFolder, "worker-build"), [crate, "--release", "--out-dir", join(root, outputFolder), "--features", features], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      CARGO_TARGET_DIR: join(root, "target"),
      ...(withNames && { CARGO_PROFILE_RELEASE_STRIP: "debuginfo" }),
      // worker-build downloads every tool whose path is not set here.
      WASM_BINDGEN_BIN: join(toolsFolder, "wasm-bindgen"),
      ESBUILD_BIN: join(root, "scripts/bundle.mjs"),
      WASM_OPT_BIN: join(root, "node_modules/binaryen/bin/wasm-opt"),
    },
  });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
  writeFileSync(stampFile, inputsHash);
}

// Writes a manifest for the same sources as a cdylib alone, and returns its folder. worker-build calls `cargo build`, and
// cargo does no link-time optimisation for a crate that is an rlib too. The tests need the rlib.
function writeCrate() {
  const folder = join(root, "target/worker-crate");
  const manifest = readFileSync(join(root, "Cargo.toml"), "utf8")
    .replace('crate-type = ["cdylib", "rlib"]', `path = ${JSON.stringify(join(root, "src/lib.rs"))}\ncrate-type = ["cdylib"]`)
    .replace(/\[\[test\]\]\n(?:.+\n)+/g, "")
    .replace('wasm-opt = ["-Oz"]', withNames ? 'wasm-opt = ["-Oz", "-g"]' : "$&");
  if (!manifest.includes('crate-type = ["cdylib"]')) throw new Error("Cargo.toml has another crate-type than this script expects");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Cargo.toml"), manifest);
  copyFileSync(join(root, "Cargo.lock"), join(folder, "Cargo.lock"));
  return folder;
}
