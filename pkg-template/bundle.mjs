// Bundles the modules of pkg-template/ into the entries of the npm package.

import { appendFileSync, chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../scripts/inputs.mjs";

export const packageFolder = join(root, "pkg");
export const templateFolder = join(root, "pkg-template");
/** What the build makes on the way. `glueFolder` has the output of wasm-bindgen. */
export const buildFolder = join(root, "target/npm");
export const glueFolder = join(buildFolder, "glue");

// Modules that several entries share. They are not bundled into each.
const separateFiles = ["./core.js", "./client.js", "./embedded.js", "./embedded.cjs", "./ofauth_edge.wasm"];
// The comments that name the modules begin at the working folder.
const options = { absWorkingDir: root, bundle: true, outdir: packageFolder, target: "es2022", platform: "neutral", logLevel: "warning" };
const esm = { ...options, format: "esm" };

const sources = {
  "./imports.js": join(glueFolder, "imports.js"),
  "./ofauth_edge_bg.js": join(glueFolder, "ofauth_edge_bg.js"),
  "./core.js": join(templateFolder, "core.mjs"),
  "./client.js": join(templateFolder, "client.mjs"),
  "./deflated.js": join(buildFolder, "deflated.js"),
};

// The ES modules of the entries share core.js, client.js and embedded.js. Node gets index.js with core.js and client.js in one file,
// node.js, because each file that Node loads takes about a millisecond. The CommonJS entries share only embedded.cjs; each contains
// its own copy of everything else.
export async function bundleEntries() {
  const cjs = { ...options, format: "cjs", outExtension: { ".js": ".cjs" }, define: { "import.meta.url": "undefined" } };
  await build({ ...esm, entryPoints: entries("core", "embedded"), plugins: [resolveImports(sources)] });
  await bundleWithoutWasm();
  await build({ ...esm, entryPoints: entries("index", "slim", "workerd"), plugins: [resolveImports({}, separateFiles)] });
  await build({ ...esm, entryPoints: [{ in: join(packageFolder, "index.js"), out: "node" }], external: ["./embedded.js"] });
  await build({ ...cjs, entryPoints: entries("embedded"), plugins: [resolveImports(sources)] });
  const cjsSources = { ...sources, "./embedded.js": "./embedded.cjs" };
  await build({ ...cjs, entryPoints: entries("index", "slim", "client", "element"), plugins: [resolveImports(cjsSources, separateFiles)] });
  writeCommonJsExports();
  await bundleProgram();
}

/** Bundles the entries that need no wasm. */
export async function bundleWithoutWasm() {
  await build({ ...esm, entryPoints: entries("client") });
  await build({ ...esm, entryPoints: entries("element"), plugins: [resolveImports({}, separateFiles)] });
}

/** Bundles what the console uses of the package into one module. Returns its text. */
export async function bundleForConsole() {
  const plugins = [resolveImports(sources)];
  const { outputFiles } = await build({ ...esm, entryPoints: entries("console"), write: false, minify: true, legalComments: "none", plugins });
  return outputFiles[0].text;
}

// Bundles the program `ofauth-edge` into cli.js, which imports index.js.
async function bundleProgram() {
  const plugins = [resolveImports({ "../index.mjs": "./index.js" }, ["./index.js"])];
  await build({ ...esm, platform: "node", entryPoints: entries("cli"), plugins });
  chmodSync(join(packageFolder, "cli.js"), 0o755);
}

function entries(...names) {
  return names.map((name) => join(templateFolder, `${name}.mjs`));
}

// Replaces the exports of the CommonJS entries, which are getters, by plain values, so that tests can spy on them. An assignment
// that never runs names the exports: Node looks for such a line to find what can be imported by name.
function writeCommonJsExports() {
  for (const name of ["index", "slim", "client", "element"]) {
    const exports = /export \{([^}]+)\};\s*$/.exec(readFileSync(join(packageFolder, `${name}.js`), "utf8"))[1].trim();
    const lines = [
      'module.exports = Object.defineProperty({ ...module.exports }, "__esModule", { value: true });',
      `0 && (module.exports = { ${exports.replace(/\s+/g, " ")} });`,
    ];
    appendFileSync(join(packageFolder, `${name}.cjs`), `${lines.join("\n")}\n`);
  }
}

// An esbuild plugin. An import that is a key of `sources` is replaced by its value. An import that is then in `separateFiles`
// is not bundled: it stays an import of that file.
function resolveImports(sources, separateFiles = []) {
  const setup = ({ onResolve }) => {
    // wasm-bindgen copies src/npm/sha256.js into a folder snippets/. The original is used instead of the copy, because
    // engine.mjs imports it too and both must share one module.
    onResolve({ filter: /^\.\/snippets\// }, ({ path }) => ({ path: join(root, path.replace(/^\.\/snippets\/[^/]+\//, "")) }));
    onResolve({ filter: /^\./ }, ({ path: name }) => {
      const path = sources[name] ?? name;
      return separateFiles.includes(path) ? { path, external: true } : name in sources ? { path } : undefined;
    });
  };
  return { name: "resolve-imports", setup };
}
