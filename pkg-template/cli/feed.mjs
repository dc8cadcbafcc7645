// Follows the webhooks that a gateway receives.
//
// The gateway lists other events by their own time, not by the time at which they came, and its lists may be a minute late. So a
// webhook may appear behind some that were read before. Therefore the polls go back further than the newest one that is known:
//
// - each poll: until it meets a page of known events
// - once a minute: 10 minutes
// - first, and once an hour: 24 hours before the time since when webhooks are wanted
//
// What was delivered is remembered by its id. A webhook that comes more than 24 hours after its event may be missed.
//
// The webhooks of a connection are listed in the order in which they came. They are read when the connection's record has changed,
// and for two minutes after that. Another webhook that changes nothing is found once an hour, or once a minute if the gateway has
// few connections.

import { connectionEvents, isNoticed, listConnections, otherEvents } from "./events.mjs";

const MINUTE = 60_000;
const TEN_MINUTES = 10 * MINUTE;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
// How late the lists may be. Twice what Workers KV says.
const LAG = 2 * MINUTE;
/** So many connections are all read once a minute. */
const FEW_CONNECTIONS = 10;

export class Feed {
  /** Webhooks that were received before are done with, in unix ms. */
  since;
  /** When each webhook received since then was, in unix ms, by the id of those that are done with. */
  done;
  #gateway;
  #user;
  #clock;
  #changes = new Map();
  #polledAt = { minute: -Infinity, hour: -Infinity };
  #horizon = -Infinity;

  /**
   * @param {import("./gateway.mjs").Gateway} gateway
   * @param {{since: number, done?: Map<string, number>, user?: string, clock?: () => number}} options
   *   user: only webhooks about this user's connections, and those that name the user
   */
  constructor(gateway, { since, done = new Map(), user, clock = Date.now }) {
    this.#gateway = gateway;
    this.#user = user;
    this.#clock = clock;
    this.since = since;
    this.done = done;
  }

  /**
   * Reads the lists once.
   * @returns {Promise<{events: import("./events.mjs").KeptEvent[], calls: number}>} those that are not done with, in the order in
   *   which they came; `calls`: how many lists were read
   */
  async poll() {
    const now = this.#clock();
    const isDeep = now - this.#polledAt.hour >= HOUR;
    const isLonger = isDeep || now - this.#polledAt.minute >= MINUTE;
    const back = isDeep ? this.since - DAY : isLonger ? Math.max(this.since - DAY, now - TEN_MINUTES) : undefined;
    const found = new Map();
    await this.#readOtherEvents(back, found);
    const calls = 1 + (await this.#readConnections({ isDeep, isLonger }, found));
    if (isLonger) this.#polledAt.minute = now;
    if (isDeep) this.#polledAt.hour = now;
    const events = [...found.values()].sort((a, b) => timeOf(a.receivedAt) - timeOf(b.receivedAt));
    // All that came before is among the events, or done with. The times of webhooks are those of the gateway's clock.
    if (isDeep) this.#horizon = now - Math.max(0, this.#gateway.clockSkew) * 1_000 - LAG;
    return { events, calls };
  }

  /** Notes that a webhook is done with. */
  finish({ id, receivedAt }) {
    this.done.set(id, timeOf(receivedAt));
  }

  /** Notes that all webhooks of the last poll are done with, so that less needs to be remembered. */
  settle() {
    if (this.#horizon <= this.since) return;
    this.since = this.#horizon;
    for (const [id, received] of this.done) if (received < this.since) this.done.delete(id);
  }

  async #readOtherEvents(back, found) {
    for await (const page of otherEvents(this.#gateway)) {
      for (const event of page.filter((one) => this.#isWanted(one))) {
        // Those of other users are done with, so that the next poll knows them.
        if (this.#isOfUser(event)) found.set(event.id, event);
        else this.finish(event);
      }
      const isOld = ({ stamp }) => timeOf(stamp) < (back ?? this.since - DAY);
      const isKnown = ({ id, receivedAt }) => this.done.has(id) || timeOf(receivedAt) < this.since;
      if (page.some(isOld) || (back === undefined && page.length > 0 && page.every(isKnown))) return;
    }
  }

  /** Reads those connections whose record has changed, or all that may have got a webhook. */
  async #readConnections({ isDeep, isLonger }, found) {
    const { connections, calls } = await listConnections(this.#gateway, this.#user);
    const readsAll = isDeep || (isLonger && connections.length <= FEW_CONNECTIONS);
    for (const connection of connections) {
      const { handle, updatedAt } = connection;
      // Not `updatedAt` alone: OFAuth's times have seconds, and two webhooks may have the same.
      const record = JSON.stringify(connection);
      const known = this.#changes.get(handle);
      const change = known?.record === record ? known : { record, noticed: this.#clock() };
      const mayHaveMore = readsAll || this.#clock() - change.noticed <= LAG;
      if (!mayHaveMore || timeOf(updatedAt) < this.since - DAY) continue;
      await this.#readConnection(handle, found);
      // Only now: if reading fails, the next poll must not take the change for known.
      this.#changes.set(handle, change);
    }
    return calls;
  }

  async #readConnection(handle, found) {
    for await (const page of connectionEvents(this.#gateway, handle)) {
      for (const event of page) if (this.#isWanted(event) && !isNoticed(event)) found.set(event.id, event);
      if (page.some(({ receivedAt }) => timeOf(receivedAt) < this.since)) return;
    }
  }

  #isWanted({ id, receivedAt, body }) {
    return body !== null && timeOf(receivedAt) >= this.since && !this.done.has(id);
  }

  #isOfUser({ body }) {
    return this.#user === undefined || userOf(body) === this.#user;
  }
}

/** The clientReferenceId that a body names. */
function userOf(body) {
  try {
    const { data } = JSON.parse(body);
    return data?.clientReferenceId ?? data?.connection?.clientReferenceId;
  } catch {
    return undefined;
  }
}

function timeOf(text) {
  return Date.parse(text);
}
