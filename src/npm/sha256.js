// SHA-256 of the platform for the wasm. Only Node has one that is synchronous; it is faster than SHA-256 in wasm. Without it,
// the wasm uses its own. The module node:crypto is loaded in a way that bundlers for browsers do not follow.

const DIGEST_BYTES = 32;
// Loading node:crypto takes some milliseconds, about as long as the wasm needs to hash this many bytes. It is loaded once that
// many were hashed: before, the loading would take longer than it can save.
const BYTES_BEFORE_LOADING = 1024 * 1024;
let hash;
let hashedBytes = 0;
// The exports of the instance that calls `sha256` next, and a view of its memory.
let exports;
let memory = /* @__PURE__ */ new Uint8Array(0);

// Selects the instance whose memory `sha256` reads and writes.
export function attach(wasm) {
  if (exports === wasm) return;
  exports = wasm;
  memory = new Uint8Array(0);
}

// Hashes `bytes` bytes at `data` and writes the digest to `digest`. Returns false if the platform has no hash or it fails.
export function sha256(data, bytes, digest) {
  if (hash === undefined && (hashedBytes += bytes) < BYTES_BEFORE_LOADING) return false;
  try {
    const text = digestText(data, bytes);
    if (text.length !== DIGEST_BYTES) return false;
    refreshMemory();
    for (let index = 0; index < DIGEST_BYTES; index++) memory[digest + index] = text.charCodeAt(index);
    return true;
  } catch {
    return false;
  }
}

// Returns the digest as text in Latin-1, one character per byte: Node returns that faster than bytes.
function digestText(data, bytes) {
  const caller = exports;
  try {
    hash ??= globalThis.process?.getBuiltinModule?.("node:crypto").hash ?? (() => "");
    refreshMemory();
    return hash("sha256", memory.subarray(data, data + bytes), "latin1");
  } finally {
    // A patched hash may have called the package. That call has attached another instance.
    attach(caller);
  }
}

// Renews the view if the memory has grown: growth detaches the view, which then has length 0.
function refreshMemory() {
  if (memory.length === 0) memory = new Uint8Array(exports.memory.buffer);
}
