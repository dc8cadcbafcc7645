// The two programs, as a person or a Makefile runs them: sign.mjs and main.mjs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { before, after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { sign } from "./webhooks.mjs";

let directory;
before(async () => (directory = await mkdtemp(join(tmpdir(), "emulator-"))));
after(() => rm(directory, { recursive: true }));

test("sign prints the header value for the bytes on stdin, by the secret in the environment", async () => {
  const body = Buffer.from([123, 0, 255, 10, 125]);
  const { code, stdout } = await run("sign.mjs", { OFAUTH_WEBHOOK_SECRET: "newest,older" }, body);
  assert.equal(code, 0);
  assert.match(stdout, /^t=\d+,v1=[0-9a-f]{64}\n$/);
  assert.equal(stdout.trim(), expected("newest", body, stdout));
});

test("sign takes the secret from .dev.vars if the environment has none", async () => {
  const lines = {
    'OFAUTH_WEBHOOK_SECRET="whsec_a b#c" # ours': "whsec_a b#c",
    "export OFAUTH_WEBHOOK_SECRET = whsec_plain # ours": "whsec_plain",
    "OFAUTH_WEBHOOK_SECRET='whsec_crlf=='\r": "whsec_crlf==",
  };
  for (const [line, secret] of Object.entries(lines)) {
    await writeFile(join(directory, ".dev.vars"), `# local\nSVIX_WEBHOOK_SECRET="other"\n${line}\nGATEWAY_KEY=x\n`);
    const { stdout, stderr } = await run("sign.mjs", {}, "{}");
    assert.equal(stdout.trim(), expected(secret, "{}", stdout), `${line} ${stderr}`);
  }
});

test("sign without a secret says in one line what to set", async () => {
  for (const vars of ["", "OFAUTH_WEBHOOK_SECRET=\n"]) {
    await writeFile(join(directory, ".dev.vars"), vars);
    const { code, stdout, stderr } = await run("sign.mjs", {}, "{}");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^sign: set OFAUTH_WEBHOOK_SECRET.*\n$/);
  }
});

test("the emulator prints its URL when it listens and leaves cleanly when asked", { skip: noSignals() }, async () => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    const child = start("main.mjs", { OFAUTH_API_KEY: "sk_sandbox_cli", PORT: "0" });
    const [line] = await once(child.stdout, "data");
    const url = /^OFAuth emulator listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)[1];
    const answer = await fetch(`${url}/v2/access/self`, { headers: { apikey: "sk_sandbox_cli", "x-connection-id": "conn_1" } });
    assert.equal((await answer.json()).isAuth, true);
    child.kill(signal);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  }
});

test("the emulator refuses to start half-configured, in one line", async () => {
  const wrong = [
    [{}, /OFAUTH_API_KEY/],
    [{ OFAUTH_API_KEY: "k", PORT: "70000" }, /PORT/],
    [{ OFAUTH_API_KEY: "k", PORT: "0", WEBHOOK_URL: "nowhere" }, /WEBHOOK_URL/],
  ];
  for (const [env, names] of wrong) {
    const { code, stdout, stderr } = await run("main.mjs", env);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^emulator: .*\n$/);
    assert.match(stderr, names);
  }
});

async function run(script, env, input = "") {
  const child = start(script, env);
  child.stdin.on("error", () => {}).end(input); // a program that fails early does not read it
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, stdout, stderr };
}

function start(script, env) {
  return spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], { cwd: directory, env });
}

function expected(secret, body, printed) {
  return sign({ secret, body, timestamp: Number(/^t=(\d+)/.exec(printed)?.[1]) })["OFAuth-Signature"];
}

function noSignals() {
  return process.platform === "win32" && "Windows ends a process without telling it";
}
