// The wasm, embedded as deflated bytes in base64. It is in a separate module, so that bundlers leave it out of an app that does
// not use it.

import { inflateSync } from "fflate";
import { deflated, inflatedLength } from "./deflated.js";

// Returns the bytes of the wasm.
export function wasmBytes() {
  const bytes = Uint8Array.from(atob(deflated), (char) => char.charCodeAt(0));
  return inflateSync(bytes, { out: new Uint8Array(inflatedLength) });
}
