// Tells bytes by what the JavaScript engine itself knows of them, which no subclass, tag or other realm changes. Nothing of
// the caller's runs here.

import { misuse } from "./errors.mjs";

const own = /* @__PURE__ */ intrinsics();

// A Uint8Array over the bytes of a Uint8Array of any kind or of an ArrayBuffer; undefined for anything else.
export function bytesOf(argument, value) {
  if (own.tag.call(value) === "Uint8Array") return viewOf(argument, value);
  return isBuffer(value) ? whole(argument, value) : undefined;
}

// Of a fixed length: what it shows may be shared, and grow.
function viewOf(argument, value) {
  const length = own.length.call(value);
  if (length > 0) return new Uint8Array(own.buffer.call(value), own.offset.call(value), length);
  try {
    // Empty, or was its buffer transferred or shrunk? Only methods tell.
    own.keys.call(value);
  } catch (cause) {
    throw gone(argument, cause);
  }
  return new Uint8Array(0);
}

function whole(argument, buffer) {
  try {
    return new Uint8Array(buffer);
  } catch (cause) {
    throw gone(argument, cause);
  }
}

function gone(argument, cause) {
  return misuse(argument, "bytes that are still there: its buffer was transferred elsewhere (detached) or shrunk", cause);
}

function isBuffer(value) {
  if (typeof value !== "object" || value === null) return false;
  try {
    own.byteLength.call(value);
    return true;
  } catch {
    return false;
  }
}

function intrinsics() {
  const views = Object.getPrototypeOf(Uint8Array.prototype);
  const getter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name).get;
  return {
    tag: getter(views, Symbol.toStringTag),
    buffer: getter(views, "buffer"),
    offset: getter(views, "byteOffset"),
    length: getter(views, "length"),
    keys: views.keys,
    byteLength: getter(ArrayBuffer.prototype, "byteLength"),
  };
}
