// Medians, and how sure they are.

const RESAMPLES = 5000;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The 95 % interval of the median, by bootstrap: the median of samples drawn from the values, with replacement. The same
 * values give the same interval.
 * @returns {[number, number]}
 */
export function interval(values) {
  const random = randomFrom(0x9e3779b9);
  const draw = () => values.map(() => values[Math.floor(random() * values.length)]);
  const medians = Array.from({ length: RESAMPLES }, () => median(draw())).sort((a, b) => a - b);
  return [medians[Math.floor(RESAMPLES * 0.025)], medians[Math.ceil(RESAMPLES * 0.975) - 1]];
}

/** Median and interval of what `values` are. */
export function summarise(values) {
  return { median: median(values), interval: interval(values) };
}

// mulberry32
function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
