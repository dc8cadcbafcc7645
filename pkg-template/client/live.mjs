// Yields connections, and each one again when it changes. The gateway names the connections that have changed on a WebSocket, and
// they are read one by one. While there is no WebSocket, the list is read again and again and compared with the last one.

import { makeAgenda } from "./agenda.mjs";
import { check } from "./check.mjs";
import { iterate } from "./iterate.mjs";
import { failure } from "./response.mjs";
import { keepSocket } from "./socket.mjs";

/** Milliseconds between two reads of the list while there is no WebSocket. */
const DEFAULT_INTERVAL = 5_000;
const MIN_INTERVAL = 1_000;
/** The gateway closes with this code when the user was deleted. */
const USER_DELETED = 4403;

/**
 * Yields a Result for each connection, then one for each connection that has changed. If a read fails but may succeed later,
 * nothing is yielded for it. A Result with any other error is the last.
 * @param apiKey  the gateway key, if the client has one: the gateway opens no WebSocket for it
 */
export function live(...args) {
  const stopping = globalThis.AbortController && new AbortController();
  const results = follow(stopping, ...args);
  const end = results.return;
  // A generator's own `return` waits until it yields again, which may be never.
  results.return = (value) => {
    stopping?.abort();
    return end.call(results, value);
  };
  return results;
}

async function* follow(stopping, apiKey, filter, options, gateway, call) {
  const { signal, interval = DEFAULT_INTERVAL } = options;
  try {
    check(typeof interval === "number" && interval >= MIN_INTERVAL, "interval", "milliseconds, at least 1000");
    check(!signal || typeof signal.addEventListener === "function", "signal", "an AbortSignal");
  } catch ({ message }) {
    return void (yield failure("bad_request", "INVALID_ARGUMENT", message));
  }
  // A call without AbortController fails and says so.
  if (!stopping) return void (yield await call("GET", "/edge/connections", options));
  const stopSignal = stopping.signal;
  const hasSocket = !apiKey && typeof WebSocket === "function";
  const agenda = makeAgenda(interval, hasSocket, stopSignal);
  let last;
  const stop = (result) => {
    if (!stopSignal.aborted) last = result;
    stopping.abort();
  };
  const abort = () => stop(failure("aborted", "ABORTED", "the call was aborted"));
  const onClose = (code) => {
    if (code === USER_DELETED) stop(failure("forbidden", "USER_DELETED", "the user was deleted"));
    agenda.noteClosed();
  };
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    else if (hasSocket) keepSocket(gateway, stopSignal, agenda.noteOpen, agenda.noteFrame, onClose);
    const read = makeReader(call, filter, { ...options, signal: stopSignal }, agenda, stop);
    for (;;) {
      const handle = await agenda.next();
      if (stopSignal.aborted) break;
      yield* read(handle);
    }
    if (last) yield last;
  } finally {
    signal?.removeEventListener("abort", abort);
    stopping.abort();
  }
}

/** Makes the function that reads the list or, if a handle is given, one connection. It yields what has not been yielded yet. */
function makeReader(call, filter, options, agenda, stop) {
  /** What was yielded last of each connection, as JSON, by handle. */
  const known = new Map();
  const isNews = (data) => {
    const json = JSON.stringify(data);
    const isNew = known.get(data?.handle) !== json;
    known.set(data?.handle, json);
    return isNew;
  };
  // A filter may also have members that are not in the record, such as `limit`.
  const isSelected = (data) =>
    Object.entries({ ...filter }).every(([key, value]) => value === undefined || !(key in data) || textOf(key, value) === textOf(key, data[key]));

  async function* readList() {
    const missing = new Set(known.keys());
    for await (const result of iterate((query) => call("GET", "/edge/connections", options, { query }), filter)) {
      if (options.signal.aborted) return;
      const { data, error } = result;
      if (error) return fail(result);
      missing.delete(data?.handle);
      if (isNews(data)) yield result;
    }
    agenda.noteListed(missing);
  }

  async function* readOne(handle) {
    const result = await call("GET", ["/edge/connections/", handle, ""], options);
    const { error } = result;
    const isGone = error?.type === "not_found";
    if (error && !isGone) return fail(result, handle);
    // The record of a connection that is no longer the user's cannot be read.
    const data = isGone ? known.has(handle) && { ...JSON.parse(known.get(handle)), status: "disconnected" } : result.data;
    if (data && isSelected(data) && isNews(data)) yield { data, error: undefined };
    if (isGone || !isSelected(data)) known.delete(handle);
  }

  function fail(result, handle) {
    const { action, retryAfter } = result.error;
    // The next read gets a new token.
    if (["retry", "refresh_token"].includes(action)) agenda.noteFailed(handle, retryAfter * 1_000 || 0);
    else stop(result);
  }

  return (handle) => (handle === undefined ? readList() : readOne(handle));
}

/** The text by which the gateway compares a value. It ignores the case of a status. */
function textOf(key, value) {
  return key === "status" ? `${value}`.toLowerCase() : `${value}`;
}
