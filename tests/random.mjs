// Random numbers that a seed repeats. It has no imports, because e2e/faults.mjs runs in a Worker, and works in Node 18 too.

/**
 * @typedef {object} Random
 * @property {(below: number) => number} integer   from 0
 * @property {<T>(items: T[]) => T} pick
 * @property {(percent: number) => boolean} chance
 * @property {<T>(items: T[]) => T[]} shuffle      returns a new list
 */

/**
 * Random numbers from a seed, by mulberry32.
 * @param {number} seed   a whole number from 0 to 2³² − 1
 * @returns {Random}
 */
export function randomFrom(seed) {
  let state = seed;
  const integer = (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  const shuffle = (items) => {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
    }
    return shuffled;
  };
  const pick = (items) => items[integer(items.length)];
  const chance = (percent) => integer(100) < percent;
  return { integer, pick, chance, shuffle };
}
