// A million calls leave nothing behind.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { makeProject, NODES, runNode } from "./project.mjs";

const MIB = 1024 * 1024;
const project = makeProject("node");

for (const [name, node] of Object.entries(NODES)) {
  test(`${name}: after 1,000,000 calls the wasm holds as much as after 1,000, and the process grew under 32 MiB`, async () => {
    const { early, late, good, bad } = await runNode(node, join(project, "memory.mjs"));
    assert.equal(good + bad, 1_000_000);
    assert.ok(good > 300_000 && bad > 300_000, `${good} good, ${bad} bad`);
    assert.ok(early.memory > 0);
    assert.equal(late.memory, early.memory);
    assert.ok(late.rss - early.rss < 32 * MIB, `${((late.rss - early.rss) / MIB).toFixed(1)} MiB`);
  });
}
