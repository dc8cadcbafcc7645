// The pages in docs/ against the sources: 1. docs/errors.md has each code of the Worker's own errors, 2. docs/logs.md has
// each task that writes a line, 3. docs/costs.md has the numbers that scripts/costs.mjs finds in bench/RESULTS.md.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("docs/errors.md has a row for each code of the Worker's own errors, and for no other", () => {
  const [, union] = read("pkg-template/generated.d.ts").split("export type EdgeErrorCode =");
  const codes = [...union.split(";")[0].matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code);
  const [, section] = read("docs/errors.md").split("## Errors of the Worker\n");
  const rows = [...section.split("\n## ")[0].matchAll(/^\| `(\w+)` \| \d{3} \|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10);
  assert.deepEqual([...new Set(rows)].sort(), codes.sort());
});

test("docs/logs.md names each task that writes a line when it fails", () => {
  const sources = readdirSync(new URL("../../src/worker", import.meta.url), { recursive: true }).filter((file) => file.endsWith(".rs"));
  const calls = sources.flatMap((file) => [...read(`src/worker/${file}`).matchAll(/log_error\("(\w+)"/g)]);
  const [row] = read("docs/logs.md").match(/^\| `what` .*/m);
  assert.ok(calls.length > 3);
  for (const [, task] of calls) assert.ok(row.includes(`\`${task}\``), task);
});

test("docs/costs.md shows what scripts/costs.mjs computes from bench/RESULTS.md", () => {
  const script = fileURLToPath(new URL("../../scripts/costs.mjs", import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  assert.match(stdout, /KV writes/, stderr);
  assert.ok(read("docs/costs.md").includes(`\n${stdout}\n`), stdout);
});
