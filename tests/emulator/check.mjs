// Checking what a test asks for: a field with a slip in it must not pass for one that has no effect.

/** @typedef {{words: string, holds: (value: unknown) => boolean}} Kind   words: what a value must be, for the refusal */

/**
 * @param {object} values
 * @param {Record<string, Kind>} fields   by name; a name that ends in a question mark may be left out
 * @param {string} owner                  what has these fields, for the refusal
 * @throws {TypeError} that says which field must be what
 */
export function checkFields(values, fields, owner) {
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(fields, name) && !Object.hasOwn(fields, `${name}?`)) throw new TypeError(`${owner} has no ${name}`);
  }
  for (const [key, { words, holds }] of Object.entries(fields)) {
    const name = key.replace("?", "");
    const isMissing = values[name] === undefined;
    if (isMissing ? name === key : !holds(values[name])) throw new TypeError(`${name}: ${words}`);
  }
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns {Kind} */
export function oneOf(values) {
  return { words: `one of ${values.join(", ")}`, holds: (value) => values.includes(value) };
}

/** @returns {Kind} */
export function count(least, most = Number.MAX_SAFE_INTEGER) {
  const end = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
  const words = `a whole number from ${least}${end}`;
  return { words, holds: (value) => Number.isSafeInteger(value) && value >= least && value <= most };
}

/** @returns {Kind} */
export function pattern(regex, words) {
  return { words, holds: (value) => typeof value === "string" && regex.test(value) };
}

/** @returns {Kind} */
export function orNull({ words, holds }) {
  return { words: `${words}, or null`, holds: (value) => value === null || holds(value) };
}

/** @returns {Kind} */
export function listOf({ words, holds }) {
  return { words: `a list, each ${words}`, holds: (value) => Array.isArray(value) && value.every(holds) };
}

/** @type {Kind} */
export const BOOLEAN = { words: "true or false", holds: (value) => typeof value === "boolean" };

/** @type {Kind} */
export const TEXT = { words: "a string", holds: (value) => typeof value === "string" };

/** @type {Kind} */
export const OBJECT = { words: "an object", holds: isObject };
