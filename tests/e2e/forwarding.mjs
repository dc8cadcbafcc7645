// An app that gets forwarded events: a server on loopback that answers as it is told to, and keeps what it was sent.

import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { startGateway } from "./harness.mjs";

/** The secret that signs what is forwarded. */
export const FORWARD_SECRET = `whsec_${Buffer.alloc(32, "forward").toString("base64")}`;

/** @typedef {{method: string, path: string, headers: import("node:http").IncomingHttpHeaders, body: Buffer, at: number, end?: number}} Received */

/**
 * Starts an app, and stops it after the test.
 * @param {import("node:test").TestContext} t
 * @returns {Promise<{url: string, requests: Received[],
 *   answer: (request: Received, index: number) => {status?: number, headers?: object, after?: number, hangUp?: boolean}}>}
 *   answer: may be replaced; `after`: how many ms the answer takes
 */
export async function startApp(t) {
  const app = { url: "", requests: [], answer: () => ({}) };
  const server = createServer(async (incoming, outgoing) => {
    const at = Date.now();
    const body = await buffer(incoming);
    const request = { method: incoming.method, path: incoming.url, headers: incoming.headers, body, at };
    const { status = 200, headers = {}, after = 0, hangUp = false } = app.answer(request, app.requests.push(request) - 1);
    if (hangUp) return incoming.socket.destroy();
    await sleep(after, undefined, { ref: false });
    request.end = Date.now();
    outgoing.writeHead(status, headers).end("thank you");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  app.url = `http://127.0.0.1:${server.address().port}/hooks?from=edge`;
  return app;
}

/**
 * Starts a gateway that forwards to an app, and stops both after the test.
 * @param {import("node:test").TestContext} t
 * @param {Parameters<typeof startGateway>[0]} [options]
 */
export async function startForwarding(t, { vars = {}, ...options } = {}) {
  const app = await startApp(t);
  const gateway = await startGateway({ vars: { FORWARD_URL: app.url, FORWARD_SECRET, ...vars }, ...options });
  t.after(() => gateway.close());
  return { app, gateway };
}

/** The lines of the log about forwarding. */
export function forwardErrors(gateway) {
  const lines = gateway.logs.filter((line) => line.includes('"what":"forward"'));
  return lines.map((line) => JSON.parse(line).error);
}
