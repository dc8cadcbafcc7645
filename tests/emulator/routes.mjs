// OFAuth's list of routes, and those that OFAuth has beside it: which of them a request is for, and what its path names. The
// routes of the Access API are in the gateway's own file, because it needs their permissions. It passes the others on unread.

import { readFileSync } from "node:fs";

/**
 * @typedef {object} Route
 * @property {string} method
 * @property {string} path               as listed, `/v2/access/posts/{postId}`
 * @property {string | null} permission
 */

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

/** @type {readonly Route[]} */
export const LISTED = Object.freeze([...read("../../src/core/gateway/routes.json"), ...read("server-routes.json")]);

// Newer than the list or older than it. The gateway need not know them: it passes /v2/vault-plus/ as a whole.
const UNLISTED = [
  { method: "GET", path: "/v2/vault-plus/status", permission: null },
  { method: "GET", path: "/v2/vault-plus/media", permission: null },
  { method: "DELETE", path: "/v2/vault-plus/media", permission: null },
  { method: "GET", path: "/v2/vault-plus/media/{mediaId}", permission: null },
  { method: "GET", path: "/v2/access/users/{userId}/stories", permission: "stories:read" },
  { method: "GET", path: "/v2/access/stories/items", permission: "stories:read" },
  { method: "GET", path: "/v2/access/chats/search", permission: "messages:read" },
  { method: "GET", path: "/v2/access/mass-messages", permission: "messages:read" },
  { method: "GET", path: "/v2/access/promotions/{promotionId}", permission: "promotions:read" },
  { method: "POST", path: "/v2/access/promotions/{promotionId}/finish", permission: "promotions:write" },
  { method: "GET", path: "/v2/access/subscriptions/{subscriptionId}", permission: "subscriptions:read" },
];

/** @type {readonly Route[]} */
export const ROUTES = Object.freeze([...LISTED, ...UNLISTED.filter((route) => !LISTED.some((listed) => isSame(route, listed)))]);

/** Every permission a connection can have, each once. */
export const ALL_PERMISSIONS = Object.freeze([...new Set(ROUTES.flatMap(({ permission }) => permission ?? []))]);

/**
 * The route a request is for, or null. HEAD is GET's. A segment that is written out counts as written, not as decoded, and
 * goes before a parameter; a parameter is never empty, and comes decoded.
 * @param {string} method
 * @param {string} path   raw, without the query
 * @returns {{route: Route, parameters: Record<string, string>} | null}
 */
export function routeOf(method, path) {
  const segments = path.split("/");
  const asked = method === "HEAD" ? "GET" : method;
  for (const { route, pattern } of SPECIFIC_FIRST) {
    if (route.method !== asked || pattern.length !== segments.length) continue;
    const parameters = match(pattern, segments);
    if (parameters) return { route, parameters };
  }
  return null;
}

const SPECIFIC_FIRST = ROUTES.map((route) => ({ route, pattern: route.path.split("/") })).sort(bySpecificity);

/** At the first segment where only one of two has a parameter, the other is the more specific. */
function bySpecificity(a, b) {
  for (const [index, segment] of a.pattern.entries()) {
    const difference = isParameter(segment) - isParameter(b.pattern[index] ?? "");
    if (difference !== 0) return difference;
  }
  return 0;
}

function match(pattern, segments) {
  const parameters = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index];
    if (!isParameter(expected)) {
      if (segment !== expected) return null;
      continue;
    }
    const value = decode(segment);
    if (!value) return null;
    parameters[expected.slice(1, -1)] = value;
  }
  return parameters;
}

function isSame(a, b) {
  return a.method === b.method && a.path === b.path;
}

function isParameter(segment) {
  return segment.startsWith("{");
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
