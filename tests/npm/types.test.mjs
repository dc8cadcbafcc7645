// The types, by TypeScript's compiler, under the settings that users have. `strict` and `skipLibCheck: false` always:
// the package's own .d.ts files are checked too.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { makeProject, run, tool } from "./project.mjs";

const STRICT = {
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  target: "es2022",
  lib: ["es2022"],
  types: [],
};
const RESOLUTIONS = [
  ["nodenext", "an ES module", "module"],
  ["nodenext", "CommonJS", "commonjs"],
  ["preserve", "a bundler", "module"],
];

const bare = makeProject("types");
const withNode = makeProject("types", ["@types/node", "undici-types"]);

for (const [module, from, type] of RESOLUTIONS) {
  for (const file of ["surface.ts", "explain.ts", "events.ts", "wrong.ts"]) {
    test(`${file} compiles as ${from}, without DOM and Node's types`, async () => {
      assert.deepEqual(await errors(bare, file, { module }, type), []);
    });
  }

  test(`a switch with a case missing does not compile as ${from}`, async () => {
    const [error, ...more] = await errors(bare, "missing-case.ts", { module }, type);
    assert.match(error, /TS2366/);
    assert.deepEqual(more, []);
  });

  test(`node.ts compiles as ${from}, with Node's types`, async () => {
    assert.deepEqual(await errors(withNode, "node.ts", { module, types: ["node"] }, type), []);
  });

  for (const file of ["dom.ts", "element.ts"]) {
    test(`${file} compiles as ${from}, with a browser's types`, async () => {
      assert.deepEqual(await errors(bare, file, { module, lib: ["es2022", "dom"] }, type), []);
    });
  }
}

for (const [module, from] of [["nodenext", "an ES module"], ["preserve", "a bundler"]]) {
  test(`wasm.ts compiles as ${from}`, async () => {
    assert.deepEqual(await errors(bare, "wasm.ts", { module }, "module"), []);
  });
}

test("require.cts compiles", async () => {
  assert.deepEqual(await errors(bare, "require.cts", { module: "nodenext" }, "module"), []);
});

/** The compiler's errors, a line each. */
async function errors(project, file, options, type) {
  const config = `${file}-${options.module}-${type}.json`;
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type }));
  writeFileSync(join(project, config), JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files: [file] }));
  const { status, stdout, stderr } = await run(tool("tsc"), ["-p", config, "--pretty", "false"], { cwd: project });
  const lines = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "");
  if (status !== 0 && lines.length === 0) lines.push(`tsc ended with ${status}`);
  return lines;
}
