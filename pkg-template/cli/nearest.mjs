// Suggests the name that was probably meant.

/** A sentence that begins with a space, or the empty text if nothing is near. */
export function suggest(word, names) {
  const name = nearest(word, names);
  return name === undefined ? "" : ` Did you mean ${name}?`;
}

/**
 * @param {string} word
 * @param {string[]} names
 * @returns {string | undefined} the name with the fewest differences, if they are few
 */
export function nearest(word, names) {
  const begun = names.filter((name) => word.length >= 3 && name.startsWith(word));
  if (begun.length === 1) return begun[0];
  const lower = word.toLowerCase();
  const ranked = names.map((name) => [distance(lower, name.toLowerCase()), name]).sort(([a], [b]) => a - b);
  const [[differences, name] = [Infinity]] = ranked;
  return differences <= Math.max(2, Math.floor(word.length / 4)) ? name : undefined;
}

/** How many letters must be added, dropped, replaced or swapped with their neighbour. */
function distance(a, b) {
  let [before, row] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
