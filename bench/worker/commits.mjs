// Counts the commits that Durable Objects made, from the write-ahead logs of their SQLite databases.
//
// A log is a header of 32 bytes and frames, each a header of 24 bytes and a page. The frame that ends a transaction says in
// its header how many pages the database then has; in all other frames that number is 0. A log that was written back into
// its database begins anew over its old frames: those carry an older salt, and reading ends at the first of them.
// See https://www.sqlite.org/fileformat2.html#the_write_ahead_log.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const HEADER = 32;
const FRAME_HEADER = 24;

/**
 * The commits in each log of a folder, with the log's salt.
 * @param {string} folder   of one class of objects, as the `localDisk` of workerd lays it out
 * @returns {Map<string, {commits: number, salt: string}>}
 */
export function readCommits(folder) {
  if (!existsSync(folder)) return new Map();
  const logs = readdirSync(folder).filter((file) => file.endsWith(".sqlite-wal") && !file.startsWith("metadata."));
  return new Map(logs.map((file) => [file, commitsOf(readFileSync(join(folder, file)))]));
}

/**
 * How many commits were made between two looks at the same folder.
 * @param {ReturnType<typeof readCommits>} before
 * @param {ReturnType<typeof readCommits>} after
 * @throws if a log went away or began anew meanwhile: its commits cannot be counted any more
 */
export function commitsBetween(before, after) {
  let total = 0;
  for (const [file, { salt }] of before) {
    const now = after.get(file);
    if (!now || (salt !== "" && now.salt !== salt)) throw new Error(`${file} was written back meanwhile`);
  }
  for (const [file, { commits }] of after) total += commits - (before.get(file)?.commits ?? 0);
  return total;
}

/** The commits in the bytes of one log. */
export function commitsOf(log) {
  if (log.length < HEADER) return { commits: 0, salt: "" };
  const frame = FRAME_HEADER + log.readUInt32BE(8);
  const salt = log.toString("hex", 16, 24);
  let commits = 0;
  for (let at = HEADER; at + frame <= log.length && log.toString("hex", at + 8, at + 16) === salt; at += frame) {
    if (log.readUInt32BE(at + 4) !== 0) commits++;
  }
  return { commits, salt };
}
