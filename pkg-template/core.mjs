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

const decoder = new TextDecoder("utf-8", { fatal: true });

// `load` returns a WebAssembly.Module; it is called at most once, by the first call that needs it.
export function bind(load) {
  const verifySignature = (body, headers, secrets, options) =>
    signature(load, readBody(body), readHeaders(headers), readSecrets(secrets), readOptions(options));

  const verifyWebhook = (body, headers, secrets, options) =>
    webhook(load, readBody(body), readHeaders(headers), readSecrets(secrets), readOptions(options));

  const explainSignature = (body, headers, secrets, options) =>
    explain(load, readBody(body), readHeaders(headers), readSecrets(secrets), readOptions(options));

  const signWebhook = (body, secret, options) => sign(load, readBody(body), secret, readSigning(options));

  class Webhook {
    #secrets;
    #options;

    constructor(secrets, options) {
      this.#secrets = readSecrets(secrets);
      this.#options = readOptions(options);
    }

    verify(body, headers) {
      return webhook(load, readBody(body), readHeaders(headers), this.#secrets, this.#options);
    }
  }

  return { verifySignature, verifyWebhook, explainSignature, signWebhook, Webhook };
}

function signature(load, body, headers, secrets, { tolerance, now = clock() }) {
  const run = engine.start(load);
  run.verify(body, headers, secrets, tolerance, now, false);
  return run.answer();
}

function explain(load, body, headers, secrets, { tolerance, now = clock() }) {
  return engine.start(load).explain(body, headers, secrets, tolerance, now);
}

function webhook(load, body, headers, secrets, { tolerance, now = clock() }) {
  const run = engine.start(load);
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

// What was verified is read, not what a caller may have changed since.
function read(run, body) {
  try {
    return JSON.parse(typeof body === "string" ? withoutMark(body) : decoder.decode(run.verified()));
  } catch (cause) {
    throw new WebhookVerificationError("INVALID_JSON", "the body is not JSON in UTF-8", { cause });
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
  if (scheme === "svix" && (typeof id !== "string" || id === "")) throw misuse("options.id", "the message's id, a string, under svix");
  return { scheme, id, timestamp: timestamp === undefined ? clock() : readTime("options.timestamp", timestamp) };
}

function sign(load, body, secret, { scheme, id, timestamp }) {
  if (typeof secret !== "string") throw misuse("secret", "a string");
  const value = engine.start(load).sign(body, secret, scheme === "ofauth", scheme === "svix" ? id : undefined, timestamp);
  return scheme === "ofauth"
    ? { "ofauth-signature": value }
    : { "svix-id": id, "svix-timestamp": String(timestamp), "svix-signature": value };
}
