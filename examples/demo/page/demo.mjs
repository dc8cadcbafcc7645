import { createClient } from "/ofauth-edge/client.js"; // with a bundler: "ofauth-edge/client"
import { gatewayUrl } from "/config.mjs";
import { openLink, reportLinkEnd } from "/link.mjs";

const client = createClient({ baseUrl: gatewayUrl, token: fetchToken });
const byId = (id) => document.getElementById(id);
const say = (sentence) => (byId("message").textContent = sentence);
const sayError = (error) => error && say(error.message);

reportLinkEnd(say);
byId("link").onclick = async () => sayError(await openLink(client, null));

// Yields each connection, and then again after each change: linked, expired, reconnected, deleted.
for await (const { data: connection, error } of client.link.connections.live({}, { interval: 1000 })) {
  if (error) sayError(error);
  else show(connection);
}

async function fetchToken() {
  const response = await fetch("/session", { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

function show({ handle, status, metadata }) {
  const card = byId(handle) ?? addCard(handle);
  const name = metadata.displayName ?? "An account";
  if (card.dataset.status !== status) say(`${name}: ${status}`);
  if (status === "disconnected") return removeCard(card);
  const isActive = status === "active";
  const focused = card.querySelector("button:focus");
  card.dataset.status = status;
  card.querySelector("h2").textContent = name;
  card.querySelector(".status").textContent = status;
  card.querySelector(".refresh").hidden = !isActive;
  card.querySelector(".relink").hidden = isActive;
  // A hidden button would lose the focus.
  if (focused?.hidden) card.querySelector("button:not([hidden])").focus();
  if (isActive) showProfile(card);
  else card.querySelector(".profile").textContent = "Reconnect this account to use it again.";
}

async function showProfile(card) {
  // If the account must be linked again, `live` also reports it.
  const { data, error } = await client.self.getMe({ authentication: { connectionId: card.id } });
  card.querySelector(".profile").textContent = error ? error.message : `@${data.username}, ${data.subscribersCount} subscribers`;
}

function addCard(handle) {
  byId("connections").append(byId("card").content.cloneNode(true));
  const card = byId("connections").lastElementChild;
  card.id = handle;
  card.querySelector("code").textContent = handle;
  card.querySelector(".refresh").onclick = () => showProfile(card);
  card.querySelector(".relink").onclick = async () => sayError(await openLink(client, handle));
  card.querySelector(".delete").onclick = async () => sayError((await client.link.connections.delete(handle)).error);
  return card;
}

function removeCard(card) {
  if (card.contains(document.activeElement)) byId("link").focus();
  card.remove();
}
