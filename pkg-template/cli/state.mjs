// The state file of `listen`: which webhooks are done with. It holds ids of deliveries, and no body, no connection id and no key.

import { readFileSync, renameSync, writeFileSync } from "node:fs";

import { Failure, UsageError } from "./errors.mjs";

/** @typedef {{since: number, done: Map<string, number>}} State */

const VERSION = 1;

/**
 * @param {string} file
 * @param {{origin: string, user?: string}} source   what is followed. The state of another source is refused
 * @returns {State | undefined} undefined if there is no such file
 */
export function loadState(file, { origin, user = null }) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw new UsageError(`--state cannot be read: ${error.code}`);
  }
  const state = parse(text);
  if (state?.version !== VERSION || !Number.isFinite(state.since) || !Array.isArray(state.done)) {
    throw new UsageError("--state is not a file of ofauth-edge listen. Delete it to begin anew, or name another");
  }
  if (state.gateway !== origin || state.user !== user) {
    throw new UsageError("--state is of another gateway or another --user. Name another file");
  }
  return { since: state.since, done: new Map(state.done) };
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export function saveState(file, { origin, user = null }, { since, done }) {
  const text = JSON.stringify({ version: VERSION, gateway: origin, user, since, done: [...done] });
  try {
    writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new Failure(`--state cannot be written: ${error.code}`);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
