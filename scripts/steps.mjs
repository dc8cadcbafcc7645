// What the steps of a set-up share: folders, programs that are run, and the stamp file with the versions of what is installed.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = realpathSync(fileURLToPath(new URL("..", import.meta.url)));
export const toolsFolder = join(root, ".tools");
export const platform = `${process.platform}-${process.arch}`;

const logFile = join(toolsFolder, "setup.log");
const stampFile = join(toolsFolder, "stamp.json");

mkdirSync(toolsFolder, { recursive: true });

/** The versions of the installed tools. scripts/inputs.mjs reads the file too: a new version of a tool must cause a new build. */
export const stamp = readStamp();

/** Adds to the stamp file. */
export function updateStamp(entry) {
  Object.assign(stamp, entry);
  writeFileSync(stampFile, `${JSON.stringify(stamp, null, 2)}\n`);
}

/** Runs a program. Its output goes to .tools/setup.log. If it fails, prints the end of the output and ends the set-up. */
export function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, CARGO_PROFILE_DEV_DEBUG: "0", ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  writeFileSync(logFile, `$ ${command} ${args.join(" ")}\n${stdout ?? ""}${stderr ?? ""}`);
  if (status === 0) return;
  const lastLines = error ? error.message : `${stdout}${stderr}`.trim().split("\n").slice(-20).join("\n");
  fail(`${command} ${args[0]} failed. Its whole output is in .tools/setup.log\n${lastLines}`);
}

/** What a program prints, or null if it fails. */
export function outputOf(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** The version of a crate in Cargo.lock. */
export function lockedVersion(crate) {
  const entry = new RegExp(`^name = "${crate}"\\nversion = "(.+)"$`, "m").exec(readFileSync(join(root, "Cargo.lock"), "utf8"));
  return entry ? entry[1] : fail(`Cargo.lock does not contain ${crate}`);
}

export function logStep(step) {
  console.log(`Set-up: ${step}`);
}

export function fail(message) {
  console.error(message);
  process.exit(1);
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return {};
  }
}
