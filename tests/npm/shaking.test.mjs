// What is not used is left out, whatever the bundler. 1 KB is 1,000 bytes.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

import { makeProject } from "./project.mjs";

const project = makeProject("node");

// Each bundles app.mjs, minified, and gives the code.
const BUNDLERS = {
  async esbuild() {
    const options = { bundle: true, minify: true, format: "esm", write: false, logLevel: "silent" };
    return (await esbuild.build({ ...options, entryPoints: [join(project, "app.mjs")] })).outputFiles[0].text;
  },
  async vite() {
    const options = { root: project, configFile: false, logLevel: "error" };
    const lib = { entry: "app.mjs", formats: ["es"] };
    const [{ output }] = await vite.build({ ...options, build: { lib, write: false, minify: true } });
    return output[0].code;
  },
  async webpack() {
    const path = join(project, "webpack");
    const compiler = webpack({ mode: "production", context: project, entry: "./app.mjs", output: { path } });
    await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    return readFileSync(join(path, "main.js"), "utf8");
  },
};

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  for (const entry of ["ofauth-edge", "ofauth-edge/slim"]) {
    test(`${name}: an app that imports the error class of ${entry} alone carries no wasm`, async () => {
      const code = await bundled(bundle, `import { WebhookVerificationError as E } from "${entry}"; globalThis.it = E;`);
      assert.ok(code.length < 2_500, `${code.length} bytes`);
      assert.doesNotMatch(code, /WebAssembly/);
    });
  }

  test(`${name}: an import of the element alone defines it`, async () => {
    assert.match(await bundled(bundle, 'import "ofauth-edge/element";'), /customElements\.define/);
  });

  test(`${name}: an app that imports the package and uses nothing carries nothing`, async () => {
    assert.equal((await bundled(bundle, 'import "ofauth-edge"; import "ofauth-edge/slim";')).trim(), "");
  });
}

function bundled(bundle, code) {
  writeFileSync(join(project, "app.mjs"), code);
  return bundle();
}
