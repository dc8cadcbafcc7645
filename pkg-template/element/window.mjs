// Link in a window of its own, and how Link has ended: the query that the gateway gives to the page after Link.

/** The name that Link's window keeps while it goes from page to page. It tells a page that it is in that window. */
const NAME = "ofauth-connect";
const STATUSES = ["success", "pending", "cancelled", "error", "unknown"];

/** How long Link's window waits for the page that has opened it to close it, in milliseconds. */
const CLOSING_TIME = 1_000;

/** Opens an empty window. Returns null if the browser blocks it: it allows a window only while it handles a press. */
export function openWindow() {
  const popup = open("", NAME, "popup,width=480,height=720");
  // It may be one of an earlier press, behind other windows: the page may have been loaded anew since.
  popup?.focus();
  return popup;
}

/**
 * In Link's window, tells the page that has opened it how Link has ended. That page then closes the window. If it was loaded anew
 * since, it does not know the window, and the window closes itself. If it is gone, the window stays.
 */
export function reportEnd() {
  if (globalThis.name !== NAME || !readEnd(location.search)) return;
  globalThis.opener?.postMessage(location.search, origin);
  setTimeout(() => {
    try {
      if (globalThis.opener.origin === origin) close();
    } catch {
      // There is no such page, or one of another site.
    }
  }, CLOSING_TIME);
}

/**
 * Returns what a query says of how Link has ended, or undefined for any other query. It also names a connection, which is left out:
 * anybody can write a query.
 */
export function readEnd(query) {
  const { status, step, error_code } = Object.fromEntries(new URLSearchParams(`${query}`));
  return STATUSES.includes(status) ? { status, step, error_code } : undefined;
}
