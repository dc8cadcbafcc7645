// Makes the JavaScript that wasm-bindgen writes smaller. A bundler cannot do that:
//
// - It does not know which functions the wasm imports.
// - It cannot shorten a name that the wasm has too.
// - It keeps an unused class, because a statement sets the `Symbol.dispose` of that class.

import { renamed } from "./wasm.mjs";

/**
 * The crate `worker` and its dependencies export these classes, for parts of them that the Worker does not use: containers, R2, and
 * streams that Rust code produces.
 */
export const UNUSED_CLASSES = Object.freeze(["ContainerStartupOptions", "IntoUnderlyingByteSource", "IntoUnderlyingSink", "IntoUnderlyingSource", "MinifyConfig", "R2Range"]);

// A member of the object with the functions that the wasm may import.
const IMPORT = /^ {8}(\w+): function\([^)]*\) \{\n[^]*?^ {8}\},\n/gm;

/**
 * @param {string} glue   the JavaScript of wasm-bindgen
 * @param {BufferSource} wasm   the wasm, which has been optimised
 */
export function removeUnused(glue, wasm) {
  const imported = new Set(WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ name }) => name));
  const unusedClasses = UNUSED_CLASSES.map((name) => new RegExp(`^(export )?class ${name} \\{\n[^]*?^if .*\\b${name}\\.prototype\\.free;\n`, "m"));
  const registries = UNUSED_CLASSES.map((name) => new RegExp(`^const ${name}Finalization = [^]*?^\\}\\);\n`, "m"));
  const trimmed = [...unusedClasses, ...registries].reduce((rest, pattern) => {
    if (!pattern.test(rest)) throw new Error(`the JavaScript of wasm-bindgen has nothing like ${pattern}`);
    return rest.replace(pattern, "");
  }, glue);
  return trimmed.replace(IMPORT, (member, name) => (imported.has(name) ? member : ""));
}

/**
 * Gives short names to what the wasm imports and exports.
 * @param {string} glue   of `removeUnused`
 * @param {Buffer} wasm
 * @returns {{glue: string, wasm: Buffer}}
 */
export function shortenNames(glue, wasm) {
  const names = [...glue.matchAll(IMPORT), ...glue.matchAll(/\bwasm\.(\w+)/g)].map(([, name]) => name);
  const short = new Map([...new Set(names)].map((name, index) => [name, `_${index.toString(36)}`]));
  return {
    glue: glue
      .replace(IMPORT, (member, name) => member.replace(name, short.get(name)))
      .replace(/\bwasm\.(\w+)/g, (_, name) => `wasm.${short.get(name)}`),
    wasm: renamed(wasm, (name) => short.get(name) ?? name),
  };
}
