// Finding what must not be there: words as they are, escaped, in hex, and in base64 wherever it may begin.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Which of the words are in the bytes.
 * @param {Buffer | string} bytes
 * @param {string[]} words
 */
export function leaksIn(bytes, words) {
  const text = Buffer.from(bytes).toString("latin1");
  return words.filter((word) => disguisesOf(word).some((shape) => text.includes(shape)));
}

/**
 * Which of the words are in what a gateway leaves behind: files of its runtime, their names, and log lines.
 * @param {import("./harness.mjs").Gateway} gateway
 * @param {string[]} words
 * @returns {string[]} each as `where: word`
 */
export function leaksOf(gateway, words) {
  const files = filesOf(gateway);
  if (files.length === 0 || gateway.logs.length === 0) throw new Error("there is nothing to search");
  const names = files.map(([file]) => file).join("\n");
  const places = [...files, ["a file's name", names], ["the log", gateway.logs.join("\n")]];
  return places.flatMap(([place, bytes]) => leaksIn(bytes, words).map((word) => `${place}: ${word}`));
}

/**
 * The files of a gateway's runtime, each with its bytes. SQLite removes a write-ahead log once its database has all of it. If that
 * happens meanwhile, all is read again, because the database may have been read before.
 * @param {import("./harness.mjs").Gateway} gateway
 * @returns {[string, Buffer][]}
 */
export function filesOf({ folder }) {
  for (let tries = 10; ; tries -= 1) {
    try {
      const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
      return paths.filter((path) => statSync(path).isFile()).map((path) => [path, readFileSync(path)]);
    } catch (error) {
      if (error.code !== "ENOENT" || tries === 0) throw error;
    }
  }
}

const known = new Map();

function disguisesOf(word) {
  if (!known.has(word)) known.set(word, disguise(word));
  return known.get(word);
}

function disguise(word) {
  const bytes = Buffer.from(word);
  const hex = bytes.toString("hex");
  // Shifted by none, one or two bytes; what the neighbours decide is cut off at both ends.
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64").replace(/=+$/, "");
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const escaped = [encodeURIComponent(word), JSON.stringify(word).slice(1, -1)];
  return [bytes.toString("latin1"), ...escaped, hex, hex.toUpperCase(), ...base64];
}
