// `make run` in copies of the project, as a new user has it.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "../e2e/port.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = [];
const running = new Set();

/** Stops all programs and removes all copies. */
export async function cleanUp() {
  await Promise.all([...running].map(stop));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/**
 * What `make run` needs, without what it has written here. Tools and the built Worker are shared: the sources are the same. The
 * copy's pkg/ has what `make run` builds, and not the whole package. What a build copies into www/ is left out.
 */
export function copyOfProject() {
  const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-run-"));
  folders.push(folder);
  const shared = [".tools", "node_modules", "build", "target"];
  const left = [...shared, "pkg", "vendor", ".git", ".wrangler", ".dev.vars", ".deploy"];
  cpSync(root, folder, { recursive: true, filter: (source) => !left.includes(basename(source)) });
  for (const name of shared) if (existsSync(join(root, name))) symlinkSync(join(root, name), join(folder, name));
  // Two that start at once would both find wrangler's default port for debuggers free.
  appendFileSync(join(folder, "wrangler.toml"), "\n[dev]\ninspector_port = 0\n");
  build("pkg-template/build-client.mjs", folder);
  // What a copy compiles names the copy's package.json. So it must find the wasm compiled already.
  build("pkg-template/build-console.mjs", root);
  return folder;
}

function build(script, folder) {
  const { status } = spawnSync(process.execPath, [script], { cwd: folder, stdio: "inherit" });
  assert.equal(status, 0, script);
}

/** Starts it, and waits until it is ready or has ended. */
export async function run(folder, ports) {
  const { PORT: _, EMULATOR_PORT: __, DEMO_PORT: ___, ...env } = process.env;
  const child = spawn(process.execPath, ["scripts/dev.mjs"], { cwd: folder, env: { ...env, ...ports }, stdio: ["ignore", "pipe", "pipe"] });
  let written = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (written += text));
  const closed = once(child, "close"); // then all that it wrote has come
  const program = { child, closed, output: () => written };
  running.add(program);
  await until(() => /^Ctrl-C stops/m.test(written) || child.exitCode !== null);
  if (child.exitCode !== null) await closed;
  return program;
}

export async function stop(program) {
  running.delete(program);
  program.child.kill("SIGINT");
  await program.closed;
}

export async function freePorts() {
  const [PORT, EMULATOR_PORT, DEMO_PORT] = [await freePort(), await freePort(), await freePort()].map(String);
  return { PORT, EMULATOR_PORT, DEMO_PORT };
}

export async function until(holds) {
  for (const end = Date.now() + 120_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (Date.now() > end) assert.fail(`never came true: ${holds}`);
  }
}
