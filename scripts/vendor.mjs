// Copies into www/console/vendor/ what the console takes from npm: uPlot, which draws the charts. git ignores the copy, so each build
// of the Worker makes it before wrangler reads www/.
//
//   node scripts/vendor.mjs

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { transformSync } from "esbuild";
import { root } from "./inputs.mjs";

const source = join(root, "node_modules/uplot");
const target = join(root, "www/console/vendor");

/** What the copy consists of, by the name of the file. */
function vendoredFiles() {
  const license = uplotLicense();
  const comment = `/*\n${license.trim().replaceAll("*/", "* /")}\n*/\n`;
  const script = transformSync(readFileSync(join(source, "dist/uPlot.esm.js"), "utf8"), { minify: true, format: "esm", target: "es2022" });
  return {
    "uplot.mjs": `${comment}${script.code}`,
    "uplot.css": `${comment}${readFileSync(join(source, "dist/uPlot.min.css"), "utf8")}\n`,
  };
}

/** The license of uPlot, with its copyright. */
export function uplotLicense() {
  const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  return `uPlot ${version}\n\n${readFileSync(join(source, "LICENSE"), "utf8")}\n`;
}

/** Writes what is not there already. `wrangler dev` reloads its page whenever a file is written. */
export function copyVendored() {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of Object.entries(vendoredFiles())) {
    const file = join(target, name);
    if (read(file) !== text) writeFileSync(file, text);
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

if (argv[1] === join(root, "scripts/vendor.mjs")) copyVendored();
