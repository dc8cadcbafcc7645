// What the emulator's own tests share: callers that send exactly what they are told to, and a receiver of webhooks.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { buffer, text } from "node:stream/consumers";
import { after, beforeEach } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { startEmulator } from "./emulator.mjs";
import { sign } from "./webhooks.mjs";

export const API_KEY = "sk_sandbox_emulator_tests";
export const SECRET = "whsec_emulator_tests";

/**
 * Sends one request over a connection of its own, and gives the answer before its body is read. http.request and not fetch,
 * which would resolve dot segments, follow redirects and send a dropped call again.
 * @param {{port: number}} emulator
 * @param {string} path
 * @param {{method?: string, headers?: object, body?: string | Buffer | import("node:stream").Readable}} [options]
 * @returns {Promise<http.IncomingMessage>}
 */
export async function exchange({ port }, path, { method = "GET", headers = {}, body } = {}) {
  const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent: false });
  if (body?.pipe) body.pipe(request);
  else request.end(body);
  const [answer] = await once(request, "response");
  return answer;
}

/** @typedef {{status: number, headers: object, text: string, json: any}} Answer   json: undefined if it is none */

/**
 * A caller with the key, and with any other headers given here. It reads each answer.
 * @param {{port: number}} emulator
 * @param {Record<string, string>} [always]
 * @returns {(method: string, path: string, options?: {headers?: object, body?: any}) => Promise<Answer>}   body: an object
 *   is sent as its JSON; text and bytes go as they are
 */
export function callerOf(emulator, always = { apikey: API_KEY }) {
  return async (method, path, { headers = {}, body } = {}) => {
    const isJson = body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body);
    const type = isJson ? { "content-type": "application/json" } : {};
    const bytes = Buffer.from(isJson ? JSON.stringify(body) : (body ?? ""));
    const length = body === undefined ? {} : { "content-length": bytes.length }; // Node frames no body of a DELETE unasked
    const sent = { ...always, ...type, ...length, ...headers };
    const answer = await exchange(emulator, path, { method, headers: sent, body: bytes });
    const read = await text(answer);
    return { status: answer.statusCode, headers: answer.headers, text: read, json: parse(read) };
  };
}

/**
 * A webhook endpoint that keeps what is signed as it should be, and answers 200, or 401 to anything else.
 * @returns {Promise<{url: string, events: any[], close: () => void}>}
 */
export async function startReceiver() {
  const events = [];
  const server = http.createServer(async (req, res) => {
    const body = await buffer(req);
    const signature = req.headers["ofauth-signature"];
    const timestamp = Number(/^t=(\d+)/.exec(signature)?.[1]);
    if (signature !== sign({ secret: SECRET, body, timestamp })["OFAuth-Signature"]) return res.writeHead(401).end();
    events.push(parse(String(body)));
    res.end('{"outcome":"applied"}');
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${server.address().port}/webhooks/ofauth`;
  return { url, events, close: () => server.close() && server.closeAllConnections() };
}

/**
 * Starts a receiver and an emulator that sends its webhooks there, for all tests of a file. Each test starts afresh.
 * @returns {Promise<{receiver: {url: string, events: any[]}, emulator: import("./emulator.mjs").Emulator, call: ReturnType<typeof callerOf>}>}
 */
export async function startWithReceiver() {
  const receiver = await startReceiver();
  const emulator = await startEmulator({ apiKey: API_KEY, webhooks: { url: receiver.url, ofauthSecret: SECRET } });
  after(async () => {
    await emulator.close();
    receiver.close();
  });
  beforeEach(() => {
    emulator.reset();
    emulator.heal();
    emulator.clear();
    receiver.events.length = 0;
  });
  return { receiver, emulator, call: callerOf(emulator) };
}

/** Waits until a condition holds, for 10 s at most. */
export async function until(holds) {
  for (const deadline = Date.now() + 10_000; !holds(); await sleep(2)) {
    if (Date.now() > deadline) assert.fail(`never came true: ${holds}`);
  }
}

function parse(value) {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
