// The two programs, as a person or a Makefile runs them: sign.mjs and main.mjs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { before, after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { sign } from "./webhooks.mjs";

let directory;
before(async () => (directory = await mkdtemp(join(tmpdir(), "emulator-"))));
const started = new Set();
after(() => {
  for (const child of started) child.kill("SIGKILL"); // else one that a failed test left would keep this process alive
  return rm(directory, { recursive: true });
});

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

test("the emulator prints its URL when it listens, and ends cleanly on SIGINT and SIGTERM", { skip: noSignals() }, async () => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    const { child, get } = await startListening({ FIRST_CONNECTION: '{"id":"conn_1"}' });
    assert.equal((await get("/v2/access/self", "conn_1")).isAuth, true);
    child.kill(signal);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  }
});

test("connections outlive the emulator in a file that names none of them, for the same API key", { skip: noSignals() }, async () => {
  const env = { CONNECTIONS_FILE: join(directory, "folder", "connections"), FIRST_CONNECTION: '{"id":"conn_first"}' };
  const made = await startListening(env);
  for (const id of ["conn_a", "conn_b"]) await made.control("POST", "connections", { id, clientReferenceId: "user_1" });
  await made.control("POST", "connections", { id: "conn_a", status: "expired" });
  await made.control("DELETE", "connections/conn_first");
  const { connections } = await made.control("GET", "connections");
  assert.deepEqual(connections.map(({ id }) => id), ["conn_b", "conn_a"]);
  made.child.kill("SIGKILL"); // a crash: nothing is written at the end
  await once(made.child, "exit");
  assert.doesNotMatch(await readFile(env.CONNECTIONS_FILE, "latin1"), /conn_|user_/);

  const again = await startListening(env);
  assert.deepEqual((await again.control("GET", "connections")).connections, connections);
  assert.equal((await again.get("/v2/access/self", "conn_a")).type, "SESSION_EXPIRED");
  assert.equal((await again.get("/v2/access/self", "conn_first")).type, "SESSION_NOT_PROVIDED");
  again.child.kill();
  await once(again.child, "exit");

  const other = await startListening({ ...env, OFAUTH_API_KEY: "sk_sandbox_other" });
  assert.match(other.printed, /another OFAUTH_API_KEY/);
  assert.deepEqual((await other.control("GET", "connections")).connections.map(({ id }) => id), ["conn_first"]);
  other.child.kill();
  await once(other.child, "exit");
});

test("the emulator does not start half-configured, and says why in one line", async () => {
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

/** The emulator as a program, once it listens, with what it has printed, a caller of it and one who steers it. */
async function startListening(env) {
  const all = { OFAUTH_API_KEY: "sk_sandbox_cli", PORT: "0", ...env };
  const child = start("main.mjs", all);
  started.add(child);
  let [printed, url] = ["", undefined];
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    url = /^OFAuth emulator listening on (http:\/\/127\.0\.0\.1:\d+)\n$/m.exec(printed)?.[1];
    if (url) break;
  }
  const get = async (path, id) => {
    const answer = await fetch(`${url}${path}`, { headers: { apikey: all.OFAUTH_API_KEY, "x-connection-id": id } });
    return answer.json();
  };
  const control = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/_emulator/${path}`, { method, headers, body: body && JSON.stringify(body) });
    return answer.status === 204 ? undefined : answer.json();
  };
  return { child, printed, get, control };
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
