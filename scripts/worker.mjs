// Builds the Worker into build/ with worker-build, unless build/ was made from the very same sources and tools.
//
//   node scripts/worker.mjs [--test-hooks]   with what only tests need, into target/worker-test-hooks/

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOfInputs, isCurrent, root } from "./inputs.mjs";

const tools = join(root, ".tools/bin");
const hooks = process.argv[2] === "--test-hooks";
const [folder, features] = hooks ? ["target/worker-test-hooks", "worker,test-hooks"] : ["build", "worker"];
const stampFile = join(root, folder, ".made-from");

const key = hashOfInputs(["scripts/worker.mjs"]);
if (!isCurrent(join(root, folder, "index.js"), stampFile, key)) build();

function build() {
  console.log(hooks ? "Worker with test hooks: building" : "Worker: building");
  // worker-build downloads each tool that is not named here.
  const { status, error } = spawnSync(join(tools, "worker-build"), ["--release", "--out-dir", folder, "--features", features], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      WASM_BINDGEN_BIN: join(tools, "wasm-bindgen"),
      ESBUILD_BIN: join(root, `node_modules/@esbuild/${process.platform}-${process.arch}/bin/esbuild`),
      WASM_OPT_BIN: join(root, "node_modules/binaryen/bin/wasm-opt"),
    },
  });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
  writeFileSync(stampFile, key);
}
