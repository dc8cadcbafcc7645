// Tables of what was measured, in Markdown.

import { summarise } from "./statistics.mjs";

/**
 * For each load, our time divided by that of the others: the median of the ratios of the rounds. Beside those that do the
 * same job, `equals`, it is also said for what remains without the floor's time.
 */
export function ratioTable(measured, loads, ours, equals, others) {
  const head = ["load", ...equals.flatMap((name) => [`÷ ${name}`, "net of the floor"]), ...others.map((name) => `÷ ${name}`)];
  const rows = loads.map(({ name, floor }) => {
    const times = measured[name];
    const ratio = (peer, net) => {
      const ratios = (times[peer] ?? []).map((time, round) => (times[ours][round] - net[round]) / (time - net[round]));
      return ratios.length > 0 ? shown(summarise(ratios), 2) : "–";
    };
    const nothing = times[ours].map(() => 0);
    const pairs = equals.flatMap((peer) => [ratio(peer, nothing), ratio(peer, times[floor])]);
    return [name, ...pairs, ...others.map((peer) => ratio(peer, nothing))];
  });
  return table(head, rows);
}

/** The CPU time of a request, in µs. */
export function timeTable(measured, loads, sides) {
  const cell = (times) => (times ? shown(summarise(times), 0) : "–");
  const rows = loads.map(({ name }) => [name, ...sides.map((side) => cell(measured[name][side]))]);
  return table(["load", ...sides], rows);
}

export function spawnTable(spawns, ours) {
  const ratios = (name, kind) => spawns[ours][kind].map((time, at) => time / spawns[name][kind][at]);
  const ratio = (name, kind) => (name === ours ? "–" : shown(summarise(ratios(name, kind)), 2));
  const cells = (name, kind) => [shown(summarise(spawns[name][kind]), 0), ratio(name, kind)];
  const rows = Object.keys(spawns).map((name) => [name, ...cells(name, "wall"), ...cells(name, "cpu")]);
  return table(["side", "ms", "ours ÷ it", "ms of CPU", "ours ÷ it"], rows);
}

export function sizeTable(sizes) {
  const kib = (bytes) => (bytes / 1024).toFixed(1);
  const rows = Object.entries(sizes).map(([name, { bytes, gzipped }]) => [name, kib(bytes), kib(gzipped)]);
  return table(["side", "KiB", "KiB gzipped"], rows);
}

export function countTable(counted) {
  const plain = (number) => String(Number(number.toFixed(1)));
  const list = (numbers) => Object.entries(numbers).map(([name, number]) => `${name} ${plain(number)}`).join(", ") || "0";
  const rows = counted.map(({ scenario, side, commits, rowsRead, rowsWritten, alarms, requests, kv }) => [
    scenario,
    side,
    ...[commits.Ledger, commits.Hub, rowsRead, rowsWritten + alarms, alarms].map(plain),
    list(requests),
    list(kv),
  ]);
  const head = ["commits: ledger", "hub", "rows read", "rows written", "of these alarms", "object requests", "KV operations"];
  return table(["event", "side", ...head], rows);
}

export function shown({ median, interval }, digits) {
  const [low, high] = interval.map((value) => value.toFixed(digits));
  return low === high ? median.toFixed(digits) : `${median.toFixed(digits)} (${low}–${high})`;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
