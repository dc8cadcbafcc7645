// Makes the event of a body that was verified.

import { WebhookVerificationError } from "./errors.mjs";

// Flags in the result of the wasm's verify_webhook. They are defined in src/npm/flags.rs.
const KNOWN_TYPE = 2;
const HAS_TIMESTAMP = 4;
const HAS_LIVE = 8;
const HAS_NUMBER_IDS = 16;

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
// Shorter integers are always exact.
const LARGE_INTEGER = /^-?\d{16,}$/;

// Parses a body that was verified. Bytes are taken from the engine, because the caller may have changed its own since. With
// `largeIntegers`, "bigint" or "string", an integer that no number holds exactly becomes one of these.
export function parseBody(engine, body, largeIntegers) {
  try {
    const text = typeof body === "string" ? withoutByteOrderMark(body) : engine.decodeVerifiedBody();
    const parsed = JSON.parse(text);
    return largeIntegers !== undefined && /\d{16}/.test(text) ? parseExactly(text, largeIntegers) : parsed;
  } catch (cause) {
    // Any other error, such as an exhausted stack, does not mean that the body is wrong.
    if (cause.name !== "SyntaxError" && cause.name !== "TypeError") throw cause;
    // The cause is not passed on, because its message quotes the body.
    throw new WebhookVerificationError("INVALID_JSON", "the body is not JSON in UTF-8");
  }
}

// Parses JSON that is known to be valid. Each large integer is parsed as a string that begins with a mark. Nobody can write a body
// that has the mark, because it is drawn at random.
function parseExactly(text, largeIntegers) {
  const mark = `${Math.random()}:`;
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    LARGE_INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_, value) => {
    if (typeof value !== "string" || !value.startsWith(mark)) return value;
    const digits = value.slice(mark.length);
    return largeIntegers === "bigint" ? BigInt(digits) : digits;
  });
}

function withoutByteOrderMark(text) {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

// Gives the parsed body the shape of an event. The flags say what the core found in the body. Other members stay unchanged.
export function toEvent(engine, parsed, flags) {
  if (flags & HAS_NUMBER_IDS) {
    // JSON.parse may have rounded these ids. The core gives them as text.
    for (const [path, id] of Object.entries(engine.readAnswer())) setAtPath(parsed, path.split("."), id);
  }
  const event = parsed.type == null ? withTypeFromEventType(parsed) : parsed;
  event.known = (flags & KNOWN_TYPE) !== 0;
  if (!(flags & HAS_TIMESTAMP)) event.timestamp = null;
  if (!(flags & HAS_LIVE) && "live" in event) delete event.live;
  return event;
}

function setAtPath(object, path, value) {
  const last = path.length - 1;
  let parent = object;
  for (let depth = 0; depth < last; depth++) parent = parent[path[depth]];
  parent[path[last]] = value;
}

function withTypeFromEventType({ eventType, ...event }) {
  event.type = eventType;
  return event;
}
