// The Access API: a few managed routes (uploads.mjs has some, managed.mjs stands in for the rest), and under
// /v2/access/proxy/ OnlyFans's own users/me, and a set of routes made to try a gateway in the middle: what arrived (echo),
// volume (large), time (sse), and answers a gateway must not pass on as they are (redirect, headers).

import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { SUBSCRIBER_COUNT, subscribersOf } from "./account.mjs";
import { sendError, sendJson, wholeNumber } from "./answers.mjs";
import { answerManaged } from "./managed.mjs";

/**
 * @typedef {object} Call
 * @property {import("node:http").IncomingMessage} req
 * @property {import("node:http").ServerResponse} res
 * @property {string} path             raw, up to the first question mark; never decoded, never normalised
 * @property {URLSearchParams} query
 * @property {{length: number, sha256: string, bytes: Buffer | null}} body   bytes: null over 64 KiB
 */

/**
 * Answers any `/v2/access/*` call: 1. the key, 2. the connection, 3. the route.
 * @param {Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export async function answerAccess(call, platform) {
  const { req, res, path } = call;
  if (req.headers.apikey !== platform.apiKey) return sendError(res, 401, "UNAUTHORIZED", "Invalid API key");
  const connection = req.headers["x-connection-id"];
  if (!connection) return sendError(res, 401, "SESSION_NOT_PROVIDED", "x-connection-id is missing", "relink_connection");
  const refusal = platform.connections.refusalOf(connection);
  if (refusal) return sendError(res, ...refusal);

  const name = path.startsWith(`${ECHO}/`) ? ECHO : path;
  const route = ANY_VERB[name] ?? (req.method === "GET" || req.method === "HEAD" ? READ_ONLY[name] : undefined);
  if (route) return route(call, platform);
  if (!platform.uploads.answer(call, platform.switches)) answerManaged(call, platform);
}

/**
 * SHA-256, in hex, of what `/v2/access/proxy/large?bytes=n` answers.
 * @param {number} n
 */
export function sha256OfLarge(n) {
  const hash = createHash("sha256");
  for (const chunk of largeChunks(n)) hash.update(chunk);
  return hash.digest("hex");
}

const ECHO = "/v2/access/proxy/echo";

const ANY_VERB = {
  __proto__: null,
  [ECHO]: echo,
  "/v2/access/proxy/redirect": redirect,
  "/v2/access/proxy/status": status,
};

const READ_ONLY = {
  __proto__: null,
  "/v2/access/self": self,
  "/v2/access/subscribers": subscribers,
  "/v2/access/proxy/users/me": onlyFansMe,
  "/v2/access/proxy/headers": hostileHeaders,
  "/v2/access/proxy/large": large,
  "/v2/access/proxy/sse": serverSentEvents,
};

function self({ req, res }, { connections }) {
  const account = connections.accountOf(req.headers["x-connection-id"]);
  sendJson(res, 200, { ...account, isAuth: true, subscribersCount: SUBSCRIBER_COUNT });
}

/** The same account as `/v2/access/self`, in the few of OnlyFans's own words that the documents show. */
function onlyFansMe({ req, res }, { connections }) {
  sendJson(res, 200, { ...connections.accountOf(req.headers["x-connection-id"]), isAuth: true });
}

function subscribers({ req, res, query }) {
  const limit = wholeNumber(query, "limit", { or: 10, from: 1, to: 20 });
  const offset = wholeNumber(query, "offset", { or: 0 });
  if (limit === null) return sendError(res, 400, "BAD_REQUEST", "limit must be a whole number from 1 to 20");
  if (offset === null) return sendError(res, 400, "BAD_REQUEST", "offset must be a whole number");
  const all = subscribersOf(req.headers["x-connection-id"]);
  const list = all.slice(offset, offset + limit);
  const hasMore = offset + limit < all.length;
  sendJson(res, 200, { list, hasMore, nextOffset: hasMore ? offset + limit : undefined });
}

function echo({ req, res, body }) {
  sendJson(res, 200, {
    method: req.method,
    path: req.url,
    headers: req.headers,
    rawHeaders: req.rawHeaders,
    bodyLength: body.length,
    bodySha256: body.sha256,
    bodyBase64: body.bytes?.toString("base64"),
  });
}

async function large({ req, res, query }) {
  const bytes = wholeNumber(query, "bytes");
  if (bytes === null) return sendError(res, 400, "BAD_REQUEST", "bytes must be a whole number");
  res.setHeader("content-type", "application/octet-stream");
  if (query.get("chunked") !== "1") res.setHeader("content-length", bytes);
  if (req.method === "HEAD") return res.end();
  await pipeline(Readable.from(largeChunks(bytes), { objectMode: false }), res);
}

/** AES-CTR over zeros: quick, and no two places hold the same bytes, so that a lost or swapped chunk shows in the hash. */
function* largeChunks(n) {
  const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(65_536);
  for (let left = n; left > 0; left -= zeros.length) yield stream.update(zeros.subarray(0, left));
}

async function serverSentEvents({ req, res, query }) {
  const count = wholeNumber(query, "count", { or: 10 });
  const interval = wholeNumber(query, "interval", { or: 100, to: 60_000 });
  if (count === null || interval === null) return sendError(res, 400, "BAD_REQUEST", "count and interval: whole numbers");
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  res.flushHeaders();
  if (req.method === "HEAD") return res.end();
  const left = new AbortController();
  res.once("close", () => left.abort());
  for (let n = 0; n < count; n += 1) {
    if (n > 0) await sleep(interval, undefined, { signal: left.signal });
    res.write(`data: ${JSON.stringify({ n, sentAt: Date.now() })}\n\n`);
  }
  res.end();
}

function redirect({ res, query }) {
  const to = query.get("to") ?? "";
  const code = wholeNumber(query, "status", { or: 302, from: 300, to: 399 });
  if (code === null || !/^[\x21-\x7e]+$/.test(to)) return sendError(res, 400, "BAD_REQUEST", "to must be a URL, status 3xx");
  res.writeHead(code, { location: to, "content-length": 0 });
  res.end();
}

/** Everything a gateway in front of browsers must stop on the way back, among things it must not touch. */
function hostileHeaders({ res }) {
  const headers = {
    "set-cookie": ["session=upstream; Path=/; HttpOnly", "tracker=1; Domain=ofauth.com"],
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
    "x-connection-id": "conn_leaked",
    "x-of-cookie": "sess=leaked",
    "x-of-bc": "leaked",
    "clear-site-data": '"*"',
    "alt-svc": 'h3="127.0.0.1:9"; ma=86400',
    connection: "keep-alive",
    "keep-alive": "timeout=5, max=100",
    ...HARMLESS,
  };
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  sendJson(res, 200, { ok: true });
}

const HARMLESS = {
  "x-ratelimit-limit": "60",
  "x-ratelimit-remaining": "59",
  "x-ratelimit-reset": "1700000060",
  "x-ofauth-upload-total-parts": "3",
  etag: '"emulator-1"',
  "content-language": "en",
  "cache-control": "public, max-age=60",
};

function status({ res, query }) {
  const code = wholeNumber(query, "code", { from: 200, to: 599 });
  if (code === null) return sendError(res, 400, "BAD_REQUEST", "code must be a status from 200 to 599");
  if (code === 204 || code === 205 || code === 304) return res.writeHead(code).end();
  const [type, actionRequired] = TYPE_OF_STATUS[code] ?? [`HTTP_${code}`];
  sendError(res, code, type, `Status ${code}, as asked`, actionRequired);
}

// 401 is the answer of a dead session on purpose: under /v2/access/proxy/ it may come from anybody, and marks nothing.
export const TYPE_OF_STATUS = {
  400: ["BAD_REQUEST"],
  401: ["SESSION_EXPIRED", "relink_connection"],
  403: ["FORBIDDEN"],
  404: ["RESOURCE_NOT_FOUND"],
  429: ["RATE_LIMIT_EXCEEDED"],
  500: ["UNKNOWN_ERROR"],
  502: ["PROXY_ERROR"],
  503: ["NETWORK_ERROR"],
};
