// Tells what callers pass apart, by shape and never by `instanceof`: values come from other realms and polyfills.
// Everything here reads and throws TypeErrors; nothing here knows what makes a signature right.

import { bytesOf } from "./bytes.mjs";
import { misuse, reading, unreadable } from "./errors.mjs";

// In the order of NAMES in src/signature_header.rs.
const HEADERS = [
  "ofauth-signature",
  "svix-id",
  "svix-timestamp",
  "svix-signature",
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
];
const PLACES = /* @__PURE__ */ new Map(/* @__PURE__ */ HEADERS.map((name, place) => [name, place]));
const LENGTHS = /* @__PURE__ */ new Set(/* @__PURE__ */ HEADERS.map((name) => name.length));

const BODY = "the raw body as it was received: a string, a Uint8Array (Buffer too) or an ArrayBuffer";
const HEADERS_LIKE = "the request's headers: a Headers object, a request with one, or a record such as Node's req.headers";
const SECRETS = "a secret, an array of secrets, or {ofauth?, svix?} with those";

// The body as a string or as a Uint8Array.
export function readBody(body) {
  if (typeof body === "string") return body;
  const bytes = bytesOf("body", body);
  if (bytes !== undefined) return bytes;
  if (typeof body !== "object" || body === null) throw misuse("body", BODY);
  const kind = reading("body", () => kindOf(body));
  const parsed = kind === "Object" || kind === "Array";
  throw misuse("body", `${BODY}, not ${parsed ? "a parsed object" : `an object of kind ${kind}`}`);
}

// The values of HEADERS, each a string, undefined, or null for one that was given more than once.
export function readHeaders(headers) {
  if (!isObject("headers", headers)) throw misuse("headers", HEADERS_LIKE);
  const found = [undefined, undefined, undefined, undefined, undefined, undefined, undefined];
  let understood;
  try {
    understood = collect(headers, found);
  } catch (cause) {
    throw unreadable("headers", cause);
  }
  if (!understood) throw misuse("headers", `${HEADERS_LIKE}; pass req.headers, not req`);
  for (let place = 0; place < found.length; place++) {
    const value = found[place];
    if (value !== undefined && value !== null && typeof value !== "string") throw misuse(`headers["${HEADERS[place]}"]`, "a string");
  }
  return found;
}

function collect(headers, found) {
  if (typeof headers.get === "function") return ask(headers, found);
  const inner = headers.headers;
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return search(headers, found);
  return typeof inner.get === "function" && ask(inner, found);
}

function ask(headers, found) {
  for (let place = 0; place < HEADERS.length; place++) found[place] = single(headers.get(HEADERS[place]));
  return true;
}

function search(record, found) {
  for (const key of Object.keys(record)) {
    if (!LENGTHS.has(key.length)) continue;
    const place = PLACES.get(key) ?? PLACES.get(key.toLowerCase());
    if (place === undefined) continue;
    const value = single(record[key]);
    if (value !== undefined) found[place] = found[place] === undefined ? value : null;
  }
  return true;
}

function single(value) {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return value ?? undefined;
  return value.length > 1 ? null : (value[0] ?? undefined);
}

// `{bare, ofauth, svix}`, the lists copied: the caller's may change later.
export function readSecrets(secrets) {
  if (typeof secrets === "string") return { bare: true, ofauth: [secrets], svix: [] };
  if (isList("secrets", secrets)) return { bare: true, ofauth: list("secrets", secrets), svix: [] };
  if (typeof secrets !== "object" || secrets === null) throw misuse("secrets", SECRETS);
  const { ofauth, svix } = reading("secrets", () => ({ ofauth: secrets.ofauth, svix: secrets.svix }));
  if (ofauth === undefined && svix === undefined) {
    // A Map or a promise, say, holds them elsewhere, if at all; a plain object's variables are just not set.
    if (reading("secrets", () => kindOf(secrets)) !== "Object") throw misuse("secrets", SECRETS);
  }
  return { bare: false, ofauth: list("secrets.ofauth", ofauth), svix: list("secrets.svix", svix) };
}

function list(argument, secrets) {
  if (secrets === undefined) return [];
  if (typeof secrets === "string") return [secrets];
  if (!isList(argument, secrets)) throw misuse(argument, "a string or an array of strings");
  const copy = reading(argument, () => Array.from(secrets));
  copy.forEach((secret, index) => {
    if (typeof secret !== "string") throw misuse(`${argument}[${index}]`, "a string; is the variable set?");
  });
  return copy;
}

// `{tolerance, now}` in whole seconds; `now` is undefined for the clock's.
export function readOptions(options) {
  if (options === undefined) return DEFAULTS;
  if (typeof options !== "object" || options === null) throw misuse("options", "an object: {tolerance?, now?}");
  const { tolerance, now } = reading("options", () => ({ tolerance: options.tolerance, now: options.now }));
  return {
    tolerance: tolerance === undefined ? DEFAULTS.tolerance : whole("options.tolerance", tolerance, "a whole number of seconds from 0"),
    now: now === undefined ? undefined : readTime("options.now", now),
  };
}

const DEFAULTS = { tolerance: 300, now: undefined };

export function clock() {
  return Math.floor(Date.now() / 1000);
}

// Whole unix seconds from such a number or a Date.
export function readTime(argument, time) {
  const wanted = "whole unix seconds (not milliseconds) or a Date, from 1970 on";
  if (typeof time === "number") return whole(argument, time, wanted);
  if (reading(argument, () => kindOf(time)) !== "Date") throw misuse(argument, wanted);
  return whole(argument, reading(argument, () => Math.floor(time.getTime() / 1000)), wanted);
}

function whole(argument, number, wanted) {
  if (!Number.isSafeInteger(number) || number < 0) throw misuse(argument, wanted);
  return number;
}

function isObject(argument, value) {
  return typeof value === "object" && value !== null && !isList(argument, value);
}

// A Proxy that was revoked throws even here.
function isList(argument, value) {
  return reading(argument, () => Array.isArray(value));
}

// "Object", "Map", "Date" and so on: what a value says it is.
function kindOf(value) {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
