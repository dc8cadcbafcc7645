// A gateway that says what a test wants it to, on loopback.

import { once } from "node:events";
import http from "node:http";

import { createClient } from "../../pkg-template/client.mjs";
import { takeSockets } from "./sockets.mjs";

/**
 * @typedef {object} Seen
 * @property {string} method
 * @property {string} url
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {string} body
 * @property {number} at   milliseconds
 */

/**
 * Starts one. `answer` handles every request, `seen` has them in order. `accept` handles WebSockets, see sockets.mjs; an older
 * gateway has none.
 * @param {import("node:test").TestContext} t
 * @param {(req: import("node:http").IncomingMessage, res: import("node:http").ServerResponse, seen: Seen[]) => void} answer
 * @param {Parameters<typeof takeSockets>[1]} [accept]
 */
export async function serve(t, answer, accept = () => 404) {
  const seen = [];
  const server = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const { method, url, headers } = req;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString(), at: performance.now() });
    answer(req, res, seen);
  });
  const sockets = takeSockets(server, accept);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets.sockets) socket.drop();
  });
  const baseUrl = `http://127.0.0.1:${server.address().port}`;
  const client = (options) => createClient({ baseUrl, token: "token", ...options });
  return { baseUrl, seen, ...sockets, client };
}

/** Answers JSON. */
export function json(res, status, value, headers = {}) {
  res.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

/** Answers as the gateway refuses. */
export function refuse(res, status, type, action, headers = {}) {
  const named = action && { "x-ofauth-edge-action": action };
  json(res, status, { error: "no", type, requestId: "req_1" }, { ...named, ...headers });
}

/** A page of the list. */
export function page(list, more = {}) {
  return { list, total: list.length, hasMore: false, ...more };
}

/** What a test compares of an error. */
export function verdict({ data, error }) {
  return [data, error?.type, error?.code, error?.status, error?.action];
}
