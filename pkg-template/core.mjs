// The functions of the package, over an instance of the wasm that each entry loads in its own way.

import { clock, readBody, readHeaders, readOptions, readSecrets, readTime } from "./arguments.mjs";
import { WebhookVerificationError, misuse, reading } from "./errors.mjs";
import * as engine from "./engine.mjs";

export { compile } from "./compile.mjs";
export { WebhookVerificationError, misuse } from "./errors.mjs";

// As in src/npm/mod.rs.
const KNOWN = 2;
const DATED = 4;
const LIVE = 8;
const NUMBER_IDS = 16;

// What would not arrive in a header's value as it is.
const UNFIT = /^ | $|[^\x20-\x7e\xa0-\xff]/;

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true });

// What each entry exports, one by one, so that what an app does not use is left out of it. `load` returns a
// WebAssembly.Module; it is called by the first call that needs it, and again only if an instance was lost.
//
// The body is read last: reading the others may run the caller's getters, and these may take its bytes away.

export function signatureVerifier(load) {
  return function verifySignature(body, headers, secrets, options) {
    return signature(load, readHeaders(headers), readSecrets(secrets), readOptions(options), readBody(body));
  };
}

export function webhookVerifier(load) {
  return function verifyWebhook(body, headers, secrets, options) {
    return webhook(load, readHeaders(headers), readSecrets(secrets), readOptions(options), readBody(body));
  };
}

export function signatureExplainer(load) {
  return function explainSignature(body, headers, secrets, options) {
    return explain(load, readHeaders(headers), readSecrets(secrets), readOptions(options), readBody(body));
  };
}

export function webhookSigner(load) {
  return function signWebhook(body, secret, options) {
    return sign(load, secret, readSigning(options), readBody(body));
  };
}

export function webhookClass(load) {
  return class Webhook {
    #secrets;
    #options;

    constructor(secrets, options) {
      this.#secrets = readSecrets(secrets);
      this.#options = readOptions(options);
    }

    verify(body, headers) {
      return webhook(load, readHeaders(headers), this.#secrets, this.#options, readBody(body));
    }
  };
}

function signature(load, headers, secrets, { tolerance, now = clock() }, body) {
  return engine.using(load, judge, body, headers, secrets, tolerance, now);
}

function judge(run, body, headers, secrets, tolerance, now) {
  run.verify(body, headers, secrets, tolerance, now, false);
  return run.answer();
}

function webhook(load, headers, secrets, { tolerance, now = clock() }, body) {
  return engine.using(load, judgeEvent, body, headers, secrets, tolerance, now);
}

function judgeEvent(run, body, headers, secrets, tolerance, now) {
  let flags;
  try {
    flags = run.verify(body, headers, secrets, tolerance, now, true);
  } catch (error) {
    // The core leaves it to JSON.parse what is JSON; what is not is no event either.
    if (error.code === "INVALID_EVENT") read(run, body);
    throw error;
  }
  const event = read(run, body);
  if (flags & NUMBER_IDS) for (const [path, id] of Object.entries(run.answer())) put(event, path.split("."), id);
  return shape(event, flags);
}

function explain(load, headers, secrets, { tolerance, now = clock() }, body) {
  return engine.using(load, (run) => run.explain(body, headers, secrets, tolerance, now));
}

// What was verified is read, not what a caller may have changed since.
function read(run, body) {
  try {
    return JSON.parse(typeof body === "string" ? withoutMark(body) : decoder.decode(run.verified()));
  } catch (cause) {
    // An exhausted stack says nothing about the body.
    if (cause.name !== "SyntaxError" && cause.name !== "TypeError") throw cause;
    // Without the cause, which would quote the body.
    throw new WebhookVerificationError("INVALID_JSON", "the body is not JSON in UTF-8");
  }
}

function withoutMark(text) {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function put(event, path, value) {
  const last = path.length - 1;
  let at = event;
  for (let depth = 0; depth < last; depth++) at = at[path[depth]];
  at[path[last]] = value;
}

// What the core has judged takes its place; the rest stays as it came.
function shape(parsed, flags) {
  const event = parsed.type == null ? renamed(parsed) : parsed;
  event.known = (flags & KNOWN) !== 0;
  if (!(flags & DATED)) event.timestamp = null;
  if (!(flags & LIVE) && "live" in event) delete event.live;
  return event;
}

function renamed({ eventType, ...event }) {
  event.type = eventType;
  return event;
}

function readSigning(options = {}) {
  if (typeof options !== "object" || options === null) throw misuse("options", "an object: {scheme?, timestamp?, id?}");
  const { scheme = "ofauth", timestamp, id } = reading("options", () => ({
    scheme: options.scheme,
    timestamp: options.timestamp,
    id: options.id,
  }));
  if (scheme !== "ofauth" && scheme !== "svix") throw misuse("options.scheme", '"ofauth" or "svix"');
  if (scheme === "svix") {
    if (typeof id !== "string" || id === "") throw misuse("options.id", "the message's id, a string, under svix");
    if (UNFIT.test(id)) throw misuse("options.id", "fit for a header: no control character, none above U+00FF, no space around it");
  }
  return { scheme, id, timestamp: timestamp === undefined ? clock() : readTime("options.timestamp", timestamp) };
}

function sign(load, secret, { scheme, id, timestamp }, body) {
  if (typeof secret !== "string") throw misuse("secret", "a string");
  const named = scheme === "svix" ? id : undefined;
  const value = engine.using(load, (run) => run.sign(body, secret, scheme === "ofauth", named, timestamp));
  return scheme === "ofauth"
    ? { "ofauth-signature": value }
    : { "svix-id": id, "svix-timestamp": String(timestamp), "svix-signature": value };
}
