// The statuses of connections: how each looks, and what it means.

import { element } from "./dom.mjs";

const LOOKS = {
  active: ["good", "Calls work."],
  expired: ["bad", "The session at OnlyFans has ended. The user must link the account again."],
  missing: ["bad", "OFAuth does not know the connection any more. The user must link the account again."],
  failed: ["bad", "Linking has failed. The user must link the account again."],
  revoked: ["bad", "The user must link the account again."],
  disconnected: ["off", "The connection was deleted. This is final."],
  pending: ["unknown", "The user has not finished linking."],
  awaiting_2fa: ["unknown", "The user has not finished linking: OnlyFans waits for a code."],
  error: ["bad", "OFAuth has a problem with the connection, which may pass."],
  unknown: ["unknown", "No event has told the status yet."],
};

/** What the filter of the list offers: its value, its name and the statuses that it means. */
export const FILTERS = [
  ["", "All"],
  ["relink", "Must link again", ["expired", "missing", "failed", "revoked"]],
  ["active", "Active", ["active"]],
  ["waiting", "Linking", ["pending", "awaiting_2fa"]],
  ["trouble", "Error or unknown", ["error", "unknown"]],
  ["disconnected", "Disconnected", ["disconnected"]],
];

/** Whether a connection belongs to a filter. A filter that is not in the list is a status itself. */
export function isInFilter({ status }, filter) {
  const statuses = FILTERS.find(([value]) => value === filter)?.[2] ?? [filter];
  return !filter || statuses.includes(status);
}

export function statusBadge(status) {
  const [look] = Object.hasOwn(LOOKS, status) ? LOOKS[status] : ["unknown"];
  return element("span", { class: `badge ${look}` }, status.replaceAll("_", " "));
}

export function meaningOf(status) {
  return Object.hasOwn(LOOKS, status) ? LOOKS[status][1] : "A status of OFAuth's that the console does not know.";
}

/** How a connection is called: by its name, else by its user. */
export function nameOf({ metadata, userData, clientReferenceId }) {
  return metadata?.displayName || metadata?.username || userData?.name || clientReferenceId || "An account without a name";
}
