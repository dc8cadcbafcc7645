// From the minutes of GET /edge/metrics to what a chart shows: bins of time, and a series for each code.

/** What the charts offer: how many hours, and how many minutes a bar stands for. */
export const SPANS = [
  { hours: 1, step: 1, name: "1 hour", last: "the last hour" },
  { hours: 6, step: 5, name: "6 hours", last: "the last 6 hours" },
  { hours: 24, step: 15, name: "24 hours", last: "the last 24 hours" },
];

/** How many codes have a color of their own. */
const MOST_COLORS = 6;

/**
 * The bins that cover a span and all minutes of the list, each by its start in unix seconds.
 * @param {{minute: string}[]} list
 * @param {{hours: number, step: number}} span
 */
export function binsOf(list, { hours, step }, now = Date.now()) {
  const minutes = list.map(minuteOf).filter(Number.isFinite);
  const length = hours * 60;
  let end = Math.max(Math.floor(now / 60_000), ...minutes);
  // A clock of this computer that is far off would leave the counts at the edge of an empty chart.
  if (minutes.length > 0 && Math.min(...minutes) < end - 2 * length) end = Math.max(...minutes);
  const first = Math.floor(Math.min(end - length + 1, ...minutes) / step) * step;
  const starts = Array.from({ length: Math.floor((end - first) / step) + 1 }, (_, index) => (first + index * step) * 60);
  return { starts, seconds: step * 60, placeOf: (entry) => Math.floor((minuteOf(entry) - first) / step) };
}

function minuteOf({ minute }) {
  return Math.floor(Date.parse(minute) / 60_000);
}

/**
 * How often each code was counted in each bin, the most frequent code first.
 * @param {{minute: string, counts: object}[]} list
 * @param {(counts: object) => Record<string, number> | undefined} pick
 * @returns {{code: string, total: number, values: number[]}[]}
 */
export function seriesOf(list, bins, pick) {
  const byCode = new Map();
  for (const entry of list) {
    const place = bins.placeOf(entry);
    for (const [code, number] of Object.entries(pick(entry.counts) ?? {})) {
      if (!byCode.has(code)) byCode.set(code, { code, total: 0, values: bins.starts.map(() => 0) });
      const series = byCode.get(code);
      if (place in series.values) series.values[place] += number;
      series.total += number;
    }
  }
  return [...byCode.values()].sort((a, b) => b.total - a.total || (a.code < b.code ? -1 : 1));
}

/** The series that are drawn. Those without a color of their own are drawn as one. */
export function drawnOf(series) {
  if (series.length <= MOST_COLORS) return series;
  const rest = series.slice(MOST_COLORS - 1);
  const values = rest[0].values.map((_, place) => sum(rest.map((one) => one.values[place])));
  return [...series.slice(0, MOST_COLORS - 1), { code: `${rest.length} others`, total: sum(rest.map(({ total }) => total)), values }];
}

export function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
