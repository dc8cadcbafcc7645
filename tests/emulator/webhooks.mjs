// OFAuth's side of a webhook: signing a body, and delivering it with OFAuth's retries, order and duplicates. It shares no
// code with the verifier under test, so the two can only agree by both being right. Runs on Node 18 too (sign.mjs does).

import { createHmac, randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { randomFrom } from "../random.mjs";

/** @typedef {"ofauth" | "svix"} Scheme */
/** @typedef {object | string | Buffer} Event   an object is sent as its JSON; text and bytes go as they are */
/** @typedef {{status: number, body: string} | {error: string}} Attempt   `body` is cut at 64 KiB */
/**
 * @typedef {object} Delivery
 * @property {boolean} delivered        whether the last attempt was answered 2xx
 * @property {number | null} status     of the last attempt; null when it got no answer
 * @property {string | null} outcome    the receiver's own word for it, from `{"outcome": …}` in its last answer
 * @property {string | null} id         the svix id; the ofauth scheme has none
 * @property {Attempt[]} attempts
 * @property {Delivery[]} duplicates    what became of the extra copies, in the order sent
 */

/**
 * The headers that sign `body`.
 * @param {{scheme?: Scheme, secret: string, id?: string, timestamp?: number, body: string | Uint8Array}} input
 *   timestamp: unix seconds, by default now; id: needed by svix only
 * @returns {Record<string, string>}
 */
export function sign({ scheme = "ofauth", secret, id, timestamp = unixNow(), body }) {
  if (typeof secret !== "string" || secret === "") throw new TypeError("secret: a string that is not empty");
  if (scheme === "ofauth") {
    const mac = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
    return { "OFAuth-Signature": `t=${timestamp},v1=${mac}` };
  }
  if (scheme !== "svix") throw new TypeError('scheme: "ofauth" or "svix"');
  if (!id) throw new TypeError("id: the svix scheme signs one");
  const mac = createHmac("sha256", svixKey(secret)).update(`${id}.${timestamp}.`).update(body).digest("base64");
  return { "svix-id": id, "svix-timestamp": String(timestamp), "svix-signature": `v1,${mac}` };
}

/** Delivers events to one webhook URL the way OFAuth does. */
export class WebhookSender {
  #url;
  #options;

  /**
   * @param {{url: string, secret: string, scheme?: Scheme, attempts?: number, timeoutMs?: number, backoffMs?: number,
   *   signal?: AbortSignal}} options
   *   backoffMs: before the second attempt, doubling after that; signal: gives up, so that deliveries reject
   */
  constructor({ url, secret, scheme = "ofauth", attempts = 5, timeoutMs = 10_000, backoffMs = 1_000, signal }) {
    this.#url = new URL(url);
    sign({ scheme, secret, id: "msg_check", body: "" }); // an unusable secret is refused here, not at the first event
    this.#options = { secret, scheme, attempts, timeoutMs, backoffMs, signal };
  }

  /**
   * Sends one event: any 2xx in time is success, all else is tried again. Body and svix id stay the same through all
   * attempts and copies; each attempt is signed afresh at its own time unless `timestamp` (unix seconds) fixes it.
   * @param {Event} event
   * @param {{duplicates?: number, id?: string, timestamp?: number}} [options]   duplicates: copies sent after the first
   * @returns {Promise<Delivery>}
   */
  async deliver(event, { duplicates = 0, id = newId(), timestamp } = {}) {
    const body = bytesOf(event);
    const first = await this.#deliverOnce(body, id, timestamp);
    while (first.duplicates.length < duplicates) first.duplicates.push(await this.#deliverOnce(body, id, timestamp));
    return first;
  }

  /**
   * Sends many events. In order per connection id, each with its copies right behind it; an event that fails for good does
   * not hold up the next. With `disorder` everything, copies too, is shuffled instead: a number is the seed, true picks
   * one. The same seed gives the same order, and with a concurrency of 1 (the default) the same run.
   * @param {Event[]} events
   * @param {{disorder?: boolean | number, duplicates?: number, concurrency?: number}} [options]
   *   concurrency: connections (when disordered: deliveries) on the way at once
   * @returns {Promise<{seed: number | null, order: number[], results: Delivery[]}>}
   *   results: one per event, in the order given; order: the index of each event as its copies were started
   */
  async deliverAll(events, { disorder = false, duplicates = 0, concurrency = 1 } = {}) {
    const seed = disorder === false ? null : disorder === true ? randomBytes(4).readUInt32BE() : disorder >>> 0;
    const deliveries = events.map((event) => ({ body: bytesOf(event), id: newId() }));
    const copies = deliveries.flatMap((_, index) => Array(1 + duplicates).fill(index));
    const lanes = seed === null ? byConnection(copies, deliveries) : randomFrom(seed).shuffle(copies).map((index) => [index]);

    const order = [];
    const results = [];
    const work = async () => {
      for (let lane = lanes.shift(); lane; lane = lanes.shift()) {
        for (const index of lane) {
          order.push(index);
          const { body, id } = deliveries[index];
          const sent = await this.#deliverOnce(body, id);
          if (results[index]) results[index].duplicates.push(sent);
          else results[index] = sent;
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return { seed, order, results };
  }

  /** @returns {Promise<Delivery>} */
  async #deliverOnce(body, id, timestamp) {
    const { secret, scheme, attempts: most, backoffMs, signal } = this.#options;
    const attempts = [];
    for (;;) {
      const headers = sign({ scheme, secret, id, timestamp, body });
      const attempt = await post(this.#url, headers, body, this.#options);
      attempts.push(attempt);
      const delivered = attempt.status >= 200 && attempt.status < 300;
      if (delivered || attempts.length >= most) {
        const { status = null } = attempt;
        const sentId = scheme === "svix" ? id : null;
        return { delivered, status, outcome: outcomeOf(attempt), id: sentId, attempts, duplicates: [] };
      }
      await sleep(backoffMs * 2 ** (attempts.length - 1), undefined, { signal });
    }
  }
}

const LONGEST_ANSWER_KEPT = 65_536;

/** One attempt. Not fetch: a pooled socket that the server has just closed would count as a failed attempt. */
function post(url, signature, body, { timeoutMs, signal }) {
  const { request: open } = url.protocol === "https:" ? https : http;
  const headers = { ...signature, "content-type": "application/json", "content-length": body.length };
  return new Promise((resolve, reject) => {
    const failed = (error) => (signal?.aborted ? reject(signal.reason) : resolve({ error: error.message }));
    const request = open(url, { method: "POST", agent: false, headers, signal });
    const deadline = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.once("close", () => clearTimeout(deadline));
    request.on("error", failed);
    request.once("response", async (response) => {
      request.off("error", failed).on("error", () => {}); // from here the status stands, whatever becomes of the body
      const kept = [];
      let length = 0;
      try {
        for await (const chunk of response) if ((length += chunk.length) <= LONGEST_ANSWER_KEPT) kept.push(chunk);
      } catch (error) {
        if (signal?.aborted) return failed(error);
      }
      resolve({ status: response.statusCode, body: Buffer.concat(kept).toString() });
    });
    request.end(body);
  });
}

function outcomeOf({ body = "" }) {
  try {
    const { outcome } = JSON.parse(body);
    return typeof outcome === "string" ? outcome : null;
  } catch {
    return null;
  }
}

function bytesOf(event) {
  return Buffer.isBuffer(event) ? event : Buffer.from(typeof event === "string" ? event : JSON.stringify(event));
}

/** Groups indices that share a connection id, keeping their order; an event of no connection waits for nobody. */
function byConnection(indices, deliveries) {
  const lanes = new Map();
  for (const index of indices) {
    const lane = connectionOf(deliveries[index].body) ?? index;
    if (lanes.has(lane)) lanes.get(lane).push(index);
    else lanes.set(lane, [index]);
  }
  return [...lanes.values()];
}

function connectionOf(body) {
  try {
    const id = JSON.parse(body).data.connection.id;
    return id === undefined ? undefined : String(id);
  } catch {
    return undefined;
  }
}

function svixKey(secret) {
  const text = secret.replace(/^whsec_/, "");
  const key = Buffer.from(text, "base64");
  if (key.length === 0 || key.toString("base64") !== text) throw new TypeError("secret: base64 after whsec_, for svix");
  return key;
}

function newId() {
  return `msg_${randomBytes(20).toString("hex")}`;
}

function unixNow() {
  return Math.floor(Date.now() / 1000);
}
