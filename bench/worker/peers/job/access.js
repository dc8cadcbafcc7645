// Any /v2/access/*, and the list of a user's connections, for a server with the gateway key.

import { Refusal } from "./call.js";
import { keysOf } from "./keys.js";
import { hubOf, openJson } from "./seal.js";

const encoder = new TextEncoder();
const TRIES = 3;
const DEADLINE = 10_000;
const HANDLE = /^acct_[0-9a-f]{32}$/;
const AMBIGUOUS = /(^|\/)(\.|%2e){1,2}(\/|$)|%2f|%5c|%25(2e|2f|5c|25)|%[01][0-9a-f]|%7f|\\/i;
const HOP_BY_HOP = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"];
const CREDENTIALS = ["apikey", "authorization", "cookie", "x-connection-id", "x-platform-id"];
const ROUTING = ["host", "x-real-ip", "x-http-method-override", "x-method-override", "x-original-url"];
const OF_OUR_ORIGIN = ["set-cookie", "clear-site-data", "alt-svc", "x-connection-id", "x-ofauth-edge", "x-ofauth-edge-action"];
const STOPPED_UP = new Set([...HOP_BY_HOP, ...CREDENTIALS, ...ROUTING]);
const STOPPED_BACK = new Set([...HOP_BY_HOP, ...OF_OUR_ORIGIN]);
const PREFIXES_UP = /^(x-of-|cf-|x-forwarded-|proxy-)/;
const PREFIXES_BACK = /^(access-control-|x-of-|proxy-)/;
const VARY = "origin, authorization, apikey, x-connection-id";

// 1. The path is judged and the caller authenticated.
// 2. The connection is found by its handle.
// 3. The call goes up with the key and the connection id. Redirects are not followed: they would carry the key away.
// 4. The answer is passed back, its body streamed.
export async function forwardAccess(request, env, call) {
  // 1.
  const { url, method, headers, body } = request;
  const target = url.slice(url.indexOf("/", 8));
  if (AMBIGUOUS.test(target.split("?", 1)[0])) throw new Refusal(400, "BAD_REQUEST", "the path is ambiguous");
  const keys = await keysOf(env);
  authenticate(headers, keys);
  // 2.
  const { id } = await find(headers.get("x-connection-id"), env, keys);
  // 3.
  const up = copy(headers, STOPPED_UP, PREFIXES_UP);
  up.set("apikey", env.OFAUTH_API_KEY);
  up.set("x-connection-id", id);
  const begun = Date.now();
  const answer = await send(env.OFAUTH_API_URL + target, { method, headers: up, body, redirect: "manual", cache: "no-store" });
  call.upstreamMs = Date.now() - begun;
  // 4.
  const back = copy(answer.headers, STOPPED_BACK, PREFIXES_BACK);
  call.upstreamRequestId = back.get("x-request-id");
  back.set("cache-control", "private, no-store");
  back.set("x-content-type-options", "nosniff");
  back.set("x-ofauth-edge", "upstream");
  back.append("vary", VARY);
  if (call.upstreamRequestId === null) back.set("x-request-id", call.id);
  return new Response(answer.body, { status: answer.status, headers: back });
}

// The connections of a user, the newest first.
export async function listConnections(request, env, call) {
  const keys = await keysOf(env);
  authenticate(request.headers, keys);
  const query = new URL(request.url).searchParams;
  const reference = query.get("clientReferenceId");
  if (reference === null) throw new Refusal(400, "BAD_REQUEST", "clientReferenceId is missing");
  const hub = await hubOf(keys.index, reference);
  const records = await env.HUB.getByName(hub).list(hub);
  const list = records.slice(0, Number(query.get("limit") ?? 20));
  const answer = call.json(200, { list, total: records.length, hasMore: list.length < records.length });
  answer.headers.append("vary", VARY);
  return answer;
}

function authenticate(headers, keys) {
  const authorization = headers.get("authorization");
  const given = authorization === null ? headers.get("apikey") : /^Bearer (.+)$/i.exec(authorization)?.[1];
  if (!given) throw new Refusal(401, "CREDENTIALS_MISSING", "a key is missing");
  const bytes = encoder.encode(given);
  const isKey = bytes.length === keys.gateway.length && crypto.subtle.timingSafeEqual(bytes, keys.gateway);
  if (!isKey) throw new Refusal(401, "CREDENTIALS_INVALID", "the key is not valid");
}

// One KV get; on a miss the ledger.
async function find(handle, env, keys) {
  if (!HANDLE.test(handle ?? "")) throw new Refusal(400, "BAD_REQUEST", "x-connection-id names one connection by its handle");
  const key = `conn:${handle}`;
  const sealed = await env.CONNECTIONS.get(key, "arrayBuffer");
  const record = sealed ? await openJson(keys.storage, key, sealed) : await env.LEDGER.getByName(handle).record();
  if (!record || record.status === "disconnected") {
    throw new Refusal(404, "CONNECTION_NOT_FOUND", "no such connection", "relink_connection");
  }
  return record;
}

// A GET or HEAD is sent again if that may help, and has a deadline until its answer begins.
async function send(url, init) {
  if (init.method !== "GET" && init.method !== "HEAD") return fetch(url, init);
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(), DEADLINE);
  try {
    for (let tries = 1; ; tries++) {
      const answer = await fetch(url, { ...init, signal: abort.signal }).catch((error) => error);
      const isFinal = answer instanceof Response && answer.status !== 502 && answer.status !== 503;
      if (isFinal || tries === TRIES) {
        if (answer instanceof Response) return answer;
        throw new Refusal(502, "UPSTREAM_UNREACHABLE", "the upstream did not answer");
      }
      await scheduler.wait(Math.random() * 200 * 2 ** (tries - 1));
    }
  } finally {
    clearTimeout(deadline);
  }
}

function copy(headers, stopped, prefixes) {
  const copied = new Headers();
  for (const [name, value] of headers) if (!stopped.has(name) && !prefixes.test(name)) copied.append(name, value);
  return copied;
}
