// Random connection events, signed as OFAuth signs them, for chaos.test.mjs and convergence.test.mjs. The same random numbers give
// the same deliveries. All events of a run are within a few seconds, so many have equal times.

import { connectionEvent, sdkEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { factOf, MOST_AHEAD } from "./fold.mjs";
import { SECRETS } from "./harness.mjs";

/**
 * @typedef {object} Delivery
 * @property {string} connection    OFAuth's id of the connection
 * @property {string} body
 * @property {import("./fold.mjs").Fact} fact   what the gateway must read in it
 * @property {WebhookRequest[]} requests        one to three
 */

/** @typedef {{delivery: Delivery, headers: Record<string, string>}} WebhookRequest   with a valid signature */

/** @typedef {import("../random.mjs").Random} Random */

/** How often each type occurs, in percent. */
const TYPES = {
  "connection.created": 15,
  "connection.updated": 55,
  "connection.expired": 26,
  "connection.disconnected": 4,
};
const STATUSES = ["active", "active", "active", "expired", "pending", "error", "awaiting_2fa", null, undefined];
const PERMISSIONS = [["profile:read"], ["profile:read", "posts:read"], ["chats:*"], [], null, undefined];
const SECRET_OF = { ofauth: SECRETS.OFAUTH_WEBHOOK_SECRET, svix: SECRETS.SVIX_WEBHOOK_SECRET };
/** How many seconds a run's times span. */
const SPAN = 10;

/**
 * Deliveries with different ids, equally many about each connection.
 * @param {Random} random
 * @param {{count: number, connections: string[], users: string[], start: number}} options
 *   users: the clientReferenceIds that events name; start: the first time of the run, in unix seconds
 * @returns {Delivery[]}
 */
export function randomDeliveries(random, { count, connections, users, start }) {
  const deliveries = [];
  const seen = new Set();
  while (deliveries.length < count) {
    const connection = connections[deliveries.length % connections.length];
    const earlier = deliveries.filter((delivery) => delivery.connection === connection);
    const delivery = randomDelivery(random, { connection, users, start, earlier });
    const id = `${connection} ${delivery.fact.id}`;
    if (!seen.has(id)) deliveries.push(delivery);
    seen.add(id);
  }
  return deliveries;
}

/** One in ten has the body of an earlier delivery: signed in another way, it can be a delivery of its own. */
function randomDelivery(random, { connection, users, start, earlier }) {
  const scheme = random.pick(["ofauth", "svix"]);
  const messageId = scheme === "svix" ? `msg_${random.integer(2 ** 32)}_${random.integer(2 ** 32)}` : undefined;
  const signedAt = start + random.integer(SPAN);
  const isRepeated = earlier.length > 0 && random.chance(10);
  const newBody = () => JSON.stringify(randomEvent(random, { connection, users, signedAt, start }));
  const body = isRepeated ? random.pick(earlier).body : newBody();
  const fact = factOf({ body, messageId, signedAt });
  const delivery = { connection, body, fact, requests: [] };
  for (let requests = 1 + random.integer(3); requests > 0; requests -= 1) {
    // OFAuth signs each attempt at its own time. Here all have the same time if the fact depends on it.
    const later = start + random.integer(SPAN);
    const { id, stamp } = factOf({ body, messageId, signedAt: later });
    const timestamp = id === fact.id && stamp === fact.stamp ? later : signedAt;
    const signature = sign({ scheme, secret: SECRET_OF[scheme], id: messageId, timestamp, body });
    delivery.requests.push({ delivery, headers: { ...signature, "content-type": "application/json" } });
  }
  return delivery;
}

/** An event in one of the two envelopes. An undefined field is left out, and one that is not set has a default. */
function randomEvent(random, { connection, users, signedAt, start }) {
  const type = randomType(random);
  const fields = { id: connection, clientReferenceId: random.pick([...users, ...users, null, undefined]) };
  if (random.chance(80)) fields.status = random.pick(STATUSES);
  if (random.chance(60)) fields.permissions = random.pick(PERMISSIONS);
  if (random.chance(60)) fields.userData = randomProfile(random);
  if (random.chance(10)) fields.createdAt = `2025-0${1 + random.integer(9)}-01T00:00:00Z`;
  if (random.chance(10)) fields.expiresAt = random.pick([null, "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]);
  if (random.chance(10)) fields.imported = random.chance(50);
  if (random.chance(25)) {
    const platformUserId = random.pick([undefined, null, 700_000_000 + random.integer(3)]);
    return sdkEvent(type, { ...fields, live: random.pick([true, false, null, undefined]), platformUserId });
  }
  return connectionEvent(type, { ...fields, timestamp: randomTimestamp(random, signedAt, start) });
}

function randomType(random) {
  let left = random.integer(100);
  return Object.keys(TYPES).find((type) => (left -= TYPES[type]) < 0);
}

/** A profile with some of its parts. */
function randomProfile(random) {
  if (random.chance(20)) return random.pick([null, undefined]);
  const number = random.integer(4);
  const parts = {
    id: random.pick([String(100_000_000 + number), 100_000_000 + number]),
    name: random.pick([null, `Name ${number}`]),
    username: `name${number}`,
    avatar: random.pick([null, `https://media.example/${number}.jpg`]),
  };
  return Object.fromEntries(Object.entries(parts).filter(() => random.chance(70)));
}

/** Mostly a time of the run. Else it is absent, or has another form, or is at the limit of what counts or past it. */
function randomTimestamp(random, signedAt, start) {
  const iso = (ms) => new Date(ms).toISOString();
  const ms = start * 1000 + random.integer(2 * SPAN) * 500;
  if (random.chance(75)) return iso(ms);
  return random.pick([
    iso(ms + 7_200_000).replace("Z", "+02:00"),
    iso(signedAt * 1000 + MOST_AHEAD),
    iso(signedAt * 1000 + MOST_AHEAD + 1),
    signedAt,
    "yesterday",
    "",
    null,
    undefined,
  ]);
}
