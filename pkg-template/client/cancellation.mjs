// Stops a call when its time is up or when the caller aborts it. It uses only the oldest parts of AbortController: React Native and
// jsdom have no `reason` and no `throwIfAborted`.

/** Milliseconds. A platform fires a longer timer at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Starts the time of a call. The call waits for each of its promises with `race`.
 * @param signal   the caller's AbortSignal, if there is one
 * @param timeout  milliseconds; Infinity for no limit
 */
export function startCancellation(signal, timeout) {
  const controller = new AbortController();
  const { signal: stopSignal } = controller;
  const end = performance.now() + timeout;
  let stopReason;
  const stopFor = (reason) => {
    stopReason ??= reason;
    controller.abort();
  };
  const timer = timeout <= LONGEST_TIMER ? setTimeout(() => stopFor("timeout"), timeout) : undefined;
  const stop = () => stopFor(signal.reason?.name === "TimeoutError" ? "timeout" : "aborted");
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);

  /** Waits for `promise`, and rejects as soon as the call must stop. */
  const race = (promise) =>
    new Promise((resolve, reject) => {
      const rejectStopped = () => reject(new Error(stopReason));
      promise.then(resolve, reject).finally(() => stopSignal.removeEventListener("abort", rejectStopped));
      stopSignal.addEventListener("abort", rejectStopped);
      if (stopSignal.aborted) rejectStopped();
    });

  return {
    /** An AbortSignal that is aborted as soon as the call must stop. */
    signal: stopSignal,
    race,
    /** Returns the milliseconds that are left. */
    remaining: () => end - performance.now(),
    async sleep(ms) {
      let pause;
      try {
        await race(new Promise((resolve) => (pause = setTimeout(resolve, Math.min(ms, LONGEST_TIMER)))));
      } finally {
        clearTimeout(pause);
      }
    },
    /** Returns why the call must stop, `timeout` or `aborted`, and undefined while it may continue. */
    stopReason: () => stopReason,
    /** Releases the timer and the listener when the call has ended. */
    dispose() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    },
  };
}
