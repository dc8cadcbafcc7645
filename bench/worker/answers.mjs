// Measures how long OFAuth waits for the answer to a webhook: with nothing but what stores it, and with all that may be switched
// on. `make bench-answers` builds first. It replaces its section of bench/RESULTS.md.
//
//   ROUNDS=10 REQUESTS=200 node bench/worker/answers.mjs
//
// ROUNDS: with fewer than 3 the results are printed and not written. REQUESTS: how many webhooks each side gets in a round.
//
// 1. Both sides run the same build, each in a process of its own. One has the ledgers and hubs alone. The other one also forwards
//    each event to an app on loopback, counts, and reconciles with OFAuth's list: the cron trigger rings in each round.
// 2. Each webhook goes to one side and then to the other, which begins in turn. The next one waits until the work after the
//    answer is over, so that no side answers while the other one works.
// 3. A round's time is the median of its answers. What is shown is the median of the rounds.

import { Agent, createServer } from "node:http";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { startEmulator } from "../../tests/emulator/emulator.mjs";
import { SECRETS, userOf, webhook } from "./events.mjs";
import { send } from "./load.mjs";
import { known } from "./loads.mjs";
import { startRuntime } from "./runtime.mjs";
import { buildSide, compatibilityDate, root, sides, variables } from "./sides.mjs";
import { median, summarise } from "./statistics.mjs";
import { shown, table } from "./tables.mjs";

const [ALONE, ALL] = ["ledgers and hubs alone", "forwarding, metrics and reconciliation on"];
const CLASSES = { [ALONE]: ["Ledger", "Hub"], [ALL]: ["Ledger", "Hub", "Reconciler", "Metrics"] };
const TITLE = "## Time to answer a webhook";
const WARM_UPS = 2;
/** How long the work after an answer may take, in ms. */
const AFTERMATH = 25;

/**
 * @param {{rounds: number, requests: number, folder: string, progress?: (line: string) => void}} options
 * @returns {Promise<{times: Record<string, number[]>, forwarded: number}>} times: the median ms of each round
 */
export async function measureAnswers({ rounds, requests, folder, progress = () => {} }) {
  const emulator = await startEmulator({ apiKey: SECRETS.OFAUTH_API_KEY });
  // Not those that get webhooks: what the list says may be newer than an event.
  for (let number = 0; number < requests; number++) {
    emulator.connections.put({ id: `conn_listed_${number}`, clientReferenceId: userOf(number) });
  }
  const app = await startApp();
  const running = {};
  try {
    const bindings = { ...variables, ...SECRETS, OFAUTH_API_URL: emulator.url };
    const forwarding = { FORWARD_URL: app.url, FORWARD_SECRET: `whsec_${Buffer.alloc(32, "forward").toString("base64")}` };
    const modules = await buildSide(sides[0], join(folder, "modules"));
    for (const [name, classes] of Object.entries(CLASSES)) {
      const all = name === ALL ? { ...bindings, ...forwarding } : bindings;
      running[name] = await startRuntime({ modules, classes, bindings: all, compatibilityDate }, join(folder, String(classes.length)));
    }
    const times = { [ALONE]: [], [ALL]: [] };
    for (let sample = 0; sample < WARM_UPS + rounds; sample++) {
      progress(sample < WARM_UPS ? `warm-up ${sample + 1}` : `round ${sample - WARM_UPS + 1} of ${rounds}`);
      await send(running[ALL].cron, { method: "GET", path: "/" });
      const round = await measureRound(running, sample, requests);
      if (sample >= WARM_UPS) for (const name of Object.keys(times)) times[name].push(median(round[name]));
    }
    const state = JSON.parse((await send(running[ALL].cron, { method: "GET", path: "/state" })).body);
    progress(JSON.stringify(state));
    return { times, forwarded: app.count() };
  } finally {
    await Promise.all(Object.values(running).map((runtime) => runtime.close()));
    app.close();
    await emulator.close();
  }
}

/** The section of bench/RESULTS.md. */
export function answersSection({ times, forwarded }, { rounds, requests }) {
  const ratios = times[ALL].map((time, round) => time / times[ALONE][round]);
  const rows = [ALONE, ALL].map((name) => [name, shown(summarise(times[name]), 2), name === ALL ? shown(summarise(ratios), 2) : "–"]);
  return `${TITLE}

How long the sender waits, of ofauth-edge on both sides. A number is the median of ${rounds} rounds of ${requests} webhooks of 1 KB,
one at a time; \`ROUNDS=${rounds} REQUESTS=${requests} make bench-answers\`. Meanwhile ${forwarded} events were forwarded, and
the cron trigger rang in each round. The list at OFAuth lacks the connections of the webhooks, so from the second pass on a pass
reads all and then stops with \`too_many_missing\`. The ratio is that of each round, since the rounds differ with the machine's load.

${table(["side", "ms", "÷ alone"], rows)}
`;
}

// 2.
async function measureRound(running, sample, requests) {
  const agents = Object.fromEntries(Object.keys(running).map((name) => [name, new Agent({ keepAlive: true, maxSockets: 1 })]));
  const times = Object.fromEntries(Object.keys(running).map((name) => [name, []]));
  for (let number = 0; number < requests; number++) {
    const names = number % 2 === 0 ? [ALONE, ALL] : [ALL, ALONE];
    for (const name of names) {
      const call = webhook(known(number, sample));
      const begun = performance.now();
      const { status, body } = await send(running[name].port, call, agents[name]);
      times[name].push(performance.now() - begun);
      if (status !== 200 || body.toString() !== '{"outcome":"applied"}') throw new Error(`${name}: ${status} ${body}`);
      await sleep(AFTERMATH);
    }
  }
  for (const agent of Object.values(agents)) agent.destroy();
  return times;
}

/** An app that takes each event. */
async function startApp() {
  let count = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    count += 1;
    request.resume().on("end", () => response.writeHead(204).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => (server.close(), server.closeAllConnections());
  return { url: `http://127.0.0.1:${server.address().port}/`, count: () => count, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [rounds, requests] = [Number(process.env.ROUNDS ?? 10), Number(process.env.REQUESTS ?? 200)];
  const folder = join(root, "target/bench-answers");
  const measured = await measureAnswers({ rounds, requests, folder, progress: (line) => console.error(line) });
  const section = answersSection(measured, { rounds, requests });
  console.log(section);
  rmSync(folder, { recursive: true, force: true });
  if (rounds >= 3) {
    const file = join(root, "bench/RESULTS.md");
    const sections = readFileSync(file, "utf8").split(/^(?=## )/m).filter((text) => !text.startsWith(TITLE));
    const place = sections.findIndex((text) => text.startsWith("## From the start"));
    writeFileSync(file, sections.toSpliced(place, 0, `${section}\n`).join(""));
  }
}
