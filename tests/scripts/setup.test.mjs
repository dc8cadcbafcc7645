// scripts/setup.mjs in a copy of the project, with programs in the place of cargo, rustup and npm that only note what is asked
// of them, and a mirror on loopback in the place of GitHub: 1. an archive with the pinned hash is used, and nothing is compiled,
// 2. without a usable archive the tool is compiled, and the line says why, 3. a mirror that hangs does not hold up for long,
// 4. without a pin nothing is downloaded, 5. `make run` gets only what it needs, 6. each line comes before its step, 7. what
// scripts/pins.mjs prints.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const platform = `${process.platform}-${process.arch}`;
const BINDGEN = versionOf("wasm-bindgen");
const BUILD = versionOf("worker");
const MUSL = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"];
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];
const BINDGEN_PATHS = MUSL.map((target) => `/wasm-bindgen/wasm-bindgen/releases/download/${BINDGEN}/wasm-bindgen-${BINDGEN}-${target}.tar.gz`);
const BUILD_PATHS = MUSL.map((target) => {
  return `/cloudflare/workers-rs/releases/download/v${BUILD}/worker-build-${target.replace("musl", "gnu")}-v${BUILD}.tgz`;
});
const bindgenPath = BINDGEN_PATHS[PLATFORMS.indexOf(platform)];

test("an archive with the pinned hash is used, and no tool is compiled", async (t) => {
  const project = newProject(t);
  const archive = archiveOf(t, bindgenPath, programs(`wasm-bindgen ${BINDGEN}`));
  project.pin({ [platform]: sha256(archive) });
  const mirror = await newMirror(t, (response) => response.end(archive));
  const { output, status } = await project.setUp(["run"], mirror.url);
  assert.equal(status, 0, output);
  assert.match(output, new RegExp(`^Set-up: downloading wasm-bindgen-cli ${BINDGEN}$`, "m"));
  assert.deepEqual(mirror.paths, [bindgenPath]);
  assert.deepEqual(project.compiled(), []);
  assert.equal(spawnSync(join(project.bin, "wasm-bindgen"), ["--version"], { encoding: "utf8" }).stdout, `wasm-bindgen ${BINDGEN}\n`);
  assert.deepEqual(readdirSync(project.bin), ["wasm-bindgen", "wasm-bindgen-test-runner"]);
  assert.deepEqual(readdirSync(project.tools).sort(), ["bin", "setup.log", "stamp.json"]);

  const again = await project.setUp(["run"], mirror.url);
  assert.deepEqual([again.output, mirror.paths.length], ["", 1], "the second run does nothing");
});

test("without a usable archive the tool is compiled, and the line says why", async (t) => {
  const good = archiveOf(t, bindgenPath, programs(`wasm-bindgen ${BINDGEN}`));
  const stranger = archiveOf(t, bindgenPath, programs("wasm-bindgen 0.2.1"));
  const empty = archiveOf(t, bindgenPath, {});
  const noArchive = Buffer.from("<html>Please log in</html>");
  const cases = [
    { hash: sha256(stranger), answer: (response) => response.end(good), why: "its SHA-256 is not the pinned one" },
    { hash: sha256(good), answer: (response) => response.writeHead(404).end(), why: "the server does not have it" },
    { hash: sha256(good), answer: (response) => response.end(good.subarray(0, 100)), why: "its SHA-256 is not the pinned one" },
    { hash: sha256(good), answer: sendHalf(good), why: "the archive is incomplete" },
    { hash: sha256(stranger), answer: (response) => response.end(stranger), why: "its program does not run here" },
    { hash: sha256(empty), answer: (response) => response.end(empty), why: /ENOENT/ },
    { hash: sha256(noArchive), answer: (response) => response.end(noArchive), why: "tar cannot unpack it" },
  ];
  for (const { hash, answer, why } of cases) {
    const project = newProject(t);
    project.pin({ [platform]: hash });
    const mirror = await newMirror(t, answer);
    await assertCompiles(project, mirror.url, why);
  }
});

test("a mirror that does not exist or hangs costs seconds only", async (t) => {
  const archive = archiveOf(t, bindgenPath, programs(`wasm-bindgen ${BINDGEN}`));
  const dead = await newMirror(t, () => {});
  dead.close();
  const silent = await newMirror(t, () => {});
  const slow = await newMirror(t, (response) => {
    response.writeHead(200, { "content-length": archive.length });
    const timer = setInterval(() => response.write("."), 500);
    response.on("close", () => clearInterval(timer));
  });
  const cases = [
    { url: dead.url, why: "there is no connection" },
    { url: silent.url, why: "it takes too long" },
    { url: slow.url, why: "it takes too long" },
  ];
  await Promise.all(
    cases.map(async ({ url, why }) => {
      const project = newProject(t);
      project.pin({ [platform]: sha256(archive) });
      const start = Date.now();
      await assertCompiles(project, url, why);
      assert.ok(Date.now() - start < 30_000, `${why}: ${Date.now() - start} ms`);
    }),
  );
});

test("without a pin for this version and platform nothing is downloaded", async (t) => {
  const mirror = await newMirror(t, (response) => response.writeHead(500).end());
  for (const pins of [{}, { [`wasm-bindgen-cli ${BINDGEN}`]: {} }, { "wasm-bindgen-cli 0.0.1": { [platform]: "0".repeat(64) } }]) {
    const project = newProject(t);
    writeFileSync(join(project.folder, "scripts/pins.json"), JSON.stringify(pins));
    const { output, status } = await project.setUp(["run"], mirror.url);
    assert.equal(status, 0, output);
    assert.doesNotMatch(output, /download/);
    assert.deepEqual(project.compiled(), ["wasm-bindgen-cli"]);
  }
  assert.deepEqual(mirror.paths, []);
});

test("make run installs only what it needs, other commands install the rest, and each line comes before its step", async (t) => {
  const project = newProject(t);
  project.pin({});
  const { output } = await project.setUp(["run"], "http://127.0.0.1:1");
  assert.deepEqual(project.compiled(), ["wasm-bindgen-cli"]);
  assert.match(output, /^Set-up: installing wrangler and other tools from npm \(.*\)$/m);
  await project.setUp([], "http://127.0.0.1:1");
  const crates = ["wasm-bindgen-cli", "worker-build", "zopfli"];
  assert.deepEqual(project.compiled(), crates);
  for (const [index, said] of project.saidBefore().entries()) {
    assert.match(said, new RegExp(`^Set-up: compiling ${crates[index]} [\\d.]+ \\(about .+, once\\)$`));
  }
});

test("scripts/pins.mjs prints the hash of each published archive", async (t) => {
  const project = newProject(t);
  const missing = BUILD_PATHS[1];
  const mirror = await newMirror(t, (response, path) => (path === missing ? response.writeHead(404).end() : response.end(path)));
  const { stdout, stderr } = await project.node(["scripts/pins.mjs"], mirror.url);
  assert.deepEqual(mirror.paths, [...BINDGEN_PATHS, ...BUILD_PATHS]);
  const hashes = (paths) => Object.fromEntries(paths.map((path, index) => [PLATFORMS[index], sha256(path)]));
  const { "linux-arm64": _, ...withoutMissing } = hashes(BUILD_PATHS);
  assert.deepEqual(JSON.parse(stdout), { [`wasm-bindgen-cli ${BINDGEN}`]: hashes(BINDGEN_PATHS), [`worker-build ${BUILD}`]: withoutMissing });
  assert.equal(stderr, `No pin for worker-build ${BUILD} on linux-arm64: the server does not have it\n`);
});

async function assertCompiles(project, mirror, why) {
  const { output, status } = await project.setUp(["run"], mirror);
  assert.equal(status, 0, output);
  const [, said] = /^Set-up: wasm-bindgen-cli cannot be downloaded: (.*)$/m.exec(output) ?? assert.fail(output);
  if (why instanceof RegExp) assert.match(said, why);
  else assert.equal(said, why);
  assert.deepEqual(project.compiled(), ["wasm-bindgen-cli"]);
  assert.equal(readFileSync(join(project.bin, "wasm-bindgen"), "utf8"), "compiled\n");
  assert.deepEqual(readdirSync(project.tools).sort(), ["bin", "setup.log", "stamp.json"]);
}

/** A copy of what set-up reads, and programs that note what is asked of them. */
function newProject(t) {
  const folder = temporaryFolder(t);
  for (const name of ["scripts", "Cargo.lock", "rust-toolchain.toml", "package.json", "package-lock.json"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const sysroot = join(folder, "sysroot");
  const programs = join(folder, "programs");
  for (const path of [programs, join(sysroot, "bin/cargo-clippy"), join(sysroot, "bin/cargo-fmt"), join(sysroot, "lib/rustlib/wasm32-unknown-unknown")]) {
    mkdirSync(path, { recursive: true });
  }
  const log = join(folder, "compiled");
  const notes = {
    rustup: `echo "${sysroot}"`,
    rustc: `echo "${sysroot}"`,
    npm: `[ "$1" = ci ] && mkdir -p node_modules/.bin && touch node_modules/.bin/wrangler; exit 0`,
    // It also notes the last line that set-up has printed before.
    cargo: `echo "$2" >>"${log}"; tail -n 1 "${folder}/stdout" >>"${log}.said"
while [ $# -gt 0 ]; do
  case $1 in --bin) binaries="$binaries $2" ;; --root) root=$2 ;; esac
  shift
done
mkdir -p "$root/bin"; for binary in $binaries; do echo compiled >"$root/bin/$binary"; done`,
  };
  for (const [name, script] of Object.entries(notes)) writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  const node = async (args, mirror) => {
    const env = { ...process.env, PATH: `${programs}:${process.env.PATH}`, TOOLS_MIRROR: mirror };
    const files = ["stdout", "stderr"].map((name) => join(folder, name));
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", ...files.map((file) => openSync(file, "w"))] });
    const [status] = await once(child, "close");
    const [stdout, stderr] = files.map((file) => readFileSync(file, "utf8"));
    return { stdout, stderr, output: stdout + stderr, status };
  };
  return {
    folder,
    tools: join(folder, ".tools"),
    bin: join(folder, ".tools/bin"),
    pin: (pins) => writeFileSync(join(folder, "scripts/pins.json"), JSON.stringify({ [`wasm-bindgen-cli ${BINDGEN}`]: pins })),
    compiled: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
    saidBefore: () => readFileSync(`${log}.said`, "utf8").trim().split("\n"),
    node,
    setUp: (args, mirror) => node(["scripts/setup.mjs", ...args], mirror),
  };
}

async function newMirror(t, answer) {
  const paths = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    answer(response, request.url);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  t.after(close);
  return { url: `http://127.0.0.1:${server.address().port}`, paths, close };
}

/** Announces the whole archive, and breaks off in the middle. */
function sendHalf(archive) {
  return (response) => {
    response.writeHead(200, { "content-length": archive.length });
    response.write(archive.subarray(0, archive.length / 2), () => response.destroy());
  };
}

function programs(printed) {
  const script = `#!/bin/sh\necho "${printed}"\n`;
  return { "wasm-bindgen": script, "wasm-bindgen-test-runner": script };
}

/** An archive as it is published: the programs in a folder that is named as the archive. */
function archiveOf(t, path, files) {
  const folder = temporaryFolder(t);
  const name = path.split("/").at(-1).replace(/\.tar\.gz$|\.tgz$/, "");
  mkdirSync(join(folder, name));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
  const { status } = spawnSync("tar", ["-czf", "archive", name], { cwd: folder });
  assert.equal(status, 0);
  return readFileSync(join(folder, "archive"));
}

function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function versionOf(crate) {
  return new RegExp(`^name = "${crate}"\\nversion = "(.+)"$`, "m").exec(readFileSync(join(root, "Cargo.lock"), "utf8"))[1];
}

function sha256(data) {
  return createHash("sha256").update(data).digest("hex");
}
