// Puts functions of similar code next to each other, so that gzip finds more repetitions: it looks back only 32 KiB.
//
// The largest function is the first. Then always comes the one that shares most with the last 30 KB of code. What counts are
// sequences of five bytes that both have, and a rare sequence counts more than a frequent one.

import { readFunctions, withNames } from "./wasm.mjs";

const SEQUENCE_BYTES = 5;
const WINDOW_BYTES = 30_000;
// A sequence that more functions have tells little, and counting it takes long.
const MAX_FUNCTIONS = 400;
// Added to the size of each function, because otherwise the smallest ones would all come first.
const EXTRA_BYTES = 100;

/**
 * The module with names by which its functions are sorted: a number in front of the name that each has.
 * @param {Buffer} wasm   with names
 */
export function withOrderedNames(wasm) {
  const { imported, functions } = readFunctions(wasm);
  const order = orderOf(functions.map(({ body }) => body));
  const names = Array.from({ length: imported }, (_, index) => `import ${index}`);
  order.forEach((index, place) => (names[imported + index] = `${String(place).padStart(5, "0")} ${functions[index].name ?? ""}`));
  return withNames(wasm, names);
}

function orderOf(bodies) {
  const sequences = bodies.map(sequencesOf);
  const users = new Map();
  sequences.forEach((set, index) => set.forEach((sequence) => users.getOrInsertComputed(sequence, () => []).push(index)));
  for (const [sequence, { length }] of users) if (length < 2 || length > MAX_FUNCTIONS) users.delete(sequence);

  const sizes = sequences.map(({ size }) => (size + EXTRA_BYTES) ** 0.9);
  const scores = new Float64Array(bodies.length);
  const inWindow = new Map();
  const change = (index, by) => {
    for (const sequence of sequences[index]) {
      const sharing = users.get(sequence);
      if (!sharing) continue;
      const before = inWindow.get(sequence) ?? 0;
      inWindow.set(sequence, before + by);
      // Only the first in the window and the last one count.
      if (Math.min(before, before + by) === 0) for (const user of sharing) scores[user] += by / Math.sqrt(sharing.length);
    }
  };
  const largest = bodies.reduce((best, body, index) => (body.length > bodies[best].length ? index : best), 0);
  const left = new Set(bodies.keys());
  const order = [];
  let [next, first, bytes] = [largest, 0, 0];
  while (next !== undefined) {
    left.delete(next);
    order.push(next);
    change(next, 1);
    for (bytes += bodies[next].length; bytes > WINDOW_BYTES && first < order.length - 1; first++) {
      bytes -= bodies[order[first]].length;
      change(order[first], -1);
    }
    next = undefined;
    for (const index of left) if (next === undefined || scores[index] / sizes[index] > scores[next] / sizes[next]) next = index;
  }
  return order;
}

function sequencesOf(body) {
  const sequences = new Set();
  for (let at = 0; at + SEQUENCE_BYTES <= body.length; at++) sequences.add(body.readUIntBE(at, SEQUENCE_BYTES));
  return sequences;
}
