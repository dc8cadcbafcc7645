// Estimates what a gateway costs at Cloudflare in a month, from the counts that `make bench-worker` has written to
// bench/RESULTS.md. docs/costs.md shows its output, and says what is assumed.
//
//   node scripts/costs.mjs
//   node scripts/costs.mjs --connections 5000 --calls 30 --events 2 --others 0 --lists 10 --passes 30
//
// The options but the first are per connection and month; `passes` is the number of passes of reconciliation in a month.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

/**
 * By unit: what the paid plan includes in a month, the dollars for each million more, what the free plan allows in a day, and what it
 * allows at any time. Storage is in GB-months.
 */
const PRICES = {
  "Worker requests": [10e6, 0.3, 100_000],
  "Worker CPU ms": [30e6, 0.02],
  "object requests": [1e6, 0.15, 100_000],
  "object GB-s": [400e3, 12.5, 13_000],
  "rows read": [25e9, 0.001, 5e6],
  "rows written": [50e6, 1, 100_000],
  "object storage GB": [5, 0.2e6, undefined, 5],
  "KV reads": [10e6, 0.5, 100_000],
  "KV writes": [1e6, 5, 1_000],
  "KV lists": [1e6, 5, 1_000],
  "KV storage GB": [1, 0.5e6, undefined, 1],
  "log lines": [20e6, 0.6, 200_000],
};
const BASE = 5;
const DAYS = 30;

// What the benchmark does not count.
/** For how many seconds an object is in memory per event, per call or hand-over, and per page of a list. The ledger waits for KV. */
const ACTIVE = { event: 0.6, call: 0.02, page: 0.5 };
const GB_OF_OBJECT = 0.125;
/** GB of a connection whose user has no other: the databases of the ledger and of the hub, and KV's record with its metadata. */
const GB_OF_CONNECTION = { objects: 53e-6, kv: 3e-6 };
/** GB-months of an event that is not about a connection. It stays for a week. */
const GB_OF_EVENT = (2e-6 * 7) / DAYS;
/** An isolate hands its counts over every 10 s at most, and takes about this many requests a second. */
const ISOLATE = { handOvers: 0.1, requests: 2 };

const { values } = parseArgs({
  options: Object.fromEntries(["connections", "events", "others", "calls", "lists", "passes"].map((name) => [name, { type: "string" }])),
});
const given = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, wholeNumber(name, text)]));
const sizes = given.connections === undefined ? [100, 10_000, 1_000_000] : [given.connections];
const results = readFileSync(new URL("../bench/RESULTS.md", import.meta.url), "utf8");

console.log(table(sizes.map((connections) => estimate({ connections, ...given }))));

/** What is used in a month, by the names of {@link PRICES}. An hourly pass would not end within the hour if there are very many. */
function estimate({ connections, events = 5, others = 20, calls = 300, lists = 60, passes = connections > 100_000 ? 30 : 720 }) {
  const [event, call, list] = ["later event", "Access GET, small answer", "list of a user's ten connections"].map(countsOf);
  const requests = connections * (events + others + calls + lists);
  const seconds = DAYS * 86_400;
  const handOvers = Math.min(requests, Math.ceil(requests / seconds / ISOLATE.requests) * seconds * ISOLATE.handOvers);
  const inMonth = (perEvent, perCall, perList) => connections * (events * perEvent + calls * perCall + lists * perList);
  const pages = passes * Math.ceil(connections / 30);
  const active = inMonth(ACTIVE.event, 0, ACTIVE.call) + handOvers * ACTIVE.call + pages * ACTIVE.page;
  const cpu = connections * (events * cpuOf("webhook 1 KB, valid") + others * cpuOf("webhook 1 KB, duplicate"));
  return {
    connections,
    used: {
      "Worker requests": requests,
      "Worker CPU ms": (cpu + connections * (calls + lists) * cpuOf("Access GET, small answer")) / 1_000,
      // An event's alarm may ring once. A page of OFAuth's list takes about one alarm, and so does a page of KV's.
      "object requests": inMonth(event.objects + 1, call.objects, list.objects) + handOvers + pages + passes * Math.ceil(connections / 200),
      "object GB-s": active * GB_OF_OBJECT,
      "rows read": inMonth(event.read, call.read, list.read / 10) + handOvers + (passes * connections) / 8,
      "rows written": inMonth(event.written, call.written, list.written) + handOvers + (passes * connections) / 8,
      "object storage GB": connections * GB_OF_CONNECTION.objects,
      "KV reads": inMonth(event.gets, call.gets, list.gets),
      "KV writes": inMonth(event.puts, call.puts, list.puts) + connections * others,
      "KV lists": passes * Math.ceil(connections / 200),
      "KV storage GB": connections * (GB_OF_CONNECTION.kv + others * GB_OF_EVENT),
      "log lines": requests,
    },
  };
}

/** The row of ofauth-edge in the table "What one event costs". */
function countsOf(name) {
  const row = rowOf(results.slice(results.indexOf("## What one event costs")), `${name} | ofauth-edge`);
  const [, , , , read, written, , objects, kv] = row;
  const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  return { read: Number(read), written: Number(written), objects: sum(objects, /[A-Z]\w+ (\d+)/g), gets: sum(kv, /get (\d+)/g), puts: sum(kv, /put (\d+)/g) };
}

/** The CPU time of a request in µs. */
function cpuOf(name) {
  const [, median] = rowOf(results.slice(results.indexOf("## CPU time of a request")), name);
  return Number(median.split(" ")[0]);
}

function rowOf(section, start) {
  const line = section.split("\n").find((one) => one.startsWith(`| ${start} |`));
  if (line === undefined) throw new Error(`bench/RESULTS.md has no row "${start}"`);
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

function table(estimates) {
  const names = Object.keys(PRICES);
  const head = ["in a month", ...estimates.map(({ connections }) => `${grouped(connections)} connections`)];
  const rows = names.map((name) => [name, ...estimates.map(({ used }) => cell(name, used[name]))]);
  const totals = estimates.map(({ used }) => BASE + names.reduce((sum, name) => sum + priceOf(name, used[name]), 0));
  /** How many connections the free plan is enough for, and the limit that comes first. */
  const largest = estimates.map(({ connections, used }) => connections / Math.max(...names.map((name) => shareOfFree(name, used[name]))));
  const limits = estimates.map(({ used }) => names.reduce((a, b) => (shareOfFree(b, used[b]) > shareOfFree(a, used[a]) ? b : a)));
  const last = [
    ["**paid plan**", ...totals.map((total) => `**$${total.toFixed(total < 100 ? 2 : 0)}**`)],
    ["**free plan**", ...largest.map((most, at) => (most >= estimates[at].connections ? "**enough**" : `too small: ${limits[at]}`))],
  ];
  return [head, head.map((_, at) => (at ? "---:" : "---")), ...rows, ...last].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function cell(name, amount) {
  const price = priceOf(name, amount);
  return `${grouped(amount)}${price >= 0.005 ? ` ($${price.toFixed(2)})` : ""}`;
}

function priceOf(name, amount) {
  const [included, price] = PRICES[name];
  return (Math.max(0, amount - included) / 1e6) * price;
}

function shareOfFree(name, amount) {
  const [, , perDay, inAll] = PRICES[name];
  return inAll ? amount / inAll : perDay ? amount / DAYS / perDay : 0;
}

/** Three digits that count, in groups. */
function grouped(amount) {
  return amount < 1 ? String(Number(amount.toPrecision(1))) : Number(amount.toPrecision(3)).toLocaleString("en");
}

function wholeNumber(name, text) {
  if (/^\d+$/.test(text)) return Number(text);
  console.error(`--${name}: ${text} is not a whole number`);
  process.exit(2);
}
