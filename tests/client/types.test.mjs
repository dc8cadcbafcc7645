// The types of the client, under the strictest settings of the compiler: without a platform's types, and with a browser's.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const STRICT = [
  "--strict",
  "--exactOptionalPropertyTypes",
  "--noUncheckedIndexedAccess",
  "--noUnusedLocals",
  "--skipLibCheck",
  "false",
];
const BASE = ["--noEmit", "--target", "es2022", "--module", "nodenext", "--types", ""];

function compile(lib, ...files) {
  const options = [...STRICT, ...BASE, "--lib", lib, ...files.map((file) => path(`types/${file}`))];
  const { stdout, status, error } = spawnSync(path("../../node_modules/.bin/tsc"), options, { encoding: "utf8" });
  assert.deepEqual([error, stdout, status], [undefined, "", 0]);
}

test("the types compile if the compiler knows the language only", () => compile("es2022", "samples.ts"));

test("the types compile with a browser's, and take its fetch, signals and bodies", () => {
  compile("es2022,dom", "samples.ts", "platform.ts");
});
