// Builds the client and the element of the npm package into pkg/, for the demo app of `make run`. They need no wasm, so nothing is
// compiled. `make npm` builds the whole package, and writes the same files if the sources are the same.
//
//   node pkg-template/build-client.mjs

import { bundleWithoutWasm } from "./bundle.mjs";

await bundleWithoutWasm();
