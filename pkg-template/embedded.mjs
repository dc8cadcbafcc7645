// The wasm as it comes along: deflated, as base64. A module of its own, which an app that does not verify leaves out whole.

import { inflateSync } from "fflate";
import { bytes, deflated } from "./deflated.js";

// Its bytes.
export function wasm() {
  const packed = Uint8Array.from(atob(deflated), (char) => char.charCodeAt(0));
  return inflateSync(packed, { out: new Uint8Array(bytes) });
}
