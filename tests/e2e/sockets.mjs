// WebSockets of GET /edge/live: one that collects its frames, and an upgrade by hand, for headers that Node's WebSocket does
// not send and for refusals, which it does not show.

import http from "node:http";
import { buffer } from "node:stream/consumers";

import { eventually, tokenOf } from "./harness.mjs";
import { recordExchange, recordFrame } from "./record.mjs";

/**
 * @typedef {object} LiveSocket
 * @property {any[]} frames   all that came, parsed; what is not JSON as text
 * @property {() => Promise<any>} next   the first frame that was not taken yet
 * @property {Promise<{code: number, reason: string}>} closed
 * @property {(text: string) => void} send
 * @property {() => Promise<unknown>} close
 */

/**
 * Opens a WebSocket, and fails if it is refused.
 * @param {{port: number}} gateway
 * @param {object | string} claims   of the session token, or the token
 * @param {{since?: number}} [options]
 * @returns {Promise<LiveSocket>}
 */
export async function openSocket({ port }, claims, { since } = {}) {
  const token = typeof claims === "string" ? claims : tokenOf(claims);
  const query = since === undefined ? "" : `?since=${since}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/edge/live${query}`, ["ofauth-edge", `bearer.${token}`]);
  const frames = [];
  let taken = 0;
  let isPinged = false;
  socket.addEventListener("message", ({ data }) => {
    if (data === "pong" && !isPinged) isPinged = true;
    else recordFrame(frames[frames.push(parse(data)) - 1]);
  });
  const closed = new Promise((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the WebSocket was not opened")));
  });
  // The runtime takes 10 s to hang up after it has closed a WebSocket on which nothing was ever sent.
  socket.send("ping");
  if (socket.protocol !== "ofauth-edge") throw new Error(`the subprotocol is ${socket.protocol}`);
  return {
    frames,
    closed,
    async next() {
      await eventually(() => frames.length > taken, { every: 5 });
      return frames[taken++];
    },
    send: (text) => socket.send(text),
    close() {
      socket.close();
      return closed;
    },
  };
}

/** Opens one that has no `since`, and gives it with the number of the newest change. */
export async function openNew(gateway, claims) {
  const socket = await openSocket(gateway, claims);
  const { resync, seq } = await socket.next();
  if (resync !== true || !Number.isSafeInteger(seq)) throw new Error(`not a resync: ${JSON.stringify(socket.frames)}`);
  return { socket, seq };
}

/**
 * Asks for an upgrade with these headers on top of those of a WebSocket; null takes one away. A WebSocket that opens is hung up.
 * @returns {Promise<import("./client.mjs").Answer>}
 */
export function upgrade({ port }, { target = "/edge/live", method = "GET", headers = {} } = {}) {
  const all = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": KEY, ...headers };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ host: "127.0.0.1", port, method, path: target, headers: sent, agent: false });
    const answer = ({ statusCode: status, headers }, body) => {
      const text = body.toString();
      recordExchange(method, target, { headers: sent }, { status, headers, body });
      resolve({ status, headers, body, text, json: () => JSON.parse(text) });
    };
    outgoing.on("upgrade", (incoming, socket) => {
      socket.destroy();
      answer(incoming, Buffer.alloc(0));
    });
    outgoing.on("response", (incoming) => buffer(incoming).then((body) => answer(incoming, body), reject));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** The header that offers the gateway's subprotocol and this token. */
export const offer = (token) => ({ "sec-websocket-protocol": `ofauth-edge, bearer.${token}` });

const KEY = Buffer.alloc(16, "key").toString("base64");

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
