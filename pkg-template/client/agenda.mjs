// Decides when `live` reads the list, and when it reads one connection.

import { LONGEST_TIMER } from "./cancellation.mjs";

/** How many milliseconds the first read of the list waits for the WebSocket, so that the list is not read twice. */
const FIRST_WAIT = 2_000;
/** The pause after a read that has failed, in milliseconds, unless `interval` is shorter. */
const PAUSE_AFTER_FAILURE = 5_000;
/** How many milliseconds a read of one connection waits, so that several changes of it cost one read. */
const GATHER_TIME = 50;

/**
 * @param interval   milliseconds between two reads of the list while no WebSocket is open
 * @param hasSocket  whether a WebSocket is being opened
 * @param signal     ends every wait
 */
export function makeAgenda(interval, hasSocket, signal) {
  /** Handles of the connections to read. */
  const changed = new Set();
  /** When to read the list: 0 as soon as possible, Infinity only after a further event. */
  let nextList = hasSocket ? performance.now() + FIRST_WAIT : 0;
  let notBefore = 0;
  let hasBegun = false;
  let isOpen = false;
  let wake = () => {};

  const sleep = async (ms) => {
    let timer;
    await new Promise((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER));
    });
    clearTimeout(timer);
  };

  signal.addEventListener("abort", () => wake());
  return {
    /** Waits for the next read. Returns the handle of a connection, or undefined for the list or if `signal` is aborted. */
    async next() {
      while (!signal.aborted) {
        const now = performance.now();
        if (now >= notBefore && nextList <= now) {
          hasBegun = true;
          nextList = Infinity;
          changed.clear();
          return undefined;
        }
        if (now >= notBefore && hasBegun && changed.size > 0) {
          const [handle] = changed;
          changed.delete(handle);
          return handle;
        }
        await sleep((now < notBefore ? notBefore : nextList) - now);
      }
    },
    noteOpen() {
      isOpen = true;
      if (hasBegun && nextList > 0) nextList = Infinity;
    },
    noteFrame({ resync, handle }) {
      if (resync) {
        nextList = 0;
      } else if (handle) {
        if (changed.size === 0) notBefore = Math.max(notBefore, performance.now() + GATHER_TIME);
        changed.add(handle);
      }
      wake();
    },
    noteClosed() {
      isOpen = false;
      nextList = hasBegun ? Math.min(nextList, performance.now() + interval) : 0;
      wake();
    },
    /** The list was read. It lacked the connections `missing`, which had been yielded before. */
    noteListed(missing) {
      for (const handle of missing) changed.add(handle);
      if (!isOpen) nextList = Math.min(nextList, performance.now() + interval);
    },
    /** A read has failed and is to be repeated. */
    noteFailed(handle, pause) {
      if (handle === undefined) nextList = 0;
      else changed.add(handle);
      notBefore = performance.now() + Math.max(pause, Math.min(interval, PAUSE_AFTER_FAILURE));
    },
  };
}
