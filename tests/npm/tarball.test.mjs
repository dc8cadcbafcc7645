// The tarball itself: what is in it, and what it says of itself.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { installed, root, run, tarball, tool } from "./project.mjs";

const manifest = JSON.parse(readFileSync(join(installed, "ofauth-edge/package.json"), "utf8"));

test("the tarball holds what it needs and nothing else", async () => {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  assert.deepEqual(stdout.trim().split("\n").sort(), [
    "package/LICENSE",
    "package/NOTICE",
    "package/README.md",
    "package/cli.js",
    "package/client.cjs",
    "package/client.d.cts",
    "package/client.d.ts",
    "package/client.js",
    "package/core.js",
    "package/element.cjs",
    "package/element.d.cts",
    "package/element.d.ts",
    "package/element.js",
    "package/embedded.cjs",
    "package/embedded.js",
    "package/generated.d.cts",
    "package/generated.d.ts",
    "package/index.cjs",
    "package/index.d.cts",
    "package/index.d.ts",
    "package/index.js",
    "package/node.js",
    "package/ofauth_edge.wasm",
    "package/ofauth_edge.wasm.d.ts",
    "package/ofauth_edge.wasm.sha256",
    "package/package.json",
    "package/slim.cjs",
    "package/slim.d.cts",
    "package/slim.d.ts",
    "package/slim.js",
    "package/workerd.js",
  ]);
});

test("the wasm is embedded once for import and once for require, in a module of its own", () => {
  const base64 = /[\w+/]{1000}/;
  const carry = (name) => base64.test(readFileSync(join(installed, "ofauth-edge", name), "utf8"));
  const modules = readdirSync(join(installed, "ofauth-edge")).filter((name) => /\.c?js$/.test(name)).sort();
  assert.deepEqual(modules.filter(carry), ["embedded.cjs", "embedded.js"]);
});

test("an install adds nothing else and runs nothing", () => {
  for (const name of ["scripts", "dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies", "gypfile"]) {
    assert.equal(manifest[name], undefined, name);
  }
});

test("nothing in it names the machine that built it", async () => {
  const { stdout } = await run("tar", ["-xzOf", tarball]);
  for (const place of [root, homedir(), "/.cargo/"]) assert.ok(!stdout.includes(place), place);
});

test("every entry of its exports is there", () => {
  const targets = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(targets));
  for (const target of targets(manifest.exports)) readFileSync(join(installed, "ofauth-edge", target.replace(/\?module$/, "")));
});

test("@arethetypeswrong/cli finds no fault", async () => {
  const args = ["--pack", "pkg", "--profile", "node16", "--exclude-entrypoints", "./ofauth_edge.wasm", "./ofauth_edge.wasm?module"];
  const { status, stdout, stderr } = await run(tool("attw"), args, { cwd: root });
  assert.equal(status, 0, stdout + stderr);
});

test("publint finds no fault", async () => {
  const { status, stdout, stderr } = await run(tool("publint"), ["--strict", "pkg"], { cwd: root });
  assert.equal(status, 0, stdout + stderr);
});

test("the wasm has an entry with ?module for Next.js, whose target has it too, and both have types", () => {
  const { "./ofauth_edge.wasm": wasm, "./ofauth_edge.wasm?module": withQuery } = manifest.exports;
  assert.equal(withQuery["edge-light"], "./ofauth_edge.wasm?module");
  for (const entry of [wasm, withQuery]) assert.deepEqual([entry.types, entry.default], ["./ofauth_edge.wasm.d.ts", "./ofauth_edge.wasm"]);
});

test("package.json names the repository and where to report a fault, as soon as Cargo.toml names it", () => {
  const [, url] = /^repository = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8")) ?? [];
  const { repository, homepage, bugs } = manifest;
  const expected = url && { repository: { type: "git", url: `git+${url}.git` }, homepage: `${url}#the-npm-package`, bugs: { url: `${url}/issues` } };
  assert.deepEqual({ repository, homepage, bugs }, expected ?? { repository: undefined, homepage: undefined, bugs: undefined });
});

test("NOTICE names every crate whose code is in the wasm, with its license; no code of another npm package is in it", () => {
  const notice = readFileSync(join(installed, "ofauth-edge/NOTICE"), "utf8");
  for (const crate of ["hmac", "sha2", "digest", "hybrid-array", "typenum", "ct-codecs", "talc", "lock_api", "wasm-bindgen", "ctutils"]) {
    assert.match(notice, new RegExp(`^${crate} \\d+\\.\\d+\\.\\d+$`, "m"), crate);
  }
  assert.match(notice, /^Rust standard library$/m);
  assert.ok(notice.match(/Permission is hereby granted/g).length >= 15);
  const code = readdirSync(join(installed, "ofauth-edge")).filter((name) => /\.c?js$/.test(name));
  for (const name of code) assert.doesNotMatch(readFileSync(join(installed, "ofauth-edge", name), "utf8"), /node_modules\//, name);
});

test("the SHA-256 of the wasm is in a file beside it", () => {
  const folder = join(installed, "ofauth-edge");
  const digest = createHash("sha256").update(readFileSync(join(folder, "ofauth_edge.wasm"))).digest("hex");
  assert.equal(readFileSync(join(folder, "ofauth_edge.wasm.sha256"), "utf8"), `${digest}  ofauth_edge.wasm\n`);
});
