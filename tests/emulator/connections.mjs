// The connections of the emulated organisation: what Link, import, webhooks sent for a test and the test itself have made.
// An id that none of them ever named opens nothing, as a deleted one does not.

import { randomBytes } from "node:crypto";

import { accountOf } from "./account.mjs";
import { BOOLEAN, checkFields, isObject, listOf, OBJECT, orNull, pattern, TEXT } from "./check.mjs";

/**
 * @typedef {object} Connection   an item of OFAuth's list, as it stands there
 * @property {string} id
 * @property {string} status
 * @property {{id: string, name: string, username: string, avatar: string | null}} userData
 * @property {string[]} permissions
 * @property {string | null} expiredAt   ISO 8601, as all times here
 * @property {string} createdAt
 * @property {string} updatedAt
 * @property {string | null} clientReferenceId
 * @property {boolean} imported
 * @property {string | null} lastCheckedAt
 */

/**
 * @typedef {object} Saved   all that is known, as JSON can carry it
 * @property {Connection[]} items
 * @property {string[]} removed                ids
 * @property {[string, string][]} sessions     ids and digests, as {@link Connections.bind} takes them
 */

export class Connections {
  #items = new Map(); // oldest first
  #removed = new Set();
  #secrets = new Map();
  #opensUnknown;
  #changed = () => {};

  /**
   * @param {{opensUnknown?: boolean}} [options]   opensUnknown: an id that was never named opens an account all the same, so
   *   that a test of the gateway need not introduce every id twice
   */
  constructor({ opensUnknown = false } = {}) {
    this.#opensUnknown = opensUnknown;
  }

  /** @param {() => void} changed   called after every change from now on */
  onChange(changed) {
    this.#changed = changed;
  }

  /** @returns {Saved} */
  save() {
    return { items: [...this.#items.values()], removed: [...this.#removed], sessions: [...this.#secrets] };
  }

  /** Knows what was saved, and nothing else. @param {Saved} saved */
  restore({ items, removed, sessions }) {
    this.#items = new Map(items.map((item) => [item.id, item]));
    this.#removed = new Set(removed);
    this.#secrets = new Map(sessions);
  }

  /** @returns {Connection | undefined} */
  get(id) {
    return this.#items.get(id);
  }

  /** The one made last first. */
  all() {
    return [...this.#items.values()].reverse().sort((a, b) => compare(b.createdAt, a.createdAt));
  }

  /**
   * Makes a connection, or changes one: what is given is so from now on. One of a removed id is there again.
   * @param {Partial<Connection>} [fields]   without an id: a new one
   * @returns {Connection}
   * @throws {TypeError} that says which field must be what
   */
  put(fields = {}) {
    if (!isObject(fields)) throw new TypeError("a connection is an object");
    checkFields(fields, FIELDS, "a connection");
    const { id = newId(), ...changes } = fields;
    const now = new Date().toISOString();
    const known = this.#items.get(id) ?? { ...BLANK, id, userData: userDataOf(accountOf(id)), createdAt: now };
    const item = { ...known, updatedAt: now, ...changes };
    item.userData = { ...known.userData, ...changes.userData };
    if (changes.status && changes.expiredAt === undefined) item.expiredAt = changes.status === "expired" ? now : null;
    this.#items.set(id, item);
    this.#removed.delete(id);
    this.#changed();
    return item;
  }

  /** Forgets what was known of it, but not that it was there: to the Access API it is gone for good. */
  remove(id) {
    this.#items.delete(id);
    this.#secrets.delete(id);
    this.#removed.add(id);
    this.#changed();
  }

  /** Nothing was ever there. */
  clear() {
    for (const kept of [this.#items, this.#removed, this.#secrets]) kept.clear();
    this.#changed();
  }

  /** Which imported session it lives on, as a digest: only so is a duplicate seen. */
  bind(id, session) {
    this.#secrets.set(id, session);
    this.#changed();
  }

  /** The id that lives on this session. */
  boundTo(session) {
    return [...this.#secrets].find(([, bound]) => bound === session)?.[0];
  }

  /**
   * What an event that is sent for a test says of a connection, so that the API says the same. What is no connection event,
   * or is about a removed one, says nothing; nor does a field that is none.
   * @param {unknown} event   either envelope
   */
  learn(event) {
    const type = event?.type ?? event?.eventType;
    const { id, status, permissions, userData } = event?.data?.connection ?? {};
    if (!String(type).startsWith("connection.") || !FIELDS["id?"].holds(id) || this.#removed.has(id)) return;
    if (type === "connection.disconnected") return this.remove(id);
    const { clientReferenceId } = event.data;
    const said = Object.entries({ status, permissions, userData: personIn(userData), clientReferenceId });
    this.put({ id, ...Object.fromEntries(said.filter(([name, value]) => FIELDS[`${name}?`].holds(value))) });
  }

  /**
   * The account behind an id, as the Access API shows it.
   * @returns {import("./account.mjs").Account}
   */
  accountOf(id) {
    const { userData } = this.#items.get(id) ?? {};
    if (!userData) return accountOf(id);
    return { ...userData, id: /^\d{1,15}$/.test(userData.id) ? Number(userData.id) : userData.id };
  }

  /**
   * Why the Access API would not answer for this id, as arguments of sendError; undefined if it would. The documents tell
   * of expired connections only: the rest is our reading of them. An id that is gone and one that never was are alike, since
   * OFAuth keeps nothing of a deleted one.
   * @returns {[number, string, string, string?] | undefined}
   */
  refusalOf(id) {
    const isOpened = this.#opensUnknown && !this.#removed.has(id);
    const status = this.#items.get(id)?.status ?? (isOpened ? "active" : "unknown");
    if (status === "active") return undefined;
    if (status === "error") return [503, "NETWORK_ERROR", "The connection is in error"];
    const [type, error] = NEVER_HAD_A_SESSION.has(status)
      ? ["SESSION_NOT_PROVIDED", "No session for this connection"]
      : ["SESSION_EXPIRED", "Session expired"];
    return [401, type, error, "relink_connection"];
  }
}

/** An account's person as connections and events carry it: OnlyFans's number is a string there. */
export function userDataOf({ id, ...person }) {
  return { id: String(id), ...person };
}

/** An event's userData with the id as OFAuth's list has it: a string, under that name. */
function personIn(userData) {
  if (!isObject(userData)) return undefined;
  const { id, userId = id, ...person } = userData;
  return userId === undefined ? person : { ...person, id: String(userId) };
}

const NEVER_HAD_A_SESSION = new Set(["unknown", "pending", "awaiting_2fa", "failed"]);

const BLANK = Object.freeze({
  id: "",
  status: "active",
  userData: null,
  permissions: ["profile:read", "posts:read"],
  expiredAt: null,
  createdAt: "",
  updatedAt: "",
  clientReferenceId: null,
  imported: false,
  lastCheckedAt: null,
});

const TIME = pattern(/^\d{4}-\d\d-\d\dT/, "an ISO 8601 time");

const FIELDS = {
  "id?": pattern(/./, "a connection id"),
  "status?": TEXT,
  "userData?": OBJECT,
  "permissions?": listOf(TEXT),
  "expiredAt?": orNull(TIME),
  "createdAt?": TIME,
  "updatedAt?": TIME,
  "clientReferenceId?": orNull(TEXT),
  "imported?": BOOLEAN,
  "lastCheckedAt?": orNull(TIME),
};

function newId() {
  return `conn_${randomBytes(12).toString("hex")}`;
}

function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}
