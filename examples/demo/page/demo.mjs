// The page of the demo app: a button that links an account, and a card for each account of the user, which changes by itself.

import { createClient } from "/ofauth-edge/client.js"; // with a bundler: "ofauth-edge/client"
import "/ofauth-edge/element.js"; // with a bundler: "ofauth-edge/element"
import { gatewayUrl } from "/config.mjs";

const client = createClient({ baseUrl: gatewayUrl, token: fetchToken });
const byId = (id) => document.getElementById(id);
const say = (sentence) => (byId("message").textContent = sentence);

// The element links an account, and links it again when it has expired. It reads and follows the connections with this client.
const connect = document.querySelector("ofauth-connect");
connect.client = client;
connect.addEventListener("connect", () => say(""));
connect.addEventListener("error", ({ detail }) => say(detail.message));

// How Link has ended. Anyone can open this page with any query, so the query only serves for a sentence. The same holds for the
// connection id that OFAuth's embed passes to onSuccess. The gateway knows which account is linked: the page hears it as follows.
connect.addEventListener("linkend", ({ detail }) => say(describeEnd(detail)));

// Each connection, and then again after each change: linked, expired, reconnected, deleted.
connect.addEventListener("connection", ({ detail }) => show(detail));

async function fetchToken() {
  const response = await fetch("/session", { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

function describeEnd({ status, error_code, step }) {
  const reason = error_code ?? step;
  const end = reason ? ` (${reason}).` : ".";
  if (status === "cancelled") return `Linking was cancelled${end}`;
  if (status === "error") return `Linking failed${end}`;
  return status === "pending" ? "OFAuth is linking the account." : "";
}

function show({ handle, status, metadata }) {
  const card = byId(handle) ?? addCard(handle);
  if (status === "disconnected") return removeCard(card);
  card.dataset.status = status;
  card.querySelector("h2").textContent = metadata.displayName ?? "An account";
  card.querySelector(".status").textContent = status;
  const isWaiting = status === "pending" || status === "awaiting_2fa";
  const relink = card.querySelector(".relink");
  const isRelinked = status === "active" || isWaiting;
  if (isRelinked && document.activeElement === relink) card.querySelector(".refresh").focus();
  relink.hidden = isRelinked;
  if (status === "active") showProfile(card);
  else card.querySelector(".profile").textContent = isWaiting ? "Linking is not finished." : "This account must be linked again.";
}

async function showProfile(card) {
  say("");
  // If the account must be linked again, the element also hears it, and offers it.
  const { data, error } = await client.self.getMe({ authentication: { connectionId: card.id } });
  if (card.dataset.status !== "active") return;
  card.querySelector(".profile").textContent = error ? error.message : `@${data.username}, ${data.subscribersCount} subscribers`;
}

function addCard(handle) {
  byId("connections").append(byId("card").content.cloneNode(true));
  const card = byId("connections").lastElementChild;
  card.id = handle;
  card.querySelector("code").textContent = handle;
  // Whoever hears the buttons hears which account they are for.
  card.querySelector("h2").id = `name-${handle}`;
  for (const button of card.querySelectorAll("button")) button.setAttribute("aria-describedby", `name-${handle}`);
  // The element shows one account. It links any other one again, too.
  card.querySelector(".relink").onclick = () => connect.startLink(handle);
  card.querySelector(".refresh").onclick = () => showProfile(card);
  card.querySelector(".delete").onclick = async () => say((await client.link.connections.delete(handle)).error?.message ?? "");
  return card;
}

function removeCard(card) {
  if (card.contains(document.activeElement)) connect.focus();
  card.remove();
}
