// How often `listen` polls. Each poll of a deployed gateway costs operations of Workers KV, of which the free plan has few.

// The time between two polls, in ms.
const LOCAL = 1_000;
const BUSY = 5_000;
const QUIET = 60_000;
// So many ms after the last event it is quiet.
const QUIET_AFTER = 120_000;
// A list of many connections is read in many calls. They should take only a part of the time.
const PER_CALL = 1_000;

/**
 * @param {{isLocal: boolean, fixed?: number, clock?: () => number}} options   fixed: ms between polls
 */
export function createPace({ isLocal, fixed, clock = Date.now }) {
  let lastEvent = clock();
  return {
    /**
     * The time until the next poll, in ms.
     * @param {{events: unknown[], calls: number}} polled   by the last one
     */
    next({ events, calls }) {
      if (fixed !== undefined) return fixed;
      if (isLocal) return LOCAL;
      if (events.length > 0) lastEvent = clock();
      const isQuiet = clock() - lastEvent > QUIET_AFTER;
      return Math.max(isQuiet ? QUIET : BUSY, calls * PER_CALL);
    },
  };
}
