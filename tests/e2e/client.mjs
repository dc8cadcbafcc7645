// An HTTP client that sends what it is told to and nothing else: no pool, no redirects, no tidying of targets.

import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { buffer } from "node:stream/consumers";

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {Buffer} body
 * @property {string} text
 * @property {() => any} json
 * @property {number} ms               from the first byte sent to the last byte read
 */

/** @typedef {{headers?: Record<string, string | string[]> | string[], body?: string | Buffer}} SendOptions */

/** One request over a connection of its own, with the target as it is. */
export async function request(port, method, target, { headers = {}, body } = {}) {
  const started = performance.now();
  const outgoing = open(port, method, target, headers);
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  const bytes = await buffer(incoming);
  const ms = performance.now() - started;
  const text = bytes.toString();
  return { status: incoming.statusCode, headers: incoming.headers, body: bytes, text, json: () => JSON.parse(text), ms };
}

/** Sends bytes and reads until the other side hangs up, or has been silent for 2 s after saying something. */
export async function exchange(port, bytes) {
  const socket = net.connect(port, "127.0.0.1");
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk) && socket.setTimeout(2_000));
  socket.on("timeout", () => socket.destroy());
  socket.on("error", () => {}); // what had been read by then is the answer
  socket.setTimeout(10_000);
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

/** Opens a request whose body and answer the caller handles. */
export function open(port, method, target, headers) {
  return http.request({ host: "127.0.0.1", port, method, path: target, headers, agent: false });
}

/**
 * What is asked of an error answer everywhere: OFAuth's shape, and from the gateway itself also `message` and `code`, which
 * are all that OFAuth's SDKs read. Gives `[status, type]`.
 */
export function refusal(answer) {
  const { error, type, message = error, code = type, requestId, ...rest } = answer.json();
  const isOwn = answer.headers["x-ofauth-edge"] === "gateway";
  const repeats = message === error && code === type && (!isOwn || ["message", "code"].every((key) => key in answer.json()));
  const shaped = typeof error === "string" && error !== "" && repeats && Object.keys(rest).every((key) => key === "actionRequired");
  if (!shaped || requestId !== answer.headers["x-request-id"]) throw new Error(`not OFAuth's shape: ${answer.text}`);
  return [answer.status, type];
}
