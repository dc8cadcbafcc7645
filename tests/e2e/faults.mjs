// A platform that fails when told to, for the Worker to be bound to: KV and the Durable Objects, ledger and hub, each
// passing every call on to the real one. Runs as a Worker of its own beside the one under test, which knows nothing of it.
//
// Over HTTP: POST sets the modes, those not named are healed; GET answers the attempted puts, and GET /hub how many records
// each answer of a hub had since it was asked last, and GET /accesses which storage was asked how often since it was asked last.

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

import { randomFrom } from "../random.mjs";

/**
 * What fails. A mode may also be a list, of which one item is picked for each call: `["fail", "ok", "ok"]` fails one call in three.
 * @typedef {object} Modes
 * @property {number} [seed]                what is picked depends on it
 * @property {"fail" | "lost" | "limited" | "slow" | "hang"} [put]   fail, limited: deletes too; lost: the value is written, the answer
 *   is not heard; limited: a key takes one write per second, as KV's documentation says, and others are refused; slow: 10 s, or
 *   until healed; hang: until 3 s after it is healed
 * @property {number} [gap]                 for how many ms a key takes no other write in the mode limited, by default 1,000
 * @property {"fail" | "stale"} [read]      stale: as it was when the mode was set
 * @property {"fail" | "lost" | "older"} [ledger]   lost: the work is done, the answer is not heard; older: the ledger runs
 *   a build that knows fewer messages
 * @property {"fail" | "lost" | "late" | "older"} [hub]   late: a message fails, and arrives all the same 1 s after it is
 *   healed; older: the hub runs a build that knows fewer messages
 * @property {"fail"} [metrics]
 */

const SLOW = 10_000;
const WRITE_GAP = 1_000;
/** The messages of the first build that wrote to hubs. */
const OLDER_MESSAGES = ["Told", "List", "Link"];
/** The messages that the first build did not know. */
const NEWER_PATHS = ["/forget", "/listed"];

/** @type {Modes} */
let modes = {};
let random = randomFrom(0);
let frozen = new Map();
/** When each key took a write last. */
const written = new Map();
const puts = [];
const hubRecords = [];
/** @type {Record<string, number>} */
let accesses = {};

export default {
  async fetch(request, env) {
    if (request.method !== "POST") {
      const { pathname } = new URL(request.url);
      if (pathname === "/accesses") {
        const counted = accesses;
        accesses = {};
        return Response.json(counted);
      }
      return Response.json(pathname === "/hub" ? hubRecords.splice(0) : puts);
    }
    const next = await request.json();
    if ([next.read].flat().includes("stale")) frozen = await snapshot(env.STORE);
    modes = next;
    random = randomFrom(next.seed ?? 0);
    return Response.json(modes);
  },
};

export class FaultyKv extends WorkerEntrypoint {
  async put(key, value, options) {
    note("kv");
    const attempt = { key, at: Date.now() };
    puts.push(attempt);
    const mode = pick("put");
    for (let end = Date.now() + SLOW; mode === "slow" && isSet("put", mode) && Date.now() < end; ) await scheduler.wait(50);
    if (mode === "hang") {
      while (isSet("put", mode)) await scheduler.wait(50);
      await scheduler.wait(3_000);
    }
    if (mode === "fail") throw new Error("KV PUT failed: 500 Internal Server Error");
    attempt.isRefused = isTooSoon(key);
    if (mode === "limited" && attempt.isRefused) throw new Error("KV PUT failed: 429 Too Many Requests");
    written.set(key, Date.now());
    await this.env.STORE.put(key, value, options);
    if (mode === "lost") throw new Error("Network connection lost.");
  }

  async get(key, options) {
    return (await this.getWithMetadata(key, options)).value;
  }

  async getWithMetadata(key, options) {
    note("kv");
    const mode = pick("read");
    if (mode === "fail") throw new Error("KV GET failed: 500 Internal Server Error");
    if (mode !== "stale") return this.env.STORE.getWithMetadata(key, options);
    return frozen.get(key) ?? { value: null, metadata: null };
  }

  async list(options) {
    note("kv");
    const mode = pick("read");
    if (mode === "fail") throw new Error("KV LIST failed: 500 Internal Server Error");
    if (mode !== "stale") return this.env.STORE.list(options);
    const names = [...frozen.keys()].filter((name) => name.startsWith(options.prefix ?? "")).sort();
    return { keys: names.map((name) => ({ name, metadata: frozen.get(name).metadata })), list_complete: true };
  }

  async delete(key) {
    note("kv");
    const mode = pick("put");
    if (mode === "fail") throw new Error("KV DELETE failed: 500 Internal Server Error");
    if (mode === "limited" && isTooSoon(key)) throw new Error("KV DELETE failed: 429 Too Many Requests");
    written.set(key, Date.now());
    await this.env.STORE.delete(key);
  }
}

export class FaultyLedger extends DurableObject {
  async fetch(request) {
    note("ledger");
    const mode = pick("ledger");
    if (mode === "fail") throw new Error("the ledger is down");
    if (mode === "older" && NEWER_PATHS.some((path) => new URL(request.url).pathname.startsWith(path))) {
      return new Response("no such path", { status: 404 });
    }
    const answer = await this.env.REAL.getByName(this.ctx.id.name).fetch(request);
    if (mode === "lost") throw new Error("Network connection lost.");
    return answer;
  }
}

export class FaultyHub extends DurableObject {
  async fetch(request) {
    note("hub");
    const real = this.env.REAL_HUB.getByName(this.ctx.id.name);
    const mode = pick("hub");
    if (mode === "fail") throw new Error("the hub is down");
    if (mode === "late" && request.method === "POST") {
      const { url, method } = request;
      this.ctx.waitUntil(passLate(real, url, { method, body: await request.text() }));
      throw new Error("Network connection lost.");
    }
    if (mode === "older") {
      const [, message] = await request.clone().json();
      if (!OLDER_MESSAGES.includes(typeof message === "string" ? message : Object.keys(message)[0])) {
        throw new Error("unknown variant");
      }
    }
    if (request.headers.has("upgrade")) return real.fetch(request);
    const answer = await real.fetch(request);
    if (mode === "lost") throw new Error("Network connection lost.");
    hubRecords.push((await answer.clone().text()).split('"metadata":').length - 1);
    return answer;
  }
}

export class CountedMetrics extends DurableObject {
  answer(path, head) {
    note("metrics");
    if (modes.metrics === "fail") throw new Error("the metrics are down");
    return this.env.REAL_METRICS.getByName(this.ctx.id.name).answer(path, head);
  }
}

/** The mode of one call. */
function pick(name) {
  const mode = modes[name];
  return Array.isArray(mode) ? random.pick(mode) : mode;
}

function isSet(name, mode) {
  return [modes[name]].flat().includes(mode);
}

function isTooSoon(key) {
  return Date.now() < (written.get(key) ?? 0) + (modes.gap ?? WRITE_GAP);
}

function note(storage) {
  accesses[storage] = (accesses[storage] ?? 0) + 1;
}

async function passLate(real, url, init) {
  while (isSet("hub", "late")) await scheduler.wait(50);
  await scheduler.wait(1_000);
  await real.fetch(url, init);
}

async function snapshot(store) {
  const { keys } = await store.list();
  const read = async ({ name }) => [name, await store.getWithMetadata(name, "arrayBuffer")];
  return new Map(await Promise.all(keys.map(read)));
}
