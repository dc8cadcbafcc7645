// What a call shows of a connection, watched from outside: a connection of its own for every test, its record, and an
// OFAuth that answers as it is told.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { buffer } from "node:stream/consumers";
import { after, beforeEach } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, startGateway } from "./harness.mjs";

export const PATH = "/v2/access/subscribers";
export const SELF = "/v2/access/self";
/** The longest answer that the gateway reads to understand it, in bytes. */
export const LIMIT = 64 * 1024;

let linked = 0;

/** Two gateways for a file of tests: one before the emulator, which starts each test anew, and one `told` by `upstream`. */
export async function startBoth() {
  const gateway = await startGateway({ faults: true });
  const { emulator } = gateway;
  const upstream = await startUpstream();
  const told = await startGateway({ vars: { OFAUTH_API_URL: upstream.url } });
  after(async () => {
    await gateway.close();
    await told.close();
    upstream.close();
  });
  beforeEach(() => {
    emulator.heal();
    emulator.clear();
  });
  return { gateway, emulator, upstream, told };
}

/** A fresh connection that is active, known to the ledger, the hub and KV. */
export async function link(to) {
  linked += 1;
  const [id, reference] = [`conn_learning_${linked}`, `user_learning_${linked}`];
  await tell(to, "created", id, reference);
  const { handle } = await recordOf(to, id);
  return { id, reference, handle };
}

/** A webhook of this very moment, which no other event and no call shares. */
export async function tell(to, what, id, clientReferenceId) {
  const before = Date.now();
  await eventually(() => Date.now() > before, { every: 1 });
  const { status, outcome } = await to.deliver(connectionEvent(`connection.${what}`, { id, clientReferenceId }));
  assert.deepEqual([status, outcome], [200, "applied"]);
  const then = Date.now();
  await eventually(() => Date.now() > then, { every: 1 });
}

export async function recordOf(to, id) {
  const answer = await to.call("GET", `/edge/connections/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

export async function statusOf(to, id) {
  const { status, expiredAt } = await recordOf(to, id);
  return [status, expiredAt];
}

export async function isListed(to, id, query) {
  const answer = await to.call("GET", `/edge/connections?${query}`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().hasMore, false);
  return answer.json().list.some((record) => record.id === id);
}

export function access(to, name, { method = "GET", path = PATH, headers = {} } = {}) {
  return to.call(method, path, { headers: { "x-connection-id": name, ...headers } });
}

export function marks({ headers }) {
  return [headers["x-ofauth-edge"], headers["x-ofauth-edge-action"]];
}

/** Answers as it was told last, whatever is asked; an answer that is held waits for its release. */
async function startUpstream() {
  let [reply, count, gate] = [{ status: 200, body: "{}" }, 0, undefined];
  const server = http.createServer(async (request, response) => {
    count += 1;
    const { status, body, headers = {}, chunked = false } = reply;
    await buffer(request);
    gate?.ask();
    await gate?.released;
    const length = chunked || [204, 304].includes(status) ? {} : { "content-length": Buffer.byteLength(body) };
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...length, ...headers }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    say(next) {
      [reply, gate] = [next, undefined];
    },
    hold(next) {
      const [asked, released] = [Promise.withResolvers(), Promise.withResolvers()];
      reply = next;
      gate = { ask: asked.resolve, released: released.promise };
      return { asked: asked.promise, release: released.resolve };
    },
    count: () => count,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
