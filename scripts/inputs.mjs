// Decides whether a build is up to date, so that `make` builds only after a change. The source files and the tools of a
// build are hashed, and the build writes the hash to a stamp file. The next run compares.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

// scripts/setup.mjs writes the versions of the tools to .tools/stamp.json.
const INPUTS_OF_EVERY_BUILD = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".tools/stamp.json", "scripts/inputs.mjs", "cipher", "src"];

/**
 * Hashes the inputs of a build.
 * @param {string[]} entries   files and folders that only this build reads
 */
export function hashInputs(entries) {
  const hash = createHash("sha256");
  for (const file of [...INPUTS_OF_EVERY_BUILD, ...entries].flatMap(listFiles)) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update("\0");
  }
  return hash.digest("hex");
}

/** Whether `output` exists and its stamp file holds this hash. */
export function isUpToDate(output, stampFile, hash) {
  return existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash;
}

function listFiles(entry) {
  if (!statSync(join(root, entry)).isDirectory()) return [entry];
  return readdirSync(join(root, entry)).sort().flatMap((name) => listFiles(join(entry, name)));
}
