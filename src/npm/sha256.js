// Node's own SHA-256, which is quicker than any wasm; asked for in a way that bundlers for browsers do not follow.

const BYTES = 32;
let hash;
let memory = /* @__PURE__ */ new Uint8Array(0);
let exports;

// The wasm that calls next, whose memory is meant.
export function attach(wasm) {
  if (exports === wasm) return;
  exports = wasm;
  memory = new Uint8Array(0);
}

// Writes the digest of the bytes at `data` to `digest`; false where there is no such hash, or it fails.
export function sha256(data, bytes, digest) {
  try {
    const text = digestOf(data, bytes);
    if (text.length !== BYTES) return false;
    view();
    for (let at = 0; at < BYTES; at++) memory[digest + at] = text.charCodeAt(at);
    return true;
  } catch {
    return false;
  }
}

// In Latin-1: a character per byte, and the quickest to get.
function digestOf(data, bytes) {
  const own = exports;
  try {
    hash ??= globalThis.process?.getBuiltinModule?.("node:crypto").hash ?? (() => "");
    view();
    return hash("sha256", memory.subarray(data, data + bytes), "latin1");
  } finally {
    // Whoever patched it may have called the package in it: that call had an instance of its own.
    attach(own);
  }
}

// Growing the memory detaches the view, and leaves it empty.
function view() {
  if (memory.length === 0) memory = new Uint8Array(exports.memory.buffer);
}
