// The commands of README.md, of docs/ and of the package's README: each ```sh block runs as it stands, in a folder of its own,
// against the built Worker and the built package.
//
// 1. A command must end well. curl ends badly if the status is an error, and `explain` if it has found a cause. 2. If an answer follows
// in the same section, what the command prints has its form: the same members, of the same kinds; or the same lines in the same order,
// apart from numbers, times and digests. 3. `<!-- not run: reason -->` before a block leaves it out. Only commands for which this is
// permitted may have the mark.
// 4. The packages that README.md installs on Debian are those of the Dockerfile.
//
// The names of other machines in a command are replaced by those of the gateway and of an app that run here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { verifyWebhook } from "../../pkg/index.js";
import { eventually, introduce, SECRETS, startGateway } from "../e2e/harness.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { startApp } from "../npm/program.mjs";
import { blocksOf, formOfLines, sameForm } from "./doc-blocks.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");

const PAGES = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const FILES = ["README.md", ...PAGES.map((name) => `docs/${name}`), "pkg-template/README.md"];
/** What a block that is not run may do: change this machine, need an account at Cloudflare, or build the package. */
const MAY_BE_LEFT_OUT = /^(sudo (apt-get|dnf) install|xcode-select|npx wrangler (login|tail)|make deploy|make npm|npm install)\b/;
const PATIENCE = 20_000;

const blocks = FILES.flatMap((path) => blocksOf(path, read(path)));
const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-docs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// Takes what is signed as a local app should. The other one never takes a forwarded event, so that there is one to list.
const local = await startApp(({ body, headers }) => (verifies(body, headers) ? 200 : 401));
after(local.close);
const unwilling = await startApp(() => 503);
after(unwilling.close);
const gateway = await startGateway({
  vars: {
    ALLOWED_ORIGINS: "https://app.example",
    APP_RETURN_URL: "https://app.example/linked",
    PUBLIC_URL: "https://gateway.example",
    FORWARD_URL: unwilling.url,
    FORWARD_SECRET: `whsec_${Buffer.alloc(32, "docs").toString("base64")}`,
  },
});
after(() => gateway.close());
const edge = `http://127.0.0.1:${gateway.port}`;

let count = 0;
/** The digest of a webhook that the documents show, and later that of one that the gateway keeps. */
let kept = "fc2d0795e6a5";
writePrograms();

for (const block of blocks.filter(({ notRun }) => !notRun)) {
  test(`${block.place} ${block.text.split("\n")[0]}`, async () => {
    const variables = await variablesOf(block);
    const { code, stdout, printed } = await run(hereOf(block.text), variables, /\blisten\b/.test(block.text));
    assert.equal(code, codeOf(block.text), printed);
    if (block.answer?.language === "json") compareJson(block, stdout);
    if (block.answer?.language === "text") compareLines(block, printed);
  });
}

test("only permitted commands are not run, and each of them says why", () => {
  const left = blocks.filter(({ notRun }) => notRun !== undefined);
  assert.ok(left.length > 0 && left.length < blocks.length / 4, `${left.length} of ${blocks.length}`);
  for (const { place, text, notRun } of left) {
    assert.match(notRun, /\w+ \w+/, place);
    for (const line of text.trimEnd().split("\n")) assert.match(line, MAY_BE_LEFT_OUT, place);
  }
});

test("no command is in a block of another language", () => {
  for (const path of FILES) assert.doesNotMatch(read(path), /^```(bash|shell|zsh|shell-session)/m, path);
  const commands = FILES.flatMap((path) => [...read(path).matchAll(/^```console\n\$ (.*)/gm)].map(([, command]) => command));
  // tests/scripts/dev.test.mjs runs what the first one runs, and this test is part of the second one.
  assert.deepEqual(commands, ["make run", "make test"]);
});

test("README.md installs on Debian what the Dockerfile installs", () => {
  const [, packages] = /^sudo apt-get install -y (.+?) &&/m.exec(read("README.md"));
  const [, installed] = /apt-get install -y (.+?) \\$/m.exec(read("Dockerfile"));
  assert.equal(packages, installed);
});

/** What the text of a block becomes here. */
function hereOf(text) {
  return text
    .replaceAll("http://localhost:3000", new URL(local.url).origin)
    .replaceAll("https://gateway.example", edge)
    .replaceAll("your-gateway-key", SECRETS.GATEWAY_KEY)
    .replaceAll("fc2d0795e6a5", kept.slice(0, 12))
    .replace("ok    The address is https", "skip  The address is https: it runs on this machine");
}

/** How a block ends: `explain` has found a cause, npx was ended by Ctrl-C, and all others have done what they do. */
function codeOf(text) {
  if (text.startsWith("ofauth-edge explain")) return 1;
  return text.includes("npx ofauth-edge listen") ? 130 : 0;
}

/** The shell variables that the documents use. Each block has a user and a connection of its own, so that their order does not count. */
async function variablesOf({ text }) {
  const user = `user_docs_${(count += 1)}`;
  const id = `conn_docs_${count}`;
  const handle = await introduce(gateway, id, { user });
  // Some blocks read what must have happened before.
  if (/\/edge\/(events|metrics)|\breplay\b/.test(text)) await gateway.deliver({ type: "some.thing", timestamp: new Date().toISOString(), data: { x: 1 } });
  if (/\breplay\b/.test(text)) kept = await firstOf("/edge/events?limit=1");
  if (text.includes("/accept-account?platformUserId=1")) await changeAccount(id, user, "1");
  if (text.includes("/edge/users/user_1")) await introduce(gateway, `${id}_1`, { user: "user_1" });
  if (text.includes("/edge/metrics")) await eventually(async () => (await listOf("/edge/metrics")).length > 0, { within: 2 * PATIENCE, every: 500 });
  const ID = text.includes("/edge/deliveries") ? await firstOf("/edge/deliveries?state=pending") : "";
  const session = { clientReferenceId: user, permissions: ["profile:read", "connections:link", "connections:write"] };
  const { token } = (await gateway.call("POST", "/edge/sessions", { body: JSON.stringify(session) })).json();
  const { GATEWAY_KEY, OFAUTH_WEBHOOK_SECRET } = SECRETS;
  writeCapture(text.includes("whsec_local") ? "whsec_local" : OFAUTH_WEBHOOK_SECRET, !text.includes("whsec_local"));
  return { EDGE: edge, HANDLE: handle, TOKEN: token, ID, GATEWAY_KEY, OFAUTH_WEBHOOK_SECRET };
}

/** The connection is with another account from now on, which nobody has accepted. */
async function changeAccount(id, clientReferenceId, account) {
  const timestamp = new Date(Date.now() + 1_000).toISOString();
  const event = connectionEvent("connection.updated", { id, clientReferenceId, timestamp, userData: { id: account, name: "Another" } });
  assert.equal((await gateway.deliver(event)).outcome, "applied");
}

async function listOf(path) {
  return (await gateway.call("GET", path)).json().list;
}

async function firstOf(path) {
  return eventually(async () => (await listOf(path))[0]?.id ?? false);
}

/** Runs a block. One that listens gets a webhook, and Ctrl-C after that has arrived. */
async function run(text, variables, listens) {
  const env = {
    ...variables,
    PATH: [join(folder, "node_modules/.bin"), process.env.PATH].join(delimiter),
    HOME: folder,
    CURL_HOME: folder,
    // npx would otherwise ask the registry whether there is a newer npm.
    npm_config_offline: "true",
    npm_config_update_notifier: "false",
  };
  // The shell outlives Ctrl-C, and ends as its last command does.
  const child = spawn("sh", ["-eu", "-c", `trap : INT\n${text}`], { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", printed: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk) => (output.stdout += chunk));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => (output.printed += chunk));
  const closed = once(child, "close");
  const overdue = setTimeout(() => process.kill(-child.pid, "SIGKILL"), 2 * PATIENCE);
  if (listens) {
    const ended = () => child.exitCode !== null;
    await eventually(() => ended() || /^Ready/m.test(output.printed), { within: PATIENCE });
    if (!ended()) await introduce(gateway, `conn_heard_${count}`, { user: "user_heard" });
    await eventually(() => ended() || output.stdout.includes("connection.created  "), { within: PATIENCE });
    if (!ended()) process.kill(-child.pid, "SIGINT");
  }
  const [code] = await closed;
  clearTimeout(overdue);
  return { code, ...output };
}

/** Each line that a block prints is the answer of one of its calls. */
function compareJson({ place, answer }, stdout) {
  const lines = stdout.split("\n").filter(Boolean);
  assert.ok(lines.length > 0, place);
  for (const line of lines) assert.equal(sameForm(JSON.parse(answer.text), JSON.parse(line)), undefined, `${place}: ${line}`);
}

/** The lines are those of the document, up to where others are left out. */
function compareLines({ answer }, printed) {
  const [documented, rest] = answer.text.split(/^\[\.\.\.\]\n/m);
  const expected = formOfLines(hereOf(documented));
  const lines = formOfLines(printed);
  assert.deepEqual(rest === undefined ? lines : lines.slice(0, expected.length), expected);
}

/** The programs of the commands: curl with the settings that a test needs, and the built package. */
function writePrograms() {
  const bin = join(folder, "node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "ofauth-edge"), `#!/bin/sh\nexec '${process.execPath}' '${join(root, "pkg/cli.js")}' "$@"\n`);
  chmodSync(join(bin, "ofauth-edge"), 0o755);
  writeFileSync(join(folder, "package.json"), '{"private":true}');
  symlinkSync(join(root, "scripts"), join(folder, "scripts"));
  writeFileSync(join(folder, ".curlrc"), 'silent\nshow-error\nfail-with-body\nwrite-out = "\\n"\n');
  writeFileSync(join(folder, ".env"), `GATEWAY_KEY=${SECRETS.GATEWAY_KEY}\nOFAUTH_WEBHOOK_SECRET=${SECRETS.OFAUTH_WEBHOOK_SECRET}\n`);
}

/** The files that the commands name: a captured request, and one whose body was pretty-printed after it was signed. */
function writeCapture(secret, isBroken) {
  const event = { type: "connection.created", timestamp: new Date().toISOString(), data: { clientReferenceId: "user_1", connection: { id: "conn_docs", status: "active" } } };
  const body = JSON.stringify(event);
  writeFileSync(join(folder, "body.json"), body);
  const headers = sign({ secret, body: Buffer.from(body) });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  writeFileSync(join(folder, "captured.txt"), `POST /webhooks HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  writeFileSync(join(folder, "body.txt"), JSON.stringify(event, null, isBroken ? 2 : 0));
  writeFileSync(join(folder, "headers.json"), JSON.stringify(headers));
}

function verifies(body, headers) {
  try {
    // The package's README has another local secret than the variable.
    return Boolean(verifyWebhook(body, headers, [SECRETS.OFAUTH_WEBHOOK_SECRET, "whsec_local"]));
  } catch {
    return false;
  }
}
