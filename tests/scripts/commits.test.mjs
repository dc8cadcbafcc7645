// bench/worker/commits.mjs: it counts the frames that end a transaction, and refuses to count what it cannot know.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { commitsBetween, commitsOf, readCommits } from "../../bench/worker/commits.mjs";

const PAGE = 512;

// A log. A frame is [pages the database then has, or 0 within a transaction; salt].
function log(salt, frames) {
  const header = Buffer.alloc(32);
  header.writeUInt32BE(PAGE, 8);
  header.writeUInt32BE(salt, 16);
  const written = frames.map(([pages, own = salt]) => {
    const frame = Buffer.alloc(24 + PAGE);
    frame.writeUInt32BE(pages, 4);
    frame.writeUInt32BE(own, 8);
    return frame;
  });
  return Buffer.concat([header, ...written]);
}

function folder(t, files) {
  const path = mkdtempSync(join(tmpdir(), "commits-"));
  t.after(() => rmSync(path, { recursive: true }));
  const write = (files) => Object.entries(files).forEach(([name, bytes]) => writeFileSync(join(path, name), bytes));
  write(files);
  return { path, write };
}

test("a transaction of several frames is one commit", () => {
  assert.equal(commitsOf(log(7, [[0], [0], [3], [4]])).commits, 2);
});

test("a log without frames, or without a header, has no commit", () => {
  assert.equal(commitsOf(log(7, [])).commits, 0);
  assert.equal(commitsOf(Buffer.alloc(0)).commits, 0);
});

test("frames of an older salt, and a frame that is cut off, do not count", () => {
  assert.equal(commitsOf(log(7, [[3], [3, 6], [3, 6]])).commits, 1);
  assert.equal(commitsOf(log(7, [[3], [3]]).subarray(0, -1)).commits, 1);
});

test("new commits and new logs since the last look count, and the platform's own database does not", (t) => {
  const { path, write } = folder(t, { "a.sqlite-wal": log(7, [[3]]), "metadata.sqlite-wal": log(1, [[1]]), "a.sqlite": "" });
  const before = readCommits(path);
  write({ "a.sqlite-wal": log(7, [[3], [0], [3]]), "b.sqlite-wal": log(9, [[2]]), "metadata.sqlite-wal": log(1, [[1], [1]]) });
  assert.equal(commitsBetween(before, readCommits(path)), 2);
});

test("a log that began again is refused, and so is one that is gone", (t) => {
  const { path, write } = folder(t, { "a.sqlite-wal": log(7, [[3]]) });
  const before = readCommits(path);
  write({ "a.sqlite-wal": log(8, [[3], [3]]) });
  assert.throws(() => commitsBetween(before, readCommits(path)), /a\.sqlite-wal/);
  rmSync(join(path, "a.sqlite-wal"));
  assert.throws(() => commitsBetween(before, readCommits(path)), /a\.sqlite-wal/);
});

test("a folder that does not exist yet has no commits", () => {
  assert.equal(commitsBetween(readCommits("/nowhere/at/all"), new Map()), 0);
});
