// The settings of one deployed environment, in .deploy/<environment>.env. Cloudflare never shows a secret again, so this file is
// the only copy beside a password manager.

import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline/promises";

import { QUESTIONS, REPLACEMENTS, SECRETS } from "./deploy-texts.mjs";
import { root } from "./inputs.mjs";
import { newSecret, parseSettings } from "./settings.mjs";

// As many values as the Worker takes of one secret.
const MOST_VALUES = 5;

/**
 * Reads the settings of an environment, and completes them.
 * @param {"sandbox" | "production"} environment
 * @param {{rotate?: string, retire?: string, deployedSecrets: () => string[]}} options   rotate, retire: names of secrets;
 *   deployedSecrets: the names of those that the deployed Worker has
 * @returns {Promise<Record<string, string>>}
 * @throws {Error} for a change that cannot be made, for a secret that only the deployed Worker has, and for a question if there is
 *   no terminal
 */
export async function openSettings(environment, { rotate, retire, deployedSecrets }) {
  const folder = join(root, ".deploy");
  const file = join(folder, `${environment}.env`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, `# The settings of the environment ${environment}. Keep a copy in a password manager.\n`, { mode: 0o600 });
  chmodSync(file, 0o600);

  makeSecrets(file, environment, deployedSecrets);
  await askForTheRest(file, environment);
  if (rotate) change(file, rotate, (values) => addInFront(rotate, values, environment));
  if (retire) change(file, retire, (values) => removeOldest(retire, values));
  const settings = readSettings(file);
  return { ...settings, PUBLIC_URL: settings.PUBLIC_URL || (settings.DOMAIN ? `https://${settings.DOMAIN}` : "") };
}

function makeSecrets(file, environment, deployedSecrets) {
  const settings = readSettings(file);
  const missing = Object.keys(newSecret).filter((name) => !settings[name]);
  if (missing.length === 0) return;
  // On another computer the file may be missing. New secrets in the place of the Worker's own would make its data unreadable.
  const deployed = deployedSecrets().filter((name) => missing.includes(name));
  if (deployed.length > 0) {
    throw new Error(`The deployed Worker has ${deployed.join(", ")}, and .deploy/${environment}.env has not. Restore this file from your password manager.
Nothing was uploaded. With a new STORAGE_KEY or INDEX_KEY the stored data would be lost.`);
  }
  for (const name of missing) add(file, name, newSecret[name](environment));
  console.log(`New secrets in .deploy/${environment}.env: ${missing.join(", ")}. Put this file into a password manager now:
Cloudflare never shows a secret again, your servers need GATEWAY_KEY, and without STORAGE_KEY and INDEX_KEY the stored data are lost.`);
}

async function askForTheRest(file, environment) {
  const settings = readSettings(file);
  const open = QUESTIONS.filter(({ names }) => !names.some((name) => name in settings));
  if (open.length === 0) return;
  if (!process.stdin.isTTY) {
    const lines = open.map(({ names, question }) => `  ${names.join(" or ")}: ${question}`);
    throw new Error(`Add these settings to .deploy/${environment}.env, one NAME="value" a line:\n${lines.join("\n")}`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  for (const { names, question, required } of open) {
    let answer = "";
    do answer = (await terminal.question(`${question}\n${names[0]}: `)).trim();
    while (required && answer === "");
    add(file, names[0], answer);
  }
  terminal.close();
}

function addInFront(name, values, environment) {
  if (!(name in newSecret)) throw new Error(`ROTATE makes a new ${Object.keys(newSecret).filter(canRotate).join(", ")}. For another ${name}, ${REPLACEMENTS[name]}`);
  if (!canRotate(name)) throw new Error(`${name} can never be replaced: every handle would change, and nothing that is stored would be found`);
  if (values.length >= MOST_VALUES) throw new Error(`${name} has ${values.length} values already. Remove the oldest first, with RETIRE=${name}`);
  return [newSecret[name](environment), ...values];
}

function removeOldest(name, values) {
  if (values.length < 2) throw new Error(`${name} has only one value. Make a new one first, with ROTATE=${name}`);
  return values.slice(0, -1);
}

function canRotate(name) {
  return name !== "INDEX_KEY";
}

function change(file, name, changeValues) {
  if (!SECRETS.includes(name)) throw new Error(`${name} is no secret. The secrets are ${SECRETS.join(", ")}`);
  const old = (readSettings(file)[name] ?? "").split(",").filter(Boolean);
  if (name === "GATEWAY_KEY" && old.some((value) => value.includes(":"))) {
    throw new Error(`GATEWAY_KEY has keys with names, so the last one may be that of another server. Change the list in ${relative(root, file)} itself, and deploy`);
  }
  const values = changeValues(old);
  const text = readFileSync(file, "utf8").replace(new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=.*$`, "m"), () => `${name}="${values.join(",")}"`);
  // Written to another file first, so that a crash never leaves half of the secrets.
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function add(file, name, value) {
  const text = readFileSync(file, "utf8");
  appendFileSync(file, `${text.endsWith("\n") ? "" : "\n"}${name}="${value}"\n`);
}

function readSettings(file) {
  return parseSettings(readFileSync(file, "utf8"));
}
