// Reads and writes a wasm module in its binary format, as far as the build needs it.

const SECTION = Object.freeze({ custom: 0, import: 2, export: 7, code: 10 });
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };
const HEADER_BYTES = 8;

/** Reads one part after another. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  part() {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return this.part().toString();
  }
}

/**
 * @param {Buffer} wasm
 * @returns {{id: number, contents: Buffer}[]}
 */
export function readSections(wasm) {
  const reader = new Reader(wasm, HEADER_BYTES);
  const sections = [];
  while (reader.at < wasm.length) sections.push({ id: reader.byte(), contents: reader.part() });
  return sections;
}

/** The module `wasm` with other sections. */
export function withSections(wasm, sections) {
  const parts = sections.flatMap(({ id, contents }) => [Buffer.from([id]), number(contents.length), contents]);
  return Buffer.concat([wasm.subarray(0, HEADER_BYTES), ...parts]);
}

/**
 * The functions of a module with names, and how many it imports.
 * @param {Buffer} wasm
 * @returns {{imported: number, functions: {name: string | undefined, body: Buffer}[]}}
 */
export function readFunctions(wasm) {
  const sections = readSections(wasm);
  const find = (wanted) => sections.find(({ id }) => id === wanted).contents;
  const imported = readImports(find(SECTION.import)).filter(({ kind }) => kind === KIND.function).length;
  const code = new Reader(find(SECTION.code));
  const bodies = Array.from({ length: code.number() }, () => code.part());
  const names = readNames(sections);
  return { imported, functions: bodies.map((body, index) => ({ name: names.get(imported + index), body })) };
}

/** The module with these names of functions, the imported ones first. */
export function withNames(wasm, names) {
  const map = [number(names.length), ...names.flatMap((name, index) => [number(index), text(name)])];
  const contents = Buffer.concat([text("name"), Buffer.from([1]), sized(Buffer.concat(map))]);
  return withSections(wasm, [...readSections(wasm).filter((section) => !isNames(section)), { id: SECTION.custom, contents }]);
}

/** The module whose imports from the module `from`, and whose exports, have the names that `rename` returns. */
export function renamed(wasm, rename) {
  return withSections(wasm, readSections(wasm).map(({ id, contents }) => {
    if (id === SECTION.import) return { id, contents: list(readImports(contents), (item) => [text(item.module), text(rename(item.name)), item.type]) };
    if (id === SECTION.export) return { id, contents: list(readExports(contents), (item) => [text(rename(item.name)), item.target]) };
    return { id, contents };
  }));
}

function readImports(contents) {
  const reader = new Reader(contents);
  return Array.from({ length: reader.number() }, () => {
    const [module, name, start] = [reader.text(), reader.text(), reader.at];
    const kind = reader.byte();
    if (kind !== KIND.function && kind !== KIND.tag) throw new Error(`an import of kind ${kind}`);
    // A tag, which exceptions have, has a byte more.
    if (kind === KIND.tag) reader.byte();
    reader.number();
    return { module, name, kind, type: contents.subarray(start, reader.at) };
  });
}

function readExports(contents) {
  const reader = new Reader(contents);
  return Array.from({ length: reader.number() }, () => {
    const [name, start] = [reader.text(), reader.at];
    reader.byte();
    reader.number();
    return { name, target: contents.subarray(start, reader.at) };
  });
}

function readNames(sections) {
  const names = new Map();
  const section = sections.find(isNames);
  if (!section) return names;
  const reader = new Reader(section.contents);
  reader.text();
  while (reader.at < section.contents.length) {
    const kind = reader.byte();
    const map = new Reader(reader.part());
    if (kind === 1) for (let count = map.number(); count > 0; count--) names.set(map.number(), map.text());
  }
  return names;
}

const isNames = ({ id, contents }) => id === SECTION.custom && new Reader(contents).text() === "name";
const list = (items, write) => Buffer.concat([number(items.length), ...items.flatMap(write)]);
const sized = (bytes) => Buffer.concat([number(bytes.length), bytes]);
const text = (value) => sized(Buffer.from(value));

// Unsigned LEB128.
function number(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}
