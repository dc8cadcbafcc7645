// Writes the licenses of the software that is compiled into the wasm: crates, and Rust's own libraries. All are used under the
// MIT license, which asks for a copy of the notice.

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../scripts/inputs.mjs";

// The crates that the code of the wasm uses directly. Their own dependencies are in it too. Other dependencies are used only by
// the Worker.
const DIRECT = ["ct-codecs", "hmac", "serde", "serde_json", "sha2", "talc", "wasm-bindgen"];
const RUST = { name: "Rust standard library", version: "", copyright: "Copyright (c) The Rust Project Contributors" };

/**
 * Returns the text of the notices.
 * @param functionNames  the names of the functions in the wasm; each crate that they name must be among the notices
 */
export function collectNotices(functionNames) {
  const crates = linkedCrates("npm", (name) => DIRECT.includes(name));
  const known = new Set(["ofauth_edge", "core", "alloc", "std", "__rustc", ...crates.map(({ name }) => name.replaceAll("-", "_"))]);
  for (const name of functionNames) {
    const [, crate] = /^<?(\w+)(?:\[[0-9a-f]+\])?::/.exec(name) ?? [];
    if (crate !== undefined && !known.has(crate)) throw new Error(`${name} is in the wasm, but notices.mjs does not list its crate`);
  }
  const licenses = crates.map(readLicense);
  const mit = licenses.find(({ name }) => name === "hmac").text.replace(/^Copyright.*\n+/m, "");
  const text = [...licenses.map(({ name, version, text }) => `${name} ${version}\n\n${text}`), `${RUST.name}\n\n${RUST.copyright}\n\n${mit}`];
  const head = "ofauth_edge.wasm, and the copies of it in embedded.js and embedded.cjs, contain the following software.\n";
  return `${[head, ...text].join(`\n${"-".repeat(80)}\n\n`)}`;
}

/**
 * The crates whose code is linked into a wasm of ours, in the order of their names: packages of `cargo metadata`.
 * @param {string} feature  with which it is compiled
 * @param {(name: string) => boolean} isUsed  of the crates that Cargo.toml names
 */
export function linkedCrates(feature, isUsed) {
  const args = ["metadata", "--format-version", "1", "--features", feature, "--filter-platform", "wasm32-unknown-unknown", "--locked"];
  const { status, stdout, stderr } = spawnSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(stderr);
  const { packages, resolve } = JSON.parse(stdout);
  const byId = new Map(packages.map((one) => [one.id, one]));
  const dependencies = new Map(resolve.nodes.map(({ id, deps }) => [id, deps.filter(isLinked).map(({ pkg }) => pkg)]));
  const found = new Set();
  const visit = (id) => {
    const isMacro = byId.get(id).targets.some(({ kind }) => kind.includes("proc-macro"));
    if (isMacro || found.has(id)) return;
    found.add(id);
    dependencies.get(id).forEach(visit);
  };
  dependencies.get(resolve.root).filter((id) => isUsed(byId.get(id).name)).forEach(visit);
  // A crate of the project has no source.
  return [...found].map((id) => byId.get(id)).filter(({ source }) => source !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isLinked({ dep_kinds: kinds }) {
  return kinds.some(({ kind }) => kind === null);
}

function readLicense({ name, version, license, manifest_path: manifest }) {
  const folder = dirname(manifest);
  const file = ["LICENSE-MIT", "LICENSE-MIT.txt", "LICENSE.md", "LICENSE", "LICENSE.txt"].find((file) => readdirSync(folder).includes(file));
  const text = file && readFileSync(join(folder, file), "utf8");
  if (!/\bMIT\b/.test(license) || !/Permission is hereby granted/.test(text)) throw new Error(`${name} has no MIT license file`);
  return { name, version, text };
}
