// Installs the tools that are written in Rust into .tools/bin/. Takes a published archive if scripts/pins.json has its hash,
// and otherwise compiles the tool.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPrebuilt, pinOf } from "./prebuilt.mjs";
import { lockedVersion, logStep, platform, root, run, stamp, toolsFolder, updateStamp } from "./steps.mjs";

const ZOPFLI_VERSION = "0.8.4";

/**
 * The tools. The version of wasm-bindgen-cli must be exactly that of the `wasm-bindgen` crate, and the version of worker-build
 * exactly that of the `worker` crate. zopfli compresses the wasm of the npm package. Debug builds compile in half the time.
 * `duration`: how long compiling takes on two cores.
 */
export const RUST_TOOLS = [
  // Its default feature adds TLS to the test runner, which doubles the time to compile. Our tests run on loopback.
  {
    crate: "wasm-bindgen-cli",
    binaries: ["wasm-bindgen", "wasm-bindgen-test-runner"],
    version: lockedVersion("wasm-bindgen"),
    flags: ["--no-default-features", "--debug"],
    duration: "2 minutes",
  },
  { crate: "worker-build", binaries: ["worker-build"], version: lockedVersion("worker"), flags: ["--debug"], duration: "2 minutes" },
  { crate: "zopfli", binaries: ["zopfli"], version: ZOPFLI_VERSION, flags: ["--locked"], duration: "half a minute" },
];

/** Installs those of the tools that are missing or have another version. */
export function installRustTools(tools) {
  for (const tool of tools) if (!isInstalled(tool)) install(tool);
  rmSync(join(toolsFolder, "target"), { recursive: true, force: true });
}

function isInstalled({ binaries, version }) {
  return binaries.every((binary) => stamp[binary] === version && existsSync(join(toolsFolder, "bin", binary)));
}

function install(tool) {
  const { crate, version, binaries } = tool;
  const pin = pinOf(root, crate, version, platform);
  if (pin) {
    logStep(`downloading ${crate} ${version}`);
    const problem = installPrebuilt(tool, platform, pin, toolsFolder);
    if (problem) {
      logStep(`${crate} cannot be downloaded: ${problem}`);
      compile(tool);
    }
  } else {
    compile(tool);
  }
  updateStamp(Object.fromEntries(binaries.map((binary) => [binary, version])));
}

// All tools share one target folder, so that they share compiled dependencies.
function compile({ crate, version, binaries, flags, duration }) {
  logStep(`compiling ${crate} ${version} (about ${duration}, once)`);
  const source = [crate, "--version", version, ...binaries.flatMap((binary) => ["--bin", binary]), ...flags];
  run("cargo", ["install", ...source, "--force", "--root", toolsFolder, "--target-dir", join(toolsFolder, "target")]);
}
