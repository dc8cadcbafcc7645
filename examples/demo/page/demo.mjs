import { createClient } from "/ofauth-edge/client.js"; // with a bundler: "ofauth-edge/client"
import { gatewayUrl } from "/config.mjs";

const client = createClient({ baseUrl: gatewayUrl, token: fetchToken });
const byId = (id) => document.getElementById(id);

// Link ends in the window that it began in. That window reports the result to this page and closes.
if (window.opener && location.search) {
  window.opener.postMessage(location.search, location.origin);
  window.close();
}
window.addEventListener("message", ({ origin, data }) => origin === location.origin && reportLink(data));
reportLink(location.search);
byId("link").onclick = () => link(null);

// Yields each connection, and then again after each change: linked, expired, reconnected, deleted.
for await (const { data: connection, error } of client.link.connections.live({}, { interval: 1000 })) {
  if (error) say(error.message);
  else show(connection);
}

async function fetchToken() {
  const response = await fetch("/session", { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

/** Links the account of a handle again, or a new account for null. */
async function link(connectionId) {
  // A browser blocks a window that is opened later than the click. Without a window, Link takes this one.
  const popup = window.open("", "link", "popup,width=480,height=720");
  const { data, error } = await client.link.init({ connectionId, redirectUrl: `${location.origin}/` });
  if (error) popup?.close();
  if (error) return say(error.message);
  (popup ?? window).location = data.url;
}

/** Anyone can open this page with any query, so the query only serves for a message. The same goes for the id that OFAuth's
 * embed passes to onSuccess. Whether an account is linked, and under which handle, comes from the gateway by `live`. */
function reportLink(search) {
  const query = new URLSearchParams(search);
  const code = query.get("error_code") ?? query.get("step");
  const end = { cancelled: "Linking was cancelled", error: "Linking failed", pending: "OFAuth is linking the account" };
  const words = Object.hasOwn(end, query.get("status")) ? end[query.get("status")] : undefined;
  if (words) say(code ? `${words} (${code}).` : `${words}.`);
}

function show({ handle, status, metadata }) {
  const card = byId(handle) ?? addCard(handle);
  const name = metadata.displayName ?? "An account";
  if (card.dataset.status !== status) say(`${name}: ${status}`);
  if (status === "disconnected") return removeCard(card);
  const focused = card.querySelector("button:focus");
  card.dataset.status = status;
  card.querySelector("h2").textContent = name;
  card.querySelector(".status").textContent = status;
  card.querySelector(".refresh").hidden = status !== "active";
  card.querySelector(".relink").hidden = status === "active";
  // The focus would be lost with a button that is hidden.
  if (focused?.hidden) card.querySelector("button:not([hidden])").focus();
  if (status === "active") showProfile(handle, card);
  else card.querySelector(".profile").textContent = "Reconnect this account to use it again.";
}

async function showProfile(handle, card) {
  const { data, error } = await client.self.getMe({ authentication: { connectionId: handle } });
  // If the account must be linked again, `live` also says so.
  card.querySelector(".profile").textContent = error ? error.message : `@${data.username}, ${data.subscribersCount} subscribers`;
}

function addCard(handle) {
  byId("connections").append(byId("card").content.cloneNode(true));
  const card = byId("connections").lastElementChild;
  card.id = handle;
  card.querySelector("code").textContent = handle;
  card.querySelector(".refresh").onclick = () => showProfile(handle, card);
  card.querySelector(".relink").onclick = () => link(handle);
  card.querySelector(".delete").onclick = async () => {
    const { error } = await client.link.connections.delete(handle);
    if (error) say(error.message);
  };
  return card;
}

function removeCard(card) {
  if (card.contains(document.activeElement)) byId("link").focus();
  card.remove();
}

function say(words) {
  byId("message").textContent = words;
}
