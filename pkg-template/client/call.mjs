// One call of the gateway, with its tries: what is sent, to where, and when again. It answers a Result whatever happens.

import { failure, read } from "./answer.mjs";
import { argument, isObject, isSendable } from "./check.mjs";
import { startWatch } from "./watch.mjs";

/** Milliseconds that a call may take in all unless it says otherwise. */
const DEFAULT_TIMEOUT = 60_000;
/** The longest pause before the second try, in milliseconds; it doubles with every further one. */
const PAUSE = 200;
/** Methods that do the same twice as once: only these are sent again when it is not known whether they arrived. */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

export function makeCall({ base, credential, fetch, tries, maxWait }) {
  return async function call(method, path, options, more) {
    let watch;
    try {
      const { signal, timeout, ...request } = prepare(base, method, path, options ?? {}, more);
      watch = startWatch(signal, timeout);
      return await send(request, watch);
    } catch (error) {
      const stopped = watch?.stopped();
      if (stopped === "timeout") return failure("timeout", "TIMEOUT", "the call took too long", { action: "retry" });
      if (stopped) return failure("aborted", "ABORTED", "the call was aborted");
      return failure("bad_request", "INVALID_ARGUMENT", messageOf(error));
    } finally {
      watch?.end();
    }
  };

  async function send(request, watch) {
    let renewed = false;
    for (let tried = 1; ; tried += 1) {
      watch.signal.throwIfAborted();
      const token = credential.current();
      const result = await attempt(request, token, watch);
      const { error } = result;
      if (!error) return result;
      const refused = error.action === "refresh_token" && error.status === 401;
      // What can be sent only once cannot be sent again, but the next call gets the new token.
      if (refused && !renewed && credential.renew(token) && !request.isOneShot) {
        // The gateway let nothing through: that was no try.
        renewed = true;
        tried -= 1;
        continue;
      }
      if (request.isOneShot) return result;
      const pause = tried < tries ? pauseBefore(error, tried, request.init.method) : undefined;
      if (pause === undefined || pause >= watch.left()) return result;
      await watch.sleep(pause);
    }
  }

  async function attempt({ url, init, isOpen }, token, watch) {
    try {
      init.headers.set("authorization", `Bearer ${await watch.during(token)}`);
    } catch (error) {
      if (watch.stopped()) throw error;
      const message = `there is no token: ${messageOf(error)}`;
      return failure("unauthorized", "TOKEN_UNAVAILABLE", message, { action: "refresh_token" });
    }
    const exchange = async () => read(await fetch(url, { ...init, signal: watch.signal }), isOpen);
    try {
      return await watch.during(exchange());
    } catch (error) {
      if (watch.stopped()) throw error;
      const message = `the gateway could not be reached: ${messageOf(error?.cause ?? error)}`;
      return failure("network_error", "NETWORK_ERROR", message, { action: "retry" });
    }
  }

  /** Milliseconds; undefined if it is not to be sent again. */
  function pauseBefore(error, tried, method) {
    const jitter = Math.random() * PAUSE * 2 ** (tried - 1);
    if (error.status === 429) return error.retryAfter <= maxWait ? error.retryAfter * 1_000 + jitter : undefined;
    return error.type === "network_error" && IDEMPOTENT.includes(method) ? jitter : undefined;
  }
}

/** What is to be sent; throws what is wrong with it. Options that are not the client's own are fetch's, of access only. */
function prepare(base, method, path, options, { query, body, isOpen = false } = {}) {
  argument(isObject(options), "options", "an object");
  const { signal, timeout = DEFAULT_TIMEOUT, authentication, ...rest } = options;
  argument(!signal || typeof signal.addEventListener === "function", "signal", "an AbortSignal");
  argument(typeof timeout === "number" && timeout > 0, "timeout", "milliseconds, more than 0");
  argument(isText(method), "method", "a string");
  const given = isOpen ? rest : { body: body === undefined ? undefined : JSON.stringify(body) };
  const headers = headersOf(given.headers);
  headers.delete("apikey"); // as for authorization, it is set at each try
  if (body !== undefined) headers.set("content-type", "application/json");
  if (authentication !== undefined) {
    argument(isSendable(authentication?.connectionId), "authentication.connectionId", "a handle or an id");
    headers.set("x-connection-id", authentication.connectionId);
  }
  const url = base + (isOpen ? accessPath(path) : ownPath(path) + queryOf(query));
  const isOneShot = isStream(given.body);
  // A redirect that is followed could take the credential to another place.
  const init = { ...given, ...(isOneShot && { duplex: "half" }), method: method.toUpperCase(), headers, redirect: "manual" };
  // Throws what no platform would send, which is not to be taken for a network that fails.
  new Request(url, isOneShot ? { ...init, body: undefined } : init);
  return { url, init, isOpen, isOneShot, signal, timeout };
}

/** Throws without the value that no header can have: it may be a secret. */
function headersOf(given) {
  try {
    return new Headers(given);
  } catch {
    throw new TypeError("headers must be names and values that a header can have");
  }
}

function ownPath(path) {
  if (typeof path === "string") return path;
  const [before, id, after] = path;
  argument(isText(id) && !/^\.\.?$/.test(id), "connectionId", "a handle or an id");
  return before + encodeURIComponent(id) + after;
}

/** A path that stays what it is when it is put behind an origin: below /v2/access/, no dot segment, nothing URLs drop. */
function accessPath(path) {
  const isSafe = typeof path === "string" && /^\/v2\/access\/[^\s\\#]+$/.test(path);
  const [name] = String(path).split("?");
  argument(isSafe && !/\/(\.|%2e){1,2}(\/|$)/i.test(name), "path", "a path that begins with /v2/access/, percent-encoded");
  return path;
}

function queryOf(query = {}) {
  argument(isObject(query), "filter", "an object");
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    const isExact = typeof value === "string" || Number.isSafeInteger(value);
    argument(isExact, key, "a string or a whole number; from 2 ** 53 on, a string");
    search.set(key, value);
  }
  const text = search.toString();
  return text && `?${text}`;
}

function isText(value) {
  return typeof value === "string" && value !== "";
}

function isStream(body) {
  return isObject(body) && (typeof body.getReader === "function" || typeof body[Symbol.asyncIterator] === "function");
}

/** Of whatever was thrown. */
function messageOf(error) {
  try {
    return String(error.message || error.code || error);
  } catch {
    return "unknown";
  }
}
