// Reads the webhooks that a gateway keeps: those about connections, which it keeps per connection, and all others.

import { Failure } from "./errors.mjs";

/**
 * @typedef {object} KeptEvent
 * @property {string} id
 * @property {string | null} type
 * @property {string} receivedAt
 * @property {string} stamp      the event's own time
 * @property {Buffer | null} body   the raw body; null if the gateway has deleted it, because it is old
 */

// With a small first page, a poll of a quiet gateway makes it decrypt few events.
const FIRST_PAGE = 5;
const PAGE = 100;

/**
 * The webhooks that are not about a connection, the one with the newest stamp first.
 * @param {import("./gateway.mjs").Gateway} gateway
 * @returns {AsyncGenerator<KeptEvent[]>} pages
 */
export function otherEvents(gateway) {
  return pages(gateway, "/edge/events", FIRST_PAGE);
}

/**
 * What the gateway keeps about one connection, the last received first: webhooks, and what it noticed itself (see {@link isNoticed}).
 * @param {import("./gateway.mjs").Gateway} gateway
 * @param {string} handle
 * @returns {AsyncGenerator<KeptEvent[]>} pages
 */
export function connectionEvents(gateway, handle) {
  return pages(gateway, `/edge/connections/${encodeURIComponent(handle)}/events`, FIRST_PAGE);
}

/** Whether the gateway noticed a change itself, so that there was no webhook. */
export function isNoticed({ type }) {
  return String(type).startsWith("edge.");
}

/**
 * The gateway's connections.
 * @param {import("./gateway.mjs").Gateway} gateway
 * @param {string} [user]   only those of this clientReferenceId
 * @returns {Promise<{connections: {handle: string, updatedAt: string}[], calls: number}>}
 */
export async function listConnections(gateway, user) {
  const filter = user === undefined ? "" : `&clientReferenceId=${encodeURIComponent(user)}`;
  const connections = [];
  let calls = 0;
  for (let place = ""; place !== undefined; calls++) {
    const page = checked(await gateway.read(`/edge/connections?limit=${PAGE}${filter}${place}`));
    connections.push(...page.list);
    place = placeOfNext(page, connections.length);
  }
  return { connections, calls };
}

/** The list of one user has offsets up to 1,000, and other lists have cursors. */
function placeOfNext({ hasMore, cursor, list }, count) {
  if (!hasMore) return undefined;
  if (cursor) return `&cursor=${encodeURIComponent(cursor)}`;
  return list.length > 0 && count <= 1_000 ? `&offset=${count}` : undefined;
}

async function* pages(gateway, path, first) {
  let query = `limit=${first}`;
  for (;;) {
    const { list, cursor } = checked(await gateway.read(`${path}?${query}`));
    yield list.map(readEvent);
    if (!cursor) return;
    query = `limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`;
  }
}

function checked(page) {
  if (!Array.isArray(page.list)) throw new Failure("The gateway's answer has no list. Is it an ofauth-edge gateway?");
  return page;
}

function readEvent({ id, type, receivedAt, stamp, encoding, body }) {
  const bytes = typeof body === "string" ? Buffer.from(body, encoding === "base64" ? "base64" : "utf8") : null;
  return { id, type, receivedAt, stamp, body: bytes };
}
