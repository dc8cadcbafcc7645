// What the build does to the Worker's wasm beside optimising it.

import assert from "node:assert/strict";
import { test } from "node:test";
import binaryen from "binaryen";
import { shortenNames } from "../../scripts/glue.mjs";
import { withOrderedNames } from "../../scripts/order.mjs";
import { readFunctions, readSections, withSections } from "../../scripts/wasm.mjs";

// One kind of function is about multiplying, the other one about bits.
const alike = (name, operation, constant) => `(func $${name} (param i32) (result i32) ${`(local.set 0 (i32.${operation} (local.get 0) (i32.const ${constant}))) `.repeat(9)} (local.get 0))`;

const wasm = assemble(`(module
  (import "./index_bg.js" "__wbg_double_0123456789abcdef" (func $double (param i32) (result i32)))
  (func $main (param i32) (result i32) (call $triple (call $double (local.get 0))))
  ${alike("m1", "mul", 70_000)} ${alike("x1", "xor", 80_000)} ${alike("m2", "mul", 70_000)} ${alike("x2", "xor", 80_000)}
  (func $triple (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
  (func $none (export "__wbindgen_none"))
  (export "main_of_class" (func $main)))`);

const glue = `function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_double_0123456789abcdef: function(arg0) {
            return arg0 * 2;
        },
    };
    return { __proto__: null, "./index_bg.js": import0 };
}
const main = (arg0) => wasm.main_of_class(arg0);
`;

test("a module that is parsed and written again is the same", () => {
  assert.deepEqual(withSections(wasm, readSections(wasm)), wasm);
  const { imported, functions } = readFunctions(wasm);
  assert.equal(imported, 1);
  assert.deepEqual(functions.map(({ name }) => name), ["main", "m1", "x1", "m2", "x2", "triple", "none"]);
});

test("functions of similar code get names that put them next to each other", () => {
  const names = readFunctions(withOrderedNames(wasm)).functions.map(({ name }) => name).sort();
  const order = names.map((name) => name.replace(/^\d{5} /, ""));
  assert.deepEqual(order.toSorted(), ["m1", "m2", "main", "none", "triple", "x1", "x2"]);
  for (const [one, other] of [["m1", "m2"], ["x1", "x2"]]) assert.equal(Math.abs(order.indexOf(one) - order.indexOf(other)), 1, `${order}`);
});

test("the wasm and its JavaScript agree on short names, and other names stay", () => {
  const short = shortenNames(glue, wasm);
  assert.doesNotMatch(short.glue, /__wbg_double|main_of_class/);
  const module = new WebAssembly.Module(short.wasm);
  assert.match(WebAssembly.Module.imports(module)[0].name, /^_\w$/);
  const run = new Function("module", `${short.glue} const wasm = new WebAssembly.Instance(module, __wbg_get_imports()).exports; return [main(7), Object.keys(wasm)];`);
  const [result, exported] = run(module);
  assert.equal(result, 42);
  assert.ok(exported.includes("__wbindgen_none"));
});

function assemble(text) {
  const module = binaryen.parseText(text);
  binaryen.setDebugInfo(true);
  return Buffer.from(module.emitBinary());
}
