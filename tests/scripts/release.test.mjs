// scripts/release.mjs, without a build: 1. the archive of the same files is the same bytes, and tar reads it, 2. what is in dist/, and
// its hashes, 3. wrangler takes the Worker's archive as it is, and uploads the built Worker, 4. no path of this machine is in it, 5. a
// tag that is not the version is refused, and 6. a repository that npm would refuse. tests/release/ builds in two folders and compares.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { tarball } from "../../scripts/tar.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-release-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// A copy, so that the dist/ of the project stays as it is.
const project = join(folder, "project");
for (const path of ["scripts", "pkg-template", "www", "cipher", "src", "Cargo.toml", "Cargo.lock", "CHANGELOG.md", "LICENSE", "wrangler.toml", "package.json"]) {
  cpSync(join(root, path), join(project, path), { recursive: true });
}
for (const path of ["build", "pkg", "node_modules"]) symlinkSync(join(root, path), join(project, path));

const [, version] = /^version = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"));
const name = `ofauth-edge-worker-${version}`;
const dist = join(project, "dist");
const hash = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

function release(env = {}) {
  return spawnSync(process.execPath, ["scripts/release.mjs"], { cwd: project, env: { ...process.env, VERSION: "", GITHUB_REPOSITORY: "", ...env }, encoding: "utf8" });
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

function nameRepository(url) {
  const file = join(project, "Cargo.toml");
  const text = readFileSync(file, "utf8").replace(/^repository = .*\n/m, "");
  writeFileSync(file, url === undefined ? text : text.replace(/^license = .*$/m, `$&\nrepository = "${url}"`));
}

/** The paths of all files in a folder of `base`, from there. */
function filesIn(base, path) {
  const entries = readdirSync(join(base, path), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? filesIn(base, join(path, entry.name)) : [join(path, entry.name)])).sort();
}

test("an archive depends on the contents only, and tar reads it", () => {
  const files = { "a/b.txt": "text\n", "a/empty": "", "a/bytes": Buffer.alloc(1_025, 7) };
  const archive = tarball(files);
  assert.ok(archive.equals(tarball(Object.fromEntries(Object.entries(files).reverse()))));
  writeFileSync(join(folder, "a.tar.gz"), archive);
  run("tar", ["xzf", "a.tar.gz"], folder);
  for (const [path, content] of Object.entries(files)) assert.ok(readFileSync(join(folder, path)).equals(Buffer.from(content)), path);
  assert.deepEqual(readdirSync(join(folder, "a")).sort(), ["b.txt", "bytes", "empty"]);
  assert.throws(() => tarball({ [`${"x".repeat(100)}y`]: "" }), /too long/);
});

test("dist/ has the npm package, the Worker and their hashes, the same bytes each time", () => {
  assert.equal(release().status, 0);
  const files = readdirSync(dist).sort();
  assert.deepEqual(files, ["SHA256SUMS", `ofauth-edge-${version}.tgz`, `${name}.tar.gz`].sort());
  const sums = readFileSync(join(dist, "SHA256SUMS"), "utf8");
  assert.equal(sums, files.filter((file) => file !== "SHA256SUMS").map((file) => `${hash(join(dist, file))}  ${file}\n`).join(""));
  assert.equal(release().status, 0);
  assert.equal(readFileSync(join(dist, "SHA256SUMS"), "utf8"), sums);
});

test("the Worker's archive has what wrangler needs and the licenses, and wrangler uploads just the built Worker", () => {
  run("tar", ["xzf", join(dist, `${name}.tar.gz`)], folder);
  const unpacked = join(folder, name);
  const pages = filesIn(root, "www");
  assert.ok(pages.some((path) => path.split("/").length > 2), "pages in a folder of www/ are released too");
  for (const file of ["uplot.mjs", "uplot.css"]) assert.match(readFileSync(join(unpacked, "www/console/vendor", file), "utf8"), /^\/\*\nuPlot [\d.]+\n\nThe MIT License/, "it has its license");
  assert.deepEqual(filesIn(unpacked, ""), ["LICENSE", "NOTICE", "index.js", "index_bg.wasm", "wrangler.toml", ...pages].sort());
  for (const path of pages) assert.equal(hash(join(unpacked, path)), hash(join(root, path)), path);
  for (const file of ["ofauth_edge.wasm", "ofauth-edge.js", "NOTICE.txt"]) assert.ok(pages.includes(`www/console/package/${file}`), file);
  assert.doesNotMatch(readFileSync(join(unpacked, "wrangler.toml"), "utf8"), /\[build\]|WORKER_TARGET/);
  const notice = readFileSync(join(unpacked, "NOTICE"), "utf8");
  for (const part of [/^worker \d.*worker-sys \d/m, /\bserde_json \d/, /UNICODE LICENSE V3/, /Apache License/, /Redistribution and use/, /^uPlot \d[^]*Leon Sorokin/m]) assert.match(notice, part);

  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  run(process.execPath, [wrangler, "deploy", "--env", "sandbox", "--dry-run", "--outdir", "uploaded"], unpacked);
  const [wasm] = readdirSync(join(unpacked, "uploaded")).filter((file) => file.endsWith(".wasm"));
  assert.equal(hash(join(unpacked, "uploaded", wasm)), hash(join(root, "build/index_bg.wasm")));
});

test("no folder of this machine is named in what is published", () => {
  mkdirSync(join(folder, "npm"));
  run("tar", ["xzf", join(dist, `ofauth-edge-${version}.tgz`), "-C", "npm"], folder);
  for (const published of [join(folder, name), join(folder, "npm/package")]) {
    for (const entry of readdirSync(published, { withFileTypes: true }).filter((one) => one.isFile())) {
      const bytes = readFileSync(join(published, entry.name));
      for (const path of [root, homedir()]) assert.ok(path.length < 4 || !bytes.includes(path), `${entry.name} names ${path}`);
    }
  }
});

test("a tag must be the version in Cargo.toml, and CHANGELOG.md must tell of it", () => {
  const before = hash(join(dist, "SHA256SUMS"));
  const other = release({ VERSION: "v99.0.0" });
  assert.deepEqual([other.status, other.stderr], [1, `Cargo.toml has the version ${version}, and the tag is v99.0.0\n`]);
  writeFileSync(join(project, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n");
  const untold = release({ VERSION: `v${version}` });
  assert.deepEqual([untold.status, untold.stderr], [1, `CHANGELOG.md has no section "## ${version}"\n`]);
  assert.equal(hash(join(dist, "SHA256SUMS")), before, "dist/ stays");
  writeFileSync(join(project, "CHANGELOG.md"), `# Changelog\n\n## ${version}\n`);
  nameRepository("https://github.com/acme/ofauth-edge");
  assert.equal(release({ VERSION: `v${version}` }).status, 0);
});

test("a tag needs the repository that npm compares with that of the workflow, and without a tag it is a warning", () => {
  const tag = { VERSION: `v${version}`, GITHUB_REPOSITORY: "acme/ofauth-edge" };
  for (const [repository, reason] of [[undefined, "names no repository"], ["https://github.com/other/fork", "names the repository https://github.com/other/fork"]]) {
    nameRepository(repository);
    const { status, stderr } = release(tag);
    assert.equal(status, 1);
    assert.ok(stderr.startsWith(`Cargo.toml ${reason}.`) && stderr.includes('repository = "https://github.com/acme/ofauth-edge"'), stderr);
  }
  nameRepository(undefined);
  const untagged = release();
  assert.equal(untagged.status, 0);
  assert.match(untagged.stderr, /Warning: Cargo\.toml names no repository/);
  nameRepository("https://github.com/acme/ofauth-edge");
  assert.equal(release(tag).status, 0);
});
