// The tarball itself: what is in it, and what it says of itself.

import assert from "node:assert/strict";
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
    "package/LICENSE-fflate",
    "package/README.md",
    "package/client.cjs",
    "package/client.d.cts",
    "package/client.d.ts",
    "package/client.js",
    "package/core.js",
    "package/embedded.cjs",
    "package/embedded.js",
    "package/index.cjs",
    "package/index.d.cts",
    "package/index.d.ts",
    "package/index.js",
    "package/ofauth_edge.wasm",
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

test("it installs nothing else and runs nothing", () => {
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
  for (const target of targets(manifest.exports)) readFileSync(join(installed, "ofauth-edge", target));
});

test("@arethetypeswrong/cli finds nothing", async () => {
  const args = ["--pack", "pkg", "--profile", "node16", "--exclude-entrypoints", "./ofauth_edge.wasm"];
  const { status, stdout, stderr } = await run(tool("attw"), args, { cwd: root });
  assert.equal(status, 0, stdout + stderr);
});

test("publint finds nothing", async () => {
  const { status, stdout, stderr } = await run(tool("publint"), ["--strict", "pkg"], { cwd: root });
  assert.equal(status, 0, stdout + stderr);
});
