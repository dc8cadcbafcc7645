// The client of the gateway: fetch and nothing else, no wasm. Every method answers a Result and never rejects; what is
// wrong with the options of createClient itself is thrown at once. How a call is made is in client/call.mjs.

import { makeCall } from "./client/call.mjs";
import { argument, isObject } from "./client/check.mjs";
import { credentialOf } from "./client/credential.mjs";
import { iterate } from "./client/iterate.mjs";
import { live } from "./client/live.mjs";

const DEFAULT_TRIES = 3;
const DEFAULT_MAX_WAIT = 30;

export function createClient(options) {
  argument(isObject(options), "createClient", "an object: { baseUrl, token } or { baseUrl, apiKey }");
  const call = makeCall({
    base: baseOf(options.baseUrl),
    credential: credentialOf(options),
    fetch: fetchOf(options.fetch),
    ...retryOf(options.retry),
  });

  const get = (path, options, query) => call("GET", path, options, { query });
  const post = (path, body, options) => call("POST", path, options, { body });
  const list = (filter, options) => get("/edge/connections", options, filter);
  const connection = (method, rest) => (id, options) => call(method, ["/edge/connections/", id, rest], options);

  return {
    link: {
      init: (session = {}, options) => post("/v2/link/init", session, options),
      connections: {
        getAll: list,
        iterate: (filter, options) => iterate((query) => list(query, options), filter),
        live: (filter, options) => live((query) => list(query, options), filter, options ?? {}),
        getById: connection("GET", ""),
        delete: connection("DELETE", ""),
        invalidate: connection("POST", "/invalidate"),
        health: connection("GET", "/health"),
      },
    },
    sessions: { create: (session, options) => post("/edge/sessions", session, options) },
    account: { whoami: (options) => get("/v2/account/whoami", options) },
    self: { getMe: (options) => get("/v2/access/self", options) },
    subscribers: {
      list: (options) => get("/v2/access/subscribers", options, { limit: options?.limit, offset: options?.offset }),
    },
    access: (path, init) => call(init?.method ?? "GET", path, init, { isOpen: true }),
  };
}

/** Where the gateway is, without the last slash. */
function baseOf(baseUrl) {
  let url;
  try {
    url = new URL(baseUrl?.href ?? baseUrl);
  } catch {
    // Judged below: the message must not repeat what may hold a password.
  }
  const isPlain = /^https?:$/.test(url?.protocol) && !url.username && !url.password && !/[?#]/.test(url.href);
  argument(isPlain, "baseUrl", "the gateway's URL: http or https, without credentials, query or fragment");
  return url.href.replace(/\/+$/, "");
}

/** The platform's own is looked up at each call: tests and tracers replace it after a client was made. */
function fetchOf(given) {
  argument(given === undefined || typeof given === "function", "fetch", "a function like the platform's own fetch");
  return given ?? ((url, init) => globalThis.fetch(url, init));
}

function retryOf(retry = {}) {
  const { tries = DEFAULT_TRIES, maxWait = DEFAULT_MAX_WAIT } = retry === false ? { tries: 1 } : (retry ?? {});
  argument(retry === false || isObject(retry), "retry", "false or an object: { tries, maxWait }");
  argument(Number.isInteger(tries) && tries >= 1 && tries <= 10, "retry.tries", "a whole number from 1 to 10");
  argument(typeof maxWait === "number" && maxWait >= 0 && maxWait <= 3_600, "retry.maxWait", "seconds, from 0 to 3600");
  return { tries, maxWait };
}
