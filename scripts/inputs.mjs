// What a build was made from: its files and its tools, as one hash, so that `make` builds again only when one has changed.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const EVERYWHERE = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".tools/stamp.json", "scripts/inputs.mjs", "src"];

// `entries`: files and folders besides those that every build reads.
export function hashOfInputs(entries) {
  const hash = createHash("sha256");
  for (const file of [...EVERYWHERE, ...entries].flatMap(files)) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update("\0");
  }
  return hash.digest("hex");
}

// Whether `stampFile` names the same inputs, and `product` is there.
export function isCurrent(product, stampFile, key) {
  return existsSync(product) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === key;
}

function files(entry) {
  if (!statSync(join(root, entry)).isDirectory()) return [entry];
  return readdirSync(join(root, entry)).sort().flatMap((name) => files(join(entry, name)));
}
