// What a caller passes.

/** Throws a TypeError that names the argument and says what to pass. */
export function argument(holds, name, what) {
  if (!holds) throw new TypeError(`${name}: pass ${what}`);
}

/** Whether it can stand in a header: anything else would be the platform's own error, which repeats it. */
export function isSendable(value) {
  return typeof value === "string" && /^[!-~]+$/.test(value);
}

export const SENDABLE = "a string of visible ASCII characters, without spaces";

export function isObject(value) {
  return typeof value === "object" && value !== null;
}
