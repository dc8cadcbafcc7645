// The Makefile's list of properties that get more cases: each module in it has properties, or else `cargo test` would run
// none of them and say nothing.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root } from "../../scripts/inputs.mjs";

test("each module whose properties get more cases has properties", () => {
  const [, list] = /^properties = (.+)$/m.exec(readFileSync(join(root, "Makefile"), "utf8"));
  const files = ["webhook", "storage", "gateway"].flatMap((room) =>
    readdirSync(join(root, "tests/core", room)).map((name) => join(root, "tests/core", room, name)),
  );
  for (const module of list.split(" ")) {
    const file = files.filter((path) => path.endsWith(`/${module.replace("::", ".rs")}`));
    assert.ok(file.some((path) => readFileSync(path, "utf8").includes("proptest!")), module);
  }
});
