// Compiles the wasm synchronously. A Content-Security-Policy may forbid that.

export function compile(bytes) {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    // The stack is exhausted. That has nothing to do with the policy.
    if (cause instanceof RangeError) throw cause;
    throw new Error(
      "ofauth-edge: WebAssembly could not be compiled; under a Content-Security-Policy, script-src must allow 'wasm-unsafe-eval'",
      { cause },
    );
  }
}
