// One instance of the wasm, and how a call gets in and out of it: the body, then the headers, as UTF-8 in an input buffer
// of the instance's own. All that a caller passed has been read before: nothing of the caller's runs while a call is under way.

import { __wbg_set_wasm, imports } from "./imports.js";
import { WebhookVerificationError } from "./errors.mjs";
import { attach } from "../src/npm/sha256.js";

const MAX_BODY = 16 * 1024 * 1024;
const MAX_HEADER = 8192;
const TOO_LARGE = "the body is over 16 MiB";
const TWICE = "a signature header was given more than once";
const NOT_WELL_FORMED = "the body is a string with half of a surrogate pair, which has no bytes; pass the raw bytes";

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();

let current = null;

// Has the one instance that all entries share do `act` with what is given. It is put away meanwhile, and comes back unless
// what is thrown is not ours: that came out of wasm itself (a stack overflow, say) and left it who knows how. The next call
// then gets a new one.
export function using(load, act, ...given) {
  const engine = current ?? new Engine(new WebAssembly.Instance(load(), { "./ofauth_edge_bg.js": imports }));
  current = null;
  engine.attach();
  try {
    const result = act(engine, ...given);
    current = engine;
    return result;
  } catch (error) {
    if (error instanceof WebhookVerificationError) current = engine;
    throw error;
  }
}

class Engine {
  #wasm;
  // The input buffer. What makes the memory grow detaches the view, and leaves it empty.
  #input = new Uint8Array(0);
  #room = 0;
  #secrets = null;
  #bytes = 0;

  constructor({ exports }) {
    this.#wasm = exports;
    __wbg_set_wasm(exports);
    exports.__wbindgen_start?.();
    this.#reserve(16 * 1024);
  }

  // Has the platform's hash read and write in this one's memory.
  attach() {
    attach(this.#wasm);
  }

  // Judges the signature, and the event if `event` says so; returns what the wasm does, which is not 0.
  verify(body, headers, secrets, tolerance, now, event) {
    if (!this.#use(secrets)) throw this.#failure();
    const fault = this.#putBody(body);
    const twice = this.#putHeaders(headers);
    if (fault !== null) throw this.#worse(fault, twice, tolerance, now);
    const good = event
      ? this.#wasm.verify_webhook(this.#bytes, tolerance, now)
      : this.#wasm.verify_signature(this.#bytes, tolerance, now);
    if (!good) throw this.#failure(twice);
    return good;
  }

  // A body that cannot be judged is the last thing that is wrong, where a signature that does not match would be.
  #worse(fault, twice, tolerance, now) {
    if (this.#wasm.verify_signature(0, tolerance, now)) return fault;
    const failure = this.#failure(twice);
    return failure.code === "SIGNATURE_MISMATCH" ? fault : failure;
  }

  // The same where a failure is what is asked about.
  explain(body, headers, secrets, tolerance, now) {
    this.#use(secrets);
    const fault = this.#putBody(body);
    if (fault !== null) throw fault;
    const twice = this.#putHeaders(headers);
    this.#wasm.explain(this.#bytes, tolerance, now);
    const diagnosis = this.answer();
    if (twice && diagnosis.cause === "malformed_header") diagnosis.message = `${TWICE}. Pass it as received.`;
    return diagnosis;
  }

  sign(body, secret, ofauth, id, timestamp) {
    const fault = this.#putBody(body);
    if (fault !== null) throw fault;
    this.#wasm.secret(ofauth, this.#bytes, this.#put(secret, this.#bytes));
    if (id !== undefined) this.#wasm.header(0, this.#bytes, this.#put(id, this.#bytes));
    if (!this.#wasm.sign(ofauth, this.#bytes, timestamp)) throw this.#failure();
    return this.answer();
  }

  // The bytes of the last body, as they were verified.
  verified() {
    this.#reserve(this.#bytes);
    return this.#input.subarray(0, this.#bytes);
  }

  // What the last call answers besides good or bad.
  answer() {
    const start = this.#wasm.answer() >>> 0;
    return JSON.parse(decoder.decode(new Uint8Array(this.#wasm.memory.buffer, start, this.#wasm.answer_bytes())));
  }

  #failure(twice = false) {
    const { code, message } = this.answer();
    const doubled = twice && code === "MALFORMED_HEADER";
    return new WebhookVerificationError(code, doubled ? TWICE : message);
  }

  #use(secrets) {
    if (this.#secrets !== null && same(this.#secrets, secrets)) return true;
    this.#secrets = null;
    for (const secret of secrets.ofauth) this.#wasm.secret(true, 0, this.#put(secret, 0));
    for (const secret of secrets.svix) this.#wasm.secret(false, 0, this.#put(secret, 0));
    if (!this.#wasm.use_secrets(secrets.bare)) return false;
    this.#secrets = secrets;
    return true;
  }

  #putBody(body) {
    this.#bytes = 0;
    if (typeof body === "string") {
      if (!isWellFormed(body)) return new WebhookVerificationError("INVALID_BODY", NOT_WELL_FORMED);
      if (isTooLarge(body)) return new WebhookVerificationError("BODY_TOO_LARGE", TOO_LARGE);
      this.#bytes = this.#put(body, 0);
    } else {
      const { length } = body;
      if (length > MAX_BODY) return new WebhookVerificationError("BODY_TOO_LARGE", TOO_LARGE);
      this.#reserve(length);
      this.#input.set(body);
      this.#bytes = length;
    }
    return null;
  }

  #putHeaders(headers) {
    let start = this.#bytes;
    let twice = false;
    for (let place = 0; place < headers.length; place++) {
      let value = headers[place];
      if (value === undefined) continue;
      if (value === null) {
        // The core finds this one too long, in its place in the order of judgement.
        twice = true;
        value = " ".repeat(MAX_HEADER + 1);
      }
      if (value.length > MAX_HEADER) value = value.slice(0, MAX_HEADER + 1);
      const bytes = this.#put(value, start);
      this.#wasm.header(place, start, bytes);
      start += bytes;
    }
    return twice;
  }

  // Writes `text` as UTF-8 at `start` and says how many bytes that took.
  #put(text, start) {
    this.#reserve(start + text.length);
    let { read, written } = encoder.encodeInto(text, start === 0 ? this.#input : this.#input.subarray(start));
    if (read < text.length) {
      this.#reserve(start + written + 3 * (text.length - read));
      written += encoder.encodeInto(text.slice(read), this.#input.subarray(start + written)).written;
    }
    return written;
  }

  #reserve(bytes) {
    if (this.#input.length > 0 && bytes <= this.#input.length) return;
    this.#room = Math.max(this.#room, bytes);
    const start = this.#wasm.reserve(this.#room) >>> 0;
    this.#input = new Uint8Array(this.#wasm.memory.buffer, start, this.#room);
  }
}

function same(a, b) {
  return a === b || (a.bare === b.bare && sameList(a.ofauth, b.ofauth) && sameList(a.svix, b.svix));
}

function sameList(a, b) {
  return a.length === b.length && a.every((secret, index) => secret === b[index]);
}

function isWellFormed(text) {
  return text.isWellFormed === undefined ? !/\p{Surrogate}/u.test(text) : text.isWellFormed();
}

// By its UTF-8 length, which is counted only where it is in doubt.
function isTooLarge(text) {
  if (3 * text.length <= MAX_BODY) return false;
  let bytes = text.length;
  for (let index = 0; index < text.length && bytes <= MAX_BODY; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes > MAX_BODY;
}
