// Variables, and the secrets in them.

import { readFileSync } from "node:fs";

import { parseEnvFile } from "./env-file.mjs";
import { UsageError } from "./errors.mjs";

/**
 * The variables of the process, and those of a file that the process does not have.
 * @param {string | undefined} file   lines NAME=value, as wrangler's .dev.vars
 */
export function loadEnvironment(file) {
  if (file === undefined) return process.env;
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--vars cannot be read: ${error.code}`);
  }
  const ofProcess = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ""));
  return { ...parseEnvFile(text), ...ofProcess };
}

const helpOn = (secret) => `${secret}. Better set OFAUTH_WEBHOOK_SECRET: other users here can see options`;

/** The options of commands that verify. */
export const SECRET_OPTIONS = {
  secret: { type: "string", value: "secret", multiple: true, help: helpOn("A webhook secret, or a list with commas") },
};

/** The options of commands that sign. */
export const SIGNING_OPTIONS = {
  secret: { type: "string", value: "secret", help: helpOn("A webhook secret") },
  scheme: { type: "string", value: "scheme", help: "ofauth or svix. The default is ofauth, or svix if only SVIX_WEBHOOK_SECRET is set" },
};

const noSecret = (variables = "OFAUTH_WEBHOOK_SECRET (or SVIX_WEBHOOK_SECRET)") =>
  `There is no webhook secret. Set ${variables}, or pass --vars .dev.vars, or --secret`;

/**
 * The secrets to verify with, as the package takes them.
 * @returns {string[] | {ofauth?: string[], svix?: string[]}}
 */
export function secretsToVerify({ secret }, env) {
  if (secret !== undefined) return secret.flatMap((list) => list.split(","));
  const found = {
    ...(env.OFAUTH_WEBHOOK_SECRET && { ofauth: env.OFAUTH_WEBHOOK_SECRET.split(",") }),
    ...(env.SVIX_WEBHOOK_SECRET && { svix: env.SVIX_WEBHOOK_SECRET.split(",") }),
  };
  if (Object.keys(found).length === 0) throw new UsageError(noSecret());
  return found;
}

/**
 * The secret to sign with: the newest of a list.
 * @param {boolean} [optional]   undefined if there is none
 * @returns {{scheme: "ofauth" | "svix", secret: string} | undefined}
 */
export function secretToSign({ secret, scheme }, env, optional = false) {
  if (scheme !== undefined && scheme !== "ofauth" && scheme !== "svix") throw new UsageError("--scheme must be ofauth or svix");
  if (secret !== undefined) return { scheme: scheme ?? "ofauth", secret: secret.split(",")[0] };
  const chosen = scheme ?? (env.OFAUTH_WEBHOOK_SECRET || !env.SVIX_WEBHOOK_SECRET ? "ofauth" : "svix");
  const list = chosen === "ofauth" ? env.OFAUTH_WEBHOOK_SECRET : env.SVIX_WEBHOOK_SECRET;
  if (list) return { scheme: chosen, secret: list.split(",")[0] };
  if (optional) return undefined;
  throw new UsageError(noSecret(scheme === "svix" ? "SVIX_WEBHOOK_SECRET" : undefined));
}
