// The package in Node, the oldest that is supported here and the newest: 1. each way to load it judges the shared vectors
// alike, 2. errors are recognised across all of them, 3. loading costs nothing until the first use.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { makeProject, NODES, runNode } from "./project.mjs";
import { expected } from "./vectors.mjs";

const project = makeProject("node");

for (const [name, node] of Object.entries(NODES)) {
  test(`${name} has the version that its name says`, async () => {
    const major = await runNode(node, join(project, "version.mjs"));
    if (name !== "the newest Node") assert.equal(name, `Node ${major}`);
    else assert.ok(major > 22, `Node ${major}`);
  });

  for (const file of ["import.mjs", "require.cjs", "import-slim.mjs", "require-slim.cjs"]) {
    test(`${name}, ${file}: every vector gives its code`, async () => {
      assert.deepEqual(await runNode(node, join(project, file)), expected);
    });
  }

  test(`${name}: import and require work side by side`, async () => {
    const results = await runNode(node, join(project, "both.mjs"));
    assert.deepEqual(results, Array(4).fill(expected));
  });

  test(`${name}: instanceof holds between every pair of entries, and for nothing else`, async () => {
    const { pairs, wrong, distinct } = await runNode(node, join(project, "instanceof.mjs"));
    assert.equal(pairs.length, 36);
    assert.deepEqual(pairs.filter(([, holds]) => !holds), []);
    assert.deepEqual(wrong, []);
    assert.ok(distinct >= 5, "classes of their own, or the pairs would say little");
  });

  test(`${name}: slim asks for its wasm, says in CommonJS what to pass, and takes it while another try fails`, async () => {
    const { early, nowhere, signed } = await runNode(node, join(project, "nowhere.cjs"));
    assert.match(early, /^Error: ofauth-edge\/slim: call await init\(\) or initSync\(module\) first$/);
    assert.match(nowhere, /^Error: ofauth-edge\/slim: .*pass ofauth_edge\.wasm to init\(\)/);
    assert.deepEqual(signed, ["ofauth-signature"]);
  });

  test(`${name}: WebAssembly is not used before the first call, and compiles once`, async () => {
    const { loaded, first, second } = await runNode(node, join(project, "lazy.mjs"));
    assert.equal(loaded, 0);
    assert.ok(first > 0);
    assert.equal(second, first);
  });
}
