// `make deploy`, against a stand-in for Cloudflare's API. What it uploads is run, and the script talks to it.
// 1. What it refuses before it uploads anything, 2. the first deployment, 3. an upload that fails, 4. a second one, which keeps
// every secret, 5. one without the settings file, 6. keys with rights, 7. the secrets are those that are documented, 8. new secrets
// and old ones, also while the version before still answers, 9. a Worker or a key that does not work is a failure, 10. the
// environments of wrangler.toml are alike. Each deployment takes seconds, so `make test` makes only the first one.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { unstable_readConfig as readConfig } from "wrangler";

import { SECRETS as SECRET_NAMES } from "../../scripts/deploy-texts.mjs";
import { SECRETS, startGateway } from "../e2e/harness.mjs";
import { slowTest } from "../full.mjs";
import { ACCOUNT, startCloudflare } from "./cloudflare.mjs";
import { cleanUp, copyOfProject } from "./project.mjs";

const TOKEN = "cloudflare-token";
const folder = copyOfProject();
const file = join(folder, ".deploy/sandbox.env");
const cloudflare = await startCloudflare({ token: TOKEN });
// The address of the deployed Worker. It leads to the gateway that `forward` starts.
const front = createServer(forward);
let gateway;
let running;
// How many calls with a gateway key are answered as by the version before, which does not know the key.
let stale = 0;

before(() => once(front.listen(0, "127.0.0.1"), "listening"));
after(async () => {
  front.close();
  cloudflare.close();
  await gateway?.close();
  await cleanUp();
});

test("without a known environment, or without a login, it says what to do and writes nothing", async () => {
  for (const ENV of ["", "staging", "constructor"]) {
    const { code, output } = await deploy({ ENV });
    assert.equal(code, 1);
    assert.match(output, /ENV=sandbox.*ENV=production/);
  }
  const { code, output } = await deploy({ CLOUDFLARE_API_TOKEN: "wrong" });
  assert.equal(code, 1);
  assert.match(output, /npx wrangler login/);
  assert.ok(!existsSync(join(folder, ".deploy")));
});

test("what only the owner knows is asked for at once, and the other secrets are generated", async () => {
  const { code, output } = await deploy();
  assert.equal(code, 1);
  for (const name of ["OFAUTH_API_KEY", "OFAUTH_WEBHOOK_SECRET or SVIX_WEBHOOK_SECRET", "ALLOWED_ORIGINS", "APP_RETURN_URL"]) {
    assert.match(output, new RegExp(`^  ${name}: .`, "m"));
  }
  assert.match(output, /password manager/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const made = settings();
  assert.deepEqual(Object.keys(made), ["GATEWAY_KEY", "SESSION_SECRET", "STORAGE_KEY", "INDEX_KEY"]);
  assert.match(made.GATEWAY_KEY, /^gk_sandbox_[0-9a-f]{48}$/);
  for (const value of Object.values(made)) assert.ok(!output.includes(value), "no secret is printed");
  assert.deepEqual(cloudflare.uploads, []);
});

test("a key of the other environment is refused before anything is uploaded", async () => {
  writeFileSync(file, `${readFileSync(file, "utf8")}OFAUTH_API_KEY="sk_live_0123"
OFAUTH_WEBHOOK_SECRET='${SECRETS.OFAUTH_WEBHOOK_SECRET}$HOME'
FORWARD_SECRET="whsec_0123456789abcdef0123456789abcdef"
ALERT_URL="http://127.0.0.1:1/0123456789"
ALLOWED_ORIGINS="https://app.example,https://admin.app.example"
APP_RETURN_URL=
PUBLIC_URL="http://127.0.0.1:${front.address().port}"
`);
  const { code, output } = await deploy();
  assert.equal(code, 1);
  assert.match(output, /sk_sandbox_/);
  assert.deepEqual(cloudflare.uploads, []);
});

test("the first deployment uploads the Worker with all of its secrets, and checks that it works", async () => {
  writeFileSync(file, readFileSync(file, "utf8").replace("sk_live_0123", SECRETS.OFAUTH_API_KEY));
  const { code, output } = await deploy();
  assert.equal(code, 0, output);
  const [{ name, metadata, modules }] = cloudflare.uploads;
  assert.equal(name, "ofauth-edge-sandbox");
  assert.deepEqual(cloudflare.namespaces, ["ofauth-edge-sandbox-connections"]);
  const { PUBLIC_URL, ALLOWED_ORIGINS, APP_RETURN_URL, ...secrets } = settings();
  const texts = (type) => Object.fromEntries(metadata.bindings.filter((binding) => binding.type === type).map(({ name, text }) => [name, text]));
  assert.deepEqual(texts("secret_text"), secrets, "a dollar sign in a secret stays one");
  const variables = texts("plain_text");
  assert.deepEqual([variables.PUBLIC_URL, variables.ALLOWED_ORIGINS, variables.APP_RETURN_URL], [PUBLIC_URL, ALLOWED_ORIGINS, ""]);
  assert.ok(Object.keys(modules).some((module) => module.endsWith(".wasm")));
  const [files] = cloudflare.files;
  for (const page of ["/privacy.html", "/console/index.html", "/console/vendor/uplot.mjs", "/console/vendor/uplot.css"]) assert.ok(files.includes(page), page);
  for (const address of ["/webhooks/ofauth", "/link/callback"]) assert.ok(output.includes(`${PUBLIC_URL}${address}`), address);
  assert.match(output, /"environment"|"id"/, "OFAuth's answer to whoami");
  for (const value of Object.values(secrets)) assert.ok(!output.includes(value), "no secret is printed");
  assert.deepEqual(readdirSync(join(folder, ".deploy")), ["sandbox.env"], "nothing else with a secret is left");
});

slowTest("an upload that fails leaves no copy of the secrets", async () => {
  const { code, output } = await deploy({ CLOUDFLARE_ACCOUNT_ID: "f".repeat(32) });
  assert.equal(code, 1);
  assert.match(output, /could not deploy/);
  assert.deepEqual(readdirSync(join(folder, ".deploy")), ["sandbox.env"]);
});

slowTest("a second deployment keeps every secret", async () => {
  const before = readFileSync(file, "utf8");
  const { code, output } = await deploy();
  assert.equal(code, 0, output);
  assert.equal(readFileSync(file, "utf8"), before);
  assert.deepEqual(secretsOf(cloudflare.uploads.at(-1)), secretsOf(cloudflare.uploads.at(-2)));
  assert.equal(cloudflare.namespaces.length, 1);
});

slowTest("without the settings file it makes no secrets in the place of those that are deployed", async () => {
  const kept = readFileSync(file, "utf8");
  const count = cloudflare.uploads.length;
  for (const [text, missing] of [
    ["", "GATEWAY_KEY, SESSION_SECRET, STORAGE_KEY, INDEX_KEY"],
    [kept.replace(/^STORAGE_KEY=.*\n/m, ""), "STORAGE_KEY"],
  ]) {
    writeFileSync(file, text);
    const { code, output } = await deploy();
    assert.equal(code, 1);
    assert.ok(output.includes(`The deployed Worker has ${missing}, and .deploy/sandbox.env has not`), output);
    assert.match(output, /password manager/);
    assert.equal(readFileSync(file, "utf8"), text);
  }
  assert.equal(cloudflare.uploads.length, count);
  writeFileSync(file, kept);
});

slowTest("a gateway key with a name and rights is sent without them, and the first that may read asks OFAuth", async () => {
  const kept = readFileSync(file, "utf8");
  const [other, reader] = ["a".repeat(40), "b".repeat(40)];
  writeFileSync(file, kept.replace(/^GATEWAY_KEY=.*$/m, `GATEWAY_KEY="app:access+sessions:${other},support:read:${reader}"`));
  const { code, output } = await deploy();
  assert.equal(code, 0, output);
  const [line] = /^key=.*$/m.exec(output);
  const { stdout } = spawnSync("sh", ["-c", `${line}; echo "$key"`], { cwd: folder, encoding: "utf8" });
  assert.equal(stdout.trim(), other);
  for (const change of [{ ROTATE: "GATEWAY_KEY" }, { RETIRE: "GATEWAY_KEY" }]) {
    const { code, output } = await deploy(change);
    assert.equal(code, 1);
    assert.match(output, /the last one may be that of another server\. Change the list in \.deploy\/sandbox\.env itself/);
  }
  writeFileSync(file, kept);
});

test("the secrets are those of docs/configuration.md", () => {
  const page = readFileSync(join(folder, "docs/configuration.md"), "utf8");
  const documented = [...page.matchAll(/^\| \[`(\w+)`\]\(#\w+\) \| secret\b/gm)].map(([, name]) => name);
  assert.deepEqual([...SECRET_NAMES].sort(), documented.sort());
});

slowTest("ROTATE puts a new value in front of the old one, and RETIRE removes the oldest", async () => {
  const { STORAGE_KEY: old } = settings();
  stale = 2;
  assert.equal((await deploy({ ROTATE: "STORAGE_KEY" })).code, 0);
  assert.equal(stale, 0);
  const [fresh, ...others] = settings().STORAGE_KEY.split(",");
  assert.deepEqual([others, fresh === old], [[old], false]);
  assert.equal(secretsOf(cloudflare.uploads.at(-1)).STORAGE_KEY, `${fresh},${old}`);
  assert.equal((await deploy({ RETIRE: "STORAGE_KEY" })).code, 0);
  assert.equal(settings().STORAGE_KEY, fresh);
  const count = cloudflare.uploads.length;
  const refusals = [
    [{ ROTATE: "INDEX_KEY" }, /never/],
    [{ RETIRE: "GATEWAY_KEY" }, /only one value/],
    [{ ROTATE: "OFAUTH_API_KEY" }, /from OFAuth.* in the place of the old one/],
    [{ ROTATE: "FORWARD_SECRET" }, /your app .* in front of the old one/],
    [{ ROTATE: "PATH" }, /no secret/],
  ];
  for (const [change, reason] of refusals) {
    const { code, output } = await deploy(change);
    assert.equal(code, 1);
    assert.match(output, reason);
  }
  assert.equal(cloudflare.uploads.length, count);
});

slowTest("an API key that OFAuth refuses, and a Worker that is not healthy, are failures that say why", async () => {
  const good = readFileSync(file, "utf8");
  for (const [was, is, reason] of [
    [SECRETS.OFAUTH_API_KEY, "sk_sandbox_unknown", /OFAuth refuses OFAUTH_API_KEY/],
    [/^SESSION_SECRET=.*$/m, 'SESSION_SECRET="short"', /SESSION_SECRET has an item of fewer than 32 characters/],
  ]) {
    writeFileSync(file, good.replace(was, is));
    const { code, output } = await deploy();
    assert.equal(code, 1);
    assert.match(output, reason);
  }
  writeFileSync(file, good);
});

test("the environments of wrangler.toml have the bindings, variables and migrations of the Worker itself", () => {
  const config = (env) => readConfig({ config: join(folder, "wrangler.toml"), env });
  const { kv_namespaces, durable_objects, migrations, vars, triggers, observability, assets } = config();
  for (const env of ["sandbox", "production"]) {
    const other = config(env);
    assert.equal(other.name, `ofauth-edge-${env}`);
    for (const [key, value] of Object.entries({ kv_namespaces, durable_objects, migrations, vars, triggers, observability, assets })) {
      assert.deepEqual(other[key], value, `${env}: ${key}`);
    }
  }
});

async function deploy(more = {}) {
  const login = { CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: ACCOUNT.id, CLOUDFLARE_API_BASE_URL: cloudflare.url };
  const env = { ...process.env, ENV: "sandbox", ...login, ...more };
  const child = spawn(process.execPath, ["scripts/deploy.mjs"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = await once(child, "close");
  return { code, output };
}

/** Sends a request to the Worker that was uploaded last. It runs with the bindings of that upload, and the emulated OFAuth. */
async function forward(incoming, outgoing) {
  if (running !== cloudflare.uploads.at(-1)) {
    await gateway?.close();
    running = cloudflare.uploads.at(-1);
    const texts = running.metadata.bindings.filter(({ text }) => text !== undefined).map(({ name, text }) => [name, text]);
    const { OFAUTH_API_URL: _, ...vars } = Object.fromEntries(texts);
    gateway = await startGateway({ vars: { SVIX_WEBHOOK_SECRET: undefined, ...vars } });
  }
  const isStale = incoming.url.startsWith("/v2/") && stale > 0;
  if (isStale) stale -= 1;
  const authorization = isStale ? `Bearer ${"x".repeat(40)}` : (incoming.headers.authorization ?? "");
  const { status, headers, text } = await gateway.send(incoming.method, incoming.url, { headers: { authorization } });
  outgoing.writeHead(status, { "content-type": "application/json", "x-ofauth-edge": headers["x-ofauth-edge"] ?? "" }).end(text);
}

function settings() {
  const lines = readFileSync(file, "utf8").matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm);
  return Object.fromEntries([...lines].map(([, name, , value]) => [name, value]));
}

function secretsOf({ metadata }) {
  return Object.fromEntries(metadata.bindings.filter(({ type }) => type === "secret_text").map(({ name, text }) => [name, text]));
}
