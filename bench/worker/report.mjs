// The page that bench/RESULTS.md holds.

import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";

import { loads } from "./loads.mjs";
import { JOB, compatibilityDate, root, sides } from "./sides.mjs";
import { countTable, ratioTable, sizeTable, spawnTable, timeTable } from "./tables.mjs";

/**
 * @param {{measured: object, spawns: object, sizes: object, counts: object[], answers: string, rounds: number, requests: number}} results
 *   what measureLoads, measureSpawns, weigh, countAll and answersSection answered
 */
export function report({ measured, spawns, sizes, counts, answers, rounds, requests }) {
  const names = sides.map(({ name }) => name);
  const [ours, ...equals] = JOB;
  const others = names.filter((name) => !JOB.includes(name));
  return `# The Worker beside others

${environment()}
- Command: \`ROUNDS=${rounds} REQUESTS=${requests} make bench-worker\`

Each side runs in a workerd process of its own, and gets its requests over eight connections. A number is the median of
${rounds} rounds, which visit the sides in turn. The 95 % interval of that median stands behind it.

- **Hono, same job** and **plain JavaScript** verify, store and forward as ofauth-edge does. They answer and log alike; this is
  checked before anything is measured. They do less in some places: the record is merged as a whole and not by field, refused
  calls teach them nothing, there are no sessions, no Link sessions and no summaries in KV's metadata.
- **Hono, as usual** verifies and writes to KV. It has no objects, and its data is not sealed.
- The **storage floor** makes one round trip to an object, which inserts one row in one commit.
- The **bare floor** reads the body and answers. A GET passes the upstream's answer through.

"Net of the floor" means that the floor's time is taken from both sides before they are divided: the time of the storage floor
for accepted webhooks and duplicates, that of the bare floor for all else.

## CPU time: ofauth-edge ÷ the others

${ratioTable(measured, loads, ours, equals, others)}

## CPU time of a request, in µs

${timeTable(measured, loads, names)}

${answers}
## From the start of the process to its first answer

The first request is a webhook with a bad signature, which needs no object.

${spawnTable(spawns, ours)}

## What is deployed

${sizeTable(sizes)}

## What one event costs

Rows are what the cursors of \`sql.exec\` report. Cloudflare bills each alarm that is set as one row written, and so it is
counted as one. Object requests are the calls that arrive at objects; an alarm that rings is listed by itself.

${countTable(counts)}
`;
}

// The machine and the programs.
function environment() {
  const version = (name, folder = ".") => {
    return JSON.parse(readFileSync(join(root, folder, "node_modules", name, "package.json"), "utf8")).version;
  };
  const machine = `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GB`;
  const programs = [`Node ${process.versions.node}`, `workerd ${version("workerd")}`, `wrangler ${version("wrangler")}`];
  return `- Machine: ${machine}, ${process.platform} ${process.arch}, kernel ${release()}
- Programs: ${programs.join(", ")}, Hono ${version("hono", "bench")}; compatibility date ${compatibilityDate}
- Date: ${new Date().toISOString().slice(0, 10)}`;
}
