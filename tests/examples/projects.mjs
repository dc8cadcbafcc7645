// The examples as somebody has them who has copied and installed them: each in a folder of its own outside of this one, with the
// packed package and the packages that its package.json names. These are the project's own, which package-lock.json pins.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { signWebhook } from "../../pkg/index.js";
import { startBrowser } from "../browser/browser.mjs";
import { passLink } from "../e2e/demo.mjs";
import { eventually, introduce, startGateway } from "../e2e/harness.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { installed, root, run, tarball } from "../npm/project.mjs";

/** The secret that the READMEs of the examples say. */
export const FORWARD_SECRET = "whsec_only_for_development_0123456789";

/**
 * Copies an example, without what was installed or built in it.
 * @param {string} name   its folder in examples/
 */
export function copyExample(name) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ofauth-edge-example-")));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const local = ["node_modules", "package-lock.json", ".dev.vars", ".wrangler", ".next", "dist"];
  cpSync(join(root, "examples", name), folder, { recursive: true, filter: (source) => !local.includes(basename(source)) });
  return folder;
}

/** Has npm install the packages of a copied example, the packed one among them. */
export async function installFromRegistry(folder) {
  const file = join(folder, "package.json");
  const { dependencies, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...rest, dependencies: { ...dependencies, "ofauth-edge": `file:${tarball}` } }));
  const { status, stdout, stderr } = await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  assert.equal(status, 0, stdout + stderr);
}

/** Copies an example, and installs its packages from those of the project. */
export function installExample(name) {
  if (!existsSync(installed)) throw new Error("the package is not packed: make test-packaging does that");
  const folder = copyExample(name);
  cpSync(installed, join(folder, "node_modules"), { recursive: true, verbatimSymlinks: true });
  if (!existsSync(join(folder, "package.json"))) return folder;
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  for (const [package_, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (package_ === "ofauth-edge") continue;
    assert.equal(version, packages[`node_modules/${package_}`].version, `${name} and package-lock.json have the same ${package_}`);
    const place = join(folder, "node_modules", package_);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", package_), place);
  }
  return folder;
}

/**
 * Starts a program until the test ends, as the leader of a process group, because it may start others.
 * @param {{after: (stop: () => unknown) => void}} t
 * @param {string} program
 * @param {string[]} args
 * @param {{cwd: string, env?: Record<string, string>}} options
 * @returns {{output: string}}   what it has printed
 */
export function startProgram(t, program, args, { cwd, env = {} }) {
  const { PATH, HOME } = process.env;
  const child = spawn(program, args, { cwd, env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = once(child, "close");
  const printed = { output: "" };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed.output += text));
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGTERM");
    await ended;
  });
  return printed;
}

/**
 * What is asked of an example with a page: a user links an account there, sees it with its profile, and sees it expire.
 * @param {{after: (stop: () => unknown) => void}} t
 * @param {{url: string, printed: {output: string}, gateway: import("../e2e/harness.mjs").Gateway, profile: string}} app
 *   url: of the page; printed: what its server has printed; profile: how the page shows it
 */
export async function checkPage(t, { url, printed, gateway, profile }) {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  const trouble = [];
  page.on("pageerror", (error) => trouble.push(String(error)));
  await page.goto(url);
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: "Connect OnlyFans" }).click()]);
  await passLink(popup);
  const account = page.getByRole("listitem").filter({ hasText: "jane" });
  await account.getByText(profile).waitFor();
  const { list: [{ handle }] } = (await gateway.call("GET", "/edge/connections?clientReferenceId=user_1")).json();
  await gateway.call("POST", `/edge/connections/${handle}/invalidate`);
  await account.getByText("expired").waitFor();
  await page.getByRole("button", { name: "Connect again" }).waitFor();
  assert.deepEqual(trouble, [], printed.output);
}

/**
 * What is asked of an example that receives forwarded events.
 * @param {{after: (stop: () => unknown) => void}} t
 * @param {{url: string, printed: {output: string}, connections: () => Promise<object[]>}} app
 *   url: that receives; printed: what it has printed; connections: the rows it has stored, without their hashes
 */
export async function checkReceiver(t, { url, printed, connections }) {
  const gateway = await startGateway({ vars: { FORWARD_URL: url, FORWARD_SECRET } });
  t.after(() => gateway.close());
  const lines = () => printed.output.split("\n").filter((line) => /^(stored|duplicate|stale) /.test(line));
  const linesBecome = (...expected) => eventually(() => assert.deepEqual(lines(), expected));

  // From the gateway.
  await introduce(gateway, "conn_example", { user: "user_1" });
  await gateway.deliver(connectionEvent("connection.expired", { id: "conn_example", clientReferenceId: "user_1" }));
  await gateway.deliver({ type: "some.thing", timestamp: new Date().toISOString(), data: {} });
  const taken = ["stored connection.created", "stored connection.expired", "stored some.thing"];
  await eventually(() => assert.deepEqual(lines().toSorted(), taken));
  const [{ version, ...row }, ...others] = await connections();
  assert.deepEqual([row, others], [{ user: "user_1", status: "expired" }, []]);
  await eventually(async () => assert.deepEqual((await gateway.call("GET", "/edge/deliveries?state=pending")).json().list, []));

  // As the gateway does when it sends an event again, and when an older one comes late.
  const before = lines();
  const event = (fields) => JSON.stringify(connectionEvent("connection.updated", { id: "conn_example", clientReferenceId: "user_1", ...fields }));
  const send = async (body, headers, secret = FORWARD_SECRET) =>
    (await fetch(url, { method: "POST", body, headers: { ...signWebhook(body, secret), ...headers } })).status;
  const newer = { "x-ofauth-edge-digest": "1".repeat(64), "x-ofauth-edge-version": String(version + 1) };
  const older = { "x-ofauth-edge-digest": "2".repeat(64), "x-ofauth-edge-version": String(version - 1) };
  assert.deepEqual([await send(event(), newer), await send(event({ status: "failed" }), newer)], [204, 204]);
  assert.equal(await send(event({ status: "pending" }), older), 204);
  await linesBecome(...before, "stored connection.updated", "duplicate connection.updated", "stale connection.updated");
  assert.deepEqual(await connections(), [{ user: "user_1", status: "active", version: version + 1 }]);

  // Not from the gateway, and without what makes a copy known.
  assert.equal(await send(event(), { ...newer, "x-ofauth-edge-digest": "3".repeat(64) }, "whsec_of_somebody_else_0123456789abcd"), 401);
  assert.equal((await fetch(url, { method: "POST" })).status, 401);
  assert.equal(await send(event(), {}), 400);
  assert.equal(lines().length, before.length + 3);
  assert.ok(!printed.output.includes("conn_example"), "no connection id is printed");
}
