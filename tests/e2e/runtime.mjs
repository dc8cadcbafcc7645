// The runtime of a gateway under test: workerd with the built Worker, as wrangler.toml has it deployed, and with the Workers beside it
// that a test needs: faults.mjs in the place of the bindings, watcher.mjs for the metrics, consumer.mjs for a queue.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { convertV4MiniflareOptions, Miniflare } from "miniflare";

import { faultyKv } from "./faults-plugin.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What wrangler.toml has. */
export const wrangler = readWrangler();

/**
 * @typedef {object} RuntimeOptions
 * @property {Record<string, string>} vars   all variables and secrets
 * @property {string} folder       where KV and Durable Objects are kept
 * @property {(entry: {message: string}) => void} log
 * @property {Record<string, (request: Request) => Promise<Response>>} [services]
 * @property {string} [build]      the folder of the built Worker
 * @property {boolean} [faults]    KV, ledger and hub fail when told to
 * @property {boolean} [metrics]   whether METRICS_STORE is bound, if no faults are
 * @property {boolean} [watched]   METRICS is bound to watcher.mjs, for metrics.mjs
 * @property {boolean} [assets]    the Worker has the files of www/, as in a deployment
 * @property {boolean} [queue]     FORWARD_QUEUE is bound to a queue that consumer.mjs reads
 */

/**
 * Starts the runtime and waits until it listens.
 * @param {RuntimeOptions} options
 */
export async function startRuntime({ folder, log, faults = false, watched = false, queue = false, ...options }) {
  const before = children();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false, // else it asks the internet where it is
      telemetry: { enabled: false },
      logRequests: false,
      resourcePersistencePath: folder,
      handleStructuredLogs: log,
      workers: workersOf({ faults, watched, queue, ...options }),
    }),
  );
  // Straight to the Worker: Miniflare's own front door normalises and adds headers.
  const directPort = async (name) => Number((await miniflare.unsafeGetDirectURL(name)).port);
  try {
    const port = await directPort("ofauth-edge");
    const control = faults ? await directPort("faults") : undefined;
    const watcher = watched ? await directPort("watcher") : undefined;
    const consumer = queue ? await directPort("consumer") : undefined;
    const [pid] = children().filter((child) => !before.includes(child));
    const kv = () => (faults ? miniflare.getKVNamespace("STORE", "faults") : miniflare.getKVNamespace("CONNECTIONS"));
    const cron = async () => void (await (await miniflare.getWorker("ofauth-edge")).scheduled({ cron: "* * * * *" }));
    const reconciler = async () => {
      const namespace = await miniflare.getDurableObjectNamespace("RECONCILER", "ofauth-edge");
      const answer = await namespace.get(namespace.idFromName("reconciler")).fetch("https://object/state");
      return JSON.parse(await answer.text());
    };
    return { port, control, watcher, consumer, pid, kv, cron, reconciler, dispose: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** The Workers of a gateway, the one under test first. */
function workersOf({ vars, services = {}, faults, build = "build", metrics = true, watched, assets = false, queue }) {
  if (faults) return [worker(vars, { ...BOUND_TO_FAULTS, serviceBindings: services }, build), FAULTS];
  const { METRICS_STORE, ...others } = wrangler.objects;
  const unmeasured = { ...BOUND, durableObjects: others, additionalUnboundDurableObjects: [METRICS_STORE] };
  const files = assets ? { assets: wrangler.assets } : {};
  const bound = { ...(metrics ? BOUND : unmeasured), ...files, serviceBindings: { ...services, ...(watched ? WATCHED : {}) } };
  if (queue) bound.queueProducers = { FORWARD_QUEUE: "forwards" };
  return [worker(vars, bound, build), ...(watched ? [WATCHER] : []), ...(queue ? [CONSUMER] : [])];
}

function worker(bindings, bound, build) {
  const modules = [
    { type: "ESModule", path: join(root, build, "index.js") },
    { type: "CompiledWasm", path: join(root, build, "index_bg.wasm") },
  ];
  return {
    name: "ofauth-edge",
    compatibilityDate: wrangler.compatibilityDate,
    modules,
    modulesRoot: join(root, build),
    bindings,
    ...bound,
    stripCfConnectingIp: false, // Miniflare would hide one that the Worker let through
    unsafeDirectSockets: ON_LOOPBACK,
  };
}

const ON_LOOPBACK = [{ host: "127.0.0.1", port: 0 }];

/** What a deployment binds. */
const BOUND = { kvNamespaces: wrangler.kv, durableObjects: wrangler.objects };

/** What `watched` binds as well. */
const WATCHED = { METRICS: { name: "watcher", entrypoint: "Points" } };

const WATCHER = {
  name: "watcher",
  compatibilityDate: wrangler.compatibilityDate,
  ...modulesOf("watcher.mjs"),
  durableObjects: { METRICS_STORE: { ...wrangler.objects.METRICS_STORE, scriptName: "ofauth-edge" } },
  unsafeDirectSockets: ON_LOOPBACK,
};

const CONSUMER = {
  name: "consumer",
  compatibilityDate: wrangler.compatibilityDate,
  ...modulesOf("consumer.mjs"),
  queueConsumers: { forwards: { maxBatchTimeout: 0 } },
  unsafeDirectSockets: ON_LOOPBACK,
};

/** What `faults` binds in the place of KV and the Durable Objects. */
const BOUND_TO_FAULTS = {
  unsafeBindings: [faultyKv("CONNECTIONS")],
  durableObjects: {
    LEDGER: { className: "FaultyLedger", scriptName: "faults" },
    HUB: { className: "FaultyHub", scriptName: "faults" },
    RECONCILER: wrangler.objects.RECONCILER,
    METRICS_STORE: { className: "CountedMetrics", scriptName: "faults" },
  },
  additionalUnboundDurableObjects: ["LEDGER", "HUB", "METRICS_STORE"].map((name) => wrangler.objects[name]),
};

const FAULTS = {
  name: "faults",
  compatibilityDate: wrangler.compatibilityDate,
  ...modulesOf("faults.mjs", "../random.mjs"),
  kvNamespaces: { STORE: "CONNECTIONS" },
  durableObjects: {
    REAL: { ...wrangler.objects.LEDGER, scriptName: "ofauth-edge" },
    FAULTY: { className: "FaultyLedger" },
    REAL_HUB: { ...wrangler.objects.HUB, scriptName: "ofauth-edge" },
    FAULTY_HUB: { className: "FaultyHub" },
    REAL_METRICS: { ...wrangler.objects.METRICS_STORE, scriptName: "ofauth-edge" },
    COUNTED_METRICS: { className: "CountedMetrics" },
  },
  unsafeDirectSockets: ON_LOOPBACK,
};

/** The modules of a Worker that is in tests/, the first one its entry. */
function modulesOf(...files) {
  const modules = files.map((file) => ({ type: "ESModule", path: fileURLToPath(new URL(file, import.meta.url)) }));
  return { modules, modulesRoot: fileURLToPath(new URL("..", import.meta.url)) };
}

/** What the tests must share with a deployment. Reads the little of TOML that wrangler.toml uses. */
function readWrangler() {
  const text = readFileSync(join(root, "wrangler.toml"), "utf8");
  const tables = text.split(/^(?=\[)/m).map((table) => ({
    name: /^\[+([^\]]+)\]/.exec(table)?.[1],
    values: Object.fromEntries([...table.matchAll(/^(\w+) = "(.*)"$/gm)].map(([, key, value]) => [key, value])),
  }));
  const all = (name) => tables.filter((table) => table.name === name).map(({ values }) => values);
  const objects = all("durable_objects.bindings").map(({ name, class_name: className }) => [
    name,
    { className, useSQLite: true },
  ]);
  return {
    compatibilityDate: tables[0].values.compatibility_date,
    vars: all("vars")[0],
    kv: all("kv_namespaces").map(({ binding }) => binding),
    objects: Object.fromEntries(objects),
    assets: {
      directory: join(root, all("assets")[0].directory),
      binding: all("assets")[0].binding,
      run_worker_first: JSON.parse(/^run_worker_first = (.*)$/m.exec(text)[1]),
      routerConfig: { has_user_worker: true },
    },
  };
}

/** The processes this one has started; none where the system does not tell. */
function children() {
  const list = `/proc/self/task/${process.pid}/children`;
  return existsSync(list) ? readFileSync(list, "utf8").split(" ").filter(Boolean).map(Number) : [];
}
