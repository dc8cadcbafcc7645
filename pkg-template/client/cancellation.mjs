// Stops a call when its time is up or when the caller aborts it.

const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Starts the time of a call. The call waits for each of its promises with `race`.
 * @param signal   the caller's AbortSignal, if there is one
 * @param timeout  milliseconds; Infinity for no limit
 */
export function startCancellation(signal, timeout) {
  const controller = new AbortController();
  const { signal: stopSignal } = controller;
  const end = performance.now() + timeout;
  const timer = timeout <= LONGEST_TIMER ? setTimeout(() => controller.abort("timeout"), timeout) : undefined;
  const stop = () => controller.abort(signal.reason?.name === "TimeoutError" ? "timeout" : "aborted");
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);

  /** Waits for `promise`, and rejects as soon as the call must stop. */
  const race = (promise) =>
    new Promise((resolve, reject) => {
      const rejectStopped = () => reject(stopSignal.reason);
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
        await race(new Promise((resolve) => (pause = setTimeout(resolve, ms))));
      } finally {
        clearTimeout(pause);
      }
    },
    /** Returns why the call must stop, `timeout` or `aborted`, and undefined while it may continue. */
    stopReason: () => (stopSignal.aborted ? stopSignal.reason : undefined),
    /** Releases the timer and the listener when the call has ended. */
    dispose() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    },
  };
}
