// Removes unused parts from the JavaScript that wasm-bindgen writes. A bundler cannot do it: it does not know what the wasm
// imports, and the statement that gives a class its `Symbol.dispose` counts as used.

// The crate `worker` and its dependencies export these classes, for parts of them that the Worker does not use: containers,
// R2, and streams that Rust code produces.
const UNUSED_CLASSES = ["ContainerStartupOptions", "IntoUnderlyingByteSource", "IntoUnderlyingSink", "IntoUnderlyingSource", "MinifyConfig", "R2Range"];

/** The names of the wasm's exports that only these classes call. */
export const UNUSED_EXPORTS = new RegExp(`^(__wbg_)?([gs]et_)?(${UNUSED_CLASSES.join("|").toLowerCase()})_`);

/**
 * @param {string} glue   the JavaScript of wasm-bindgen
 * @param {BufferSource} wasm   the wasm without UNUSED_EXPORTS
 */
export function removeUnused(glue, wasm) {
  const imported = new Set(WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map(({ name }) => name));
  const unusedClasses = UNUSED_CLASSES.map((name) => new RegExp(`^(export )?class ${name} \\{\n[^]*?^if .*\\b${name}\\.prototype\\.free;\n`, "m"));
  const registries = UNUSED_CLASSES.map((name) => new RegExp(`^const ${name}Finalization = [^]*?^\\}\\);\n`, "m"));
  const trimmed = [...unusedClasses, ...registries].reduce((rest, pattern) => {
    if (!pattern.test(rest)) throw new Error(`the JavaScript of wasm-bindgen has nothing like ${pattern}`);
    return rest.replace(pattern, "");
  }, glue);
  // The functions that the wasm may import are the members of one object.
  return trimmed.replace(/^ {8}(\w+): function\([^)]*\) \{\n[^]*?^ {8}\},\n/gm, (member, name) => (imported.has(name) ? member : ""));
}
