// The development server of `make run`. Starts the Worker under `wrangler dev` and an emulated OFAuth, both on loopback.
// Ctrl-C stops both.
//
// 1. Reads the development secrets from .dev.vars. Secrets that are missing there are made and added.
// 2. Checks that the ports are free: PORT (default 8787) for the Worker, EMULATOR_PORT (default 8788) for the emulator.
// 3. Starts the emulator, but only if OFAUTH_API_URL is a loopback address. Any other address is the real OFAuth.
// 4. Starts the Worker. After Link it sends users to APP_RETURN_URL of .dev.vars, or by default to a page of the emulator.
// 5. Waits until /healthz answers, and prints commands to try.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const devVarsFile = join(root, ".dev.vars");
const children = new Set();
let isStopping = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));

const port = readPort("PORT", 8787);
// 1.
const vars = loadDevVars(readPort("EMULATOR_PORT", 8788));
const emulatorPort = loopbackPortOf(vars.OFAUTH_API_URL);
const gateway = `http://127.0.0.1:${port}`;
const emulator = `http://127.0.0.1:${emulatorPort}`;
const returnUrl = vars.APP_RETURN_URL ?? (emulatorPort ? `${emulator}/app` : "");

// 2.
await assertPortIsFree(port, "PORT");
if (emulatorPort) {
  await assertPortIsFree(emulatorPort, "EMULATOR_PORT");
  // 3.
  start("the emulator", ["tests/emulator/main.mjs"], {
    PORT: String(emulatorPort),
    OFAUTH_API_KEY: vars.OFAUTH_API_KEY,
    OFAUTH_WEBHOOK_SECRET: vars.OFAUTH_WEBHOOK_SECRET ?? "",
    WEBHOOK_URL: `${gateway}/webhooks/ofauth`,
  });
}
// 4.
start("wrangler", wranglerDevArgs());
// 5.
await printWhenHealthy();

function loadDevVars(defaultEmulatorPort) {
  const hex = (bytes) => randomBytes(bytes).toString("hex");
  const defaults = {
    OFAUTH_API_KEY: () => `sk_sandbox_${hex(24)}`,
    OFAUTH_WEBHOOK_SECRET: () => `whsec_${hex(32)}`,
    GATEWAY_KEY: () => `gk_dev_${hex(24)}`,
    SESSION_SECRET: () => hex(32),
    STORAGE_KEY: () => randomBytes(32).toString("base64"),
    INDEX_KEY: () => randomBytes(32).toString("base64"),
    OFAUTH_API_URL: () => `http://127.0.0.1:${defaultEmulatorPort}`,
  };
  const text = existsSync(devVarsFile) ? readFileSync(devVarsFile, "utf8") : "";
  const loaded = parseDevVars(text);
  const missing = Object.keys(defaults).filter((name) => !(name in loaded));
  if (missing.length > 0) {
    console.log(`Secrets for development: ${text ? `${missing.join(", ")} added to .dev.vars` : "written to .dev.vars"}`);
    const lines = missing.map((name) => `${name}="${(loaded[name] = defaults[name]())}"\n`);
    appendFileSync(devVarsFile, (text && !text.endsWith("\n") ? "\n" : "") + lines.join(""), { mode: 0o600 });
  }
  chmodSync(devVarsFile, 0o600);
  // EMULATOR_PORT in the environment is for this run. It overrides the port in the file.
  if (process.env.EMULATOR_PORT && loopbackPortOf(loaded.OFAUTH_API_URL)) loaded.OFAUTH_API_URL = defaults.OFAUTH_API_URL();
  return loaded;
}

function parseDevVars(text) {
  const entries = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!name) continue;
    const quoted = /^(["'`])(.*?)\1/.exec(value);
    entries[name] = quoted ? quoted[2] : value.replace(/\s*#.*$/, "");
  }
  return entries;
}

function loopbackPortOf(url) {
  const match = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)\/?$/.exec(url);
  return match ? Number(match[1]) : null;
}

function readPort(variable, defaultPort) {
  const value = process.env[variable] || String(defaultPort);
  if (!/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65535) fail(`${variable}=${value} is not a port number`);
  return Number(value);
}

// Tries to connect. Trying to listen would not be enough: on macOS two programs can share a port, one on 127.0.0.1 and one on
// all addresses.
function assertPortIsFree(port, variable) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
      .on("connect", () => {
        socket.destroy();
        fail(`Port ${port} is in use. Stop the program that uses it, or run \`make run ${variable}=${port + 100}\``);
      })
      .on("error", resolve);
  });
}

function wranglerDevArgs() {
  return [
    "node_modules/wrangler/bin/wrangler.js",
    "dev",
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-ip", "127.0.0.1"],
    ...["--var", `OFAUTH_API_URL:${vars.OFAUTH_API_URL}`],
    ...(returnUrl ? ["--var", `APP_RETURN_URL:${returnUrl}`] : []),
    "--show-interactive-dev-session=false",
  ];
}

// Starts a Node program as the leader of a new process group. A signal to the group also stops the workerd that wrangler
// starts, and Ctrl-C in the terminal reaches only this script.
function start(name, args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  children.add(child);
  child.on("exit", (code, signal) => {
    children.delete(child);
    if (!isStopping) console.error(`${name} ended (${signal ?? `exit code ${code}`}): stopping`);
    stop(1);
  });
}

async function printWhenHealthy() {
  for (const end = Date.now() + 180_000; Date.now() < end && !isStopping; await pause(200)) {
    // Until the Worker listens, fetch fails.
    const response = await fetch(`${gateway}/healthz`).catch(() => null);
    if (response && !response.ok) return fail(`The Worker is not healthy: ${await response.text()}`);
    if (response) return console.log(instructions());
  }
  if (!isStopping) fail(`The Worker does not answer on ${gateway}`);
}

function instructions() {
  const data = '{"clientReferenceId":"user_1","connection":{"id":"conn_demo","status":"active","permissions":["profile:read"],"userData":{"id":"1","name":"Demo","username":"demo","avatar":null}}}';
  const body = `body='{"type":"connection.created","timestamp":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","data":${data}}'`;
  const signature = '"OFAuth-Signature: $(printf %s "$body" | node tests/emulator/sign.mjs)"';
  const extract = (name) => `sed 's/.*"${name}": *"\\([^"]*\\)".*/\\1/'`;
  const json = "-H 'Content-Type: application/json'";
  const session = `'{"clientReferenceId":"user_2","permissions":["connections:link"]}'`;
  const bearer = shellQuote(`Authorization: Bearer ${vars.GATEWAY_KEY.split(",")[0]}`);
  const link = `token=$(curl -sS ${gateway}/edge/sessions -H ${bearer} ${json} -d ${session} | ${extract("token")})
curl -sS -X POST ${gateway}/v2/link/init -H "Authorization: Bearer $token" ${json} -d '{}' | ${extract("url")}; echo`;
  return `
Worker    ${gateway}
${emulatorPort ? `Emulator  ${emulator}` : `OFAuth    ${vars.OFAUTH_API_URL} (from .dev.vars; nothing is emulated)`}

Paste into another terminal, in this folder:

1. Send a signed webhook, as OFAuth does, that reports a new connection
${body}; curl -sS ${gateway}/webhooks/ofauth -H ${signature} ${json} --data-binary "$body"; echo

2. List the connections that the Worker knows
curl -sS ${gateway}/edge/connections -H ${bearer}; echo

3. Call the Access API on that connection
curl -sS ${gateway}/v2/access/self -H ${bearer} -H 'x-connection-id: conn_demo'; echo

4. Start Link for another user and print the page to open in a browser${emulatorPort ? " (the page lists sandbox logins)" : ""}
${returnUrl ? link : "First set APP_RETURN_URL in .dev.vars: the page users return to after Link. It must be an https URL, or http on loopback."}

Ctrl-C stops ${emulatorPort ? "both" : "the Worker"}.
`;
}

function shellQuote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function stop(code) {
  if (isStopping) return;
  isStopping = true;
  process.exitCode = code;
  for (const child of children) signalGroup(child, "SIGTERM");
  // Kill the processes that have not ended after 5 seconds.
  setTimeout(() => {
    for (const child of children) signalGroup(child, "SIGKILL");
  }, 5000).unref();
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The process has already ended.
  }
}

function fail(message) {
  console.error(message);
  if (children.size === 0) process.exit(1);
  stop(1);
}
