// Link in a window of its own, and how Link has ended: the query that the gateway gives to the page after Link.

/** The name that Link's window keeps while it goes from page to page. It tells a page that it is in that window. */
const NAME = "ofauth-connect";
const STATUSES = ["success", "pending", "cancelled", "error", "unknown"];

/** Opens an empty window. Returns null if the browser blocks it: it allows a window only while it handles a press. */
export function openWindow() {
  return open("", NAME, "popup,width=480,height=720");
}

/** In Link's window, tells the page that has opened it how Link has ended. That page then closes the window. */
export function reportEnd() {
  if (globalThis.name === NAME) globalThis.opener?.postMessage(location.search, location.origin);
}

/**
 * Returns what a query says of how Link has ended, or undefined for any other query. It also names a connection, which is left out:
 * anybody can write a query.
 */
export function readEnd(query) {
  const { status, step, error_code } = Object.fromEntries(new URLSearchParams(`${query}`));
  return STATUSES.includes(status) ? { status, step, error_code } : undefined;
}
