// What is released depends on the sources and the tools only: a copy in another folder, compiled from nothing, gives the same bytes.
// It takes minutes, so `make test-all` runs it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-folders-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const TOOLS = [".tools", "node_modules"];
const LEFT = [...TOOLS, "build", "pkg", "target", "dist", ".git", ".wrangler", ".deploy"];
/** What a build writes into www/. */
const BUILT = ["www/console/package", "www/console/vendor"];

/** Builds a project, and answers its dist/: the files by name. */
function release(project) {
  for (const script of ["scripts/worker.mjs", "pkg-template/build.mjs", "pkg-template/build-console.mjs", "scripts/release.mjs"]) {
    const { VERSION: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: project, env, encoding: "utf8", maxBuffer: 1 << 28 });
    assert.equal(status, 0, `${script}: ${stdout}${stderr}`);
  }
  const dist = join(project, "dist");
  return Object.fromEntries(readdirSync(dist).map((name) => [name, readFileSync(join(dist, name))]));
}

test("two folders with different names give the same bytes", () => {
  const copy = join(folder, "a-copy-whose-path-is-longer-than-that-of-the-project");
  const isCopied = (source) => !LEFT.includes(relative(root, source).split("/")[0]) && !BUILT.includes(relative(root, source)) && !/\/node_modules$|\.dev\.vars/.test(source);
  cpSync(root, copy, { recursive: true, filter: isCopied });
  for (const name of TOOLS) if (existsSync(join(root, name))) symlinkSync(join(root, name), join(copy, name));
  const [here, there] = [release(root), release(copy)];
  assert.deepEqual(Object.keys(there), Object.keys(here));
  assert.equal(String(there.SHA256SUMS), String(here.SHA256SUMS));
  for (const [name, bytes] of Object.entries(here)) assert.ok(bytes.equals(there[name]), name);
});
