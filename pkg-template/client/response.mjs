// Makes a Result from a response of the gateway, or from the reason why there is none.

import { isObject, nonEmptyString } from "./check.mjs";

const ERROR_TYPES = { 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict", 429: "too_many_requests" };
const ACTIONS = ["relink", "operator", "refresh_token", "retry", "give_up"];
/** Seconds to wait after a 429 that names no time. */
const DEFAULT_RETRY_AFTER = 60;

/** Makes a Result with an error. `details` are further members of the error. */
export function failure(type, code, message, details) {
  return { data: undefined, error: { type, code, message, status: 0, action: "give_up", ...details } };
}

/** Makes the Result for an answer that a gateway would not send. */
export function invalidAnswer(details) {
  return failure("server_error", "INVALID_ANSWER", "the answer is not what was asked for: is baseUrl a gateway?", {
    action: "operator",
    ...details,
  });
}

/**
 * Reads a response to its end. Rejects if it breaks off.
 * @param isRaw  whether any content may come; otherwise only a JSON object
 */
export async function readResponse(response, isRaw) {
  const { status } = response;
  if (status >= 200 && status <= 299) return readData(response, isRaw);
  // Browsers hide the status of a redirect that is not followed: it is 0 there. Other platforms show it.
  if (status < 400 && status !== 304) {
    response.body?.cancel().catch(() => {});
    return failure("server_error", "REDIRECTED", "the answer is a redirect, and redirects are not followed", { status });
  }
  return readError(response);
}

async function readData(response, isRaw) {
  const contentType = response.headers.get("content-type") ?? "";
  if (isRaw && !/^text\/|\bjson\b|^$/i.test(contentType)) return { data: await response.blob(), error: undefined };
  const text = await response.text();
  if (isRaw && text === "") return { data: undefined, error: undefined };
  if (isRaw && !/\bjson\b/i.test(contentType)) return { data: text, error: undefined };
  const data = parseJson(text);
  if (isRaw ? data !== undefined : isObject(data) && !Array.isArray(data)) return { data, error: undefined };
  return invalidAnswer({ status: response.status, requestId: response.headers.get("x-request-id") ?? undefined });
}

async function readError(response) {
  const { status, headers } = response;
  const body = Object(parseJson(await response.text()));
  const code = nonEmptyString(body.type) ?? nonEmptyString(body.code) ?? `HTTP_${status}`;
  const message = nonEmptyString(body.error) ?? nonEmptyString(body.message) ?? `the answer is HTTP ${status}`;
  return failure(ERROR_TYPES[status] ?? (status < 500 ? "bad_request" : "server_error"), code, message, {
    status,
    requestId: nonEmptyString(body.requestId) ?? headers.get("x-request-id") ?? undefined,
    action: actionOf(headers.get("x-ofauth-edge-action"), status, code),
    retryAfter: retryAfterOf(headers, body) ?? (status === 429 ? DEFAULT_RETRY_AFTER : undefined),
  });
}

/** Takes the action that the gateway names. Without one, a proxy probably answered, and the status decides. */
function actionOf(namedAction, status, code) {
  if (ACTIONS.includes(namedAction)) return namedAction;
  if (status === 401 && code === "TOKEN_EXPIRED") return "refresh_token";
  return status === 429 || status >= 500 ? "retry" : "give_up";
}

/** Returns seconds, rounded up, or undefined. */
function retryAfterOf(headers, body) {
  const values = [headers.get("retry-after"), headers.get("x-ratelimit-retry-after"), body.retryAfter];
  return values.map(secondsOf).find((seconds) => seconds >= 0);
}

/** Reads a number of seconds, or a date as the seconds until then. */
function secondsOf(value) {
  if (typeof value !== "number" && !nonEmptyString(value)) return undefined;
  return Math.ceil(Number.isNaN(Number(value)) ? Math.max(0, (Date.parse(value) - Date.now()) / 1_000) : value);
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
