// What comes back: an answer of the gateway's, or why there is none, as a Result.

import { isObject } from "./check.mjs";

const TYPES = { 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict", 429: "too_many_requests" };
const ACTIONS = ["relink", "operator", "refresh_token", "retry", "give_up"];
/** What to wait after a 429 that names no time, in seconds. */
const DEFAULT_RETRY_AFTER = 60;

/** @returns a Result whose data is undefined */
export function failure(type, code, message, more) {
  return { data: undefined, error: { type, code, message, status: 0, action: "give_up", ...more } };
}

/**
 * Reads an answer to its end; rejects if it breaks off.
 * @param isOpen  whether anything may come; else only a JSON object
 */
export async function read(response, isOpen) {
  const { status } = response;
  if (status >= 200 && status <= 299) return readData(response, isOpen);
  // A browser shows nothing of a redirect that is not followed, other platforms show it as it is.
  if (status < 400 && status !== 304) {
    response.body?.cancel().catch(() => {});
    return failure("server_error", "REDIRECTED", "the answer is a redirect, which is not followed", { status });
  }
  return readError(response);
}

async function readData(response, isOpen) {
  const type = response.headers.get("content-type") ?? "";
  if (isOpen && !/^text\/|\bjson\b|^$/i.test(type)) return { data: await response.blob(), error: undefined };
  const text = await response.text();
  if (isOpen && text === "") return { data: undefined, error: undefined };
  if (isOpen && !/\bjson\b/i.test(type)) return { data: text, error: undefined };
  const data = parse(text);
  if (isOpen ? data !== undefined : isObject(data)) return { data, error: undefined };
  return notOurs({ status: response.status, requestId: response.headers.get("x-request-id") ?? undefined });
}

/** Of an answer that no gateway gives. */
export function notOurs(more) {
  return failure("server_error", "INVALID_ANSWER", "the answer is not what was asked for: is baseUrl a gateway?", {
    action: "operator",
    ...more,
  });
}

async function readError(response) {
  const { status, headers } = response;
  const body = Object(parse(await response.text()));
  const code = textOf(body.type) ?? textOf(body.code) ?? `HTTP_${status}`;
  const message = textOf(body.error) ?? textOf(body.message) ?? `the answer is HTTP ${status}`;
  return failure(TYPES[status] ?? (status < 500 ? "bad_request" : "server_error"), code, message, {
    status,
    requestId: textOf(body.requestId) ?? headers.get("x-request-id") ?? undefined,
    action: actionOf(headers.get("x-ofauth-edge-action"), status, code),
    retryAfter: retryAfterOf(headers, body) ?? (status === 429 ? DEFAULT_RETRY_AFTER : undefined),
  });
}

/** The gateway's verdict; where something else answered in its place, the least that can be said. */
function actionOf(verdict, status, code) {
  if (ACTIONS.includes(verdict)) return verdict;
  if (status === 401 && code === "TOKEN_EXPIRED") return "refresh_token";
  return status === 429 || status >= 500 ? "retry" : "give_up";
}

/** Seconds, rounded up. */
function retryAfterOf(headers, body) {
  const named = [headers.get("retry-after"), headers.get("x-ratelimit-retry-after"), body.retryAfter];
  return named.map(secondsOf).find((seconds) => seconds >= 0);
}

/** Of a number of seconds, or of a date until when. */
function secondsOf(value) {
  if (typeof value !== "number" && !textOf(value)) return undefined;
  return Math.ceil(Number.isNaN(Number(value)) ? Math.max(0, (Date.parse(value) - Date.now()) / 1_000) : value);
}

function textOf(value) {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
