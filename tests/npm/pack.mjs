// Packs pkg/ and installs the tarball into an empty project, once for all tests: what they use is what a user's
// `npm install` leaves in node_modules. Run it after `make npm`.
//
//   node tests/npm/pack.mjs

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { installed, packed, root, tarball } from "./project.mjs";

const pkg = join(root, "pkg");
if (!existsSync(join(pkg, "package.json"))) fail("pkg/ is not there: make npm builds it");

rmSync(packed, { recursive: true, force: true });
mkdirSync(packed, { recursive: true });
npm(packed, "pack", pkg);
renameSync(join(packed, readdirSync(packed)[0]), tarball);

const project = mkdtempSync(join(tmpdir(), "ofauth-edge-install-"));
try {
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "app", private: true }));
  npm(project, "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball);
  cpSync(join(project, "node_modules"), installed, { recursive: true, verbatimSymlinks: true });
} finally {
  rmSync(project, { recursive: true, force: true });
}

// Run by the Node it came with, hence without node_modules/.bin in PATH.
function npm(cwd, ...args) {
  const modules = join(root, "node_modules/.bin");
  const PATH = process.env.PATH.split(delimiter).filter((entry) => entry !== modules).join(delimiter);
  const { status, stderr, error } = spawnSync("npm", args, { cwd, encoding: "utf8", env: { ...process.env, PATH } });
  if (status !== 0) fail(`npm ${args[0]} failed: ${error?.message ?? stderr}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
