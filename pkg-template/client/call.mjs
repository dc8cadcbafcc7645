// One call of the gateway with its retries. It returns a Result in every case.

import { startCancellation } from "./cancellation.mjs";
import { check, isObject, isVisibleAscii, nonEmptyString } from "./check.mjs";
import { failure, readResponse } from "./response.mjs";

/** Milliseconds for a whole call, with its retries and pauses. */
const DEFAULT_TIMEOUT = 60_000;
/** The longest pause before the first retry, in milliseconds. It doubles with each further retry. */
const FIRST_PAUSE = 200;
/** Methods that have the same effect if they arrive twice. Only these are sent again after a network error. */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

export function makeCall({ base, credential, fetch, fetchOptions, tries, maxWait }) {
  return async function call(method, path, options, content) {
    let request;
    try {
      request = buildRequest(base, fetchOptions, method, path, options ?? {}, content);
    } catch (error) {
      if (!(error instanceof ReferenceError)) return failure("bad_request", "INVALID_ARGUMENT", messageOf(error));
      return unexpected(error);
    }
    let cancellation;
    try {
      cancellation = startCancellation(request.signal, request.timeout);
      return await send(request, cancellation);
    } catch (error) {
      const stopReason = cancellation?.stopReason();
      if (stopReason === "timeout") return failure("timeout", "TIMEOUT", "the call took too long", { action: "retry" });
      return stopReason ? failure("aborted", "ABORTED", "the call was aborted") : unexpected(error);
    } finally {
      cancellation?.dispose();
    }
  };

  async function send(request, cancellation) {
    let hasRenewedToken = false;
    for (let attempt = 1; ; attempt += 1) {
      if (cancellation.stopReason()) throw new Error("stopped");
      const token = credential.current();
      const result = await sendOnce(request, token, cancellation);
      const { error } = result;
      if (!error) return result;
      const isTokenRefused = error.action === "refresh_token" && error.status === 401;
      // The token is renewed even if this request cannot be sent again, so that the next call has the new one.
      if (isTokenRefused && !hasRenewedToken && credential.renew(token) && !request.isOneShot) {
        hasRenewedToken = true;
        // The gateway refused the token and passed nothing on. That does not count as a try.
        attempt -= 1;
        continue;
      }
      if (request.isOneShot) return result;
      const pause = attempt < tries ? pauseBeforeRetry(error, attempt, request.init.method) : undefined;
      if (pause === undefined || pause >= cancellation.remaining()) return result;
      await cancellation.sleep(pause);
    }
  }

  async function sendOnce({ url, init, isRaw }, token, cancellation) {
    try {
      init.headers.set("authorization", `Bearer ${await cancellation.race(token)}`);
    } catch (error) {
      if (cancellation.stopReason()) throw error;
      const message = `there is no token: ${messageOf(error)}`;
      return failure("unauthorized", "TOKEN_UNAVAILABLE", message, { action: "refresh_token" });
    }
    const exchange = async () => readResponse(await fetch(url, { ...init, signal: cancellation.signal }), isRaw);
    try {
      return await cancellation.race(exchange());
    } catch (error) {
      if (cancellation.stopReason()) throw error;
      const message = `the gateway could not be reached: ${messageOf(error?.cause ?? error)}${hintOfOrigin(url)}`;
      return failure("network_error", "NETWORK_ERROR", message, { action: "retry" });
    }
  }

  /** Returns milliseconds, or undefined if the request must not be sent again. */
  function pauseBeforeRetry(error, attempt, method) {
    const jitter = Math.random() * FIRST_PAUSE * 2 ** (attempt - 1);
    if (error.status === 429) return error.retryAfter <= maxWait ? error.retryAfter * 1_000 + jitter : undefined;
    return error.type === "network_error" && IDEMPOTENT.includes(method) ? jitter : undefined;
  }
}

/**
 * Builds the request of a call. Throws an error if an argument is wrong.
 *
 * A raw call is one of `client.access`: its path is the caller's, and options that are not the client's own go to fetch.
 */
function buildRequest(base, clientFetchOptions, method, path, options, { query, body, isRaw = false } = {}) {
  check(isObject(options), "options", "an object");
  const { signal, timeout = DEFAULT_TIMEOUT, authentication, fetchOptions: callFetchOptions = {}, ...otherOptions } = options;
  check(isObject(callFetchOptions), "fetchOptions", "an object with options of fetch");
  check(!signal || typeof signal.addEventListener === "function", "signal", "an AbortSignal");
  check(typeof timeout === "number" && timeout > 0, "timeout", "milliseconds, more than 0");
  check(nonEmptyString(method), "method", "a string");
  const own = isRaw ? otherOptions : { body: body === undefined ? undefined : JSON.stringify(body) };
  const given = { ...clientFetchOptions, ...callFetchOptions, body: undefined, ...own };
  const fetchOptions = given.next === undefined && given.cache === undefined ? { ...given, ...uncached() } : given;
  const headers = makeHeaders(fetchOptions.headers);
  // The only credential that is sent is the client's own, in `authorization`. It is set at each try.
  headers.delete("apikey");
  if (body !== undefined) headers.set("content-type", "application/json");
  if (authentication !== undefined) {
    check(isVisibleAscii(authentication?.connectionId), "authentication.connectionId", "a handle or an id");
    headers.set("x-connection-id", authentication.connectionId);
  }
  const url = base + (isRaw ? checkAccessPath(path) : buildPath(path) + buildQuery(query));
  const isOneShot = isStream(fetchOptions.body);
  // Redirects are not followed, because the credential could go to another host.
  const init = { ...fetchOptions, ...(isOneShot && { duplex: "half" }), method: method.toUpperCase(), headers, redirect: "manual" };
  // Throws if the platform would refuse to send this. Otherwise fetch would throw later, and that looks like a network error.
  if (typeof Request === "function") new Request(url, isOneShot ? { ...init, body: undefined } : init);
  return { url, init, isRaw, isOneShot, signal, timeout };
}

/**
 * Next.js 13 and 14 keep answers for ever, unless a request says `no-store` or has Next.js's own options. Some platforms refuse the
 * option, and React Native adds a parameter to the URL for it. They have no Request that takes it.
 */
function uncached() {
  try {
    return new Request("http://localhost", { cache: "no-store" }).cache === "no-store" ? { cache: "no-store" } : {};
  } catch {
    return {};
  }
}

/** The platform's own error repeats the wrong value, which may be a secret. This error does not. */
function makeHeaders(given) {
  try {
    return new Headers(given);
  } catch (error) {
    if (error instanceof ReferenceError) throw error;
    throw new TypeError("headers must be names and values that a header can have");
  }
}

/** Builds a path from a string, or from the part before an id, the id, and the part after it. */
function buildPath(path) {
  if (typeof path === "string") return path;
  const [before, id, after] = path;
  check(nonEmptyString(id) && !/^\.\.?$/.test(id), "connectionId", "a handle or an id");
  return before + encodeURIComponent(id) + after;
}

/** Refuses a path that a URL would change: one outside of /v2/access/, with dot segments, or with characters that are dropped. */
function checkAccessPath(path) {
  const isAccess = typeof path === "string" && /^\/v2\/access\/[^\s\\#]+$/.test(path);
  const [pathname] = String(path).split("?");
  const hasDotSegment = /\/(\.|%2e){1,2}(\/|$)/i.test(pathname);
  check(isAccess && !hasDotSegment, "path", "a path that begins with /v2/access/, percent-encoded");
  return path;
}

function buildQuery(query = {}) {
  check(isObject(query), "filter", "an object");
  const search = [];
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    const isExact = typeof value === "string" || Number.isSafeInteger(value);
    check(isExact, key, "a string or a whole number; from 2 ** 53 on, a string");
    // React Native's URLSearchParams cannot be changed.
    search.push([key, String(value)].map((text) => encodeURIComponent(toWellFormed(text)).replaceAll("%20", "+")).join("="));
  }
  return search.length > 0 ? `?${search.join("&")}` : "";
}

/** Replaces halves of surrogate pairs, which no URL can have. */
function toWellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** A page learns from the platform only that a call failed. The reason may be that the gateway does not allow the page's origin. */
function hintOfOrigin(url) {
  const origin = typeof document === "undefined" ? undefined : globalThis.location?.origin;
  if (origin === undefined || url.startsWith(`${origin}/`)) return "";
  return `. If the gateway runs, does its ALLOWED_ORIGINS contain ${origin}?`;
}

/** A fault that is neither the caller's nor the gateway's, such as a function that the platform does not have. */
function unexpected(error) {
  return failure("network_error", "UNEXPECTED", `the client failed: ${messageOf(error)}`, { action: "operator" });
}

function isStream(body) {
  return isObject(body) && (typeof body.getReader === "function" || typeof body[Symbol.asyncIterator] === "function");
}

/** Returns a message for anything that was thrown. */
function messageOf(error) {
  try {
    return String(error.message || error.code || error);
  } catch {
    return "unknown";
  }
}
