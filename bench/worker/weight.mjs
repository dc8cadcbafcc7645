// Prints how many bytes of the Worker's code belong to each crate, and its largest functions, as Markdown. `make weight`
// builds the Worker with the names of its functions first. They are not in what is deployed.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const SECTION = { custom: 0, import: 2, code: 10 };
const KIND = { function: 0, tag: 4 };
const LARGEST = 20;
// Crates of fewer bytes are counted together.
const SMALL = 500;

const bytes = readFileSync(new URL("../../target/worker-names/index_bg.wasm", import.meta.url));
const functions = readFunctions(bytes);

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

/** The functions of a wasm module: the name and the body of each. */
function readFunctions(wasm) {
  let at = 8;
  let imported = 0;
  const bodies = [];
  const names = new Map();
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const text = () => {
    const length = number();
    at += length;
    return wasm.toString("utf8", at - length, at);
  };
  while (at < wasm.length) {
    const id = wasm[at++];
    const size = number();
    const end = at + size;
    if (id === SECTION.import) {
      for (let count = number(); count > 0; count--) {
        text();
        text();
        const kind = wasm[at++];
        if (kind !== KIND.function && kind !== KIND.tag) throw new Error(`an import of kind ${kind}`);
        // A tag, which exceptions have, has a byte more.
        at += Number(kind === KIND.tag);
        number();
        imported += Number(kind === KIND.function);
      }
    } else if (id === SECTION.code) {
      for (let count = number(); count > 0; count--) {
        const length = number();
        bodies.push(wasm.subarray(at, at + length));
        at += length;
      }
    } else if (id === SECTION.custom && text() === "name") {
      while (at < end) {
        const kind = wasm[at++];
        const next = number() + at;
        if (kind === 1) for (let count = number(); count > 0; count--) names.set(number(), text());
        at = next;
      }
    }
    at = end;
  }
  return bodies.map((body, index) => ({ name: (names.get(imported + index) ?? "?").replace(/::h[0-9a-f]{16}$/, ""), body }));
}

/** The crate of a function. For ours it is the room. For generic code of another crate with a type of ours, it is ours. */
function roomOf(name) {
  const ours = /ofauth_edge::(core|worker)::(\w+)/.exec(name);
  if (ours) return `${ours[1]}/${ours[2]}`;
  const [, crate] = /^[<&*(]*(?:mut )?(?:dyn )?(\w+)(?:::|$)/.exec(name) ?? [];
  return ["core", "alloc", "std", undefined].includes(crate) ? "std" : crate;
}
