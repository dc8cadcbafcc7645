// Reads the caller's arguments and throws a TypeError if one has a wrong type or value. Arguments are recognised by their shape,
// never by `instanceof`, because they may come from another realm or a polyfill. The rules of signatures are not checked here.

import { bytesOf } from "./bytes.mjs";
import { argumentError, getterError, readFromCaller } from "./errors.mjs";

const EXPECTED_BODY = "the raw body as it was received: a string, a Uint8Array (such as a Buffer) or an ArrayBuffer";
const RAW_PARSER = 'a body parser that keeps the raw bytes, such as express.raw({ type: "*/*" }),';
const EXPECTED_SECRETS = "a string, an array of strings, or {ofauth?, svix?} with a string or an array of strings each";

const DEFAULT_OPTIONS = { tolerance: 300, now: undefined, largeIntegers: undefined };

// Returns the body as a string or as a Uint8Array.
export function readBody(body) {
  if (typeof body === "string") return body;
  const bytes = bytesOf("body", body);
  if (bytes !== undefined) return bytes;
  throw argumentError("body", `${EXPECTED_BODY}, not ${readFromCaller("body", () => describeBody(body))}`);
}

// Names what was passed instead of a body, and what to do about it.
function describeBody(body) {
  if (body === undefined || body === null) {
    return `${body}. Is there ${RAW_PARSER} for this route?`;
  }
  if (typeof body !== "object") return `a ${typeof body}`;
  if (typeof body.then === "function") return "a Promise. Await it first";
  if (typeof body.arrayBuffer === "function") return "a request or a blob. Pass await request.arrayBuffer(), or use verifyRequest";
  if (typeof body.getReader === "function" || typeof body.pipe === "function" || typeof body[Symbol.asyncIterator] === "function") {
    return "a stream. Read it first, as with buffer(req) of node:stream/consumers";
  }
  const kind = kindOf(body);
  if (kind !== "Object" && kind !== "Array") return `an object of kind ${kind}`;
  return `a parsed object. In place of its parser, put ${RAW_PARSER} for this route`;
}

// Returns `{bare, ofauth, svix}`. `bare` is true for secrets that were passed without the name of a scheme; they are in `ofauth`
// and serve both schemes. The lists are copies, because the caller may change its lists later.
export function readSecrets(secrets) {
  if (typeof secrets === "string") return { bare: true, ofauth: [secrets], svix: [] };
  if (isArray("secrets", secrets)) return { bare: true, ofauth: readSecretList("secrets", secrets), svix: [] };
  if (secrets === undefined || secrets === null) throw argumentError("secrets", `${EXPECTED_SECRETS}, not ${secrets}; is the variable set?`);
  if (typeof secrets !== "object") throw argumentError("secrets", EXPECTED_SECRETS);
  const { kind, keys, ofauth, svix } = readFromCaller("secrets", () => ({
    kind: kindOf(secrets),
    keys: Object.keys(secrets),
    ofauth: secrets.ofauth,
    svix: secrets.svix,
  }));
  // A key such as ofAuth would be a scheme that nothing verifies, without a word.
  const misspelt = keys.find((key) => key !== "ofauth" && key !== "svix" && /^(ofauth|svix)$/i.test(key));
  if (misspelt !== undefined) throw argumentError("secrets", `${EXPECTED_SECRETS}; it has the key ${misspelt}, write ${misspelt.toLowerCase()}`);
  if (ofauth === undefined && svix === undefined) {
    throw argumentError("secrets", EXPECTED_SECRETS + (kind === "Object" ? "; is the variable set?" : `, not an object of kind ${kind}`));
  }
  return { bare: false, ofauth: readSecretList("secrets.ofauth", ofauth), svix: readSecretList("secrets.svix", svix) };
}

function readSecretList(argument, secrets) {
  if (secrets === undefined) return [];
  if (typeof secrets === "string") return [secrets];
  if (!isArray(argument, secrets)) {
    throw argumentError(argument, `a string or an array of strings${secrets === null ? "; is the variable set?" : ""}`);
  }
  const copy = readFromCaller(argument, () => Array.from(secrets));
  copy.forEach((secret, index) => {
    if (typeof secret !== "string") throw argumentError(`${argument}[${index}]`, "a string; is the variable set?");
  });
  return copy;
}

// Returns `{tolerance, now, largeIntegers}`, the first two in whole seconds. If `now` is undefined, each call reads the clock.
export function readOptions(options) {
  if (options === undefined) return DEFAULT_OPTIONS;
  if (typeof options !== "object" || options === null) throw argumentError("options", "an object: {tolerance?, now?, largeIntegers?}");
  const { tolerance = DEFAULT_OPTIONS.tolerance, now, largeIntegers } = readFromCaller("options", () => ({
    tolerance: options.tolerance,
    now: options.now,
    largeIntegers: options.largeIntegers,
  }));
  if (largeIntegers !== undefined && largeIntegers !== "bigint" && largeIntegers !== "string") {
    throw argumentError("options.largeIntegers", '"bigint" or "string"');
  }
  return {
    tolerance: wholeNumber("options.tolerance", tolerance, "a whole number of seconds, 0 or more"),
    now: now === undefined ? undefined : readTime("options.now", now),
    largeIntegers,
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

// Array.isArray throws for a revoked Proxy.
export function isArray(argument, value) {
  return readFromCaller(argument, () => Array.isArray(value));
}

// Returns the name of a value's kind, such as "Object", "Map" or "Date".
export function kindOf(value) {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
