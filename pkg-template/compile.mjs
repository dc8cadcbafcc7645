// Compiles the wasm on the spot, which a Content-Security-Policy may forbid.

export function compile(bytes) {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    // An exhausted stack.
    if (cause instanceof RangeError) throw cause;
    throw new Error(
      "ofauth-edge: WebAssembly could not be compiled; under a Content-Security-Policy, script-src must allow 'wasm-unsafe-eval'",
      { cause },
    );
  }
}
