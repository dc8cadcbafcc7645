// One HTTP exchange. It does not use fetch, which prints a warning in Node 18, follows redirects with the key, and hides why a
// connection failed.

import http from "node:http";
import https from "node:https";

import { Failure, UsageError } from "./errors.mjs";

/** @typedef {{status: number, headers: http.IncomingHttpHeaders, text: string, ms: number}} Answer */

const LONGEST_ANSWER = 64 * 1024 * 1024;

/** No answer came. `refused` means that nothing can have been done by the other side. */
export class Unreachable extends Failure {
  constructor(message, code) {
    super(message, HINTS[code]);
    this.refused = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"].includes(code);
  }
}

const HINTS = {
  ECONNREFUSED: "Is it running, and is the port right?",
  ENOTFOUND: "Is the name of the host spelt right?",
};

/**
 * @param {string} method
 * @param {URL} url
 * @param {{headers?: Record<string, string>, body?: Uint8Array | string, timeout?: number, signal?: AbortSignal}} [options]
 *   timeout: ms for the whole exchange
 * @returns {Promise<Answer>}
 * @throws {Unreachable}
 */
export function send(method, url, { headers = {}, body, timeout = 30_000, signal } = {}) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const { request: open } = url.protocol === "https:" ? https : http;
    const all = { "user-agent": "ofauth-edge-cli", accept: "*/*", ...headers, ...length };
    // autoSelectFamily: else Node 18 does not find a server on 127.0.0.1 as `localhost`, if that is also ::1.
    const request = open(url, { method, agent: false, signal, headers: all, autoSelectFamily: true });
    const deadline = setTimeout(() => request.destroy(Object.assign(new Error(), { code: "TIMEOUT" })), timeout);
    const fail = (error) => reject(signal?.aborted ? signal.reason : unreachable(url, error, timeout));
    request.once("close", () => clearTimeout(deadline));
    request.on("error", fail);
    request.once("response", async (response) => {
      try {
        const text = await readText(response, request);
        resolve({ status: response.statusCode, headers: response.headers, text, ms: Math.round(performance.now() - began) });
      } catch (error) {
        fail(error);
      }
    });
    request.end(body);
  });
}

async function readText(response, request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) request.destroy(Object.assign(new Error(), { code: "TOO_LONG" }));
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function unreachable(url, error, timeout) {
  // Node tries all addresses of a host, and then has one error for each.
  const { code = "", message = "" } = error.errors?.[0] ?? error;
  const reasons = {
    ECONNREFUSED: `Nothing listens at ${url.host}`,
    ENOTFOUND: `The host ${url.hostname} is not known`,
    EAI_AGAIN: `The host ${url.hostname} could not be looked up. Is the network there?`,
    ECONNRESET: `${url.host} hung up`,
    TIMEOUT: `${url.host} did not answer within ${timeout / 1_000} s`,
    TOO_LONG: `The answer of ${url.host} is too long`,
  };
  return new Unreachable(reasons[code] ?? `${url.host} cannot be reached: ${code || message}`, code);
}

/**
 * Reads the URL of an option.
 * @param {string} text
 * @param {string} option   for messages
 */
export function readUrl(text, option) {
  const guess = /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? ` Begin it with https://, or with http:// on this machine` : "";
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`${option} is no URL.${guess}`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new UsageError(`${option} must begin with https:// or http://.${guess}`);
  if (url.username || url.password) throw new UsageError(`${option} must have no user name and no password`);
  return url;
}

/** Whether a URL's host is this machine. */
export function isLoopback({ hostname }) {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname);
}

/** A URL without its query, which may hold a secret. */
export function shownUrl({ origin, pathname }) {
  return `${origin}${pathname}`;
}
