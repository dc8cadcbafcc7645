// Counts what one event costs in storage, objects and KV, in a run of its own that is not timed.
//
// 1. Ten connections get one event each, one after the other, so that no two share a commit.
// 2. What happens within 3 s after them counts too, because an alarm that repeats a copy rings after 2 s.
// 3. Commits are read from the logs of the databases, the rest from counting.js and the KV stub.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { commitsBetween, readCommits } from "./commits.mjs";
import { SECRETS, eventBody, webhook } from "./events.mjs";
import { send } from "./load.mjs";
import { access, connectionId } from "./loads.mjs";
import { JOB } from "./sides.mjs";
import { ANSWERS } from "./stubs/upstream.mjs";

const CONNECTIONS = 10;
const AFTERMATH = 3000;
const CLASSES = ["Ledger", "Hub"];

const CREATED = "connection.created";
const [SMALL] = Object.keys(ANSWERS);
const ALL = [...JOB, "Hono, as usual", "storage floor"];

const scenarios = [
  { name: "first event of a connection", sides: ALL, request: (number) => event(number, { type: CREATED, sample: 0 }) },
  { name: "later event", sides: ALL, request: (number) => event(number, { sample: 1 }) },
  { name: "later event, 60 KB", sides: ALL, request: (number) => event(number, { sample: 2, size: 60 * 1024 }) },
  { name: "duplicate", sides: ALL, request: (number) => event(number, { sample: 1 }) },
  { name: "bad signature", sides: JOB, request: (number) => event(number, { sample: 3 }, "whsec_of_somebody_else") },
  { name: "Access GET, small answer", sides: JOB, request: (number) => access(SMALL, number) },
  { name: "list of a user's ten connections", sides: JOB, request: () => list },
];

const USER = "user_of_ten";
const list = {
  method: "GET",
  path: `/edge/connections?clientReferenceId=${USER}`,
  headers: { authorization: `Bearer ${SECRETS.GATEWAY_KEY}` },
};

/**
 * @param {Record<string, import("./runtime.mjs").Runtime>} runtimes   by the side's name, each with counting.js
 * @returns {Promise<{scenario: string, side: string, commits: Record<string, number>, rowsRead: number, rowsWritten: number,
 *   alarms: number, requests: Record<string, number>, kv: Record<string, number>}[]>} per event
 */
export async function countAll(runtimes) {
  const counted = [];
  for (const { name, sides, request } of scenarios) {
    const count = async (side) => counted.push({ scenario: name, side, ...(await countOne(runtimes[side], request)) });
    await Promise.all(sides.map(count));
  }
  return counted.sort((a, b) => order(a) - order(b));
}

async function countOne(runtime, request) {
  await takeCounts(runtime);
  const before = commitsOf(runtime);
  // 1.
  for (let number = 0; number < CONNECTIONS; number++) await send(runtime.port, request(number));
  // 2.
  await sleep(AFTERMATH);
  // 3.
  const after = commitsOf(runtime);
  const { requests, kv, ...numbers } = await takeCounts(runtime);
  const commits = Object.fromEntries(CLASSES.map((name) => [name, commitsBetween(before[name], after[name])]));
  const perEvent = (numbers) => Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, number / CONNECTIONS]));
  return { ...perEvent(numbers), commits: perEvent(commits), requests: perEvent(requests), kv: perEvent(kv) };
}

const commitsOf = ({ disk }) => Object.fromEntries(CLASSES.map((name) => [name, readCommits(join(disk, name))]));

// Returns the counts, and starts again from zero.
async function takeCounts({ counts, kvCounts }) {
  const [worker, kv] = await Promise.all([counts, kvCounts].map((port) => send(port, { method: "GET", path: "/" })));
  return { ...JSON.parse(worker.body), kv: JSON.parse(kv.body) };
}

function event(number, { type, sample, size = 1024 }, secret) {
  return webhook(eventBody({ type, id: connectionId(number), user: USER, sample, size }), undefined, secret);
}

function order({ scenario, side }) {
  return scenarios.findIndex(({ name }) => name === scenario) * 100 + ALL.indexOf(side);
}
