// Files of settings: .dev.vars, which `make run` uses, and .deploy/<environment>.env, which `make deploy` uses. And the secrets
// that nobody has to think up.

import { randomBytes } from "node:crypto";

/**
 * Reads the lines `NAME="value"` of a file of settings. A value without quotes ends before a `#`.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseSettings(text) {
  const entries = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!name) continue;
    const quoted = /^(["'`])(.*?)\1/.exec(value);
    entries[name] = quoted ? quoted[2] : value.replace(/\s*#.*$/, "");
  }
  return entries;
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
