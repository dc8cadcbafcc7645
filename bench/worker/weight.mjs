// Prints how many bytes of the Worker's code belong to each crate, and its largest functions, as Markdown. `make weight`
// builds the Worker with the names of its functions first. They are not in what is deployed.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { readFunctions } from "../../scripts/wasm.mjs";

const LARGEST = 20;
// Crates of fewer bytes are counted together.
const SMALL = 500;

const bytes = readFileSync(new URL("../../target/worker-names/index_bg.wasm", import.meta.url));
// Each name begins with a number, see scripts/order.mjs, and may end with a hash.
const functions = readFunctions(bytes).functions.map(({ name = "", body }) => ({ name: name.replace(/^\d+ |::h[0-9a-f]{16}$/g, "") || "?", body }));

const crates = Map.groupBy(functions, ({ name }) => roomOf(name));
const rows = [...crates].map(([crate, members]) => {
  const code = Buffer.concat(members.map(({ body }) => body));
  return [crate, members.length, code.length, gzipSync(code, { level: 9 }).length];
});
console.log("| crate, or room of ours | functions | bytes | gzipped alone |\n|---|---:|---:|---:|");
const [large, small] = [(row) => row[2] >= SMALL, (row) => row[2] < SMALL].map((isListed) => rows.filter(isListed));
for (const row of large.toSorted((a, b) => b[2] - a[2])) console.log(`| ${row.join(" | ")} |`);
const sum = (column) => small.reduce((total, row) => total + row[column], 0);
console.log(`| ${small.length} others | ${sum(1)} | ${sum(2)} | ${sum(3)} |`);

console.log("\n| largest functions | bytes |\n|---|---:|");
const largest = functions.toSorted((a, b) => b.body.length - a.body.length).slice(0, LARGEST);
for (const { name, body } of largest) console.log(`| \`${name.replaceAll("|", "\\|")}\` | ${body.length} |`);

/** The crate of a function. For ours it is the room. For generic code of another crate with a type of ours, it is ours. */
function roomOf(name) {
  const ours = /ofauth_edge::(core|worker)::(\w+)/.exec(name);
  if (ours) return `${ours[1]}/${ours[2]}`;
  const [, crate] = /^[<&*(]*(?:mut )?(?:dyn )?(\w+)(?:::|$)/.exec(name) ?? [];
  return ["core", "alloc", "std", undefined].includes(crate) ? "std" : crate;
}
