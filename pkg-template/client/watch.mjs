// How long a call may take, and who may end it: everything a call waits for, it waits for through its watch.

const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * @param signal   the caller's, if any
 * @param timeout  milliseconds; Infinity for none
 */
export function startWatch(signal, timeout) {
  const controller = new AbortController();
  const own = controller.signal;
  const end = performance.now() + timeout;
  const timer = timeout <= LONGEST_TIMER ? setTimeout(() => controller.abort("timeout"), timeout) : undefined;
  const stop = () => controller.abort(signal.reason?.name === "TimeoutError" ? "timeout" : "aborted");
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);

  /** What `promise` comes to, unless the watch stops the call first: then it rejects. */
  const during = (promise) =>
    new Promise((resolve, reject) => {
      const stopped = () => reject(own.reason);
      promise.then(resolve, reject).finally(() => own.removeEventListener("abort", stopped));
      own.addEventListener("abort", stopped);
      if (own.aborted) stopped();
    });

  return {
    /** Is aborted as soon as the call is to stop. */
    signal: own,
    during,
    /** Milliseconds that are left. */
    left: () => end - performance.now(),
    async sleep(ms) {
      let pause;
      try {
        await during(new Promise((resolve) => (pause = setTimeout(resolve, ms))));
      } finally {
        clearTimeout(pause);
      }
    },
    /** Why the call was stopped, if it was: `timeout` or `aborted`. */
    stopped: () => (own.aborted ? own.reason : undefined),
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    },
  };
}
