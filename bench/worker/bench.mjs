// Measures the Worker beside others that do the same job, and writes bench/RESULTS.md. `make bench-worker` builds first.
//
//   ROUNDS=5 REQUESTS=500 node bench/worker/bench.mjs
//
// ROUNDS: how often everything is measured. With fewer than 3 the results are printed and not written.
// REQUESTS: how many a sample has. It is also the number of connections, and each side keeps about 10 open files for each.
//
// 1. The sides are built.
// 2. The sides that do the same job must answer alike: see checks.mjs.
// 3. What an event costs in commits, rows, requests and KV operations is counted.
// 4. The CPU time of a request is measured, for each load and side.
// 5. The time to answer a webhook is measured: see answers.mjs.
// 6. The time to the first answer is measured.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { answersSection, measureAnswers } from "./answers.mjs";
import { checkAlike } from "./checks.mjs";
import { countAll } from "./counts.mjs";
import { SECRETS } from "./events.mjs";
import { measureLoads, measureSpawns } from "./measure.mjs";
import { report } from "./report.mjs";
import { startRuntime } from "./runtime.mjs";
import { JOB, buildCounted, buildSide, compatibilityDate, root, sides, variables, weigh } from "./sides.mjs";
import { startUpstream } from "./stubs/upstream.mjs";

const folder = join(root, "target/bench-worker");
const results = join(root, "bench/RESULTS.md");
const rounds = Number(process.env.ROUNDS ?? 5);
const requests = Number(process.env.REQUESTS ?? 500);
const SPAWNS_OF_A_ROUND = 3;

const progress = (line) => console.error(line);
const upstream = await startUpstream(SECRETS.OFAUTH_API_KEY);
const running = [];
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

try {
  rmSync(folder, { recursive: true, force: true });
  const bindings = { ...variables, ...SECRETS, OFAUTH_API_URL: upstream.url };

  // 1.
  const [workers, counted] = [{}, {}];
  for (const side of sides) {
    const name = slug(side.name);
    const modules = await buildSide(side, join(folder, "modules", name));
    workers[side.name] = { modules, classes: side.classes, bindings, compatibilityDate };
    const wrapped = await buildCounted(modules, join(folder, "modules", `${name}-counted`));
    counted[side.name] = { ...workers[side.name], modules: wrapped, counted: true };
  }

  // 2.
  progress("check that all sides answer alike");
  const checked = {};
  for (const name of JOB) {
    const log = join(folder, `${slug(name)}.log`);
    checked[name] = { ...(await start({ ...workers[name], log }, `${name}-checked`)), log };
  }
  await checkAlike(checked);
  await closeAll();

  // 3.
  progress("count");
  const counts = await countAll(await startAll(counted, "counted"));
  await closeAll();

  // 4.
  const measured = await measureLoads(await startAll(workers, "timed"), { rounds, requests, progress });
  await closeAll();

  // 5.
  progress("answers");
  const waited = { rounds: 2 * rounds, requests: Math.min(requests, 200) };
  const answers = answersSection(await measureAnswers({ ...waited, folder: join(folder, "answers") }), waited);

  // 6.
  progress("first answers");
  const spawns = await measureSpawns(workers, join(folder, "spawned"), SPAWNS_OF_A_ROUND * rounds);

  const sizes = Object.fromEntries(sides.map(({ name }) => [name, weigh(workers[name].modules)]));
  const text = report({ measured, spawns, sizes, counts, answers, rounds, requests });
  console.log(text);
  if (rounds >= 3) writeFileSync(results, text);
  rmSync(folder, { recursive: true, force: true });
} finally {
  await closeAll();
  upstream.close();
}

async function start(worker, name) {
  const runtime = await startRuntime(worker, join(folder, "runtimes", slug(name)));
  running.push(runtime);
  return runtime;
}

async function startAll(all, suffix) {
  const started = {};
  for (const [name, worker] of Object.entries(all)) started[name] = await start(worker, `${name}-${suffix}`);
  return started;
}

async function closeAll() {
  await Promise.all(running.splice(0).map((runtime) => runtime.close()));
  rmSync(join(folder, "runtimes"), { recursive: true, force: true });
}

function slug(name) {
  return name.toLowerCase().replace(/[^a-z]+/g, "-");
}
