// Finds the signature headers in what the caller passed as headers. Frameworks keep headers in many shapes. Each shape either
// works or is a TypeError that says what to pass: a mistake in the call must never look like a request without a signature.

import { isArray, kindOf } from "./arguments.mjs";
import { argumentError, getterError } from "./errors.mjs";

// The order must be that of the list of names in src/core/webhook/header.rs.
const HEADER_NAMES = [
  "ofauth-signature",
  "svix-id",
  "svix-timestamp",
  "svix-signature",
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
];
const HEADER_INDEXES = /* @__PURE__ */ new Map(/* @__PURE__ */ HEADER_NAMES.map((name, index) => [name, index]));
const HEADER_LENGTHS = /* @__PURE__ */ new Set(/* @__PURE__ */ HEADER_NAMES.map((name) => name.length));

const EXPECTED = "the request's headers: a Headers object, a Request, or an object such as Node's req.headers";
const AWAIT_FIRST = "not a Promise: await it first, as in await headers()";

// Returns the values of the headers in the order of HEADER_NAMES. A value is a string, undefined if the header is missing, or
// null if it was given more than once.
export function readHeaders(headers) {
  if (typeof headers !== "object" || headers === null || isArray("headers", headers)) throw argumentError("headers", EXPECTED);
  const values = [undefined, undefined, undefined, undefined, undefined, undefined, undefined];
  let problem;
  try {
    problem = collectValues(headers, values);
  } catch (cause) {
    throw getterError("headers", cause);
  }
  if (problem !== undefined) throw argumentError("headers", `${EXPECTED}; ${problem}`);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === undefined || value === null || typeof value === "string") continue;
    throw argumentError(`headers["${HEADER_NAMES[index]}"]`, "a string");
  }
  return values;
}

// Writes the headers into `values`. Returns undefined, or what is wrong if `headers` cannot be headers.
function collectValues(headers, values) {
  // A request of any framework has its headers in `headers`. In headers themselves, that would be a header of this name.
  const inner = headers.headers;
  const source = isObject(inner) && !Array.isArray(inner) ? inner : headers;
  if (collectFrom(source, values)) return undefined;
  if (source === headers) {
    // Hono's c and c.req, and an event of AWS whose load balancer sends several values of each header.
    const other = headers.raw?.headers ?? headers.req?.raw?.headers ?? headers.multiValueHeaders;
    if (isObject(other) && !Array.isArray(other)) return collectFrom(other, values) ? undefined : problemOf(other);
  }
  return problemOf(source);
}

// Writes the headers into `values`. Returns whether it found any.
function collectFrom(source, values) {
  if (typeof source.get !== "function") collectEntries(Object.keys(source), (key) => source[key], values);
  // A Map compares names exactly, and may have them as they were sent.
  else if (kindOf(source) === "Map") collectEntries(source.keys(), (key) => source.get(key), values);
  else collectByGet(source, values);
  return values.some((value) => value !== undefined);
}

function collectByGet(headers, values) {
  for (let index = 0; index < HEADER_NAMES.length; index++) values[index] = singleValue(headers.get(HEADER_NAMES[index]));
  // Some frameworks return "" for a header that is absent.
  if (values.every((value) => value === "")) values.fill(undefined);
}

function collectEntries(keys, read, values) {
  for (const key of keys) {
    if (!HEADER_LENGTHS.has(key.length)) continue;
    const index = HEADER_INDEXES.get(key) ?? HEADER_INDEXES.get(key.toLowerCase());
    if (index === undefined) continue;
    const value = singleValue(read(key));
    if (value !== undefined) values[index] = values[index] === undefined ? value : null;
  }
}

function singleValue(value) {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return value ?? undefined;
  return value.length > 1 ? null : (value[0] ?? undefined);
}

// Says why an object without signature headers is no headers at all. Returns undefined if it may be headers.
function problemOf(source) {
  if (typeof source.then === "function") return AWAIT_FIRST;
  const kind = kindOf(source);
  if (typeof source.get === "function") return /Headers|^(Object|Map)$/.test(kind) ? undefined : `not an object of kind ${kind}`;
  if (kind !== "Object") return `not an object of kind ${kind}`;
  const other = Object.keys(source).find((key) => !isHeaderValue(source[key]));
  return other === undefined ? undefined : `${JSON.stringify(other)} is no string. Pass req.headers, not req`;
}

function isHeaderValue(value) {
  return value === undefined || value === null || typeof value === "string" || typeof value === "number" || Array.isArray(value);
}

function isObject(value) {
  return typeof value === "object" && value !== null;
}
