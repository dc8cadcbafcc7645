// Link in a window of its own: the page stays, and sees the account appear. A page that may leave needs none of this: it uses
// the element <ofauth-connect> of "ofauth-edge/element", or sets `location` to the url of `link.init`.

/**
 * Opens Link for a new account (null), or again for the account of a handle. Resolves to an error, or to undefined. Call it in
 * the handler of a click: a browser blocks a window that is opened later. Without a window, Link takes this one.
 */
export async function openLink(client, connectionId) {
  const popup = window.open("", "link", "popup,width=480,height=720");
  const { data, error } = await client.link.init({ connectionId, redirectUrl: `${location.origin}/` });
  if (error) popup?.close();
  else (popup ?? window).location = data.url;
  return error;
}

/**
 * Calls `report` with a sentence if Link was cancelled or has failed. Link ends at this page, in the window that it began in.
 *
 * Anyone can open this page with any query, so the query only serves for the sentence. The same holds for the connection id
 * that OFAuth's embed passes to onSuccess. The gateway knows which account is linked: the page learns it by `live`.
 */
export function reportLinkEnd(report) {
  addEventListener("message", ({ origin, data }) => origin === location.origin && reportQuery(data, report));
  reportQuery(location.search, report);
  if (!window.opener || !location.search) return;
  window.opener.postMessage(location.search, location.origin);
  window.close();
}

const SENTENCES = new Map([
  ["cancelled", "Linking was cancelled"],
  ["error", "Linking failed"],
  ["pending", "OFAuth is linking the account"],
]);

function reportQuery(search, report) {
  const query = new URLSearchParams(search);
  const sentence = SENTENCES.get(query.get("status"));
  const reason = query.get("error_code") ?? query.get("step");
  if (sentence) report(reason ? `${sentence} (${reason}).` : `${sentence}.`);
}
