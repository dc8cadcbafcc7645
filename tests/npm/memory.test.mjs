// A million calls leave nothing behind. `make test` makes fewer.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { isFull } from "../full.mjs";
import { makeProject, NODES, runNode } from "./project.mjs";

const MIB = 1024 * 1024;
const COUNT = isFull ? 1_000_000 : 200_000;
const project = makeProject("node");

for (const [name, node] of Object.entries(NODES)) {
  test(`${name}: after ${COUNT} calls the wasm holds as much as after 1,000, and the process grew under 32 MiB`, async () => {
    const { early, late, good, bad } = await runNode(node, join(project, "memory.mjs"), String(COUNT));
    assert.equal(good + bad, COUNT);
    assert.ok(good > 0.3 * COUNT && bad > 0.3 * COUNT, `${good} good, ${bad} bad`);
    assert.ok(early.memory > 0);
    assert.equal(late.memory, early.memory);
    assert.ok(late.rss - early.rss < 32 * MIB, `${((late.rss - early.rss) / MIB).toFixed(1)} MiB`);
  });
}
