// Recognises the caller's bytes and makes a Uint8Array over them. It uses only the engine's built-in getters: they work for
// subclasses, for changed Symbol.toStringTag values and for objects of other realms, and they run no code of the caller.

import { argumentError } from "./errors.mjs";

const intrinsics = /* @__PURE__ */ loadIntrinsics();

// Returns a Uint8Array over the bytes of any kind of Uint8Array or of an ArrayBuffer, and undefined for any other value.
export function bytesOf(argument, value) {
  if (intrinsics.tag.call(value) === "Uint8Array") return viewOfArray(argument, value);
  return isArrayBuffer(value) ? viewOfBuffer(argument, value) : undefined;
}

// Makes a view of fixed length, because the array may be backed by shared memory that grows.
function viewOfArray(argument, array) {
  const length = intrinsics.length.call(array);
  if (length > 0) return new Uint8Array(intrinsics.buffer.call(array), intrinsics.offset.call(array), length);
  try {
    // A length of 0 may mean that the buffer was transferred or shrunk. The getters do not tell, but methods then throw.
    intrinsics.keys.call(array);
  } catch (cause) {
    throw detachedError(argument, cause);
  }
  return new Uint8Array(0);
}

function viewOfBuffer(argument, buffer) {
  try {
    return new Uint8Array(buffer);
  } catch (cause) {
    throw detachedError(argument, cause);
  }
}

function detachedError(argument, cause) {
  return argumentError(argument, "bytes in a buffer that was neither transferred (detached) nor shrunk", cause);
}

function isArrayBuffer(value) {
  if (typeof value !== "object" || value === null) return false;
  try {
    intrinsics.byteLength.call(value);
    return true;
  } catch {
    return false;
  }
}

function loadIntrinsics() {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
  const getter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name).get;
  return {
    tag: getter(typedArray, Symbol.toStringTag),
    buffer: getter(typedArray, "buffer"),
    offset: getter(typedArray, "byteOffset"),
    length: getter(typedArray, "length"),
    keys: typedArray.keys,
    byteLength: getter(ArrayBuffer.prototype, "byteLength"),
  };
}
