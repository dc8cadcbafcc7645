// Connections in a file, so that they outlive the emulator. The file is encrypted under a key that is derived from the API key:
// a connection id opens an account, so it does not stand on a disk in clear, not even an emulated one. Another API key is
// another organisation's, and its connections are others.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Restores what the file holds, and from now on writes every change to it, before the change is answered.
 * @param {import("./connections.mjs").Connections} connections
 * @param {string} file
 * @param {string} apiKey
 * @returns {"restored" | "none" | "unreadable"}   none: there is no file; unreadable: it is another key's, or broken. Then the
 *   next change replaces it
 */
export function keepConnections(connections, file, apiKey) {
  const key = Buffer.from(hkdfSync("sha256", apiKey, "", "connections of the emulator", 32));
  const found = read(file, key);
  if (found) connections.restore(found);
  const result = found ? "restored" : existsSync(file) ? "unreadable" : "none";
  connections.onChange(() => write(file, key, connections.save()));
  return result;
}

const ALGORITHM = "aes-256-gcm";
const [NONCE_LENGTH, TAG_LENGTH] = [12, 16];

/** Nonce, tag, ciphertext. Whoever reads the file finds the old or the new one whole. */
function write(file, key, saved) {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(saved)), cipher.final()]);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, Buffer.concat([nonce, cipher.getAuthTag(), sealed]), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function read(file, key) {
  try {
    const bytes = readFileSync(file);
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_LENGTH));
    decipher.setAuthTag(bytes.subarray(NONCE_LENGTH, NONCE_LENGTH + TAG_LENGTH));
    const sealed = bytes.subarray(NONCE_LENGTH + TAG_LENGTH);
    return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString());
  } catch {
    return null;
  }
}
