// OFAuth's list of routes, the one file shared with the gateway: which of them a request is for, and what its path names.

import { readFileSync } from "node:fs";

/**
 * @typedef {object} Route
 * @property {string} method
 * @property {string} path               as listed, `/v2/access/posts/{postId}`
 * @property {string | null} permission
 */

/** @type {readonly Route[]} */
export const ROUTES = Object.freeze(JSON.parse(readFileSync(new URL("../../src/core/gateway/routes.json", import.meta.url), "utf8")));

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
