// Runs tests/bindings, the tests of the npm package's wasm bindings: first in Node, then in a headless browser.
//
//   node scripts/bindings.mjs          runs all of them
//   node scripts/bindings.mjs <text>   runs only the tests whose names contain the text

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { BROWSER_FLAGS, ensureBrowserAndDriver, isRoot } from "./browser.mjs";
import { root } from "./inputs.mjs";

const outputFolder = join(root, "target/bindings");
const testRunner = join(root, ".tools/bin/wasm-bindgen-test-runner");

console.log("Test: bindings, in Node");
// As an ES module, because the wasm imports an ES module.
runTests({ WASM_BINDGEN_USE_NODE_EXPERIMENTAL: "1" });

const { browser, driver } = ensureBrowserAndDriver();
console.log(`Test: bindings, in ${browser}`);
runTests({
  WASM_BINDGEN_USE_BROWSER: "1",
  WASM_BINDGEN_TEST_WEBDRIVER_JSON: writeCapabilities(browser),
  CHROMEDRIVER: driver,
});

function runTests(env) {
  const cargoArgs = ["test", "--target", "wasm32-unknown-unknown", "--features", "npm", "--test", "bindings"];
  // Both values are lists, because a path may contain spaces. SIMD is on as in the package: the core has code that only
  // a SIMD build uses.
  const targetConfig = { runner: [testRunner], rustflags: ["-Ctarget-feature=+simd128"] };
  const configArgs = Object.entries(targetConfig).flatMap(([key, list]) => [
    "--config",
    `target.wasm32-unknown-unknown.${key}=${JSON.stringify(list)}`,
  ]);
  const { status, error } = spawnSync("cargo", [...cargoArgs, ...configArgs, "--", ...argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, WASM_BINDGEN_TEST_TIMEOUT: "120", ...env },
  });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
}

// Writes the WebDriver capabilities and returns the file's path. The test runner adds --headless and --no-sandbox to them.
function writeCapabilities(browser) {
  mkdirSync(outputFolder, { recursive: true });
  const file = join(outputFolder, "webdriver.json");
  const binary = isRoot() ? browser : writeSandboxedLauncher(browser);
  writeFileSync(file, JSON.stringify({ "goog:chromeOptions": { binary, args: BROWSER_FLAGS } }));
  return file;
}

// Writes a script that starts the browser without --no-sandbox. The test runner always passes that flag, but only root
// needs it.
function writeSandboxedLauncher(browser) {
  const file = join(outputFolder, "browser");
  const quotedPath = `'${browser.replaceAll("'", `'\\''`)}'`;
  const script = `#!/bin/sh
for arg do
  shift
  [ "$arg" = --no-sandbox ] || set -- "$@" "$arg"
done
exec ${quotedPath} "$@"
`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}
