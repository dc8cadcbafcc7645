// Runs a side in a workerd process of its own. It starts `workerd serve` directly, because Miniflare would put its own worker in front.
//
// 1. The configuration is written as Cap'n Proto text: the worker, its objects on disk, the KV stub, three sockets.
// 2. workerd reports the ports it listens on.
// 3. The CPU time of the process is read from the system.

import { execFileSync, spawn } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import workerd from "workerd";

/** The bindings of classes that are not called like them. */
const BINDINGS = { Metrics: "METRICS_STORE" };
const [KV_STUB, CRON_STUB] = ["kv", "cron"].map((name) => fileURLToPath(new URL(`stubs/${name}.js`, import.meta.url)));

/**
 * @typedef {object} Runtime
 * @property {number} port         the worker
 * @property {number} kvCounts     what the KV stub counted
 * @property {number | undefined} counts   what the worker's wrapper counted; see counting.js
 * @property {number | undefined} cron     rings the cron trigger, if there is a class Reconciler; see stubs/cron.js
 * @property {number} pid
 * @property {string} disk         where the objects are: a folder for each class
 * @property {number} spawned      when the process was started, by `performance.now()`
 * @property {() => Promise<void>} close
 */

/**
 * Starts a worker in `folder`, which is emptied first.
 * @param {{modules: string[], classes: string[], bindings: Record<string, string>, compatibilityDate: string,
 *   counted?: boolean, log?: string}} worker   modules: files, the main one first; counted: it has an entrypoint `counts`;
 *   log: the file that takes what the worker logs
 * @param {string} folder
 * @returns {Promise<Runtime>}
 */
export async function startRuntime(worker, folder) {
  const disk = join(folder, "objects");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(disk, { recursive: true });
  for (const file of [...worker.modules, KV_STUB, CRON_STUB]) copyFileSync(file, join(folder, basename(file)));
  writeFileSync(join(folder, "config.capnp"), configuration(worker, disk));

  const output = worker.log ? openSync(worker.log, "w") : "ignore";
  const errors = openSync(join(folder, "stderr.log"), "w");
  const spawned = performance.now();
  const stdio = ["ignore", output, errors, "pipe"];
  const child = spawn(workerd.default, ["serve", "config.capnp", "--control-fd=3"], { cwd: folder, stdio });
  for (const file of [output, errors]) if (file !== "ignore") closeSync(file);
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  const ended = new Promise((resolve) => child.once("exit", resolve)).then(() => process.off("exit", stop));
  const hasCron = worker.classes.includes("Reconciler");
  const names = ["http", "kv-counts", ...(worker.counted ? ["counts"] : []), ...(hasCron ? ["cron"] : [])];
  const ports = await Promise.race([listening(child.stdio[3], names), ended.then(() => undefined)]);
  if (!ports) throw new Error(`workerd did not start:\n${readFileSync(join(folder, "stderr.log"), "utf8")}`);
  return {
    port: ports.http,
    kvCounts: ports["kv-counts"],
    counts: ports.counts,
    cron: ports.cron,
    pid: child.pid,
    disk,
    spawned,
    async close() {
      stop();
      await ended;
    },
  };
}

/**
 * The milliseconds of CPU that a process has used, in user and system mode. Linux tells them to the nanosecond for each
 * thread; elsewhere `ps` tells them to the hundredth of a second.
 */
export function cpuTime(pid) {
  if (process.platform !== "linux") return parsePsTime(execFileSync("ps", ["-o", "time=", "-p", `${pid}`], { encoding: "utf8" }));
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => parseFloat(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8")));
  return times.reduce((total, nanoseconds) => total + nanoseconds, 0) / 1e6;
}

// 1.
function configuration({ modules, classes, bindings, compatibilityDate, counted }, disk) {
  const module = (file) => {
    const [name, kind] = [text(basename(file)), file.endsWith(".wasm") ? "wasm" : "esModule"];
    return `(name = ${name}, ${kind} = embed ${name})`;
  };
  // Whether an object is still in memory must not depend on how long the other sides took.
  const object = (name) => `(className = ${name}, uniqueKey = ${name}, enableSql = true, preventEviction = true)`;
  const named = [
    ...Object.entries(bindings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...classes.map((name) => `(name = ${text(BINDINGS[name] ?? name.toUpperCase())}, durableObjectNamespace = ${text(name)})`),
    '(name = "CONNECTIONS", kvNamespace = "kv")',
  ];
  const socket = (name, service) => `(name = ${text(name)}, address = "127.0.0.1:0", http = (), service = ${service})`;
  const sockets = [
    socket("http", '"worker"'),
    socket("kv-counts", '(name = "kv", entrypoint = "counts")'),
    ...(counted ? [socket("counts", '(name = "worker", entrypoint = "counts")')] : []),
    ...(classes.includes("Reconciler") ? [socket("cron", '"cron"')] : []),
  ];
  const cron = classes.includes("Reconciler") ? '\n    (name = "cron", worker = .cron),' : "";
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "kv", worker = .kv),${cron}
    (name = "disk", disk = (path = ${text(disk)}, writable = true)),
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [${list(sockets)}],
);

const worker :Workerd.Worker = (
  modules = [${list(modules.map(module))}],
  compatibilityDate = ${text(compatibilityDate)},
  bindings = [${list(named)}],
  durableObjectNamespaces = [${list(classes.map(text).map(object))}],
  durableObjectStorage = (localDisk = "disk"),
);

const kv :Workerd.Worker = (
  modules = [${list([module(KV_STUB)])}],
  compatibilityDate = ${text(compatibilityDate)},
);

const cron :Workerd.Worker = (
  modules = [${list([module(CRON_STUB)])}],
  compatibilityDate = ${text(compatibilityDate)},
  bindings = [(name = "RECONCILER", durableObjectNamespace = (className = "Reconciler", serviceName = "worker"))],
);
`;
}

const list = (items) => items.map((item) => `\n    ${item},`).join("") + (items.length > 0 ? "\n  " : "");
const text = (value) => JSON.stringify(value);

// 2. One line of JSON for each socket. Resolves once all of them are there.
function listening(stream, names) {
  const ports = {};
  let rest = "";
  return new Promise((resolve) => {
    stream.setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const { socket, port } of lines.map((line) => JSON.parse(line))) ports[socket] = port;
      if (names.every((name) => ports[name])) resolve(ports);
    });
  });
}

// [[hours:]minutes:]seconds[.hundredths], as `ps` on macOS prints it.
function parsePsTime(printed) {
  return printed.trim().split(":").reduce((total, part) => total * 60 + Number(part), 0) * 1000;
}
