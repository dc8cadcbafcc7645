// Changes fields of a sample event: `--set path=value` and `--unset path`.

import { UsageError } from "./errors.mjs";
import { nearest } from "./nearest.mjs";

/**
 * Sets one field.
 *
 * `path=text` keeps the kind that the field has: a field that is a number, a boolean, a list or an object takes JSON of the same
 * kind. Any other field takes the text. `path:=json` sets any JSON.
 *
 * @param {object} event   is changed
 * @param {string} assignment
 */
export function setField(event, assignment) {
  const [, path, isJson, text] = /^([^=]*?)(:?)=(.*)$/s.exec(assignment) ?? [];
  if (!path) throw new UsageError("--set has the form path=value, such as data.connection.id=conn_1, or path:=json");
  const keys = keysOf(path);
  const { parent, key } = find(event, keys, true);
  if (isJson) parent[key] = parseJson(text, path);
  else parent[key] = typeof parent[key] === "string" || !(key in parent) || parent[key] === null ? text : ofSameKind(parent[key], text, path);
}

/** Removes one field, which must be there. */
export function unsetField(event, path) {
  const { parent, key } = find(event, keysOf(path), false);
  if (!Object.hasOwn(parent, key)) throw new UsageError(`--unset ${path}: the event has no such field.${suggestion(parent, key)}`);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function keysOf(path) {
  const keys = path.split(".");
  if (keys.includes("")) throw new UsageError(`The path ${path} has an empty part`);
  // Setting it would not make a field.
  if (keys.includes("__proto__")) throw new UsageError("A path cannot contain __proto__");
  return keys;
}

/** The object or list that holds the last key. Objects on the way are made if `makes`. */
function find(event, keys, makes) {
  let parent = event;
  for (const [index, key] of keys.slice(0, -1).entries()) {
    if (!Object.hasOwn(parent, key) && makes) parent[key] = {};
    const next = Object.hasOwn(parent, key) ? parent[key] : undefined;
    if (typeof next !== "object" || next === null) {
      const at = keys.slice(0, index + 1).join(".");
      throw new UsageError(`${at} is ${next === undefined ? "not in the event" : "no object"}, so it has no field ${keys[index + 1]}`);
    }
    parent = next;
  }
  const key = keys.at(-1);
  if (Array.isArray(parent) && !/^\d{1,4}$/.test(key)) throw new UsageError(`${keys.join(".")}: a list has positions from 0, not ${key}`);
  return { parent, key };
}

function ofSameKind(old, text, path) {
  const value = parseJson(text, path, `It is ${kindOf(old)} in the sample. Write ${path}:='"text"' to set a text all the same`);
  if (kindOf(value) === kindOf(old)) return value;
  throw new UsageError(`${path} is ${kindOf(old)} in the sample, not ${kindOf(value)}. Write ${path}:=${text} to set it all the same`);
}

function parseJson(text, path, hint = "A text has quotes in JSON") {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`The value of ${path} is not JSON. ${hint}`);
  }
}

function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value === "string" ? "text" : typeof value}`;
}

function suggestion(parent, key) {
  const near = nearest(key, Object.keys(parent));
  return near === undefined ? "" : ` Did you mean ${near}?`;
}
