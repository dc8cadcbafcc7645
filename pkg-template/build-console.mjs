// Builds what the console uses of the npm package into www/console/package/, which git ignores: one module, the wasm, and the licenses
// of what is in it. They are those of the package. `make run`, `make build`, `make deploy` and `make test` call this.
//
//   node pkg-template/build-console.mjs

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/inputs.mjs";
import { buildFolder, bundleForConsole } from "./bundle.mjs";
import { buildWasm } from "./wasm.mjs";

const folder = join(root, "www/console/package");

if (!existsSync(join(buildFolder, "optimised.wasm"))) console.log("Console: compiling its wasm (about half a minute, once)");
const { wasm, notices } = buildWasm();
mkdirSync(folder, { recursive: true });
write("ofauth_edge.wasm", wasm);
write("ofauth-edge.js", Buffer.from(await bundleForConsole()));
write("NOTICE.txt", Buffer.from(notices));

/** Leaves a file alone that is the same already: `wrangler dev` starts the Worker anew when a file changes. */
function write(name, content) {
  const path = join(folder, name);
  if (!existsSync(path) || !readFileSync(path).equals(content)) writeFileSync(path, content);
}
