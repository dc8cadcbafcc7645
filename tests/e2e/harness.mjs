// The gateway under test: the built Worker as it would be deployed, in the real runtime (runtime.mjs), between an emulated OFAuth
// and a client that sends exactly what it is told to. Nothing of the Worker is replaced. Faults of the platform come from
// outside (faults.mjs), in the place of the Worker's bindings. Everything listens on loopback only.

import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startEmulator } from "../emulator/emulator.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { exchange, request } from "./client.mjs";
import { recordExchange } from "./record.mjs";
import { startRuntime, wrangler } from "./runtime.mjs";

export { open, refusal } from "./client.mjs";

/** The secrets of every gateway here, unless `vars` says otherwise. */
export const SECRETS = Object.freeze({
  OFAUTH_API_KEY: "sk_sandbox_e2e_0123456789abcdef",
  OFAUTH_WEBHOOK_SECRET: "whsec_e2e_ofauth_fedcba9876543210",
  SVIX_WEBHOOK_SECRET: `whsec_${Buffer.from("e2e svix signing key").toString("base64")}`,
  GATEWAY_KEY: "gk_e2e_00112233445566778899aabbccddeeff",
  SESSION_SECRET: "e2e-session-secret-0123456789abcdef0123",
  STORAGE_KEY: Buffer.alloc(32, "storage").toString("base64"),
  INDEX_KEY: Buffer.alloc(32, "index").toString("base64"),
});

/** An API key whose prefix says of no environment that it is for it, so that events of both change connections. */
export const KEY_OF_NO_ENVIRONMENT = "sk_e2e_0123456789abcdef";

/**
 * @typedef {object} Gateway
 * @property {number} port
 * @property {string} folder           where the runtime keeps KV and Durable Objects
 * @property {number | undefined} watcher  the port of watcher.mjs
 * @property {number | undefined} consumer  the port of consumer.mjs
 * @property {number | undefined} pid  of the runtime's process; Linux only
 * @property {import("../emulator/emulator.mjs").Emulator} emulator
 * @property {Record<string, string>} vars   all variables and secrets, as the Worker got them
 * @property {string[]} logs           every line the Worker and its runtime wrote, in order
 * @property {() => object[]} requestLines   those that are the Worker's line for a request
 * @property {(requestId: string) => Promise<object>} lineOf   waits for the line of one request, which may come after its answer
 * @property {(method: string, target: string, options?: SendOptions) => Promise<Answer>} send   without credentials
 * @property {(method: string, target: string, options?: SendOptions) => Promise<Answer>} call   with the gateway key
 * @property {(event: object | string | Buffer, options?: DeliverOptions) => Promise<Answer & {outcome?: string}>} deliver
 * @property {(bytes: string | Buffer) => Promise<string>} raw   sends bytes, reads until the Worker hangs up
 * @property {() => Promise<any>} kv   the namespace behind CONNECTIONS, past any fault
 * @property {(modes: Partial<import("./faults.mjs").Modes>) => Promise<void>} fail   sets the faults; `{}` heals all
 * @property {() => Promise<{key: string, at: number, isRefused?: boolean}[]>} puts   attempts to write to KV, also those that
 *   failed; isRefused: the key took another write less than a second before
 * @property {() => Promise<void>} cron     rings the cron trigger
 * @property {() => Promise<object>} reconciler   the state of the reconciler
 * @property {(options?: {within?: number}) => Promise<object>} reconcile   rings the cron trigger and waits until the pass has
 *   ended; answers the state
 * @property {() => Promise<number[]>} hubRecords   how many records each answer of a hub had since the last call
 * @property {() => Promise<Record<string, number>>} accesses   how often each storage was asked since the last call
 * @property {(options?: {keep?: boolean}) => Promise<void>} close   `keep` leaves the folder; a second time does nothing
 * @property {() => Promise<void>} kill   ends the runtime as a crash does and leaves the folder; without a `pid`, it closes
 */

/** @typedef {import("./client.mjs").Answer} Answer */
/** @typedef {import("./client.mjs").SendOptions} SendOptions */
/** @typedef {{scheme?: "ofauth" | "svix", secret?: string, id?: string, timestamp?: number}} DeliverOptions */

/**
 * Starts a gateway and waits until it answers.
 * @param {Partial<import("./runtime.mjs").RuntimeOptions> & {apiKey?: string}} [options]
 *   vars: on top of wrangler.toml's and {@link SECRETS}, undefined takes one away; apiKey: another one, which OFAuth knows; folder:
 *   what an earlier gateway kept
 * @returns {Promise<Gateway>}
 */
export async function startGateway({ vars: changes = {}, apiKey = SECRETS.OFAUTH_API_KEY, folder = temporaryFolder(), ...options } = {}) {
  const emulator = await startEmulator({ apiKey, opensUnknown: true });
  const merged = { ...wrangler.vars, ...SECRETS, OFAUTH_API_KEY: apiKey, OFAUTH_API_URL: emulator.url, ...changes };
  const vars = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  const logs = [];
  const log = ({ message }) => logs.push(message);
  const runtime = await startRuntime({ ...options, vars, folder, log }).catch(async (error) => {
    await emulator.close();
    throw error;
  });
  const { port, control, watcher, consumer, pid, kv, cron, reconciler } = runtime;
  let closed = false;

  const requestLines = () => logs.map(parse).filter((line) => line?.route !== undefined);
  const send = async (method, target, options = {}) => {
    const answer = await request(port, method, target, options);
    recordExchange(method, target, options, answer);
    return answer;
  };
  const close = async ({ keep = false } = {}) => {
    if (closed) return;
    closed = true;
    await runtime.dispose();
    await emulator.close();
    if (!keep) rmSync(folder, { recursive: true, force: true });
  };
  return {
    port,
    folder,
    watcher,
    consumer,
    pid,
    emulator,
    vars,
    logs,
    requestLines,
    lineOf: (id) => eventually(() => requestLines().find(({ requestId }) => requestId === id) ?? false),
    send,
    call: (method, target, { headers = {}, body } = {}) =>
      send(method, target, { headers: withKey(headers, vars.GATEWAY_KEY), body }),
    async deliver(event, { scheme = "ofauth", secret, id, timestamp } = {}) {
      const body = bytesOf(event);
      const key = secret ?? newest(scheme === "ofauth" ? vars.OFAUTH_WEBHOOK_SECRET : vars.SVIX_WEBHOOK_SECRET);
      const signature = sign({ scheme, secret: key, id, timestamp, body });
      const headers = { ...signature, "content-type": "application/json", "content-length": body.length };
      const answer = await send("POST", "/webhooks/ofauth", { headers, body });
      return { ...answer, outcome: parse(answer.text)?.outcome };
    },
    raw: (bytes) => exchange(port, bytes),
    kv,
    cron,
    reconciler,
    async reconcile({ within = 30_000 } = {}) {
      await cron();
      return eventually(async () => {
        const state = await reconciler();
        return state.step === 0 && state;
      }, { within });
    },
    ...controlOf(control),
    close,
    async kill() {
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      await close({ keep: true });
    },
  };
}

/** What a test may say to faults.mjs, and ask of it. */
function controlOf(port) {
  const ask = async (target) => (await request(port, "GET", target)).json();
  return {
    async fail(modes) {
      const set = await request(port, "POST", "/", { body: JSON.stringify(modes) });
      if (set.status !== 200) throw new Error(`the faults were not set: ${set.text}`);
    },
    puts: () => ask("/"),
    hubRecords: () => ask("/hub"),
    accesses: () => ask("/accesses"),
  };
}

/**
 * Tries until `check` neither throws nor answers false, and gives what it answered; throws its last error after `within` ms.
 * @template T
 * @param {() => T | Promise<T>} check
 * @param {{within?: number, every?: number}} [options]
 */
export async function eventually(check, { within = 10_000, every = 50 } = {}) {
  const end = Date.now() + within;
  for (;;) {
    let failure;
    try {
      const answer = await check();
      if (answer !== false) return answer;
      failure = new Error(`still false after ${within} ms: ${check}`);
    } catch (error) {
      failure = error;
    }
    if (Date.now() > end) throw failure;
    await sleep(every);
  }
}

/**
 * Makes a connection known to OFAuth, and by a webhook to the gateway. Answers its handle.
 * @param {Gateway} gateway
 * @param {string} id
 * @param {{user?: string, status?: string}} [options]   of a status `disconnected`, OFAuth does not know it any more
 */
export async function introduce(gateway, id, { user = "user_456", status = "active" } = {}) {
  const type = status === "disconnected" ? status : "created";
  if (type === "created") gateway.emulator.connections.put({ id, clientReferenceId: user, status });
  else gateway.emulator.connections.remove(id);
  const told = await gateway.deliver(connectionEvent(`connection.${type}`, { id, clientReferenceId: user, status }));
  if (told.outcome !== "applied") throw new Error(`${id} was not introduced: ${told.status} ${told.text}`);
  return (await gateway.call("GET", `/edge/connections/${encodeURIComponent(id)}`)).json().handle;
}

/** Who holds a console token, in the place of `gateway.call`. */
export async function consoleOf(gateway) {
  const minted = await gateway.call("POST", "/edge/sessions", { body: '{"console":true}' });
  return sessionOf(gateway, minted.json().token);
}

/** The connections that GET /edge/connections lists under `query`, over all pages. */
export async function listAll(gateway, query = "") {
  const list = [];
  for (let cursor; ; ) {
    const page = await gateway.call("GET", `/edge/connections?limit=100${query}${cursor ? `&cursor=${cursor}` : ""}`);
    if (page.status !== 200) throw new Error(`list: ${page.status} ${page.text}`);
    list.push(...page.json().list);
    cursor = page.json().cursor;
    if (!cursor) return list;
  }
}

/**
 * A token as any JWT library mints it: shares no code with the gateway.
 * @param {object} claims     on top of a sub and an hour that has begun; undefined takes one away
 * @param {{secret?: string, header?: object, hash?: string, now?: number}} [options]
 */
export function tokenOf(claims = {}, { secret = SECRETS.SESSION_SECRET, header = {}, hash = "sha256", now = unixNow() } = {}) {
  const encode = (part) => Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
  const payload = typeof claims === "string" ? claims : { sub: "user_456", iat: now, exp: now + 3_600, ...claims };
  const signed = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(payload)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

/** A caller with `token`, in the place of `gateway.call`. */
export function sessionOf(gateway, claims) {
  const authorization = `Bearer ${typeof claims === "string" ? claims : tokenOf(claims)}`;
  return (method, target, { headers, body } = {}) =>
    gateway.send(method, target, { headers: { authorization, ...headers }, body });
}

export const unixNow = () => Math.floor(Date.now() / 1000);

function withKey(headers, key) {
  const apikey = newest(key);
  return Array.isArray(headers) ? ["apikey", apikey, ...headers] : { apikey, ...headers };
}

function newest(secrets) {
  return secrets.split(",")[0];
}

function bytesOf(event) {
  return Buffer.isBuffer(event) ? event : Buffer.from(typeof event === "string" ? event : JSON.stringify(event));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function temporaryFolder() {
  return mkdtempSync(join(tmpdir(), "ofauth-edge-e2e-"));
}
