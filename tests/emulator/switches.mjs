// What a test can have otherwise: the ways in which the platform's documents disagree, and what decides an order of events.

import { checkFields, count, isObject, listOf, oneOf, orNull, pattern, TEXT } from "./check.mjs";

/**
 * | switch | values, the default first | what it decides |
 * |---|---|---|
 * | `listShape` | `current`, `sdk` | the list: as OFAuth has it, or the older one of the SDK's document, with `total` |
 * | `listFilters` | `obeyed`, `ignored` | whether `status`, `imported` (and of sdk `platformUserId`) filter a list |
 * | `linkAnswer` | `hosted`, `whitelabel`, `modeless` | what init answers; modeless is the older answer, without `mode` |
 * | `linkUrl` | null, or a string | the url in it instead of the page's own; `{clientSecret}` is filled in |
 * | `linkSeconds` | 1800, 0–86400 | how long a Link session lives |
 * | `linkPermissions` | four that read | what a Link session asks the user for |
 * | `linkReference` | `always`, `success` | whether a redirect that tells no success names the client's reference |
 * | `linkWebhook` | `before`, `after`, `held`, `never` | when the webhook is sent: before or after the redirect |
 * | `accountWebhook` | `after`, `before`, `held`, `never` | likewise of delete, invalidate and import: the answer |
 * | `webhookScheme` | null, `ofauth`, `svix` | how such a webhook is signed; null: with the secret there is, ofauth's first |
 * | `webhookEnvelope` | `current`, `sdk` | its body |
 * | `uploadPartSize` | 5242880, from 1 | bytes in each part of an upload but the last |
 *
 * A held webhook waits until it is released (outbox.mjs).
 *
 * @typedef {Partial<typeof DEFAULTS>} Changes
 */
export class Switches {
  #values = { ...DEFAULTS };

  /** As they are now. */
  get values() {
    return this.#values;
  }

  /**
   * @param {Changes} changes
   * @throws {TypeError} that says which switch must be what; then none is changed
   */
  set(changes) {
    if (!isObject(changes)) throw new TypeError("switches are an object");
    checkFields(changes, KINDS, "the emulator");
    this.#values = { ...this.#values, ...changes };
  }

  /** All as they were at the start. */
  reset() {
    this.#values = { ...DEFAULTS };
  }
}

const DEFAULTS = Object.freeze({
  listShape: "current",
  listFilters: "obeyed",
  linkAnswer: "hosted",
  linkUrl: null,
  linkSeconds: 1_800,
  linkPermissions: ["profile:read", "posts:read", "messages:read", "subscribers:read"],
  linkReference: "always",
  linkWebhook: "before",
  accountWebhook: "after",
  webhookScheme: null,
  webhookEnvelope: "current",
  uploadPartSize: 5_242_880,
});

const WHEN = oneOf(["before", "after", "held", "never"]);

const KINDS = {
  "listShape?": oneOf(["current", "sdk"]),
  "listFilters?": oneOf(["obeyed", "ignored"]),
  "linkAnswer?": oneOf(["hosted", "whitelabel", "modeless"]),
  "linkUrl?": orNull(TEXT),
  "linkSeconds?": count(0, 86_400),
  "linkPermissions?": listOf(pattern(/./, "a permission")),
  "linkReference?": oneOf(["always", "success"]),
  "linkWebhook?": WHEN,
  "accountWebhook?": WHEN,
  "webhookScheme?": orNull(oneOf(["ofauth", "svix"])),
  "webhookEnvelope?": oneOf(["current", "sdk"]),
  "uploadPartSize?": count(1),
};
