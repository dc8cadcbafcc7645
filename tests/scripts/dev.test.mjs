// `make run`, as a new user has it, in a copy of the project: 1. its commands work as printed, and the emulator knows the
// connection that they name, 2. nothing that it stores names a connection, 3. connections outlive a restart, 4. a change of
// .dev.vars is noticed, 5. with the real OFAuth nothing is made up, 6. what it refuses, in plain words, 7. `wrangler deploy` does
// not take the build of `make run`.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";

import { cleanUp, copyOfProject, freePorts, run, stop, until } from "./project.mjs";

after(cleanUp);

test("the printed commands work, connections outlive a restart, and nothing stored names one", async () => {
  const folder = copyOfProject();
  const ports = await freePorts();
  const first = await run(folder, ports);
  const [webhook, list, access, link] = commandsIn(first.output());
  assert.deepEqual(JSON.parse(shell(folder, webhook)), { outcome: "applied" });
  const [{ id, handle }] = JSON.parse(shell(folder, list)).list;
  assert.equal(id, "conn_demo");
  const self = JSON.parse(shell(folder, access));
  assert.deepEqual([self.id, self.name, self.username, self.isAuth], [1, "Demo", "demo", true]);
  assert.match(shell(folder, link), new RegExp(`^http://127.0.0.1:${ports.EMULATOR_PORT}/link/cs_\\w+\n$`));

  const [key] = /gk_dev_\w+/.exec(first.output());
  const call = async (method, path, headers = {}) => {
    const answer = await fetch(`http://127.0.0.1:${ports.PORT}${path}`, { method, headers: { apikey: key, ...headers } });
    return { status: answer.status, json: await answer.json() };
  };
  const unknown = await call("GET", "/v2/access/self", { "x-connection-id": "conn_made_up" });
  assert.deepEqual([unknown.status, unknown.json.type], [401, "SESSION_NOT_PROVIDED"]);
  assert.equal((await call("POST", "/v2/account/connections/conn_demo/invalidate")).status, 200);
  assert.equal((await call("GET", "/edge/connections/conn_demo/events")).status, 200);
  await stop(first);
  assert.deepEqual(filesWith(folder, "conn_demo"), []);

  const again = await run(folder, ports);
  const refused = await call("GET", "/v2/access/self", { "x-connection-id": handle });
  assert.deepEqual([refused.status, refused.json.type], [401, "SESSION_EXPIRED"]);
  const emulated = await fetch(`http://127.0.0.1:${ports.EMULATOR_PORT}/_emulator/connections`);
  assert.deepEqual((await emulated.json()).connections.map(({ id, status }) => [id, status]), [["conn_demo", "expired"]]);

  appendFileSync(join(folder, ".dev.vars"), 'EVENT_KEEP="*"\n');
  await until(() => again.output().includes(".dev.vars has changed. Press Ctrl-C and start `make run` again"));
  await stop(again);
});

test("with the real OFAuth the printed commands name nothing that is emulated", async () => {
  const folder = copyOfProject();
  const ports = await freePorts();
  writeFileSync(join(folder, ".dev.vars"), 'OFAUTH_API_URL="https://ofauth.invalid"\n');
  const withoutKey = await run(folder, ports);
  assert.match(withoutKey.output(), /OFAUTH_API_URL in \.dev\.vars is https:\/\/ofauth\.invalid\. Set OFAUTH_API_KEY there to a key/);
  assert.equal(readFileSync(join(folder, ".dev.vars"), "utf8"), 'OFAUTH_API_URL="https://ofauth.invalid"\n', "nothing is made up");

  appendFileSync(join(folder, ".dev.vars"), `OFAUTH_API_KEY="sk_sandbox_of_somebody"
APP_RETURN_URL="https://app.example/back"
GATEWAY_KEY="calls:access:${"a".repeat(40)},app:access+sessions+link+read:${"b".repeat(40)}"
`);
  const real = await run(folder, ports);
  const printed = real.output();
  assert.match(printed, /OFAuth {4}https:\/\/ofauth\.invalid \(from \.dev\.vars; nothing is emulated\)/);
  assert.ok(printed.includes(`Demo app  http://127.0.0.1:${ports.DEMO_PORT}\n`), printed);
  assert.doesNotMatch(printed, /\/control/);
  assert.doesNotMatch(printed.slice(printed.indexOf("Paste into")), /conn_demo|sign\.mjs|[Ee]mulator/);
  assert.ok(printed.includes(`Register http://127.0.0.1:${ports.PORT}/link/callback at OFAuth`), printed);
  const commands = commandsIn(printed);
  assert.equal(commands.length, 4);
  assert.match(commands[0], /\/v2\/account\/whoami/);
  assert.match(commands[1], /\/v2\/link\/init/);
  assert.deepEqual(JSON.parse(shell(folder, commands[2])).list, []);
  assert.equal(JSON.parse(shell(folder, commands[3])).type, "CONNECTION_NOT_FOUND");
  await stop(real);
});

test("one port for two programs, and a used port, are refused before anything is written", async () => {
  const folder = copyOfProject();
  const { PORT, DEMO_PORT } = await freePorts();
  const same = await run(folder, { PORT, EMULATOR_PORT: PORT });
  assert.match(same.output(), new RegExp(`^PORT and EMULATOR_PORT are both ${PORT}, but .* \`make run PORT=${PORT} EMULATOR_PORT=\\d+\``, "m"));
  const asDemo = await run(folder, { PORT, DEMO_PORT: PORT });
  assert.match(asDemo.output(), new RegExp(`^PORT and DEMO_PORT are both ${PORT}, but .* \`make run PORT=${PORT} DEMO_PORT=\\d+\``, "m"));
  assert.ok(!existsSync(join(folder, ".dev.vars")));

  writeFileSync(join(folder, ".dev.vars"), `OFAUTH_API_URL="http://127.0.0.1:${PORT}"\n`);
  const inFile = await run(folder, { PORT });
  assert.match(inFile.output(), new RegExp(`^PORT and the port of OFAUTH_API_URL in \\.dev\\.vars are both ${PORT}`, "m"));

  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address();
  const inUse = await run(folder, { PORT: String(port), EMULATOR_PORT: PORT });
  assert.match(inUse.output(), new RegExp(`^Port ${port} is in use`, "m"));
  const demoInUse = await run(folder, { PORT, EMULATOR_PORT: DEMO_PORT, DEMO_PORT: String(port) });
  assert.match(demoInUse.output(), new RegExp(`^Port ${port} is in use.* DEMO_PORT=\\d+`, "m"));
  taken.close();
});

test("wrangler deploy takes the optimised build, and make run another one", async () => {
  const folder = copyOfProject();
  const { WORKER_TARGET: _, ...env } = process.env;
  const args = ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run", "--outdir", "uploaded"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  const [uploaded] = readdirSync(join(folder, "uploaded")).filter((name) => name.endsWith(".wasm"));
  const wasm = readFileSync(join(folder, "uploaded", uploaded));
  assert.ok(wasm.equals(readFileSync(join(folder, "build/index_bg.wasm"))));
  assert.ok(!wasm.equals(readFileSync(join(folder, "target/worker-dev/index_bg.wasm"))));
});

/** The commands under each numbered line. */
function commandsIn(output) {
  const steps = output.slice(output.indexOf("Paste into"), output.indexOf("Ctrl-C stops")).split(/^\d\. .*\n/m).slice(1);
  return steps.map((step) => step.split("\n\n")[0]);
}

function shell(folder, commands) {
  return spawnSync("sh", ["-c", commands], { cwd: folder, encoding: "utf8" }).stdout;
}

/** The files under .wrangler in which a text occurs, as bytes: SQLite keeps text as it is. */
function filesWith(folder, text) {
  const entries = readdirSync(join(folder, ".wrangler"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, path = parentPath, name }) => join(path, name));
  assert.ok(files.length > 5);
  return files.filter((file) => readFileSync(file).includes(text));
}
