// The shapes every OFAuth answer has: JSON, its error object, and an x-request-id that both carry.

import { isObject } from "./check.mjs";

/**
 * @param {import("node:http").ServerResponse} res
 * @param {number} status
 * @param {unknown} value
 */
export function sendJson(res, status, value) {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  res.end(body);
}

/**
 * OFAuth's error: `{error, type, requestId, actionRequired?}`.
 * @param {import("node:http").ServerResponse} res
 * @param {number} status
 * @param {string} type
 * @param {string} error            a sentence for people
 * @param {string} [actionRequired] left out when there is nothing to do
 */
export function sendError(res, status, type, error, actionRequired) {
  sendJson(res, status, { error, type, requestId: res.getHeader("x-request-id"), actionRequired });
}

/**
 * The JSON object that a request carries, or null if it carries anything else. Nothing at all stands for an empty one.
 * @param {{bytes: Buffer | null}} body
 */
export function objectIn({ bytes }) {
  if (bytes?.length === 0) return {};
  try {
    const value = JSON.parse(bytes);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * A whole number out of a query, or null if it is none or out of range.
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {{or?: number, from?: number, to?: number}} [range]   or: when the query has no such name
 * @returns {number | null}
 */
export function wholeNumber(query, name, { or, from = 0, to = Number.MAX_SAFE_INTEGER } = {}) {
  const text = query.get(name);
  if (text === null) return or ?? null;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return value >= from && value <= to ? value : null;
}

/** What every page carries. No form-action: browsers would hold it against the redirect that leads back to the app. */
export const PAGE_HEADERS = Object.freeze({
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
});

/**
 * Answers with a page.
 * @param {Record<string, string>} [headers]   instead of those in PAGE_HEADERS
 */
export function sendPage(res, status, page, headers = {}) {
  const bytes = Buffer.from(page);
  res.writeHead(status, { ...PAGE_HEADERS, ...headers, "content-type": "text/html; charset=utf-8", "content-length": bytes.length });
  res.end(bytes);
}

/**
 * Whether a request names this machine as its host. A page of another site can have its own host's name point here ("DNS
 * rebinding"): for the browser, the answers are then that site's own.
 * @param {import("node:http").IncomingMessage} req
 */
export function isForLoopback({ headers }) {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(headers.host);
}
