// Makes the client of the gateway. Its methods return a Result and never reject. call.mjs makes the calls.

import { makeCall } from "./call.mjs";
import { check, hintIfUnset, isObject } from "./check.mjs";
import { makeCredential } from "./credential.mjs";
import { iterate } from "./iterate.mjs";
import { live } from "./live.mjs";

const DEFAULT_TRIES = 3;
const DEFAULT_MAX_WAIT = 30;

/** Throws a TypeError if an option is wrong. */
export function createClient(options) {
  check(isObject(options), "createClient", "an object: { baseUrl, token } or { baseUrl, apiKey }");
  const gateway = {
    base: readBaseUrl(options.baseUrl),
    credential: makeCredential(options),
    fetch: readFetch(options.fetch),
    fetchOptions: readFetchOptions(options.fetchOptions),
    ...readRetry(options.retry),
  };
  const { apiKey } = options;
  const call = makeCall(gateway);

  const get = (path, options, query) => call("GET", path, options, { query });
  const post = (path, body, options) => call("POST", path, options, { body });
  const list = (filter, options) => get("/edge/connections", options, filter);
  const onConnection = (method, suffix) => (id, options) => call(method, ["/edge/connections/", id, suffix], options);

  return {
    link: {
      init: (session = {}, options) => post("/v2/link/init", session, options),
      connections: {
        getAll: list,
        iterate: (filter, options) => iterate((query) => list(query, options), filter),
        live: (filter, options) => live(apiKey, filter, options ?? {}, gateway, call),
        getById: onConnection("GET", ""),
        delete: onConnection("DELETE", ""),
        invalidate: onConnection("POST", "/invalidate"),
        health: onConnection("GET", "/health"),
      },
    },
    sessions: { create: (session, options) => post("/edge/sessions", session, options) },
    account: { whoami: (options) => get("/v2/account/whoami", options) },
    self: { getMe: (options) => get("/v2/access/self", options) },
    subscribers: {
      list: (options) => get("/v2/access/subscribers", options, { limit: options?.limit, offset: options?.offset }),
    },
    access: (path, init) => call(init?.method ?? "GET", path, init, { isRaw: true }),
  };
}

/** Returns the gateway's URL without slashes at its end. */
function readBaseUrl(baseUrl) {
  let href;
  try {
    href = new URL(baseUrl?.href ?? baseUrl).href;
  } catch {
    // The check below reports it. The platform's own message would repeat the value, which may contain a password.
  }
  // The parts of a URL are not read from the object, because React Native does not have them all.
  const isPlain = /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/.test(href);
  const expected = "the gateway's URL, such as https://gateway.example: http or https, without credentials, query or fragment";
  check(isPlain, "baseUrl", expected + hintIfUnset(baseUrl));
  return href.replace(/\/+$/, "");
}

/** The platform's fetch is looked up at each call, because tests and tracers may replace it after the client was made. */
function readFetch(given) {
  check(given === undefined || typeof given === "function", "fetch", "a function like the platform's own fetch");
  return given ?? ((url, init) => globalThis.fetch(url, init));
}

function readFetchOptions(fetchOptions = {}) {
  check(isObject(fetchOptions), "fetchOptions", "an object with options of fetch");
  return { ...fetchOptions };
}

function readRetry(retry = {}) {
  const { tries = DEFAULT_TRIES, maxWait = DEFAULT_MAX_WAIT } = retry === false ? { tries: 1 } : (retry ?? {});
  check(retry === false || isObject(retry), "retry", "false or an object: { tries, maxWait }");
  check(Number.isInteger(tries) && tries >= 1 && tries <= 10, "retry.tries", "a whole number from 1 to 10");
  check(typeof maxWait === "number" && maxWait >= 0 && maxWait <= 3_600, "retry.maxWait", "seconds, from 0 to 3600");
  return { tries, maxWait };
}
