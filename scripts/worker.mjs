// Builds the Worker. Does nothing if the last build used the same sources and tools.
//
//   node scripts/worker.mjs                builds into build/, which is what is deployed
//   node scripts/worker.mjs --dev          builds into target/worker-dev/, for `make run`: larger and slower code, much sooner
//   node scripts/worker.mjs --test-hooks   builds into target/worker-test-hooks/, with code that only tests need
//   node scripts/worker.mjs --names        builds into target/worker-names/, with the names of functions, for `make weight`

import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { hashInputs, isUpToDate, root } from "./inputs.mjs";

// The profile of Cargo.toml for --dev.
const DEV_PROFILE = "quick";

const toolsFolder = join(root, ".tools/bin");
const [, , option] = process.argv;
const withNames = option === "--names";
const features = option === "--test-hooks" ? "worker,test-hooks" : "worker";
const outputFolder = join(root, option ? `target/worker-${option.slice(2)}` : "build");
const stampFile = join(outputFolder, ".made-from");

const STEPS = ["worker", "linker", "optimise", "order", "wasm", "bundle", "glue"];
const inputsHash = hashInputs(STEPS.map((name) => `scripts/${name}.mjs`));
if (!isUpToDate(join(outputFolder, "index.js"), stampFile, inputsHash)) {
  if (option === "--dev") buildForDevelopment();
  else build();
  writeFileSync(stampFile, inputsHash);
}

function build() {
  console.log(`Worker${option ? ` (${option})` : ""}: compiling and optimising (up to 3 minutes)`);
  const crate = writeCrate();
  run(join(toolsFolder, "worker-build"), [crate, "--release", "--out-dir", outputFolder, "--features", features], root, {
    CARGO_TARGET_DIR: join(root, "target"),
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: join(root, "scripts/linker.mjs"),
    // The messages of panics name source files. --remap-path-prefix cuts the folders of the machine from them.
    // Structs of more than two words are copied by one instruction, and not word by word.
    CARGO_ENCODED_RUSTFLAGS: [...sourceFolders().map((folder) => `--remap-path-prefix=${folder}=`), "-Cllvm-args=-max-store-memcpy=2"].join("\x1f"),
    // worker-build downloads every tool whose path is not set here.
    WASM_BINDGEN_BIN: join(toolsFolder, "wasm-bindgen"),
    ESBUILD_BIN: join(root, "scripts/bundle.mjs"),
    WASM_OPT_BIN: join(root, "scripts/optimise.mjs"),
  });
}

// The folder of the project, and those in which cargo keeps the sources of crates: one for each registry.
function sourceFolders() {
  const registries = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  return [root, ...readdirSync(registries).map((name) => `${join(registries, name)}/`)];
}

// Writes a manifest for the same sources as a cdylib alone, and returns its folder. worker-build calls `cargo build`, and
// cargo does no link-time optimisation for a crate that is an rlib too. The tests need the rlib.
function writeCrate() {
  const folder = join(root, "target/worker-crate");
  const manifest = readFileSync(join(root, "Cargo.toml"), "utf8")
    .replace('crate-type = ["cdylib", "rlib"]', `path = ${JSON.stringify(join(root, "src/lib.rs"))}\ncrate-type = ["cdylib"]`)
    .replace(/\[\[test\]\]\n(?:.+\n)+/g, "")
    .replace("wasm-opt = []", withNames ? 'wasm-opt = ["-g"]' : "$&");
  if (!manifest.includes('crate-type = ["cdylib"]')) throw new Error("Cargo.toml has another crate-type than this script expects");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Cargo.toml"), manifest);
  copyFileSync(join(root, "Cargo.lock"), join(folder, "Cargo.lock"));
  // A crate in the same folder is compiled to the same bytes wherever that is. An unchanged file keeps its time, so cargo trusts it.
  cpSync(join(root, "cipher"), join(folder, "cipher"), { recursive: true, preserveTimestamps: true });
  return folder;
}

// Takes the steps of worker-build that development needs, without worker-build, which takes minutes to compile. wasm-opt and
// the minifier are left out.
function buildForDevelopment() {
  const compiled = join(root, "target/wasm32-unknown-unknown", DEV_PROFILE, "ofauth_edge.wasm");
  console.log(`Worker: compiling for development${existsSync(compiled) ? "" : " (about a minute the first time)"}`);
  const cargoArgs = ["rustc", "--lib", "--crate-type", "cdylib", "--profile", DEV_PROFILE, "--features", features];
  run("cargo", [...cargoArgs, "--target", "wasm32-unknown-unknown", "--target-dir", join(root, "target")], root);

  // wrangler may read the output folder at any time, so it gets whole files only.
  const staging = `${outputFolder}.new`;
  rmSync(staging, { recursive: true, force: true });
  // The two flags give the wasm what src/worker/entry.js needs to start it anew after a panic.
  const panicFlags = ["--experimental-reset-state-function", "--force-enable-abort-handler"];
  const bindgenArgs = ["--target", "module", "--no-typescript", "--out-name", "index", ...panicFlags];
  run(join(toolsFolder, "wasm-bindgen"), [compiled, ...bindgenArgs, "--out-dir", staging], root);
  const externals = ["--external:./index_bg.wasm", "--external:cloudflare:*"];
  run(join(root, "scripts/bundle.mjs"), [...externals, "--format=esm", "--bundle", "./shim.js", "--outfile=index.js", "--allow-overwrite", "--log-level=warning"], staging);
  // wasm-bindgen imports the wasm in the source phase, which Workers does with a plain import.
  const script = readFileSync(join(staging, "index.js"), "utf8").replace("import source ", "import ");
  writeFileSync(join(staging, "index.js"), script);
  mkdirSync(outputFolder, { recursive: true });
  for (const file of ["index_bg.wasm", "index.js"]) renameSync(join(staging, file), join(outputFolder, file));
  rmSync(staging, { recursive: true });
}

function run(command, args, cwd, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
}
