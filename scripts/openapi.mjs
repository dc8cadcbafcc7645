// Writes the reference of the Worker's HTTP surface: www/openapi.json and the page www/reference.html.
//
//   node scripts/openapi.mjs
//
// Both are committed, so that `wrangler deploy` needs no step for them. tests/scripts/openapi.test.mjs fails if they are not what
// this writes, or if the sources have a route, an error code or a field that the document does not describe.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { root } from "./inputs.mjs";
import { buildDocument } from "./openapi/build.mjs";
import { renderPage } from "./openapi/page.mjs";

/** The files that are written, by their path. */
export function buildFiles() {
  const document = buildDocument();
  return { "www/openapi.json": `${format(document)}\n`, "www/reference.html": renderPage(document) };
}

// A value that fits into a line stays in it, so that a change of a route changes few lines.
function format(value, indent = "") {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null || indent.length + line.length <= 130) return line;
  const deeper = `${indent} `;
  const items = Array.isArray(value)
    ? value.map((item) => deeper + format(item, deeper))
    : Object.entries(value).map(([key, item]) => `${deeper}${JSON.stringify(key)}:${format(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}

if (argv[1] === join(root, "scripts/openapi.mjs")) {
  for (const [file, text] of Object.entries(buildFiles())) writeFileSync(join(root, file), text);
}
