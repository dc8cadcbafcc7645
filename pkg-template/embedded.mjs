// The wasm, embedded as deflated bytes in base64. It is in a separate module, so that bundlers leave it out of an app that does
// not use it.

import { deflated, inflatedLength } from "./deflated.js";
import { inflate } from "./inflate.mjs";

// Returns the bytes of the wasm. The platform's own functions take a tenth of the time, where there are any.
export function wasmBytes() {
  const bytes = fromBase64(deflated);
  const zlib = globalThis.process?.getBuiltinModule?.("node:zlib");
  return zlib?.inflateRawSync?.(bytes) ?? inflate(bytes, inflatedLength);
}

function fromBase64(text) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
  if (typeof globalThis.Buffer?.from === "function") return globalThis.Buffer.from(text, "base64");
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
