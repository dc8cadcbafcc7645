// Who is behind a connection id: an OnlyFans account, its subscribers and its stories, invented from the id by a hash. The same id is
// the same person in webhooks and in Access answers, in every run, and nothing here can be turned back into the id.

import { createHash } from "node:crypto";

/** How many subscribers every account has: enough for three pages of the largest size. */
export const SUBSCRIBER_COUNT = 45;

/**
 * @typedef {object} Account
 * @property {number} id        OnlyFans's own id, a number as the Access API gives it
 * @property {string} name
 * @property {string} username
 * @property {string} avatar
 */

/**
 * The account a connection opens.
 * @param {string} connectionId
 * @returns {Account}
 */
export function accountOf(connectionId) {
  return person(`account\0${connectionId}`);
}

/**
 * The account's subscribers, always in the same order.
 * @param {string} connectionId
 * @returns {(Account & {subscribedAt: string})[]}
 */
export function subscribersOf(connectionId) {
  return Array.from({ length: SUBSCRIBER_COUNT }, (_, index) => ({
    ...person(`subscriber\0${connectionId}\0${index}`),
    subscribedAt: new Date(FIRST_SUBSCRIPTION + index * DAY).toISOString(),
  }));
}

/**
 * The stories that an account sees of one user, its own if none is named; always the same.
 * @param {string} connectionId
 * @param {string} [userId]   OnlyFans's id
 * @returns {{id: number, userId: number | string, createdAt: string, isWatched: boolean, isReady: boolean, mediaCount: number}[]}
 */
export function storiesOf(connectionId, userId) {
  const author = /^\d{1,15}$/.test(userId) ? Number(userId) : (userId ?? accountOf(connectionId).id);
  return Array.from({ length: STORY_COUNT }, (_, index) => ({
    id: person(`story\0${author}\0${index}`).id,
    userId: author,
    createdAt: new Date(FIRST_SUBSCRIPTION + index * DAY).toISOString(),
    isWatched: false,
    isReady: true,
    mediaCount: 1,
  }));
}

const STORY_COUNT = 2;
const DAY = 86_400_000;
const FIRST_SUBSCRIPTION = Date.UTC(2024, 0, 15);
const FIRST_NAMES = ["Ada", "Billie", "Carmen", "Dana", "Elif", "Frida", "Grace", "Hana"];
const LAST_NAMES = ["Arendt", "Bloom", "Castro", "Doe", "Evans", "Fox", "Garcia", "Hope"];

function person(seed) {
  const hash = createHash("sha256").update(seed).digest();
  const id = 100_000_000 + (hash.readUInt32BE(0) % 900_000_000);
  const first = FIRST_NAMES[hash[4] % FIRST_NAMES.length];
  const last = LAST_NAMES[hash[5] % LAST_NAMES.length];
  return {
    id,
    name: `${first} ${last}`,
    username: `${first}${last}${id}`.toLowerCase(),
    avatar: `https://media.ofauth.com/avatars/${id}.jpg`,
  };
}
