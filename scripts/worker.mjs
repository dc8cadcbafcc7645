// Builds the Worker with worker-build. Does nothing if the last build used the same sources and tools.
//
//   node scripts/worker.mjs                builds into build/
//   node scripts/worker.mjs --test-hooks   builds into target/worker-test-hooks/, with code that only tests need

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashInputs, isUpToDate, root } from "./inputs.mjs";

const toolsFolder = join(root, ".tools/bin");
const withTestHooks = process.argv[2] === "--test-hooks";
const [outputFolder, features] = withTestHooks ? ["target/worker-test-hooks", "worker,test-hooks"] : ["build", "worker"];
const stampFile = join(root, outputFolder, ".made-from");

const inputsHash = hashInputs(["scripts/worker.mjs"]);
if (!isUpToDate(join(root, outputFolder, "index.js"), stampFile, inputsHash)) build();

function build() {
  console.log(withTestHooks ? "Worker with test hooks: building" : "Worker: building");
  const { status, error } = spawnSync(join(toolsFolder, "worker-build"), ["--release", "--out-dir", outputFolder, "--features", features], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      // worker-build downloads every tool whose path is not set here.
      WASM_BINDGEN_BIN: join(toolsFolder, "wasm-bindgen"),
      ESBUILD_BIN: join(root, `node_modules/@esbuild/${process.platform}-${process.arch}/bin/esbuild`),
      WASM_OPT_BIN: join(root, "node_modules/binaryen/bin/wasm-opt"),
    },
  });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
  writeFileSync(stampFile, inputsHash);
}
