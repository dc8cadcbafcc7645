// The licenses of the software that is compiled into the Worker's wasm or copied into www/, for those who get the Worker without its
// sources. The npm package has pkg-template/notices.mjs.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { linkedCrates } from "../pkg-template/notices.mjs";
import { uplotLicense } from "./vendor.mjs";

/** The text of the file NOTICE. Crates with the same license file share one copy of it. */
export function workerNotices() {
  const byText = new Map();
  for (const crate of linkedCrates("worker", () => true)) {
    const text = licenseOf(crate);
    byText.set(text, [...(byText.get(text) ?? []), `${crate.name} ${crate.version}`]);
  }
  const parts = [...byText].map(([text, names]) => `${names.join(", ")}\n\n${text}`);
  const head = "index_bg.wasm, and the JavaScript that starts it in index.js, contain the software below and Rust's standard library.\n"
    + "Rust's standard library is under the MIT license too: Copyright (c) The Rust Project Contributors.\n"
    + "www/console/vendor/ contains uPlot.\n";
  return `${[head, ...parts, uplotLicense()].join(`\n${"-".repeat(80)}\n\n`)}`;
}

// Of several licenses to choose from, MIT is chosen if it is one of them.
function licenseOf({ name, license, manifest_path: manifest }) {
  const folder = dirname(manifest);
  const files = readdirSync(folder).filter((file) => /^LICEN[CS]E/i.test(file)).sort();
  const isChoice = /\bMIT\b/.test(license) && !/\bAND\b/.test(license);
  const chosen = isChoice ? files.filter((file) => /^LICEN[CS]E-MIT/i.test(file)) : [];
  const texts = (chosen.length > 0 ? chosen : files).map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (texts.length === 0) throw new Error(`${name} has no file with its license`);
  return `${texts.join("\n\n")}\n`;
}
