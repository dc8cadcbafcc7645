// What the sides are measured with. A sample of a load is the list of its requests; each of them goes to another connection,
// so that no connection gets two events within the second in which KV takes one write of a key.

import { SECRETS, eventBody, handleOf, userOf, webhook } from "./events.mjs";
import { JOB } from "./sides.mjs";
import { ANSWERS } from "./stubs/upstream.mjs";

const KB = 1024;
const APPLIED = { status: 200, text: '{"outcome":"applied"}' };
const [SMALL, LARGE] = Object.keys(ANSWERS);

/**
 * @typedef {object} Load
 * @property {string} name
 * @property {number} share     how many requests a sample has, as a share of REQUESTS
 * @property {string} floor     the side that does the least for it
 * @property {string[]} sides   those that take it
 * @property {(number: number, sample: number, side: string) => object} request   samples count from 0, the warm-up
 */

const WEBHOOK_SIDES = [...JOB, "Hono, as usual", "storage floor", "bare floor"];

/** @type {Load[]} */
export const loads = [
  {
    name: "webhook 1 KB, valid",
    share: 1,
    floor: "storage floor",
    sides: WEBHOOK_SIDES,
    request: (number, sample) => webhook(known(number, sample), APPLIED),
  },
  {
    name: "webhook 1 KB, valid, first of its connection",
    share: 0.1,
    floor: "storage floor",
    sides: WEBHOOK_SIDES,
    request(number, sample) {
      const [id, user] = [`conn_new_${sample}_${number}`, `user_new_${sample}_${number % 10}`];
      return webhook(eventBody({ type: "connection.created", id, user, sample, size: KB }), APPLIED);
    },
  },
  {
    name: "webhook 1 KB, bad signature",
    share: 2,
    floor: "bare floor",
    sides: [...JOB, "Hono, as usual", "bare floor"],
    request(number, sample, side) {
      const expect = side === "bare floor" ? APPLIED : { status: 401 };
      return webhook(known(number, sample), expect, "whsec_of_somebody_else");
    },
  },
  {
    name: "webhook 60 KB, valid",
    share: 0.4,
    floor: "storage floor",
    sides: WEBHOOK_SIDES,
    request(number, sample) {
      const id = `conn_large_${number}`;
      return webhook(eventBody({ id, user: `${userOf(number)}_large`, sample, size: 60 * KB }), APPLIED);
    },
  },
  {
    name: "webhook 1 KB, duplicate",
    share: 1,
    floor: "storage floor",
    sides: WEBHOOK_SIDES,
    request(number, _sample, side) {
      const expect = JOB.includes(side) ? { status: 200, text: '{"outcome":"duplicate"}' } : APPLIED;
      return webhook(known(number, 0), expect);
    },
  },
  {
    name: "Access GET, small answer",
    share: 1,
    floor: "bare floor",
    sides: [...JOB, "bare floor"],
    request: (number) => access(SMALL, number),
  },
  {
    name: "Access GET, 1 MB answer",
    share: 0.2,
    floor: "bare floor",
    sides: [...JOB, "bare floor"],
    request: (number) => access(LARGE, number),
  },
];

/** The body of a connection that the first load knows. */
export function known(number, sample) {
  return eventBody({ id: connectionId(number), user: userOf(number), sample, size: KB });
}

/** A call of the Access API, with the gateway key and a handle. */
export function access(path, number) {
  const headers = { authorization: `Bearer ${SECRETS.GATEWAY_KEY}`, "x-connection-id": handleOf(connectionId(number)) };
  return { method: "GET", path, headers, expect: { status: 200, bytes: Buffer.byteLength(ANSWERS[path]) } };
}

export const connectionId = (number) => `conn_known_${number}`;
