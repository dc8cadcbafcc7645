// Node's own SHA-256, which is quicker than any wasm; asked for in a way that bundlers for browsers do not follow.

const BYTES = 32;
let hash;
let memory = /* @__PURE__ */ new Uint8Array(0);
let exports;

// The wasm whose memory is meant.
export function attach(wasm) {
  exports = wasm;
  memory = new Uint8Array(0);
}

// Writes the digest of the bytes at `data` to `digest`; false where there is no such hash, or it fails.
export function sha256(data, bytes, digest) {
  try {
    hash ??= globalThis.process?.getBuiltinModule?.("node:crypto").hash ?? (() => "");
    if (memory.length === 0) memory = new Uint8Array(exports.memory.buffer);
    // Latin-1 is a character per byte, and the quickest to get.
    const text = hash("sha256", memory.subarray(data, data + bytes), "latin1");
    if (text.length !== BYTES) return false;
    for (let at = 0; at < BYTES; at++) memory[digest + at] = text.charCodeAt(at);
    return true;
  } catch {
    return false;
  }
}
