// Writes what a release publishes into dist/, from the built Worker and the built npm package. `make release` builds both before.
//
//   node scripts/release.mjs
//   VERSION=v0.2.0 node scripts/release.mjs   for a tag: fails unless Cargo.toml and CHANGELOG.md have that version, and Cargo.toml
//                                             names the repository
//
// 1. Checks the version and the repository.
// 2. ofauth-edge-<version>.tgz: the npm package.
// 3. ofauth-edge-worker-<version>.tar.gz: the Worker for those who do not want to build it. wrangler deploys it as it is.
// 4. SHA256SUMS: the hashes of both.
//
// The same sources give the same bytes, in whatever folder they are: tests/release/ compares.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, relative, sep } from "node:path";

import { root } from "./inputs.mjs";
import { repository, version } from "./manifest.mjs";
import { workerNotices } from "./notices.mjs";
import { tarball } from "./tar.mjs";
import { copyVendored } from "./vendor.mjs";

const dist = join(root, "dist");

// 1.
checkVersion();
checkRepository();
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
// 2.
packNpmPackage();
// 3.
const name = `ofauth-edge-worker-${version}`;
const files = Object.fromEntries(Object.entries(workerFiles()).map(([path, content]) => [`${name}/${path}`, content]));
writeFileSync(join(dist, `${name}.tar.gz`), tarball(files));
// 4.
const sums = readdirSync(dist).sort().map((file) => `${createHash("sha256").update(readFileSync(join(dist, file))).digest("hex")}  ${file}\n`);
writeFileSync(join(dist, "SHA256SUMS"), sums.join(""));
process.stdout.write(sums.join(""));

function checkVersion() {
  const { VERSION } = process.env;
  if (!VERSION) return;
  if (VERSION !== `v${version}`) fail(`Cargo.toml has the version ${version}, and the tag is ${VERSION}`);
  if (!new RegExp(`^## ${version.replaceAll(".", "\\.")}\\b`, "m").test(read("CHANGELOG.md"))) fail(`CHANGELOG.md has no section "## ${version}"`);
}

/** npm publishes a package from a workflow only if the package names the repository that the workflow runs in. */
function checkRepository() {
  const { VERSION, GITHUB_REPOSITORY } = process.env;
  const expected = `https://github.com/${GITHUB_REPOSITORY || "<owner>/<name>"}`;
  if (repository && (!GITHUB_REPOSITORY || repository === expected)) return;
  const missing = `Cargo.toml ${repository ? `names the repository ${repository}` : "names no repository"}. npm refuses such a package from the release workflow. Write into [package]: repository = "${expected}"`;
  if (VERSION) fail(missing);
  console.error(`Warning: ${missing}`);
}

function packNpmPackage() {
  const manifest = JSON.parse(read("pkg/package.json"));
  if (manifest.version !== version) fail(`pkg/ is of the version ${manifest.version}. Build it with \`make npm\``);
  // The Node that npm came with runs it, hence no node_modules/.bin in PATH.
  const PATH = process.env.PATH.split(delimiter).filter((entry) => entry !== join(root, "node_modules/.bin")).join(delimiter);
  const args = ["pack", join(root, "pkg"), "--ignore-scripts", "--silent", "--pack-destination", dist];
  const { status, stderr, error } = spawnSync("npm", args, { cwd: dist, encoding: "utf8", env: { ...process.env, PATH } });
  if (status !== 0) fail(`npm pack failed: ${error?.message ?? stderr}`);
  const [packed] = readdirSync(dist);
  renameSync(join(dist, packed), join(dist, `ofauth-edge-${version}.tgz`));
}

/** What wrangler needs, by path, and the licenses. */
function workerFiles() {
  copyVendored();
  if (!existsSync(join(root, "www/console/package/ofauth-edge.js"))) fail("www/console/package/ is not there. Build it with `make build`");
  const entries = readdirSync(join(root, "www"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const pages = entries.map(({ parentPath, path = parentPath, name }) => relative(root, join(path, name)).split(sep).join("/"));
  return {
    "index.js": read("build/index.js"),
    "index_bg.wasm": readFileSync(join(root, "build/index_bg.wasm")),
    "wrangler.toml": wranglerToml(),
    ...Object.fromEntries(pages.map((path) => [path, readFileSync(join(root, path))])),
    LICENSE: read("LICENSE"),
    NOTICE: workerNotices(),
  };
}

/** That of the project, without the build. */
function wranglerToml() {
  const paragraphs = read("wrangler.toml").split("\n\n");
  const kept = paragraphs.filter((paragraph) => !/^\[build\]$/m.test(paragraph));
  const text = kept.join("\n\n").replace('main = "build/index.js"', 'main = "index.js"');
  if (kept.length !== paragraphs.length - 1 || !text.includes('main = "index.js"')) fail("wrangler.toml has another build than this script expects");
  return text;
}

function read(path) {
  return readFileSync(join(root, path), "utf8");
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
