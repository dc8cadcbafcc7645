// The webhooks the platform sends on its own: what it has to tell, when, and what became of it.

import { setTimeout as sleep } from "node:timers/promises";

import { eventAbout } from "./events.mjs";
import { WebhookSender } from "./webhooks.mjs";

/**
 * @typedef {object} Target
 * @property {string} [url]            without one nothing is sent on its own
 * @property {string} [ofauthSecret]
 * @property {string} [svixSecret]
 */

/** @typedef {{event: object, delivery: import("./webhooks.mjs").Delivery | null}} Sent   null: still on its way */

export class Outbox {
  /** @type {Sent[]} in the order they were begun */
  sent = [];
  /** @type {object[]} events that wait for {@link release} */
  held = [];
  #target;
  #switches;
  #signal;
  #lanes = new Map();

  /**
   * @param {Target} target
   * @param {import("./switches.mjs").Switches} switches
   * @param {AbortSignal} signal   the emulator is closing
   */
  constructor(target, switches, signal) {
    this.#target = target;
    this.#switches = switches;
    this.#signal = signal;
  }

  /** @param {Target} target   from now on */
  sendTo(target) {
    this.#target = target;
  }

  /**
   * Says what has happened to a connection.
   * @param {string} type
   * @param {import("./connections.mjs").Connection} connection
   * @param {"before" | "after" | "held" | "never"} when   before: resolves once it is delivered or given up, or after 10 s;
   *   after: resolves at once and sends when the answer is out
   * @param {import("node:http").ServerResponse} res   the answer meant
   */
  async announce(type, connection, when, res) {
    if (!this.#target.url || when === "never") return;
    this.#sender(); // a secret that is missing fails the call that needs it, and not later
    const event = eventAbout(type, connection, this.#switches.values.webhookEnvelope);
    if (when === "held") this.held.push(event);
    else if (when === "after") res.once("close", () => this.#send(event));
    else await Promise.race([this.#send(event), sleep(LONGEST_WAIT, undefined, { ref: false })]);
  }

  /**
   * Sends what is held, and waits until all of it is delivered or given up.
   * @returns {Promise<Sent[]>}
   */
  release() {
    return Promise.all(this.held.splice(0).map((event) => this.#send(event)));
  }

  /** Forgets what was sent and what is held. */
  clear() {
    this.sent.length = 0;
    this.held.length = 0;
  }

  /**
   * @param {"ofauth" | "svix"} [scheme]
   * @returns {WebhookSender}
   * @throws {TypeError} that says what is not configured
   */
  sender(scheme = this.#target.ofauthSecret ? "ofauth" : "svix") {
    const { url, ofauthSecret, svixSecret } = this.#target;
    const secret = scheme === "ofauth" ? ofauthSecret : svixSecret;
    if (!url) throw new TypeError("no webhook URL is configured");
    if (!secret) throw new TypeError(`no secret is configured for the ${scheme} scheme`);
    return new WebhookSender({ url, secret, scheme, signal: this.#signal });
  }

  #sender() {
    return this.sender(this.#switches.values.webhookScheme ?? undefined);
  }

  /** In order per connection: one that is being tried again holds back the next. */
  #send(event) {
    const sender = this.#sender();
    const entry = { event, delivery: null };
    this.sent.push(entry);
    const { id } = event.data.connection;
    const sending = (this.#lanes.get(id) ?? Promise.resolve()).then(async () => {
      entry.delivery = await sender.deliver(event).catch((error) => {
        if (!this.#signal.aborted) throw error;
        return null;
      });
      return entry;
    });
    this.#lanes.set(id, sending);
    return sending;
  }
}

const LONGEST_WAIT = 10_000;
