// Runs the calls in an instance of the wasm. Each instance has an input buffer in its memory. A call writes the body there and
// then the headers, both as UTF-8. All arguments have been read before, so no code of the caller runs during a call.

import { __wbg_set_wasm, imports } from "./imports.js";
import { WebhookVerificationError } from "./errors.mjs";
import { attach } from "../src/npm/sha256.js";

const MAX_BODY_BYTES = 16 * 1024 * 1024;
// The core refuses a header that has more bytes than this.
const MAX_HEADER_BYTES = 8192;
const BODY_TOO_LARGE = "the body is over 16 MiB";
const REPEATED_HEADER = "a signature header was given more than once";
const NOT_WELL_FORMED = "the body is a string with half of a surrogate pair; pass the raw bytes";

// Made at the first call: at import, a platform without them would fail. Test environments such as jest-environment-jsdom hide
// those of Node.
let encoder;
let decoder;
let strictDecoder;

// The engine that all entries share. It is null before the first call, during a call, and after an engine was lost.
let idleEngine = null;

// Calls `run` with the shared engine and the other arguments. If a patched hash function calls the package during this call,
// the inner call gets a new engine.
//
// If `run` throws an error that is not ours, the engine is not used again. Such an error comes from inside the wasm, for example
// a stack overflow, and may have left the memory in any state. The next call makes a new engine.
export function withEngine(load, run, ...args) {
  const engine = idleEngine ?? makeEngine(load());
  idleEngine = null;
  engine.attach();
  try {
    const result = run(engine, ...args);
    idleEngine = engine;
    return result;
  } catch (error) {
    if (error instanceof WebhookVerificationError) idleEngine = engine;
    throw error;
  }
}

function makeEngine(module) {
  return new Engine(new WebAssembly.Instance(module, { "./ofauth_edge_bg.js": imports }));
}

class Engine {
  #wasm;
  // A view of the input buffer. It is detached, and then has length 0, when the wasm's memory grows.
  #input = new Uint8Array(0);
  #inputCapacity = 0;
  // The secrets that the wasm uses now.
  #secrets = null;
  #bodyLength = 0;

  constructor({ exports }) {
    encoder ??= new (textCodec("TextEncoder"))();
    decoder ??= new (textCodec("TextDecoder"))();
    this.#wasm = exports;
    __wbg_set_wasm(exports);
    exports.__wbindgen_start?.();
    this.#reserve(16 * 1024);
  }

  // Makes the platform's SHA-256 read and write the memory of this instance.
  attach() {
    attach(this.#wasm);
  }

  // Verifies the signature, and with `isWebhook` also the event. Returns the result of the wasm's function, which is not 0.
  verify(body, headers, secrets, tolerance, now, isWebhook) {
    if (!this.#useSecrets(secrets)) throw this.#makeError();
    const bodyError = this.#writeBody(body);
    const hasRepeatedHeader = this.#writeHeaders(headers);
    if (bodyError !== null) throw this.#firstError(bodyError, hasRepeatedHeader, tolerance, now);
    const result = isWebhook
      ? this.#wasm.verify_webhook(this.#bodyLength, tolerance, now)
      : this.#wasm.verify_signature(this.#bodyLength, tolerance, now);
    if (!result) throw this.#makeError(hasRepeatedHeader);
    return result;
  }

  // Returns the error of a call whose body cannot be written. Faults of the headers and of the time come first, as for any
  // other body. To find them, an empty body is verified. Instead of a wrong signature, `bodyError` is reported.
  #firstError(bodyError, hasRepeatedHeader, tolerance, now) {
    if (this.#wasm.verify_signature(0, tolerance, now)) return bodyError;
    const error = this.#makeError(hasRepeatedHeader);
    return error.code === "SIGNATURE_MISMATCH" ? bodyError : error;
  }

  // Returns a diagnosis. Secrets that cannot be used are part of the diagnosis, not an error.
  explain(body, headers, secrets, tolerance, now) {
    this.#useSecrets(secrets);
    const bodyError = this.#writeBody(body);
    if (bodyError !== null) throw bodyError;
    const hasRepeatedHeader = this.#writeHeaders(headers);
    this.#wasm.explain(this.#bodyLength, tolerance, now);
    const diagnosis = this.readAnswer();
    if (hasRepeatedHeader && diagnosis.cause === "malformed_header") diagnosis.message = `${REPEATED_HEADER}. Pass it as received.`;
    return diagnosis;
  }

  // Returns the value of the signature header.
  sign(body, secret, isOfauth, svixId, timestamp) {
    const bodyError = this.#writeBody(body);
    if (bodyError !== null) throw bodyError;
    this.#wasm.secret(isOfauth, this.#bodyLength, this.#write(secret, this.#bodyLength));
    if (svixId !== undefined) this.#wasm.header(0, this.#bodyLength, this.#write(svixId, this.#bodyLength));
    if (!this.#wasm.sign(isOfauth, this.#bodyLength, timestamp)) throw this.#makeError();
    return this.readAnswer();
  }

  // Returns the text of the body that was verified last, without a byte order mark. Throws a TypeError if it is not UTF-8.
  decodeVerifiedBody() {
    this.#reserve(this.#bodyLength);
    strictDecoder ??= new (textCodec("TextDecoder"))("utf-8", { fatal: true });
    return strictDecoder.decode(this.#input.subarray(0, this.#bodyLength));
  }

  // Reads the answer of the last call, which the wasm keeps as JSON.
  readAnswer() {
    const start = this.#wasm.answer() >>> 0;
    return JSON.parse(decoder.decode(new Uint8Array(this.#wasm.memory.buffer, start, this.#wasm.answer_bytes())));
  }

  // Makes the error of the last call, which has failed.
  #makeError(hasRepeatedHeader = false) {
    const { code, message } = this.readAnswer();
    if (hasRepeatedHeader && code === "MALFORMED_HEADER") return new WebhookVerificationError(code, REPEATED_HEADER);
    // No webhook has an empty body. Often, a parser has read it before.
    const hint = code === "SIGNATURE_MISMATCH" && this.#bodyLength === 0 ? "; the body is empty" : "";
    return new WebhookVerificationError(code, message + hint);
  }

  // Passes the secrets to the wasm, unless it uses the same ones already. Returns false if they cannot be used.
  #useSecrets(secrets) {
    if (this.#secrets !== null && areSameSecrets(this.#secrets, secrets)) return true;
    this.#secrets = null;
    for (const secret of secrets.ofauth) this.#wasm.secret(true, 0, this.#write(secret, 0));
    for (const secret of secrets.svix) this.#wasm.secret(false, 0, this.#write(secret, 0));
    if (!this.#wasm.use_secrets(secrets.bare)) return false;
    this.#secrets = secrets;
    return true;
  }

  // Writes the body to the input buffer. Returns null, or an error if the body is too large or is not well-formed text.
  #writeBody(body) {
    this.#bodyLength = 0;
    if (typeof body === "string") {
      if (!isWellFormed(body)) return new WebhookVerificationError("INVALID_BODY", NOT_WELL_FORMED);
      if (isTooLarge(body)) return new WebhookVerificationError("BODY_TOO_LARGE", BODY_TOO_LARGE);
      this.#bodyLength = this.#write(body, 0);
    } else {
      const { length } = body;
      if (length > MAX_BODY_BYTES) return new WebhookVerificationError("BODY_TOO_LARGE", BODY_TOO_LARGE);
      this.#reserve(length);
      this.#input.set(body);
      this.#bodyLength = length;
    }
    return null;
  }

  // Writes the headers after the body. Returns whether one of them was given more than once.
  #writeHeaders(headers) {
    let start = this.#bodyLength;
    let hasRepeatedHeader = false;
    for (let index = 0; index < headers.length; index++) {
      let value = headers[index];
      if (value === undefined) continue;
      if (value === null) {
        // A repeated header is MALFORMED_HEADER, as is one that is too long. So a value that is too long is passed, and the
        // core reports it in the right order among other faults.
        hasRepeatedHeader = true;
        value = " ".repeat(MAX_HEADER_BYTES + 1);
      }
      if (value.length > MAX_HEADER_BYTES) value = value.slice(0, MAX_HEADER_BYTES + 1);
      const bytes = this.#write(value, start);
      this.#wasm.header(index, start, bytes);
      start += bytes;
    }
    return hasRepeatedHeader;
  }

  // Writes `text` as UTF-8 at `start` of the input buffer and returns the number of bytes. Text is mostly ASCII, so one byte
  // for each UTF-16 unit is reserved first. Text that does not fit gets 3 bytes for each unit, the most that a unit takes.
  #write(text, start) {
    this.#reserve(start + text.length);
    let { read, written } = encoder.encodeInto(text, start === 0 ? this.#input : this.#input.subarray(start));
    if (read < text.length) {
      this.#reserve(start + written + 3 * (text.length - read));
      written += encoder.encodeInto(text.slice(read), this.#input.subarray(start + written)).written;
    }
    return written;
  }

  // Makes the input buffer hold at least so many bytes, and renews the view of it if the memory has grown.
  #reserve(bytes) {
    if (this.#input.length > 0 && bytes <= this.#input.length) return;
    this.#inputCapacity = Math.max(this.#inputCapacity, bytes);
    const start = this.#wasm.reserve(this.#inputCapacity) >>> 0;
    this.#input = new Uint8Array(this.#wasm.memory.buffer, start, this.#inputCapacity);
  }
}

function textCodec(name) {
  const codec = globalThis[name] ?? globalThis.process?.getBuiltinModule?.("node:util")[name];
  if (codec === undefined) throw new Error(`ofauth-edge: there is no ${name}; define globalThis.${name} first`);
  return codec;
}

function areSameSecrets(a, b) {
  return a === b || (a.bare === b.bare && areSameLists(a.ofauth, b.ofauth) && areSameLists(a.svix, b.svix));
}

function areSameLists(a, b) {
  return a.length === b.length && a.every((secret, index) => secret === b[index]);
}

function isWellFormed(text) {
  return text.isWellFormed === undefined ? !/\p{Surrogate}/u.test(text) : text.isWellFormed();
}

// Whether the text takes too many bytes in UTF-8. A UTF-16 unit takes at most 3 bytes, so most texts need not be counted.
function isTooLarge(text) {
  if (3 * text.length <= MAX_BODY_BYTES) return false;
  let bytes = text.length;
  for (let index = 0; index < text.length && bytes <= MAX_BODY_BYTES; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes > MAX_BODY_BYTES;
}
