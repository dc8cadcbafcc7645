// Keeps a view fresh: loads it again every so often, while it is open and its tab can be seen.

/**
 * @param {() => Promise<void>} load   a failure is left to the next time
 * @param {{every: number, signal: AbortSignal}} options   every: in ms; signal: ends it
 */
export function keepFresh(load, { every, signal }) {
  let last = Date.now();
  const tick = () => {
    if (document.hidden || Date.now() - last < every) return;
    last = Date.now();
    load().catch(() => {});
  };
  const timer = setInterval(tick, Math.min(every, 1_000));
  document.addEventListener("visibilitychange", tick, { signal });
  signal.addEventListener("abort", () => clearInterval(timer));
}
