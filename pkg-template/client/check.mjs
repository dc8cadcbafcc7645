// Checks of the caller's arguments.

export const VISIBLE_ASCII = "a string of visible ASCII characters, without spaces";

/** Says that a value may come from a variable that is not set. */
export function hintIfUnset(value) {
  return value === undefined || value === null || value === "" ? "; it is not set: is the variable set?" : "";
}

/** Throws a TypeError that names the argument and says what to pass, unless `condition` holds. */
export function check(condition, argument, expected) {
  if (!condition) throw new TypeError(`${argument}: pass ${expected}`);
}

/** Whether a value can be sent in a header. It is checked here, because the platform's own error would repeat the value. */
export function isVisibleAscii(value) {
  return typeof value === "string" && /^[!-~]+$/.test(value);
}

export function isObject(value) {
  return typeof value === "object" && value !== null;
}

/** Returns the value if it is a string that is not empty, and otherwise undefined. */
export function nonEmptyString(value) {
  return typeof value === "string" && value !== "" ? value : undefined;
}
