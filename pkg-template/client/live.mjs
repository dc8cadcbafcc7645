// Connections as they are, and again whenever they change. The gateway sends nothing by itself yet: its list is read again
// and again, and what differs from before is told.

import { failure } from "./answer.mjs";
import { iterate } from "./iterate.mjs";
import { startWatch } from "./watch.mjs";

/** Milliseconds between two looks unless the caller says otherwise, and the fewest that are taken. */
const INTERVAL = 5_000;
const SHORTEST = 1_000;

/**
 * Yields a Result for each connection, then one for each that has changed. A look that fails and may succeed later is
 * passed over; any other error is the last.
 * @param listed  reads a page
 */
export async function* live(listed, filter, { signal, interval = INTERVAL } = {}) {
  if (!(typeof interval === "number" && interval >= SHORTEST)) {
    return void (yield failure("bad_request", "INVALID_ARGUMENT", "interval: pass milliseconds, at least 1000"));
  }
  const known = new Map();
  for (;;) {
    for await (const result of iterate(listed, filter)) {
      if (result.error?.action === "retry") break;
      const shape = JSON.stringify(result.data);
      if (!result.error && known.get(result.data?.handle) === shape) continue;
      known.set(result.data?.handle, shape);
      yield result;
      if (result.error) return;
    }
    const watch = startWatch(signal, Infinity);
    try {
      await watch.sleep(interval);
    } catch {
      return void (yield failure("aborted", "ABORTED", "the call was aborted"));
    } finally {
      watch.end();
    }
  }
}
