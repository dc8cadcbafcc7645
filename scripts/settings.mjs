// Files of settings: .dev.vars, which `make run` uses, and .deploy/<environment>.env, which `make deploy` uses. And the secrets
// that nobody has to think up.

import { randomBytes } from "node:crypto";

import { parseEnvFile } from "../pkg-template/cli/env-file.mjs";

/**
 * Reads a file of settings. Their names have capital letters only.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseSettings(text) {
  return Object.fromEntries(Object.entries(parseEnvFile(text)).filter(([name]) => /^[A-Z_]+$/.test(name)));
}

/**
 * Makes a secret that only the Worker and your servers need to know.
 * @type {Readonly<Record<"GATEWAY_KEY" | "SESSION_SECRET" | "STORAGE_KEY" | "INDEX_KEY", (environment: string) => string>>}
 */
export const newSecret = Object.freeze({
  GATEWAY_KEY: (environment) => `gk_${environment}_${randomHex(24)}`,
  SESSION_SECRET: () => randomHex(32),
  STORAGE_KEY: () => randomBytes(32).toString("base64"),
  INDEX_KEY: () => randomBytes(32).toString("base64"),
});

export function randomHex(bytes) {
  return randomBytes(bytes).toString("hex");
}
