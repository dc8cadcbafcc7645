// Reads the caller's arguments and throws a TypeError if one has a wrong type or value. Arguments are recognised by their shape,
// never by `instanceof`, because they may come from another realm or a polyfill. The rules of signatures are not checked here.

import { bytesOf } from "./bytes.mjs";
import { argumentError, getterError, readFromCaller } from "./errors.mjs";

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

const EXPECTED_BODY = "the raw body as it was received: a string, a Uint8Array (such as a Buffer) or an ArrayBuffer";
const EXPECTED_HEADERS = "the request's headers: a Headers object, a Request, or an object such as Node's req.headers";
const EXPECTED_SECRETS = "a string, an array of strings, or {ofauth?, svix?} with a string or an array of strings each";

const DEFAULT_OPTIONS = { tolerance: 300, now: undefined };

// Returns the body as a string or as a Uint8Array.
export function readBody(body) {
  if (typeof body === "string") return body;
  const bytes = bytesOf("body", body);
  if (bytes !== undefined) return bytes;
  if (typeof body !== "object" || body === null) throw argumentError("body", EXPECTED_BODY);
  const kind = readFromCaller("body", () => kindOf(body));
  const isParsed = kind === "Object" || kind === "Array";
  throw argumentError("body", `${EXPECTED_BODY}, not ${isParsed ? "a parsed object" : `an object of kind ${kind}`}`);
}

// Returns the values of the headers in the order of HEADER_NAMES. A value is a string, undefined if the header is missing, or
// null if it was given more than once.
export function readHeaders(headers) {
  if (!isObject("headers", headers)) throw argumentError("headers", EXPECTED_HEADERS);
  const values = [undefined, undefined, undefined, undefined, undefined, undefined, undefined];
  let isRecognised;
  try {
    isRecognised = collectValues(headers, values);
  } catch (cause) {
    throw getterError("headers", cause);
  }
  if (!isRecognised) throw argumentError("headers", `${EXPECTED_HEADERS}; pass req.headers, not req`);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === undefined || value === null || typeof value === "string") continue;
    throw argumentError(`headers["${HEADER_NAMES[index]}"]`, "a string");
  }
  return values;
}

// Writes the headers into `values`. Returns false if `headers` has no shape that is supported.
function collectValues(headers, values) {
  if (typeof headers.get === "function") return collectByGet(headers, values);
  const inner = headers.headers;
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return collectByKey(headers, values);
  return typeof inner.get === "function" && collectByGet(inner, values);
}

function collectByGet(headers, values) {
  for (let index = 0; index < HEADER_NAMES.length; index++) values[index] = singleValue(headers.get(HEADER_NAMES[index]));
  return true;
}

function collectByKey(record, values) {
  for (const key of Object.keys(record)) {
    if (!HEADER_LENGTHS.has(key.length)) continue;
    const index = HEADER_INDEXES.get(key) ?? HEADER_INDEXES.get(key.toLowerCase());
    if (index === undefined) continue;
    const value = singleValue(record[key]);
    if (value !== undefined) values[index] = values[index] === undefined ? value : null;
  }
  return true;
}

function singleValue(value) {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return value ?? undefined;
  return value.length > 1 ? null : (value[0] ?? undefined);
}

// Returns `{bare, ofauth, svix}`. `bare` is true for secrets that were passed without the name of a scheme; they are in `ofauth`
// and serve both schemes. The lists are copies, because the caller may change its lists later.
export function readSecrets(secrets) {
  if (typeof secrets === "string") return { bare: true, ofauth: [secrets], svix: [] };
  if (isArray("secrets", secrets)) return { bare: true, ofauth: readSecretList("secrets", secrets), svix: [] };
  if (typeof secrets !== "object" || secrets === null) throw argumentError("secrets", EXPECTED_SECRETS);
  const { ofauth, svix } = readFromCaller("secrets", () => ({ ofauth: secrets.ofauth, svix: secrets.svix }));
  if (ofauth === undefined && svix === undefined) {
    // In a plain object, the values are probably variables that are not set: the core reports that. A Map or a promise is a
    // mistake in the call.
    if (readFromCaller("secrets", () => kindOf(secrets)) !== "Object") throw argumentError("secrets", EXPECTED_SECRETS);
  }
  return { bare: false, ofauth: readSecretList("secrets.ofauth", ofauth), svix: readSecretList("secrets.svix", svix) };
}

function readSecretList(argument, secrets) {
  if (secrets === undefined) return [];
  if (typeof secrets === "string") return [secrets];
  if (!isArray(argument, secrets)) throw argumentError(argument, "a string or an array of strings");
  const copy = readFromCaller(argument, () => Array.from(secrets));
  copy.forEach((secret, index) => {
    if (typeof secret !== "string") throw argumentError(`${argument}[${index}]`, "a string; is the variable set?");
  });
  return copy;
}

// Returns `{tolerance, now}` in whole seconds. If `now` is undefined, each call reads the clock.
export function readOptions(options) {
  if (options === undefined) return DEFAULT_OPTIONS;
  if (typeof options !== "object" || options === null) throw argumentError("options", "an object: {tolerance?, now?}");
  const { tolerance = DEFAULT_OPTIONS.tolerance, now } = readFromCaller("options", () => ({
    tolerance: options.tolerance,
    now: options.now,
  }));
  return {
    tolerance: wholeNumber("options.tolerance", tolerance, "a whole number of seconds, 0 or more"),
    now: now === undefined ? undefined : readTime("options.now", now),
  };
}

// The clock's time in whole unix seconds.
export function currentTime() {
  return Math.floor(Date.now() / 1000);
}

// Returns a time in whole unix seconds, from a number of them or a Date.
export function readTime(argument, time) {
  const expected = "whole unix seconds (not milliseconds) or a Date, from 1970 on";
  if (typeof time === "number") return wholeNumber(argument, time, expected);
  if (readFromCaller(argument, () => kindOf(time)) !== "Date") throw argumentError(argument, expected);
  return wholeNumber(argument, readFromCaller(argument, () => Math.floor(time.getTime() / 1000)), expected);
}

function wholeNumber(argument, number, expected) {
  if (!Number.isSafeInteger(number) || number < 0) throw argumentError(argument, expected);
  return number;
}

function isObject(argument, value) {
  return typeof value === "object" && value !== null && !isArray(argument, value);
}

// Array.isArray throws for a revoked Proxy.
function isArray(argument, value) {
  return readFromCaller(argument, () => Array.isArray(value));
}

// Returns the name of a value's kind, such as "Object", "Map" or "Date".
function kindOf(value) {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
