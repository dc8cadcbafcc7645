// Runs tests/bindings, the tests of the npm package's bindings, as wasm: in Node, then in a headless browser.
//
//   node scripts/bindings.mjs [name]     `name`: only tests whose names contain it

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { QUIET, browserAndDriver, isRoot } from "./browser.mjs";
import { root } from "./inputs.mjs";

const made = join(root, "target/bindings");
const runner = join(root, ".tools/bin/wasm-bindgen-test-runner");

console.log("Test: bindings, in Node");
// As an ES module: that is what the wasm imports.
run({ WASM_BINDGEN_USE_NODE_EXPERIMENTAL: "1" });

const { browser, driver } = browserAndDriver();
console.log(`Test: bindings, in ${browser}`);
run({ WASM_BINDGEN_USE_BROWSER: "1", WASM_BINDGEN_TEST_WEBDRIVER_JSON: capabilities(browser), CHROMEDRIVER: driver });

function run(env) {
  const crate = ["test", "--target", "wasm32-unknown-unknown", "--features", "npm", "--test", "bindings"];
  // Lists, as a path may hold spaces. SIMD as in the package: the core has code for it alone.
  const wasm = { runner: [runner], rustflags: ["-Ctarget-feature=+simd128"] };
  const config = Object.entries(wasm).flatMap(([key, list]) => ["--config", `target.wasm32-unknown-unknown.${key}=${JSON.stringify(list)}`]);
  const { status, error } = spawnSync("cargo", [...crate, ...config, "--", ...argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, WASM_BINDGEN_TEST_TIMEOUT: "120", ...env },
  });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
}

// What the runner asks of the browser, besides --headless and --no-sandbox.
function capabilities(browser) {
  mkdirSync(made, { recursive: true });
  const file = join(made, "webdriver.json");
  const binary = isRoot() ? browser : sandboxed(browser);
  writeFileSync(file, JSON.stringify({ "goog:chromeOptions": { binary, args: QUIET } }));
  return file;
}

// The runner always asks for --no-sandbox; a browser that can have its sandbox keeps it.
function sandboxed(browser) {
  const file = join(made, "browser");
  const quoted = `'${browser.replaceAll("'", `'\\''`)}'`;
  const script = `#!/bin/sh
for arg do
  shift
  [ "$arg" = --no-sandbox ] || set -- "$@" "$arg"
done
exec ${quoted} "$@"
`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}
