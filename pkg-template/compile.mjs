// Compiles the wasm synchronously. Some platforms cannot, or are not allowed to.

const ALTERNATIVES =
  "Use ofauth-edge/slim: import a compiled module from ofauth-edge/ofauth_edge.wasm (in Next.js ofauth_edge.wasm?module) and call " +
  "initSync(module). ofauth-edge/client needs no wasm";

// `getBytes` returns the bytes. It is called only if there is a compiler.
export function compile(getBytes) {
  if (typeof WebAssembly === "undefined") throw new Error(`ofauth-edge: this platform has no WebAssembly. ${ALTERNATIVES}`);
  const bytes = getBytes();
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    // The stack is exhausted. That has nothing to do with the platform.
    if (cause instanceof RangeError) throw cause;
    const directive =
      typeof document === "undefined" ? "" : " Under a Content-Security-Policy, script-src must allow 'wasm-unsafe-eval'.";
    throw new Error(`ofauth-edge: WebAssembly could not be compiled from bytes.${directive} ${ALTERNATIVES}`, { cause });
  }
}
