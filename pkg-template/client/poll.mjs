// Yields connections, and each one again when it changes. The list is read again and again and compared with the last one.

import { startCancellation } from "./cancellation.mjs";
import { iterate } from "./iterate.mjs";
import { failure } from "./response.mjs";

/** Milliseconds between two reads of the list. */
const DEFAULT_INTERVAL = 5_000;
const MIN_INTERVAL = 1_000;

/**
 * Yields a Result for each connection, then one for each connection that has changed. If a read fails but may succeed later,
 * nothing is yielded for it. A Result with any other error is the last.
 * @param listPage  reads one page
 */
export async function* poll(listPage, filter, { signal, interval = DEFAULT_INTERVAL }) {
  if (!(typeof interval === "number" && interval >= MIN_INTERVAL)) {
    return void (yield failure("bad_request", "INVALID_ARGUMENT", "interval: pass milliseconds, at least 1000"));
  }
  const known = new Map();
  for (;;) {
    let pause = interval;
    for await (const result of iterate(listPage, filter)) {
      const { data, error } = result;
      if (error) {
        pause = Math.max(interval, error.retryAfter * 1_000 || 0);
        // The next read gets a new token.
        if (["retry", "refresh_token"].includes(error.action)) break;
        return void (yield result);
      }
      const json = JSON.stringify(data);
      if (known.get(data?.handle) === json) continue;
      known.set(data?.handle, json);
      yield result;
    }
    const cancellation = startCancellation(signal, Infinity);
    try {
      await cancellation.sleep(pause);
    } catch {
      return void (yield failure("aborted", "ABORTED", "the call was aborted"));
    } finally {
      cancellation.dispose();
    }
  }
}
