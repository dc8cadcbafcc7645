// Reads a connection event, and the record of a connection that follows from its events.

const EVENTS = ["connection.created", "connection.updated", "connection.expired", "connection.disconnected"];
const STATUS = { "connection.expired": "expired", "connection.disconnected": "disconnected" };
const ID = /^[!-+\--.0-[\]-~]{1,256}$/;
const MAX_TEXT = 4096;

const text = (value) => (typeof value === "string" && value.length <= MAX_TEXT ? value : undefined);
const number = (value) => (typeof value === "number" ? String(value) : text(value));

// What an event asserts about its connection. `undefined`: it is about none, or names none properly.
export function readEvent({ type, timestamp, data }) {
  const connection = data?.connection;
  if (!EVENTS.includes(type) || typeof connection !== "object" || !ID.test(text(connection?.id) ?? "")) return undefined;
  const { id, status, permissions, userData, platformUserId, createdAt, expiresAt, imported } = connection;
  const areTexts = Array.isArray(permissions) && permissions.every((permission) => typeof permission === "string");
  return {
    id,
    type,
    timestamp: text(timestamp),
    changes: {
      status: STATUS[type] ?? text(status),
      permissions: areTexts ? permissions : undefined,
      clientReferenceId: text(data.clientReferenceId) ?? text(connection.clientReferenceId),
      platformUserId: number(platformUserId) ?? number(userData?.id),
      createdAt: text(createdAt) ?? (type === "connection.created" ? text(timestamp) : undefined),
      expiresAt: text(expiresAt),
      imported: typeof imported === "boolean" ? imported : undefined,
      userData: {
        id: number(userData?.id),
        name: text(userData?.name),
        username: text(userData?.username),
        avatar: userData?.avatar === null ? null : text(userData?.avatar),
      },
    },
  };
}

// The record after an event, or the same record if an older event has nothing to add. `disconnected` is final.
export function applyEvent(record, { id, handle, stamp, changes }) {
  if (record && stamp < record.stamp) return record;
  const { userData, ...fields } = defined(changes);
  const profile = { id: null, name: null, username: null, avatar: null, ...record?.userData, ...defined(userData) };
  const next = { ...(record ?? empty(id, handle)), ...fields, stamp, updatedAt: new Date(stamp).toISOString() };
  if (record?.status === "disconnected") next.status = record.status;
  next.expiredAt = next.status !== "expired" ? null : record?.status === "expired" ? record.expiredAt : next.updatedAt;
  next.userData = Object.values(profile).some((value) => value !== null) ? profile : null;
  next.metadata = { username: profile.username, displayName: profile.name, lastActivity: next.lastCheckedAt };
  return next;
}

// The record as it is shown.
export function shown({ stamp: _stamp, ...record }) {
  return record;
}

function empty(id, handle) {
  const unsaid = { clientReferenceId: null, platformUserId: null, createdAt: null, expiresAt: null, imported: null, live: null };
  return { id, handle, status: "unknown", permissions: [], ...unsaid, lastCheckedAt: null };
}

function defined(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
