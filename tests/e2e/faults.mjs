// A platform that fails when told to, for the Worker to be bound to: KV and the Durable Objects, ledger and hub, each
// passing every call on to the real one. Runs as a Worker of its own beside the one under test, which knows nothing of it.
//
// Over HTTP: POST sets the modes, those not named are healed; GET answers the attempted puts, and GET /hub how many records
// each answer of a hub had since it was asked last, and GET /accesses which storage was asked how often since it was asked last.

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/**
 * @typedef {object} Modes
 * @property {"fail" | "slow" | "hang"} [put]   fail: deletes too; slow: 10 s, or until healed; hang: until 3 s after it is
 *   healed
 * @property {"fail" | "stale"} [read]      stale: as it was when the mode was set
 * @property {"fail" | "lost" | "older"} [ledger]   lost: the work is done, the answer is not heard; older: the ledger runs
 *   a build that knows fewer messages
 * @property {"fail" | "lost" | "late" | "older"} [hub]   late: a message fails, and arrives all the same 1 s after it is
 *   healed; older: the hub runs a build that knows fewer messages
 * @property {"fail"} [metrics]
 */

const SLOW = 10_000;
/** The messages of the first build that wrote to hubs. */
const OLDER_MESSAGES = ["Told", "List", "Link"];
/** The messages that the first build did not know. */
const NEWER_PATHS = ["/forget", "/listed"];

/** @type {Modes} */
let modes = {};
let frozen = new Map();
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
    if (next.read === "stale") frozen = await snapshot(env.STORE);
    modes = next;
    return Response.json(modes);
  },
};

export class FaultyKv extends WorkerEntrypoint {
  async put(key, value, options) {
    note("kv");
    puts.push({ key, at: Date.now() });
    for (let end = Date.now() + SLOW; modes.put === "slow" && Date.now() < end; ) await scheduler.wait(50);
    if (modes.put === "hang") {
      while (modes.put === "hang") await scheduler.wait(50);
      await scheduler.wait(3_000);
    }
    if (modes.put === "fail") throw new Error("KV PUT failed: 500 Internal Server Error");
    await this.env.STORE.put(key, value, options);
  }

  async get(key, options) {
    return (await this.getWithMetadata(key, options)).value;
  }

  async getWithMetadata(key, options) {
    note("kv");
    if (modes.read === "fail") throw new Error("KV GET failed: 500 Internal Server Error");
    if (modes.read !== "stale") return this.env.STORE.getWithMetadata(key, options);
    return frozen.get(key) ?? { value: null, metadata: null };
  }

  async list(options) {
    note("kv");
    if (modes.read === "fail") throw new Error("KV LIST failed: 500 Internal Server Error");
    if (modes.read !== "stale") return this.env.STORE.list(options);
    const names = [...frozen.keys()].filter((name) => name.startsWith(options.prefix ?? "")).sort();
    return { keys: names.map((name) => ({ name, metadata: frozen.get(name).metadata })), list_complete: true };
  }

  async delete(key) {
    note("kv");
    if (modes.put === "fail") throw new Error("KV DELETE failed: 500 Internal Server Error");
    await this.env.STORE.delete(key);
  }
}

export class FaultyLedger extends DurableObject {
  async fetch(request) {
    note("ledger");
    if (modes.ledger === "fail") throw new Error("the ledger is down");
    if (modes.ledger === "older" && NEWER_PATHS.some((path) => new URL(request.url).pathname.startsWith(path))) {
      return new Response("no such path", { status: 404 });
    }
    const answer = await this.env.REAL.getByName(this.ctx.id.name).fetch(request);
    if (modes.ledger === "lost") throw new Error("Network connection lost.");
    return answer;
  }
}

export class FaultyHub extends DurableObject {
  async fetch(request) {
    note("hub");
    const real = this.env.REAL_HUB.getByName(this.ctx.id.name);
    if (modes.hub === "fail") throw new Error("the hub is down");
    if (modes.hub === "late" && request.method === "POST") {
      const { url, method } = request;
      this.ctx.waitUntil(passLate(real, url, { method, body: await request.text() }));
      throw new Error("Network connection lost.");
    }
    if (modes.hub === "older") {
      const [, message] = await request.clone().json();
      if (!OLDER_MESSAGES.includes(typeof message === "string" ? message : Object.keys(message)[0])) {
        throw new Error("unknown variant");
      }
    }
    if (request.headers.has("upgrade")) return real.fetch(request);
    const answer = await real.fetch(request);
    if (modes.hub === "lost") throw new Error("Network connection lost.");
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

function note(storage) {
  accesses[storage] = (accesses[storage] ?? 0) + 1;
}

async function passLate(real, url, init) {
  while (modes.hub === "late") await scheduler.wait(50);
  await scheduler.wait(1_000);
  await real.fetch(url, init);
}

async function snapshot(store) {
  const { keys } = await store.list();
  const read = async ({ name }) => [name, await store.getWithMetadata(name, "arrayBuffer")];
  return new Map(await Promise.all(keys.map(read)));
}
