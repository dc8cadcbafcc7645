// The bodies OFAuth sends, one builder per documented event. A builder called with no fields gives a complete, plausible
// event; a field given replaces the default; a field given as `undefined` is left out of the JSON, which is how an event
// without a clientReferenceId is made (`null` stays null).

import { accountOf } from "./account.mjs";

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
 * The same event in the SDK's envelope, `{eventType, live, data}`: no timestamp, and other names for the user's id.
 * @param {string} type
 * @param {Omit<ConnectionFields, "timestamp"> & {live?: boolean, platformUserId?: string | number}} [fields]
 */
export function sdkEvent(type, fields = {}) {
  const { id, clientReferenceId, timestamp: _none, live = true, ...rest } = withDefaults(fields);
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

/** What each kind of realtime event carries in `data.json`, smallest example of each documented schema. */
export const REALTIME_JSON = Object.freeze({
  typing: { typing: { id: 562630475 } },
  stories: { stories: [] },
  chatMessage: {
    api2_chat_message: {
      id: 9372017685098,
      queueId: 39092614938,
      responseType: "message",
      text: "<p>hello</p>",
      price: 0,
      isFree: true,
      isTip: false,
      isNew: true,
      isOpened: false,
      isFromQueue: false,
      isMediaReady: true,
      mediaCount: 0,
      createdAt: "2026-04-23T14:30:14+00:00",
      changedAt: "2026-04-23T14:30:14+00:00",
      cancelSeconds: 120,
      fromUser: { id: 562630475, name: "Jane Doe", username: "janedoe", isVerified: false },
      media: [],
      previews: [],
    },
  },
  inboxCounts: { chat_messages: 25, count_priority_chat: 25, unread_tips: 0 },
  systemMessages: { hasSystemNotifications: false, messages: 1 },
  systemNewMessage: { hasSystemNotifications: true, new_message: {} },
  chatMessageLike: { chat_message_like: "9375049127457" },
  chatMessageUnlike: { chat_message_unlike: {} },
  toasts: { toasts: [] },
  postFundraisingUpdated: { post_fundraising_updated: {} },
  postPublished: { post_published: {} },
});

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
