// The examples that call a gateway as a server does: 1. Python, 2. Python when OFAuth or the gateway refuses, 3. curl.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";

import { eventually, introduce, startGateway } from "../e2e/harness.mjs";
import { freePort } from "../e2e/port.mjs";
import { root, run } from "../npm/project.mjs";
import { startProgram } from "./projects.mjs";

// The only program here that neither README.md nor a set-up installs. Where CI runs, it must be there.
const { status: missing } = await run("sh", ["-c", "command -v python3"]);
const python = { skip: missing && !process.env.CI ? "python3 is not installed" : false };

let gateway;
let handle;
let env;
before(async () => {
  gateway = await startGateway();
  handle = await introduce(gateway, "conn_active", { user: "user_1" });
  env = { GATEWAY_URL: `http://127.0.0.1:${gateway.port}`, GATEWAY_KEY: gateway.vars.GATEWAY_KEY };
});
after(() => gateway?.close());

test("Python: a page gets its user's accounts with handles and profiles, and a token that opens them", python, async (t) => {
  const expired = await introduce(gateway, "conn_expired", { user: "user_1", status: "expired" });
  await introduce(gateway, "conn_other", { user: "user_2" });
  const { url } = await startPython(t);
  const text = await (await fetch(`${url}/accounts`)).text();
  assert.ok(!text.includes("conn_"), text);
  const accounts = Object.fromEntries(JSON.parse(text).map(({ handle: name, ...account }) => [name, account]));
  assert.deepEqual(Object.keys(accounts).toSorted(), [handle, expired].toSorted());
  assert.deepEqual(accounts[expired], { status: "expired" });
  assert.deepEqual([accounts[handle].status, accounts[handle].profile.isAuth], ["active", true]);

  const { token } = await (await fetch(`${url}/session`, { method: "POST" })).json();
  const self = await gateway.send("GET", "/v2/access/self", { headers: { authorization: `Bearer ${token}`, "x-connection-id": handle } });
  assert.deepEqual(self.json(), accounts[handle].profile);
});

test("Python: a refused profile says what to do, and a refused key is a 502 that gives nothing away", python, async (t) => {
  const gone = await introduce(gateway, "conn_gone", { user: "user_1" });
  gateway.emulator.connections.put({ id: "conn_gone", clientReferenceId: "user_1", status: "expired" });
  const { url, port } = await startPython(t);
  const accounts = await (await fetch(`${url}/accounts`)).json();
  assert.equal(accounts.find((account) => account.handle === gone).action, "relink");
  const again = await (await fetch(`${url}/accounts`)).json();
  assert.deepEqual(again.find((account) => account.handle === gone), { handle: gone, status: "expired" });

  assert.equal((await fetch(`${url}/session`)).status, 404, "a GET makes no session");
  const rebound = await new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path: "/accounts", headers: { host: "other.example" } }, resolve).on("error", reject).end();
  });
  assert.equal(rebound.resume().statusCode, 404);

  const refused = await startPython(t, { GATEWAY_KEY: "gk_of_nobody" });
  const answer = await fetch(`${refused.url}/accounts`);
  assert.deepEqual([answer.status, await answer.json()], [502, { error: "HTTP Error 401: Unauthorized" }]);
});

test("curl: the script reads a profile with the key and with a token, and no argument of curl has either", async (t) => {
  const script = join(root, "examples/curl/accounts.sh");
  const bin = mkdtempSync(join(tmpdir(), "ofauth-edge-curl-"));
  t.after(() => rmSync(bin, { recursive: true, force: true }));
  const curl = (await run("sh", ["-c", "command -v curl"])).stdout.trim();
  writeFileSync(join(bin, "curl"), `#!/bin/sh\necho "$@" >> '${bin}/calls'\nexec '${curl}' "$@"\n`, { mode: 0o755 });
  const { status, stdout, stderr } = await run("sh", [script, "user_1"], { env: { ...env, PATH: `${bin}${delimiter}${process.env.PATH}` } });
  assert.equal(status, 0, stdout + stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines[1], handle);
  assert.deepEqual([JSON.parse(lines[3]).isAuth, lines[5]], [true, lines[3]]);
  const calls = readFileSync(join(bin, "calls"), "utf8").trimEnd().split("\n");
  assert.equal(calls.length, 4);
  for (const line of calls) assert.doesNotMatch(line, /Bearer|gk_|eyJ/);

  const nobody = await run("sh", [script, "user of nobody&status=active"], { env });
  assert.deepEqual([nobody.status, nobody.stdout.split("\n")[1]], [1, "There is none. Link an account first."]);
  const refused = await run("sh", [script], { env: { ...env, GATEWAY_KEY: "gk_of_nobody" } });
  assert.notEqual(refused.status, 0);
});

async function startPython(t, more = {}) {
  const port = await freePort();
  startProgram(t, "python3", ["server.py"], { cwd: join(root, "examples/python"), env: { ...env, PORT: String(port), ...more } });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => fetch(url));
  return { url, port };
}
