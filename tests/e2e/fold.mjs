// Computes the record that the gateway must make of connection events. It shares no code with src/core/connection, and
// works in another way: the Worker applies one event after the other, and this file sorts all and takes the last values.

import { createHash, createHmac } from "node:crypto";

import { SECRETS } from "./harness.mjs";

/**
 * @typedef {object} Fact   what one delivery says about its connection
 * @property {string} id      the delivery's id
 * @property {string} type    the event's type
 * @property {number} stamp   when it was true, in unix ms
 * @property {number} rank    the greater one wins if stamps are equal
 * @property {Record<string, any>} values   of the fields that it names
 */

const RANK_OF = {
  "connection.created": 0,
  "connection.updated": 1,
  "connection.expired": 3,
  "connection.disconnected": 4,
};
const STATUS_OF = { "connection.expired": "expired", "connection.disconnected": "disconnected" };
/** The gateway's own event, that the account of a connection became another one. */
export const ACCOUNT_CHANGED = "edge.connection.account_changed";
/** How far after the signature an event's own time may be, in ms. A later one does not count. */
export const MOST_AHEAD = 300_000;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * The fact in a delivery of a connection event.
 * @param {{body: string, messageId?: string, signedAt: number}} delivery
 *   messageId: the svix id; signedAt: the time of the signature, in unix seconds
 * @returns {Fact}
 */
export function factOf({ body, messageId, signedAt }) {
  const event = JSON.parse(body);
  const { type = event.eventType, timestamp } = event;
  const hasTimestamp = timestamp !== undefined && timestamp !== null && timestamp !== "";
  const id = messageId ?? sha256(hasTimestamp ? body : `${signedAt}.${body}`);
  const signed = signedAt * 1000;
  const named = RFC_3339.test(timestamp) ? Date.parse(timestamp) : Infinity;
  const stamp = named <= signed + MOST_AHEAD ? named : signed;
  return { id, type, stamp, rank: RANK_OF[type], values: valuesOf(event, type, stamp) };
}

/**
 * The same fact as an app reads it in an event that was forwarded. The app has the event's time in whole seconds: it is the
 * body's own, with its ms, if that one counts.
 * @param {{body: string, digest: string, seconds: number}} forward
 * @returns {Fact}
 */
export function factOfForward({ body, digest, seconds }) {
  const event = JSON.parse(body);
  const { type = event.eventType, timestamp } = event;
  const named = RFC_3339.test(timestamp) ? Date.parse(timestamp) : Infinity;
  const stamp = Math.floor(named / 1000) === seconds ? named : seconds * 1000;
  return { id: digest, type, stamp, rank: RANK_OF[type], values: valuesOf(event, type, stamp) };
}

/** The values of the fields that an event names. A null names nothing. Only a null avatar says that there is none. */
function valuesOf({ live, data }, type, stamp) {
  const { connection } = data;
  const { id, userId, name, username, avatar } = connection.userData ?? {};
  const values = {
    live,
    status: STATUS_OF[type] ?? connection.status,
    permissions: connection.permissions,
    clientReferenceId: data.clientReferenceId,
    platformUserId: text(connection.platformUserId ?? id ?? userId),
    createdAt: connection.createdAt ?? (type === "connection.created" ? iso(stamp) : undefined),
    expiresAt: connection.expiresAt,
    lastCheckedAt: connection.lastCheckedAt ?? connection.metadata?.lastActivity,
    imported: connection.imported,
    userId: text(id ?? userId),
    name,
    username,
  };
  const named = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return { ...Object.fromEntries(named), ...(avatar === undefined ? {} : { avatar }) };
}

/**
 * The record of a connection, as if its account had never been another one: see {@link accountChangesOf}.
 * @param {string} id      OFAuth's id of the connection
 * @param {Fact[]} facts   all facts about it, in any order; one of them names a field
 */
export function recordOf(id, facts) {
  const fields = newestValues(facts);
  const valueOf = (field) => fields[field]?.value ?? null;
  const userData = {
    id: valueOf("userId") ?? valueOf("platformUserId"),
    name: valueOf("name"),
    username: valueOf("username"),
    avatar: valueOf("avatar"),
  };
  return {
    id,
    handle: handleOf(id),
    status: valueOf("status") ?? "unknown",
    statusReason: fields.status ? { type: fields.status.type, at: iso(fields.status.stamp) } : null,
    clientReferenceId: valueOf("clientReferenceId"),
    platformUserId: valueOf("platformUserId"),
    accountChangedAt: null,
    permissions: valueOf("permissions") ?? [],
    userData: Object.values(userData).some((value) => value !== null) ? userData : null,
    metadata: { username: userData.username, displayName: userData.name, lastActivity: valueOf("lastCheckedAt") },
    createdAt: valueOf("createdAt"),
    updatedAt: iso(Math.max(...Object.values(fields).map(({ stamp }) => stamp))),
    expiredAt: valueOf("status") === "expired" ? iso(fields.status.stamp) : null,
    expiresAt: valueOf("expiresAt"),
    lastCheckedAt: valueOf("lastCheckedAt"),
    imported: valueOf("imported"),
    live: valueOf("live"),
  };
}

/**
 * The outcome of each fact if the gateway accepts them in this order: `applied` if a field then has its value from the
 * new fact, else `stale`.
 * @param {Fact[]} facts
 */
function outcomesOf(facts) {
  const sources = facts.map((_, index) => {
    const fields = Object.entries(newestValues(facts.slice(0, index + 1)));
    return fields.map(([field, { source }]) => `${field} ${source}`).sort().join("\n");
  });
  return sources.map((source, index) => (source === (sources[index - 1] ?? "") ? "stale" : "applied"));
}

/**
 * The facts that made the account another one than the gateway had shown before, if it accepts them in this order. The record's
 * `accountChangedAt` is the stamp of the last one.
 * @param {Fact[]} facts
 */
function accountChangesOf(facts) {
  const accounts = facts.map((_, index) => newestValues(facts.slice(0, index + 1)).platformUserId?.value);
  return facts.filter((_, index) => accounts[index - 1] !== undefined && accounts[index] !== accounts[index - 1]);
}

/**
 * What the gateway makes of deliveries about a connection if it accepts them in this order: the record, and the timeline, oldest
 * first, without the times of receipt. The record is undefined if there are none.
 * @param {string} id
 * @param {{fact: Fact, body: string}[]} deliveries
 */
export function historyOf(id, deliveries) {
  const facts = deliveries.map(({ fact }) => fact);
  const [outcomes, changes] = [outcomesOf(facts), accountChangesOf(facts)];
  const timeline = deliveries.flatMap(({ fact, body }, index) => {
    const entry = { id: fact.id, type: fact.type, stamp: iso(fact.stamp), outcome: outcomes[index], encoding: "utf8", body };
    return changes.includes(fact) ? [entry, accountChangedEntry(id, facts.slice(0, index + 1))] : [entry];
  });
  const accountChangedAt = changes.length === 0 ? null : iso(changes.at(-1).stamp);
  return { record: facts.length === 0 ? undefined : { ...recordOf(id, facts), accountChangedAt }, timeline };
}

/** The gateway's own event, if the last of these facts made the account another one. */
function accountChangedEntry(id, facts) {
  const { id: cause, stamp } = facts.at(-1);
  const { clientReferenceId, status, platformUserId } = recordOf(id, facts);
  const formerPlatformUserId = recordOf(id, facts.slice(0, -1)).platformUserId;
  const data = { clientReferenceId, connection: { id, status, platformUserId, formerPlatformUserId } };
  const body = JSON.stringify({ type: ACCOUNT_CHANGED, timestamp: iso(stamp), data });
  return { id: `${cause}_account`, type: ACCOUNT_CHANGED, stamp: iso(stamp), outcome: "applied", actor: "gateway", encoding: "utf8", body };
}

/** The handle of a connection. */
export function handleOf(id) {
  return `acct_${keyedHash("handle", id, 16)}`;
}

/** The metadata of a record's key in KV, without the encrypted summary. */
export function metadataOf({ status, statusReason, updatedAt, expiredAt, platformUserId, accountChangedAt, clientReferenceId }) {
  const reason = statusReason && (statusReason.at === expiredAt ? statusReason.type : `${statusReason.type} ${statusReason.at}`);
  return {
    status,
    updatedAt,
    ...(reason === null ? {} : { reason }),
    ...(accountChangedAt === null ? {} : { accountChangedAt }),
    ...(platformUserId === null ? {} : { user: keyedHash("user", platformUserId, 8) }),
    ...(clientReferenceId === null ? {} : { reference: keyedHash("ref", clientReferenceId, 16) }),
  };
}

/**
 * For each field its value in the greatest fact that names it, and the type, the stamp and the id of that fact. For the status, a
 * disconnect is greater than all other facts.
 */
function newestValues(facts) {
  const sorted = facts.toSorted((a, b) => a.stamp - b.stamp || a.rank - b.rank || (a.id < b.id ? -1 : 1));
  const end = sorted.findLast(({ type }) => type === "connection.disconnected");
  const fields = {};
  for (const { id, type, stamp, values } of sorted) {
    for (const [field, value] of Object.entries(values)) fields[field] = { value, type, stamp, source: id };
  }
  if (end) fields.status = { value: "disconnected", type: end.type, stamp: end.stamp, source: end.id };
  return fields;
}

function keyedHash(kind, text, bytes) {
  const key = Buffer.from(SECRETS.INDEX_KEY, "base64");
  return createHmac("sha256", key).update(`${kind}\0${text}`).digest("hex").slice(0, 2 * bytes);
}

function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

/** An id as text. A body may have it as a number. */
function text(id) {
  return id === undefined || id === null ? undefined : String(id);
}

function iso(ms) {
  return new Date(ms).toISOString();
}
