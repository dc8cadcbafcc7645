// The sides, and how each is built into a folder.

import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The project's folder. */
export const root = join(here, "../..");

const wrangler = readFileSync(join(root, "wrangler.toml"), "utf8");

export const compatibilityDate = /^compatibility_date = "(.+)"/m.exec(wrangler)[1];

/** The variables that a deployment has. */
export const variables = readVariables();

/** All of them, ours first. */
export const sides = [
  { name: "ofauth-edge", modules: ["build/index.js", "build/index_bg.wasm"], classes: ["Ledger", "Hub"] },
  { name: "Hono, same job", peer: "hono-same.js", classes: ["Ledger", "Hub"] },
  { name: "Hono, as usual", peer: "hono-usual.js", classes: [] },
  { name: "plain JavaScript", peer: "plain.js", classes: ["Ledger", "Hub"] },
  { name: "storage floor", peer: "storage-floor.js", classes: ["Ledger"] },
  { name: "bare floor", peer: "bare-floor.js", classes: [] },
];

/** Those that do the same job, ours first. */
export const JOB = ["ofauth-edge", "Hono, same job", "plain JavaScript"];

/**
 * Puts a side's modules into `folder`, a peer bundled and minified.
 * @returns {Promise<string[]>} their files, the main one first
 */
export async function buildSide({ modules, peer }, folder) {
  mkdirSync(folder, { recursive: true });
  if (peer) {
    await bundle({ entryPoints: [join(here, "peers", peer)] }, join(folder, "worker.js"));
    return [join(folder, "worker.js")];
  }
  return modules.map((module) => {
    const [from, to] = [join(root, module), join(folder, basename(module))];
    if (!existsSync(from)) throw new Error(`${module} is missing: run make build`);
    copyFileSync(from, to);
    return to;
  });
}

/** The same side with counting.js in front of it. */
export async function buildCounted(files, folder) {
  mkdirSync(folder, { recursive: true });
  const [main, ...others] = files;
  const inner = join(folder, `side-${basename(main)}`);
  copyFileSync(main, inner);
  const outer = join(folder, "counting.js");
  const beside = { path: `./${basename(inner)}`, external: true };
  const plugin = { name: "side", setup: ({ onResolve }) => onResolve({ filter: /^side$/ }, () => beside) };
  await bundle({ entryPoints: [join(here, "counting.js")], plugins: [plugin] }, outer);
  return [outer, inner, ...others];
}

/** The bytes of a side's modules, as they are and gzipped. */
export function weigh(files) {
  const contents = files.map((file) => readFileSync(file));
  const sum = (parts) => parts.reduce((total, { length }) => total + length, 0);
  return { bytes: sum(contents), gzipped: sum(contents.map((bytes) => gzipSync(bytes, { level: 9 }))) };
}

function bundle(options, outfile) {
  const platform = { format: "esm", target: "esnext", external: ["cloudflare:*"], conditions: ["workerd"] };
  return build({ ...options, ...platform, outfile, bundle: true, minify: true, logLevel: "error" });
}

// wrangler.toml has them as texts, one a line.
function readVariables() {
  const table = wrangler.split("[vars]\n")[1].split("\n[")[0];
  return Object.fromEntries([...table.matchAll(/^(\w+) = "(.*)"/gm)].map(([, name, value]) => [name, value]));
}
