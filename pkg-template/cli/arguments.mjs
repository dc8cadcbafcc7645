// Reads the arguments of a command with Node's parseArgs. Not in its strict mode, whose messages repeat arguments: an argument may
// be a secret.

import * as util from "node:util";

import { UsageError } from "./errors.mjs";
import { suggest } from "./nearest.mjs";

/**
 * @typedef {object} Option
 * @property {"string" | "boolean"} type
 * @property {string} help        one line
 * @property {string} [value]     the value's name in the help, such as `url`
 * @property {string} [short]     one letter
 * @property {boolean} [multiple] may be given several times
 */

/** The options of every command. */
export const COMMON_OPTIONS = {
  json: { type: "boolean", help: "Print JSON for programs" },
  // Not named --env-file: Node takes an option of this name for its own, also behind the program.
  vars: { type: "string", value: "file", help: "Read variables that are not set from a file, such as .dev.vars" },
  help: { type: "boolean", short: "h", help: "Show this help" },
};

/**
 * @param {string[]} argv
 * @param {Record<string, Option>} own   the options of the command
 * @returns {{values: Record<string, any>, positionals: string[]}}
 */
export function parseArguments(argv, own) {
  const options = { ...own, ...COMMON_OPTIONS };
  const config = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, forNode(option)]));
  const { values, positionals } = util.parseArgs({ args: argv, options: config, strict: false, allowPositionals: true });
  if (values.help) return { values: { help: true }, positionals };
  for (const [name, value] of Object.entries(values)) {
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw unknownOption(name, options);
    for (const one of [value].flat()) checkValue(name, option, one, argv);
  }
  return { values: { ...values }, positionals };
}

function forNode({ type, short, multiple = false }) {
  return { type, multiple, ...(short === undefined ? {} : { short }) };
}

function unknownOption(name, options) {
  if (name.length === 1) return new UsageError(`There is no option -${name}.`);
  const message = `There is no option --${name}.${suggest(name, Object.keys(options)).replace("mean ", "mean --")}`;
  return new UsageError(message);
}

function checkValue(name, { type, value: meaning = "value" }, value, argv) {
  if (type === "boolean") {
    if (typeof value !== "boolean") throw new UsageError(`--${name} takes no value`);
    return;
  }
  // An option in place of the value: the value was forgotten. `--name=-value` is accepted.
  const isOption = typeof value === "string" && value.length > 1 && value.startsWith("-") && argv.includes(value);
  if (typeof value !== "string" || isOption) throw new UsageError(`--${name} needs a value: --${name} <${meaning}>`);
  if (value === "") throw new UsageError(`--${name} is empty. Is the variable set?`);
}

/**
 * The text of an option that the command cannot do without.
 * @param {Record<string, any>} values
 * @param {string} name
 * @param {string} example   of a value, for the message
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [variable]   takes the option's place
 */
export function required(values, name, example, env = {}, variable = undefined) {
  const value = values[name] ?? (env[variable] || undefined);
  const orSet = variable === undefined ? "" : `, or set ${variable}`;
  if (value === undefined) throw new UsageError(`--${name} is missing. Pass --${name} ${example}${orSet}`);
  return value;
}

/** The only positional, if there is one. */
export function onlyPositional(positionals, meaning) {
  if (positionals.length > 1) throw new UsageError(`Only one ${meaning} can be given, not ${positionals.length}`);
  return positionals[0];
}

/** Refuses positionals. They are not repeated: one may be a secret whose option was forgotten. */
export function noPositionals(positionals) {
  if (positionals.length > 0) throw new UsageError("Every argument must follow its option, such as --url");
}

/** A whole number of an option, from `least` on. */
export function wholeNumber(values, name, fallback, least = 0) {
  const text = values[name];
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || !Number.isSafeInteger(number)) {
    throw new UsageError(`--${name} must be a whole number, ${least} or more`);
  }
  return number;
}

/** One of a few words. */
export function oneOf(values, name, words) {
  const word = values[name];
  if (word === undefined || words.includes(word)) return word;
  throw new UsageError(`--${name} must be ${words.join(" or ")}`);
}

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** An instant in unix ms: ISO 8601, unix seconds, or how long ago, such as 10m. */
export function instant(values, name, now) {
  const text = values[name];
  if (text === undefined) return undefined;
  const [, ago, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (unit !== undefined) return now - Number(ago) * UNITS[unit] * 1_000;
  const time = /^\d{9,10}$/.test(text) ? Number(text) * 1_000 : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new UsageError(`--${name} must be a time such as 10m (ago), 2h, 2026-01-31T12:00:00Z or unix seconds`);
  return time;
}
