// Downloads tools that their projects publish as archives. An archive is used only if scripts/pins.json has its SHA-256. The
// archives come from GitHub, or from $TOOLS_MIRROR, which has them under the same paths.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

// Where a tool's archive is, and the folder in it that has the programs. The two projects name and pack them in their own way.
const ARCHIVES = {
  "wasm-bindgen-cli": {
    targets: {
      "linux-x64": "x86_64-unknown-linux-musl",
      "linux-arm64": "aarch64-unknown-linux-musl",
      "darwin-x64": "x86_64-apple-darwin",
      "darwin-arm64": "aarch64-apple-darwin",
    },
    folder: (version, target) => `wasm-bindgen-${version}-${target}`,
    path: (version, folder) => `wasm-bindgen/wasm-bindgen/releases/download/${version}/${folder}.tar.gz`,
  },
  "worker-build": {
    targets: {
      "linux-x64": "x86_64-unknown-linux-gnu",
      "linux-arm64": "aarch64-unknown-linux-gnu",
      "darwin-x64": "x86_64-apple-darwin",
      "darwin-arm64": "aarch64-apple-darwin",
    },
    folder: (version, target) => `worker-build-${target}-v${version}`,
    path: (version, folder) => `cloudflare/workers-rs/releases/download/v${version}/${folder}.tgz`,
  },
};

// A download that is slower than this takes longer than compiling does.
const LIMITS = ["--connect-timeout", "5", "--speed-limit", "50000", "--speed-time", "8", "--max-time", "90"];
// What curl's exit codes mean. All others are reported as numbers.
const CURL_ERRORS = {
  6: "the host is unknown",
  7: "there is no connection",
  18: "the archive is incomplete",
  22: "the server does not have it",
  28: "it takes too long",
};

/** The platforms for which a tool has archives. */
export function platformsOf(crate) {
  return Object.keys(ARCHIVES[crate]?.targets ?? {});
}

/** The SHA-256 of a tool's archive, or undefined if none is pinned for this version and platform. */
export function pinOf(root, crate, version, platform) {
  const pins = JSON.parse(readFileSync(join(root, "scripts/pins.json"), "utf8"));
  return pins[`${crate} ${version}`]?.[platform];
}

/**
 * Downloads a tool's archive.
 * @param {string} file   where to write it
 * @returns {string | undefined} why there is none
 */
export function download(crate, version, platform, file) {
  const { path, folder } = archiveOf(crate, version, platform);
  const mirror = (process.env.TOOLS_MIRROR || "https://github.com").replace(/\/+$/, "");
  const args = ["--fail", "--silent", "--location", "--proto", "=http,https", ...LIMITS, "--output", file];
  const { status, error } = spawnSync("curl", [...args, `${mirror}/${path(version, folder)}`], { stdio: "ignore" });
  if (error) return "there is no curl";
  return status === 0 ? undefined : (CURL_ERRORS[status] ?? `curl ended with ${status}`);
}

/** The SHA-256 of a file, in hexadecimal. */
export function hashOf(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/**
 * Installs the programs of a tool from its archive.
 * @param {{crate: string, version: string, binaries: string[]}} tool
 * @param {string} toolsFolder   its bin/ gets the programs
 * @returns {string | undefined} why that is not possible
 */
export function installPrebuilt({ crate, version, binaries }, platform, pin, toolsFolder) {
  mkdirSync(join(toolsFolder, "bin"), { recursive: true });
  const temporary = mkdtempSync(join(toolsFolder, "download-"));
  try {
    const archive = join(temporary, "archive");
    const problem = download(crate, version, platform, archive);
    if (problem) return problem;
    if (hashOf(archive) !== pin) return "its SHA-256 is not the pinned one";
    if (spawnSync("tar", ["-xzf", archive, "-C", temporary], { stdio: "ignore" }).status !== 0) return "tar cannot unpack it";
    const folder = join(temporary, archiveOf(crate, version, platform).folder);
    for (const binary of binaries) chmodSync(join(folder, binary), 0o755);
    // A program for another C library does not start.
    const { status, stdout } = spawnSync(join(folder, binaries[0]), ["--version"], { encoding: "utf8" });
    if (status !== 0 || !stdout.includes(version)) return "its program does not run here";
    // A copy beside the old program takes its place in one step.
    for (const binary of binaries) {
      copyFileSync(join(folder, binary), join(toolsFolder, "bin", `${binary}.new`));
      renameSync(join(toolsFolder, "bin", `${binary}.new`), join(toolsFolder, "bin", binary));
    }
    return undefined;
  } catch (error) {
    return error.message;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function archiveOf(crate, version, platform) {
  const { targets, folder, path } = ARCHIVES[crate];
  return { path, folder: folder(version, targets[platform]) };
}
