// The package in a Cloudflare Worker, by wrangler: as it is developed, and as it would be deployed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { installed, makeProject, root, run } from "./project.mjs";
import { expected } from "./vectors.mjs";

const project = makeProject("worker");
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
const env = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_LOG_PATH: join(project, "logs"),
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

test("a Worker under wrangler dev: every vector gives its code, through both entries", async (t) => {
  const url = await startDev(t);
  for (const path of ["/", "/slim"]) assert.deepEqual(await (await fetch(url + path)).json(), expected);
});

test("what wrangler would deploy has the wasm as a module of its own, and no second copy as text", async () => {
  const folder = join(project, "deployed");
  const { status, stdout, stderr } = await run(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", folder], {
    cwd: project,
    env,
  });
  assert.equal(status, 0, stdout + stderr);
  const files = readdirSync(folder);
  const modules = files.filter((file) => file.endsWith(".wasm"));
  assert.equal(modules.length, 1, files.join());
  const wasm = readFileSync(join(installed, "ofauth-edge/ofauth_edge.wasm"));
  assert.deepEqual(readFileSync(join(folder, modules[0])), wasm);
  const base64 = wasm.toString("base64").slice(0, 200);
  for (const file of files.filter((file) => /\.m?js$/.test(file))) {
    assert.ok(!readFileSync(join(folder, file), "utf8").includes(base64), file);
  }
});

/** Starts `wrangler dev`, a process group of its own so that its workerd ends with it, and gives its URL. */
async function startDev(t) {
  const args = ["dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0", "--show-interactive-dev-session=false"];
  const child = spawn(process.execPath, [wrangler, ...args], {
    cwd: project,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  t.after(() => {
    if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    return ended;
  });
  let output = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
        if (url && /Ready/.test(output)) resolve(url);
      });
    }
    ended.then(() => reject(new Error(`wrangler dev ended:\n${output}`)));
  });
}
