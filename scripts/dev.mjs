// The development server of `make run`: the Worker under `wrangler dev` and an emulated OFAuth, both on loopback, with
// secrets of their own. Ends with Ctrl-C, and then so do both.
//
// 1. Development secrets: .dev.vars, written once; only keys it lacks are added.
// 2. Ports: PORT (8787) and EMULATOR_PORT (8788), both free. An OFAUTH_API_URL in .dev.vars that is no loopback address is
//    the real OFAuth: then nothing is emulated.
// 3. Where users return to after Link: APP_RETURN_URL in .dev.vars, else a page of the emulator's.
// 4. Start both, wait for /healthz, print what to try.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const devVars = join(root, ".dev.vars");
const running = new Set();
let stopping = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));

const port = portFrom("PORT", 8787);
const vars = developmentSecrets(portFrom("EMULATOR_PORT", 8788));
const emulatorPort = loopbackPort(vars.OFAUTH_API_URL);
const gateway = `http://127.0.0.1:${port}`;
const emulator = `http://127.0.0.1:${emulatorPort}`;
const returnUrl = vars.APP_RETURN_URL ?? (emulatorPort ? `${emulator}/app` : "");

await assertFree(port, "PORT");
if (emulatorPort) {
  await assertFree(emulatorPort, "EMULATOR_PORT");
  start("the emulator", ["tests/emulator/main.mjs"], {
    PORT: String(emulatorPort),
    OFAUTH_API_KEY: vars.OFAUTH_API_KEY,
    OFAUTH_WEBHOOK_SECRET: vars.OFAUTH_WEBHOOK_SECRET ?? "",
    WEBHOOK_URL: `${gateway}/webhooks/ofauth`,
  });
}
start("wrangler", wranglerDev());
await printWhenHealthy();

function developmentSecrets(defaultEmulatorPort) {
  const hex = (bytes) => randomBytes(bytes).toString("hex");
  const wanted = {
    OFAUTH_API_KEY: () => `sk_sandbox_${hex(24)}`,
    OFAUTH_WEBHOOK_SECRET: () => `whsec_${hex(32)}`,
    GATEWAY_KEY: () => `gk_dev_${hex(24)}`,
    SESSION_SECRET: () => hex(32),
    STORAGE_KEY: () => randomBytes(32).toString("base64"),
    INDEX_KEY: () => randomBytes(32).toString("base64"),
    OFAUTH_API_URL: () => `http://127.0.0.1:${defaultEmulatorPort}`,
  };
  const text = existsSync(devVars) ? readFileSync(devVars, "utf8") : "";
  const found = parse(text);
  const missing = Object.keys(wanted).filter((name) => !(name in found));
  if (missing.length > 0) {
    console.log(`Secrets for development: ${text ? `${missing.join(", ")} added to .dev.vars` : "written to .dev.vars"}`);
    const lines = missing.map((name) => `${name}="${(found[name] = wanted[name]())}"\n`);
    appendFileSync(devVars, (text && !text.endsWith("\n") ? "\n" : "") + lines.join(""), { mode: 0o600 });
  }
  chmodSync(devVars, 0o600);
  // A port given for this run alone goes before the one in the file.
  if (process.env.EMULATOR_PORT && loopbackPort(found.OFAUTH_API_URL)) found.OFAUTH_API_URL = wanted.OFAUTH_API_URL();
  return found;
}

function parse(text) {
  const entries = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!name) continue;
    const quoted = /^(["'`])(.*?)\1/.exec(value);
    entries[name] = quoted ? quoted[2] : value.replace(/\s*#.*$/, "");
  }
  return entries;
}

function loopbackPort(url) {
  const match = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)\/?$/.exec(url);
  return match ? Number(match[1]) : null;
}

function portFrom(name, fallback) {
  const value = process.env[name] || String(fallback);
  if (!/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65535) fail(`${name}=${value} is no port number`);
  return Number(value);
}

// Asks rather than listens: on macOS one may listen on 127.0.0.1 beside another who listens on all addresses.
function assertFree(wanted, name) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: wanted })
      .on("connect", () => {
        socket.destroy();
        fail(`Port ${wanted} is taken: stop what uses it, or run \`make run ${name}=${wanted + 100}\``);
      })
      .on("error", resolve);
  });
}

function wranglerDev() {
  return [
    "node_modules/wrangler/bin/wrangler.js",
    "dev",
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-ip", "127.0.0.1"],
    ...["--var", `OFAUTH_API_URL:${vars.OFAUTH_API_URL}`],
    ...(returnUrl ? ["--var", `APP_RETURN_URL:${returnUrl}`] : []),
    "--show-interactive-dev-session=false",
  ];
}

// Each child leads a process group of its own, so that wrangler's workerd ends with it and Ctrl-C reaches us alone.
function start(name, args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  running.add(child);
  child.on("exit", (code, signal) => {
    running.delete(child);
    if (!stopping) console.error(`${name} ended (${signal ?? `exit code ${code}`}): stopping`);
    stop(1);
  });
}

async function printWhenHealthy() {
  for (const end = Date.now() + 180_000; Date.now() < end && !stopping; await pause(200)) {
    const response = await fetch(`${gateway}/healthz`).catch(() => null); // not listening yet
    if (response && !response.ok) return fail(`The Worker is not healthy: ${await response.text()}`);
    if (response) return console.log(whatToTry());
  }
  if (!stopping) fail(`The Worker does not answer on ${gateway}`);
}

function whatToTry() {
  const data = '{"clientReferenceId":"user_1","connection":{"id":"conn_demo","status":"active","permissions":["profile:read"],"userData":{"id":"1","name":"Demo","username":"demo","avatar":null}}}';
  const body = `body='{"type":"connection.created","timestamp":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","data":${data}}'`;
  const signature = '"OFAuth-Signature: $(printf %s "$body" | node tests/emulator/sign.mjs)"';
  const value = (name) => `sed 's/.*"${name}": *"\\([^"]*\\)".*/\\1/'`;
  const json = "-H 'Content-Type: application/json'";
  const session = `'{"clientReferenceId":"user_2","permissions":["connections:link"]}'`;
  const bearer = quoted(`Authorization: Bearer ${vars.GATEWAY_KEY.split(",")[0]}`);
  const link = `token=$(curl -sS ${gateway}/edge/sessions -H ${bearer} ${json} -d ${session} | ${value("token")})
curl -sS -X POST ${gateway}/v2/link/init -H "Authorization: Bearer $token" ${json} -d '{}' | ${value("url")}; echo`;
  return `
Worker    ${gateway}
${emulatorPort ? `Emulator  ${emulator}` : `OFAuth    ${vars.OFAUTH_API_URL} (from .dev.vars; nothing is emulated)`}

Paste into another terminal, in this folder:

1. OFAuth reports a new connection (signed webhook)
${body}; curl -sS ${gateway}/webhooks/ofauth -H ${signature} ${json} --data-binary "$body"; echo

2. The connections kept here
curl -sS ${gateway}/edge/connections -H ${bearer}; echo

3. An Access call on that connection
curl -sS ${gateway}/v2/access/self -H ${bearer} -H 'x-connection-id: conn_demo'; echo

4. A user links an account: prints the page to open in a browser${emulatorPort ? " (sandbox logins are on it)" : ""}
${returnUrl ? link : "It needs a page to return to: put APP_RETURN_URL into .dev.vars, an https URL or one on loopback"}

Ctrl-C ends both.
`;
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function stop(code) {
  if (stopping) return;
  stopping = true;
  process.exitCode = code;
  for (const child of running) signalGroup(child, "SIGTERM");
  // What has not ended by then is ended.
  setTimeout(() => {
    for (const child of running) signalGroup(child, "SIGKILL");
  }, 5000).unref();
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function fail(message) {
  console.error(message);
  if (running.size === 0) process.exit(1);
  stop(1);
}
