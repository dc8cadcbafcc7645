// The development server of `make run`. Starts the Worker under `wrangler dev`, an emulated OFAuth and a demo app, all on
// loopback. Ctrl-C stops them.
//
// 1. Reads the development secrets from .dev.vars.
// 2. Checks the ports: PORT (default 8787) for the Worker, EMULATOR_PORT (default 8788) for the emulator, DEMO_PORT (default
//    8789) for the demo app. They must differ and be free.
// 3. Makes the secrets that are missing, and adds them to .dev.vars.
// 4. Starts the emulator, but only if OFAUTH_API_URL is a loopback address. Any other address is the real OFAuth. The emulator
//    keeps its connections in .wrangler, where the Worker's data are.
// 5. Starts the demo app, and the Worker that `make worker-dev` builds. The Worker lets the demo app's page call it. After Link it
//    sends users to APP_RETURN_URL of .dev.vars, or by default to the demo app.
// 6. Waits until /healthz answers, and prints commands to try.
// 7. If .dev.vars changes, says to start again.

import { spawn } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, watchFile } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { keyWithRight } from "../pkg-template/cli/env-file.mjs";
import { DEMO, instructions } from "./dev-steps.mjs";
import { root } from "./inputs.mjs";
import { newSecret, parseSettings, randomHex } from "./settings.mjs";

const devVarsFile = join(root, ".dev.vars");
// How the API keys begin that are made here.
const EMULATOR_KEY = "sk_sandbox_emulator_";
const children = new Set();
let isStopping = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));

const port = readPort("PORT", 8787);
// 1.
const { vars, missing } = readDevVars(readPort("EMULATOR_PORT", 8788));
const emulatorPort = loopbackPortOf(vars.OFAUTH_API_URL);
const gateway = `http://127.0.0.1:${port}`;
const emulator = emulatorPort ? `http://127.0.0.1:${emulatorPort}` : null;
const demoPort = readPort("DEMO_PORT", 8789);
const demo = `http://127.0.0.1:${demoPort}`;

// 2.
assertPortsDiffer();
await assertPortIsFree(port, "PORT");
if (emulator) await assertPortIsFree(emulatorPort, "EMULATOR_PORT");
await assertPortIsFree(demoPort, "DEMO_PORT");
// 3.
assertKeyIsReal();
const devVarsText = saveMissing();
// This line comes before the URLs that the programs print themselves.
console.log(`Demo app  ${demo}  (starting)`);
// 4.
if (emulator) {
  start("the emulator", ["tests/emulator/main.mjs"], {
    PORT: String(emulatorPort),
    OFAUTH_API_KEY: vars.OFAUTH_API_KEY,
    OFAUTH_WEBHOOK_SECRET: vars.OFAUTH_WEBHOOK_SECRET ?? "",
    WEBHOOK_URL: `${gateway}/webhooks/ofauth`,
    CONNECTIONS_FILE: join(root, ".wrangler/emulator-connections"),
    FIRST_CONNECTION: JSON.stringify(DEMO),
  });
}
// 5.
start("the demo app", ["examples/demo/backend.mjs"], {
  PORT: String(demoPort),
  GATEWAY_URL: gateway,
  GATEWAY_KEY: keyWithRight(vars.GATEWAY_KEY, "sessions"),
});
// Without this setting, wrangler stores the URL of every request on disk, and a URL may contain a connection id. What an earlier
// run has stored is removed.
rmSync(join(root, ".wrangler/state/v3/observability"), { recursive: true, force: true });
start("wrangler", wranglerDevArgs(), { X_LOCAL_OBSERVABILITY: "false", WORKER_TARGET: "worker-dev" });
// 6.
await printWhenHealthy();
// 7.
if (!isStopping) watchDevVars();

/** The settings in .dev.vars, and the names of those that are missing there, which are made here. */
function readDevVars(defaultEmulatorPort) {
  const defaults = {
    OFAUTH_API_KEY: () => `${EMULATOR_KEY}${randomHex(24)}`,
    OFAUTH_WEBHOOK_SECRET: () => `whsec_${randomHex(32)}`,
    ...newSecret,
    OFAUTH_API_URL: () => `http://127.0.0.1:${defaultEmulatorPort}`,
  };
  const vars = parseSettings(readText());
  const missing = Object.keys(defaults).filter((name) => !(name in vars));
  for (const name of missing) vars[name] = defaults[name]("dev");
  // EMULATOR_PORT in the environment is for this run. It overrides the port in the file.
  if (process.env.EMULATOR_PORT && loopbackPortOf(vars.OFAUTH_API_URL)) vars.OFAUTH_API_URL = defaults.OFAUTH_API_URL();
  return { vars, missing };
}

/** Adds what is missing to .dev.vars. Returns the whole text. */
function saveMissing() {
  const text = readText();
  if (missing.length > 0) {
    console.log(`Secrets for development: ${text ? `${missing.join(", ")} added to .dev.vars` : "written to .dev.vars"}`);
    const lines = missing.map((name) => `${name}="${vars[name]}"\n`);
    appendFileSync(devVarsFile, (text && !text.endsWith("\n") ? "\n" : "") + lines.join(""), { mode: 0o600 });
  }
  chmodSync(devVarsFile, 0o600);
  return readText();
}

function readText() {
  return existsSync(devVarsFile) ? readFileSync(devVarsFile, "utf8") : "";
}

// The Worker, the emulator and the printed commands have the settings of the start. Polls, because editors replace the file.
function watchDevVars() {
  let last = devVarsText;
  watchFile(devVarsFile, { interval: 500, persistent: false }, () => {
    const text = readText();
    if (text !== last) console.log("\n.dev.vars has changed. Press Ctrl-C and start `make run` again: until then the old settings count\n");
    last = text;
  });
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

function assertPortsDiffer() {
  const isInFile = !process.env.EMULATOR_PORT && !missing.includes("OFAUTH_API_URL");
  const emulatorName = isInFile ? "the port of OFAUTH_API_URL in .dev.vars" : "EMULATOR_PORT";
  const used = [["PORT", port], [emulatorName, emulatorPort], ["DEMO_PORT", demoPort]];
  for (const [index, [name, one]] of used.entries()) {
    const [other] = used.slice(index + 1).find(([, another]) => one !== null && another === one) ?? [];
    if (!other) continue;
    const kept = name === emulatorName && isInFile ? "" : `${name}=${one} `;
    const changed = other === emulatorName ? "EMULATOR_PORT" : other;
    fail(`${name} and ${other} are both ${one}, but each program needs a port of its own. Run \`make run ${kept}${changed}=${anotherPort(one)}\``);
  }
}

function anotherPort(port) {
  return port > 65_000 ? port - 100 : port + 100;
}

// The real OFAuth does not know a key that was made for the emulator.
function assertKeyIsReal() {
  if (emulator || !vars.OFAUTH_API_KEY.startsWith(EMULATOR_KEY)) return;
  fail(`OFAUTH_API_URL in .dev.vars is ${vars.OFAUTH_API_URL}. Set OFAUTH_API_KEY there to a key of your OFAuth account`);
}

// Tries to connect. Trying to listen would not be enough: on macOS two programs can share a port, one on 127.0.0.1 and one on
// all addresses.
function assertPortIsFree(port, variable) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
      .on("connect", () => {
        socket.destroy();
        fail(`Port ${port} is in use. Stop the program that uses it, or run \`make run ${variable}=${anotherPort(port)}\``);
      })
      .on("error", resolve);
  });
}

function wranglerDevArgs() {
  return [
    "node_modules/wrangler/bin/wrangler.js",
    "dev",
    // What `make worker-dev` writes. wrangler.toml runs that command, because WORKER_TARGET names it.
    "target/worker-dev/index.js",
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-ip", "127.0.0.1"],
    ...["--var", `OFAUTH_API_URL:${vars.OFAUTH_API_URL}`],
    ...["--var", `APP_RETURN_URL:${vars.APP_RETURN_URL || `${demo}/`}`],
    ...["--var", `ALLOWED_ORIGINS:${[vars.ALLOWED_ORIGINS, demo, `http://localhost:${demoPort}`].filter(Boolean).join(",")}`],
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
    if (response) return console.log(instructions({ demo, gateway, emulator, vars }));
  }
  if (!isStopping) fail(`The Worker does not answer on ${gateway}`);
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
