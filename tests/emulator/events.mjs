// The bodies OFAuth sends, one builder per documented event. A builder called with no fields gives a complete, plausible
// event; a field given replaces the default; a field given as `undefined` is left out of the JSON, which is how an event
// without a clientReferenceId is made (`null` stays null).

import { REALTIME_JSON } from "../../pkg-template/cli/samples.mjs";
import { accountOf } from "./account.mjs";

export { REALTIME_JSON };

/** The connection events OFAuth documents, in the order of a connection's life. */
export const CONNECTION_EVENTS = Object.freeze([
  "connection.created",
  "connection.updated",
  "connection.expired",
  "connection.disconnected",
]);

/**
 * @typedef {object} ConnectionFields
 * @property {string} [id]                         the connection's id, `conn_…`
 * @property {string | null} [clientReferenceId]   the integrator's own user id
 * @property {string} [status]                     by default the one the type implies
 * @property {string[]} [permissions]              expired and disconnected carry none unless given
 * @property {object} [userData]                   likewise
 * @property {string} [timestamp]                  ISO 8601, by default now
 */

/**
 * A connection event in the current envelope, `{type, timestamp, data}`.
 * @param {string} type   one of {@link CONNECTION_EVENTS}, or one to come
 * @param {ConnectionFields} [fields]
 */
export function connectionEvent(type, fields = {}) {
  const { id, clientReferenceId, timestamp, ...rest } = withDefaults(fields);
  const { id: userId, ...person } = accountOf(id);
  const known = carriesUser(type) ? { permissions: PERMISSIONS, userData: { id: String(userId), ...person } } : {};
  return {
    type,
    timestamp,
    data: { clientReferenceId, connection: { id, status: STATUS[type] ?? "active", ...known, ...rest } },
  };
}

/**
 * The same event in the SDK's envelope, `{eventType, live, data}`: no timestamp, and other names for the user's id. It is of the
 * sandbox, as the emulator's API key usually is.
 * @param {string} type
 * @param {Omit<ConnectionFields, "timestamp"> & {live?: boolean, platformUserId?: string | number}} [fields]
 */
export function sdkEvent(type, fields = {}) {
  const { id, clientReferenceId, timestamp: _none, live = false, ...rest } = withDefaults(fields);
  const { id: userId, ...person } = accountOf(id);
  const known = carriesUser(type) ? { permissions: PERMISSIONS, userData: { userId: String(userId), ...person } } : {};
  return {
    eventType: type,
    live,
    data: {
      clientReferenceId,
      connection: { id, platformUserId: String(userId), status: STATUS[type] ?? "active", ...known, ...rest },
    },
  };
}

/**
 * The event OFAuth would send about a connection as it stands.
 * @param {string} type
 * @param {import("./connections.mjs").Connection} connection
 * @param {"current" | "sdk"} [envelope]
 */
export function eventAbout(type, { id, clientReferenceId, status, permissions, userData }, envelope = "current") {
  const named = { id, clientReferenceId };
  const fields = carriesUser(type) ? { ...named, status, permissions, userData } : named;
  if (envelope === "current") return connectionEvent(type, fields);
  const { id: userId, ...person } = userData;
  const sdkFields = carriesUser(type) ? { ...fields, userData: { userId, ...person } } : named;
  return sdkEvent(type, { ...sdkFields, platformUserId: userId });
}

/**
 * A realtime event: what OnlyFans's own socket said, wrapped.
 * @param {keyof typeof REALTIME_JSON} [kind]
 * @param {{id?: string, clientReferenceId?: string | null, environment?: "live" | "test" | "sandbox", json?: object,
 *   receivedAt?: string, timestamp?: string, truncated?: boolean, type?: string}} [fields]
 *   `receivedAt` has nanoseconds, as the platform writes it; `type` is for the `realtime.*` family
 */
export function realtimeEvent(kind = "typing", fields = {}) {
  if (!Object.hasOwn(REALTIME_JSON, kind)) throw new TypeError(`kind: one of ${Object.keys(REALTIME_JSON).join(", ")}`);
  const { id, clientReferenceId, timestamp, type = "of.websocket.event.received", ...rest } = withDefaults(fields);
  const { environment = "live", truncated = false, json = REALTIME_JSON[kind] } = rest;
  const { receivedAt = now().replace("Z", "435299Z") } = rest;
  return {
    type,
    timestamp,
    data: {
      connection: { id, clientReferenceId },
      environment,
      receivedAt,
      messageType: "text",
      truncated,
      json,
      rawText: JSON.stringify(json),
    },
  };
}

/**
 * Dynamic Rules changed. OFAuth documents the type but no payload: `revision` is our reading of its guide.
 * @param {{type?: string, revision?: string, timestamp?: string}} [fields]   `rules.update` is the type's older name
 */
export function rulesEvent(fields = {}) {
  const { type, revision, timestamp } = { type: "rules.updated", revision: "rev-1", timestamp: now(), ...fields };
  return { type, timestamp, data: { revision } };
}

const PERMISSIONS = Object.freeze(["profile:read", "posts:read"]);

const STATUS = Object.freeze({ "connection.expired": "expired", "connection.disconnected": "disconnected" });

function carriesUser(type) {
  return !Object.hasOwn(STATUS, type);
}

// A spread, not default parameters: only so does an explicit `undefined` mean "leave it out".
function withDefaults(fields) {
  return { id: "conn_abc123", clientReferenceId: "user_456", timestamp: now(), ...fields };
}

function now() {
  return new Date().toISOString();
}
