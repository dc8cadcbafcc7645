// An app's side of forwarding, as docs/forwarding.md has it: it verifies each event with the npm package, and drops what is not
// newer than what it has. What it then has of a connection makes the record.

import assert from "node:assert/strict";

import { verifyWebhook } from "../../pkg/index.js";
import { ACCOUNT_CHANGED, factOfForward, recordOf } from "./fold.mjs";

/**
 * @typedef {object} Taken   what the receiver has of one connection
 * @property {number} version                            that of its newest event
 * @property {{id: string, type: string, body: string}[]} events   in the order in which they came
 * @property {import("./fold.mjs").Fact[]} facts         what OFAuth's say, likewise
 * @property {string | null} accountChangedAt            what the gateway's own last said
 */

/** @param {string} secret */
export function newReceiver(secret) {
  /** @type {Map<string, Taken>} */
  const connections = new Map();
  /** Events that were not verified. */
  const refused = [];
  let dropped = 0;

  /** @param {import("./forwarding.mjs").Received} request */
  const take = ({ headers, body }) => {
    try {
      const { type, timestamp, data } = verifyWebhook(body, headers, secret);
      const { id } = data.connection;
      const version = Number(headers["x-ofauth-edge-version"]);
      const taken = connections.get(id) ?? { version: 0, events: [], facts: [], accountChangedAt: null };
      if (!(version > taken.version)) return void (dropped += 1);
      const [digest, seconds] = ["digest", "original-timestamp"].map((name) => headers[`x-ofauth-edge-${name}`]);
      const text = body.toString();
      if (type === ACCOUNT_CHANGED) {
        assert.equal(Math.floor(Date.parse(timestamp) / 1000), Number(seconds));
        taken.accountChangedAt = timestamp;
      } else {
        assert.ok(!type.startsWith("edge."), `no test has ${type}`);
        taken.facts.push(factOfForward({ body: text, digest, seconds: Number(seconds) }));
      }
      taken.events.push({ id: digest, type, body: text });
      connections.set(id, { ...taken, version });
    } catch (error) {
      refused.push(error);
    }
  };
  return {
    refused,
    take,
    ids: () => [...connections.keys()],
    taken: (id) => connections.get(id),
    recordOf: (id) => {
      const { facts, accountChangedAt } = connections.get(id);
      return { ...recordOf(id, facts), accountChangedAt };
    },
    dropped: () => dropped,
  };
}
