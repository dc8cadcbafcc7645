// `make deploy ENV=sandbox` or `ENV=production`: uploads the Worker to your Cloudflare account. The environment's settings are in
// .deploy/<environment>.env, which git ignores. It may be repeated: then it uploads again, with the settings of that file.
//
// 1. Reads ENV, and checks that wrangler is logged in.
// 2. Makes the secrets that are missing in the settings file, unless the deployed Worker has them, and asks for what only you know.
//    ROTATE=<secret> puts a new value in front of the old ones. RETIRE=<secret> removes the oldest value.
// 3. Checks that the API key belongs to the environment. Warns if www/privacy.html is not filled in.
// 4. Uploads the Worker together with its secrets, so that it never runs without them.
// 5. Waits until /healthz is fine, and asks OFAuth by the new Worker whose API key it has.
// 6. Prints what to register at OFAuth, and how to test the deployment.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { setTimeout as pause } from "node:timers/promises";

import { keyWithRight } from "../pkg-template/cli/env-file.mjs";
import { afterUpload, ENVIRONMENTS, SECRETS } from "./deploy-texts.mjs";
import { openSettings } from "./deploy-settings.mjs";
import { root } from "./inputs.mjs";

const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
// How long a new address may take until it answers. Cloudflare makes its certificate and its DNS record meanwhile.
const READY_WITHIN_MS = 120_000;
// How long the version before may still answer after the upload. It does not know a new gateway key.
const KEY_KNOWN_WITHIN_MS = 30_000;

// 1.
const environment = env.ENV ?? "";
if (!Object.hasOwn(ENVIRONMENTS, environment)) fail("Say which environment: `make deploy ENV=sandbox` or `make deploy ENV=production`");
checkLogin();
// 2.
const changes = { rotate: env.ROTATE, retire: env.RETIRE };
const settings = await openSettings(environment, { ...changes, deployedSecrets }).catch((error) => fail(error.message));
// 3.
const { keyPrefix } = ENVIRONMENTS[environment];
if (!settings.OFAUTH_API_KEY.startsWith(keyPrefix)) {
  fail(`OFAUTH_API_KEY in .deploy/${environment}.env does not begin with ${keyPrefix}, as OFAuth's keys for ${environment} do`);
}
spawnSync(process.execPath, [join(root, "scripts/privacy.mjs")], { stdio: "inherit" });
// 4.
const uploadedTo = upload();
const address = settings.PUBLIC_URL || uploadedTo || fail("Cloudflare names no address for the Worker. Set DOMAIN or PUBLIC_URL");
// 5.
await waitUntilHealthy();
const account = await askForAccount();
// 6.
console.log(afterUpload({ environment, address, account }));

function checkLogin() {
  const { status, stdout, stderr } = runWrangler(["whoami", "--json"], "pipe");
  if (status === 0) return;
  const why = `${stdout}${stderr}`.includes("Not logged in") || stdout.includes('"loggedIn"') ? "" : `\n${stderr.trim()}`;
  fail(`wrangler is not logged in to Cloudflare. Run \`npx wrangler login\`, or set CLOUDFLARE_API_TOKEN${why}`);
}

/** The names of the secrets that the deployed Worker has. */
function deployedSecrets() {
  const { status, stdout, stderr } = runWrangler(["secret", "list", "--env", environment], "pipe");
  if (status === 0) return JSON.parse(stdout).map(({ name }) => name);
  // Before the first deployment.
  if (/Worker "[^"]+".* not found/.test(`${stdout}${stderr}`)) return [];
  return fail(`wrangler does not say whether ofauth-edge-${environment} has secrets already\n${stderr.trim()}`);
}

/** Uploads the Worker. Returns its https address, if Cloudflare tells one. */
function upload() {
  const folder = join(root, ".deploy/upload");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  try {
    const secretsFile = join(folder, "secrets.json");
    const outputFile = join(folder, "output.ndjson");
    const secrets = Object.fromEntries(SECRETS.flatMap((name) => (settings[name] ? [[name, settings[name]]] : [])));
    writeFileSync(secretsFile, JSON.stringify(secrets), { mode: 0o600 });
    const { DOMAIN, ...others } = settings;
    const variables = Object.entries(others).filter(([name]) => !SECRETS.includes(name));
    const args = ["deploy", "--env", environment, "--secrets-file", secretsFile];
    for (const [name, value] of variables) args.push("--var", `${name}:${value}`);
    if (DOMAIN) args.push("--domain", DOMAIN);
    const { status } = runWrangler(args, "inherit", { WRANGLER_OUTPUT_FILE_PATH: outputFile });
    if (status === 0) return readAddress(outputFile);
  } finally {
    rmSync(folder, { recursive: true });
  }
  // Not before the folder with the secrets is gone: `fail` ends the process.
  return fail("wrangler could not deploy the Worker. What was deployed before still runs");
}

function readAddress(outputFile) {
  const entries = readFileSync(outputFile, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const targets = entries.find(({ type }) => type === "deploy")?.targets ?? [];
  return targets.find((target) => target.startsWith("https://"))?.replace(/\/$/, "");
}

// Without a terminal wrangler asks nothing, and does not write the ids of what it creates into wrangler.toml.
function runWrangler(args, output, more = {}) {
  return spawnSync(process.execPath, [wrangler, ...args], {
    cwd: root,
    env: { ...env, ...more },
    stdio: ["ignore", output, output],
    encoding: "utf8",
  });
}

async function waitUntilHealthy() {
  console.log(`Waiting until ${address}/healthz answers`);
  let last = "no answer";
  for (const end = Date.now() + READY_WITHIN_MS; Date.now() < end; await pause(1000)) {
    const response = await fetch(`${address}/healthz`, { signal: AbortSignal.timeout(10_000) }).catch((error) => error);
    if (response.ok) {
      const { warnings = [] } = await response.json();
      for (const warning of warnings) console.error(`Warning: ${warning}`);
      return;
    }
    last = response instanceof Error ? (response.cause?.message ?? response.message) : `${response.status} ${await response.text()}`;
    // Another Worker may still answer right after the upload, but its problems do not go away by themselves.
    if (last.startsWith("503") && Date.now() > end - READY_WITHIN_MS + 5_000) break;
  }
  fail(`The Worker is uploaded, but ${address}/healthz is not fine: ${last}`);
}

async function askForAccount() {
  const headers = { authorization: `Bearer ${keyWithRight(settings.GATEWAY_KEY, "read")}` };
  for (const end = Date.now() + KEY_KNOWN_WITHIN_MS; ; await pause(1000)) {
    const response = await fetch(`${address}/v2/account/whoami`, { headers, signal: AbortSignal.timeout(30_000) }).catch((error) =>
      fail(`${address}/v2/account/whoami does not answer: ${error.message}`),
    );
    const text = await response.text();
    if (response.ok) return text;
    const isFromOFAuth = response.headers.get("x-ofauth-edge") === "upstream";
    if (response.status === 401 && isFromOFAuth) fail(`OFAuth refuses OFAUTH_API_KEY of .deploy/${environment}.env: ${text}`);
    if (response.status === 401 && Date.now() < end) continue;
    return fail(`The Worker is uploaded, but GET /v2/account/whoami answers ${response.status}: ${text}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
