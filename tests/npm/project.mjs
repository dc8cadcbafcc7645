// Projects that have the packed package installed, in folders of their own outside of this one, so that nothing is found
// by accident. They are gone when the tests are.

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { data } from "./vectors.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
/** Made by pack.mjs. */
export const packed = join(root, "target/npm-packed");
export const tarball = join(packed, "ofauth-edge.tgz");
export const installed = join(packed, "node_modules");

/** The oldest Node that the package supports, an older one and the newest; `scripts/setup.mjs nodes` installs them. */
export const NODES = {
  "Node 18": join(root, ".tools/node-oldest/node"),
  "Node 22": join(root, ".tools/node-old/node"),
  "the newest Node": join(root, ".tools/node/node"),
};

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));

/**
 * Makes a project of a folder of fixtures, with the package installed and the shared vectors beside the fixtures.
 * @param {string} fixture   a folder in fixtures/
 * @param {string[]} [types]   packages of ours that are to be there too, as a user's devDependencies
 * @returns {string} its folder
 */
export function makeProject(fixture, types = []) {
  if (!existsSync(installed)) throw new Error("the package is not packed: make test-packaging does that");
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ofauth-edge-project-")));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(fixtures, fixture), folder, { recursive: true });
  cpSync(join(fixtures, "judge.mjs"), join(folder, "judge.mjs"));
  cpSync(installed, join(folder, "node_modules"), { recursive: true, verbatimSymlinks: true });
  for (const name of types) cpSync(join(root, "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  writeFileSync(join(folder, "data.mjs"), `export default ${JSON.stringify(data)};\n`);
  if (!existsSync(join(folder, "package.json"))) writeFileSync(join(folder, "package.json"), '{"private": true}\n');
  return folder;
}

/** The package as a project that imports it gets it. */
export function importInstalled(entry = "index.js") {
  return import(pathToFileURL(join(makeProject("node"), "node_modules/ofauth-edge", entry)));
}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{cwd?: string, env?: Record<string, string>}} [options]
 * @returns {Promise<{status: number, stdout: string, stderr: string}>}
 */
export function run(program, args, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of Object.keys(output)) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...output }));
  });
}

/** Runs a module of a project under a Node, and gives what it printed as JSON. */
export async function runNode(node, file, ...options) {
  const { status, stdout, stderr } = await run(node, [file, ...options], { cwd: dirname(file), env: { NODE_OPTIONS: "" } });
  if (status !== 0) throw new Error(`${file} failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** A program of the project's own tools. */
export function tool(name) {
  return join(root, "node_modules/.bin", name);
}
