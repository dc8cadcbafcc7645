// The package in Chromium, by plain <script type=module> and through bundlers; under a Content-Security-Policy.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

import { startBrowser } from "./browser.mjs";
import { reportOf, serve } from "./pages.mjs";
import { makeProject, NODES, runNode } from "../npm/project.mjs";
import { expected } from "../npm/vectors.mjs";

const project = makeProject("web");
let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

/** What a page of `folder` reports. */
async function open(folder, page, headers) {
  const server = await serve(folder, headers);
  try {
    return await reportOf(browser, `${server.url}/${page}`);
  } finally {
    server.close();
  }
}

for (const [entry, page] of [["ofauth-edge", "plain.html"], ["ofauth-edge/slim", "plain-slim.html"]]) {
  test(`plain <script type=module>, ${entry}: every vector gives its code`, async () => {
    assert.deepEqual(await open(project, page), { value: expected });
  });

  test(`without wasm-unsafe-eval, the error of ${entry} names the missing directive`, async () => {
    const policy = { "content-security-policy": "default-src 'self'; script-src 'self' 'nonce-map'" };
    const { error, cause } = await open(project, page, policy);
    assert.match(error, /^Error: .*Content-Security-Policy.*script-src.*'wasm-unsafe-eval'/);
    assert.match(cause, /^CompileError/);
  });

  test(`with wasm-unsafe-eval and nothing else, ${entry} works`, async () => {
    const policy = { "content-security-policy": "default-src 'self'; script-src 'self' 'nonce-map' 'wasm-unsafe-eval'" };
    assert.deepEqual(await open(project, page, policy), { value: expected });
  });
}

test("Vite's dev server: every vector gives its code, through both entries", async () => {
  const server = await vite.createServer({ ...viteOptions(), server: { host: "127.0.0.1", port: 0 } });
  try {
    await server.listen();
    const { port } = server.httpServer.address();
    assert.deepEqual(await reportOf(browser, `http://127.0.0.1:${port}/index.html`), { value: expected });
    assert.deepEqual(await reportOf(browser, `http://127.0.0.1:${port}/slim.html`), { value: expected });
  } finally {
    await server.close();
  }
});

test("Vite's build: every vector gives its code, through both entries", async () => {
  const input = ["index.html", "slim.html"].map((page) => join(project, page));
  await vite.build({ ...viteOptions(), build: { rolldownOptions: { input }, outDir: "vite" } });
  const folder = join(project, "vite");
  assert.deepEqual(await open(folder, "index.html"), { value: expected });
  assert.deepEqual(await open(folder, "slim.html"), { value: expected });
});

test("webpack: every vector gives its code, through both entries", async () => {
  const folder = join(project, "webpack");
  await webpackBuild({ entry: { main: "./main.mjs", slim: "./slim.mjs" }, output: { path: folder } });
  for (const name of ["main", "slim"]) {
    writeFileSync(join(folder, `${name}.html`), `<!doctype html><script defer src="${name}.js"></script>`);
    assert.deepEqual(await open(folder, `${name}.html`), { value: expected });
  }
});

test("esbuild for browsers: every vector gives its code, through both entries", async () => {
  const entryPoints = { main: join(project, "main.mjs"), slim: join(project, "slim-url.mjs") };
  const folder = join(project, "esbuild");
  const options = { bundle: true, format: "esm", minify: true, logLevel: "silent", loader: { ".wasm": "file" } };
  await esbuild.build({ ...options, entryPoints, outdir: folder });
  for (const name of ["main", "slim"]) {
    writeFileSync(join(folder, `${name}.html`), `<!doctype html><script type="module" src="${name}.js"></script>`);
    assert.deepEqual(await open(folder, `${name}.html`), { value: expected });
  }
});

for (const format of ["esm", "cjs"]) {
  test(`esbuild for Node, ${format}: every vector gives its code`, async () => {
    const folder = makeProject("node");
    const outfile = join(folder, `bundle.${format === "esm" ? "mjs" : "cjs"}`);
    const entry = join(folder, "import.mjs");
    await esbuild.build({ entryPoints: [entry], outfile, format, bundle: true, platform: "node", logLevel: "silent" });
    for (const node of Object.values(NODES)) assert.deepEqual(await runNode(node, outfile), expected);
  });
}

function viteOptions() {
  return { root: project, configFile: false, logLevel: "error", clearScreen: false };
}

async function webpackBuild(options) {
  const compiler = webpack({ mode: "production", context: project, ...options });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, stats) => compiler.close(() => (error ? reject(error) : resolve(stats))));
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  assert.deepEqual([...errors, ...warnings].map(({ message }) => message), []);
}
