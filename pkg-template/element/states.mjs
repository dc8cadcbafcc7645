// What <ofauth-connect> shows: its states, their texts, and which connection it is about.

/** The text of the button and the status line of each state. `{name}` stands for the account's name. */
export const TEXTS = {
  loading: ["Connect OnlyFans", "Loading"],
  disconnected: ["Connect OnlyFans", "Not connected"],
  connecting: ["Connecting", "Waiting for OnlyFans"],
  active: ["Connected", "Connected as {name}"],
  relink: ["Connect again", "The connection of {name} has expired"],
  error: ["Try again", "That did not work"],
};

/** The states of connections, the best last. */
const RANKS = ["disconnected", "relink", "connecting", "active"];
const STATE_OF_STATUS = {
  active: "active",
  pending: "connecting",
  awaiting_2fa: "connecting",
  disconnected: "disconnected",
};

/** Returns the state for a connection, or for none. A status that is not known can be mended only by another Link. */
export function stateOf(connection) {
  return connection ? (STATE_OF_STATUS[connection.status] ?? "relink") : "disconnected";
}

/** Returns the best connection: an active one if there is one, and of several the one with the newest change. */
export function chooseBest(connections) {
  const rank = (connection) => RANKS.indexOf(stateOf(connection));
  const isBetter = (one, other) => rank(one) - rank(other) || (one.updatedAt > other.updatedAt ? 1 : -1);
  return connections.reduce((best, next) => (best && isBetter(best, next) > 0 ? best : next), undefined);
}

export function nameOf({ metadata, handle }) {
  return metadata?.username ?? handle;
}
