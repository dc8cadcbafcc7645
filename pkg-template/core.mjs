// The functions of the package. Each entry loads the wasm in its own way and makes the functions from it.

import { currentTime, readBody, readOptions, readSecrets, readTime } from "./arguments.mjs";
import { argumentError, readFromCaller } from "./errors.mjs";
import { withEngine } from "./engine.mjs";
import { parseBody, toEvent } from "./event.mjs";
import { readHeaders } from "./headers.mjs";
import { checkRequest, readRequest } from "./request.mjs";

export { compile } from "./compile.mjs";
export { WebhookVerificationError, argumentError } from "./errors.mjs";

// Characters that a header's value cannot carry unchanged: spaces at its ends, control characters, characters above U+00FF.
const INVALID_IN_HEADER = /^ | $|[^\x20-\x7e\xa0-\xff]/;

// The `make…` functions make the functions that the entries export. They are made one by one, so that bundlers leave out those
// that an app does not use. `load` returns the WebAssembly.Module. The first call that needs it calls `load`; later calls do so
// only to replace an instance that was lost.
//
// Every function reads the body last. Reading the other arguments may run getters of the caller, and a getter could detach the
// body's buffer.

export function makeVerifySignature(load) {
  return function verifySignature(body, headers, secrets, options) {
    return verifySignatureWith(load, readHeaders(headers), readSecrets(secrets), readOptions(options), readBody(body));
  };
}

export function makeVerifyWebhook(load) {
  return function verifyWebhook(body, headers, secrets, options) {
    return verifyWebhookWith(load, readHeaders(headers), readSecrets(secrets), readOptions(options), readBody(body));
  };
}

export function makeVerifyRequest(load) {
  return async function verifyRequest(request, secrets, options) {
    const maxBytes = checkRequest(request, options);
    const [headers, secretLists, times] = [readHeaders(request), readSecrets(secrets), readOptions(options)];
    return verifyWebhookWith(load, headers, secretLists, times, await readRequest(request, maxBytes));
  };
}

export function makeExplainSignature(load) {
  return function explainSignature(body, headers, secrets, options) {
    return explainSignatureWith(load, readHeaders(headers), readSecrets(secrets), readOptions(options), readBody(body));
  };
}

export function makeSignWebhook(load) {
  return function signWebhook(body, secret, options) {
    return signWebhookWith(load, secret, readSignOptions(options), readBody(body));
  };
}

export function makeWebhookClass(load) {
  return class Webhook {
    #secrets;
    #options;

    constructor(secrets, options) {
      this.#secrets = readSecrets(secrets);
      this.#options = readOptions(options);
      // With `const { verify } = webhook`, the method is called without its object.
      this.verify = this.verify.bind(this);
      this.sign = this.sign.bind(this);
    }

    verify(body, headers) {
      return verifyWebhookWith(load, readHeaders(headers), this.#secrets, this.#options, readBody(body));
    }

    sign(body, options) {
      const signOptions = readSignOptions(options);
      const { bare, ofauth, svix } = this.#secrets;
      const [newest] = bare || signOptions.scheme === "ofauth" ? ofauth : svix;
      return signWebhookWith(load, newest ?? "", signOptions, readBody(body));
    }
  };
}

function verifySignatureWith(load, headers, secrets, { tolerance, now = currentTime() }, body) {
  return withEngine(load, runVerifySignature, body, headers, secrets, tolerance, now);
}

function runVerifySignature(engine, body, headers, secrets, tolerance, now) {
  engine.verify(body, headers, secrets, tolerance, now, false);
  return engine.readAnswer();
}

function verifyWebhookWith(load, headers, secrets, { tolerance, now = currentTime(), largeIntegers }, body) {
  return withEngine(load, runVerifyWebhook, body, headers, secrets, tolerance, now, largeIntegers);
}

function runVerifyWebhook(engine, body, headers, secrets, tolerance, now, largeIntegers) {
  let flags;
  try {
    flags = engine.verify(body, headers, secrets, tolerance, now, true);
  } catch (error) {
    // The core does not decide whether a body is JSON: JSON.parse does. A body that is not JSON must be INVALID_JSON.
    if (error.code === "INVALID_EVENT") parseBody(engine, body);
    throw error;
  }
  return toEvent(engine, parseBody(engine, body, largeIntegers), flags);
}

function explainSignatureWith(load, headers, secrets, { tolerance, now = currentTime() }, body) {
  return withEngine(load, (engine) => engine.explain(body, headers, secrets, tolerance, now));
}

function readSignOptions(options = {}) {
  if (typeof options !== "object" || options === null) throw argumentError("options", "an object: {scheme?, timestamp?, id?, prefix?}");
  const { scheme = "ofauth", prefix = "svix", timestamp, id } = readFromCaller("options", () => ({
    scheme: options.scheme,
    prefix: options.prefix,
    timestamp: options.timestamp,
    id: options.id,
  }));
  if (scheme !== "ofauth" && scheme !== "svix") throw argumentError("options.scheme", '"ofauth" or "svix"');
  if (prefix !== "svix" && prefix !== "webhook") throw argumentError("options.prefix", '"svix" or "webhook"');
  if (scheme === "svix") {
    if (typeof id !== "string" || id === "") throw argumentError("options.id", "the message's id");
    if (INVALID_IN_HEADER.test(id)) {
      throw argumentError("options.id", "fit for a header: without control characters, characters above U+00FF and outer spaces");
    }
  }
  return { scheme, prefix, id, timestamp: timestamp === undefined ? currentTime() : readTime("options.timestamp", timestamp) };
}

function signWebhookWith(load, secret, { scheme, prefix, id, timestamp }, body) {
  if (typeof secret !== "string") throw argumentError("secret", "a string");
  const svixId = scheme === "svix" ? id : undefined;
  const signature = withEngine(load, (engine) => engine.sign(body, secret, scheme === "ofauth", svixId, timestamp));
  return scheme === "ofauth"
    ? { "ofauth-signature": signature }
    : { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: String(timestamp), [`${prefix}-signature`]: signature };
}
