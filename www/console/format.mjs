// How times, numbers and JSON are shown.

import { element } from "./dom.mjs";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "short", hourCycle: "h23" });
const OPENERS = ["{", "["];
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** A time as it is near: "3 minutes ago", and the whole of it for whoever points at it. */
export function timeOf(iso) {
  if (!iso) return null;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  return element("time", { datetime: date.toISOString(), title: absolute.format(date) }, near(date));
}

/** A time to the second, for where an order matters. */
export function exactTimeOf(iso) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? String(iso) : element("time", { datetime: date.toISOString(), class: "exact" }, absolute.format(date));
}

function near(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return relative.format(Math.round(seconds / length), unit);
}

/** Brings the times of the page up to date, which would say "now" for hours. */
export function refreshTimes() {
  for (const time of document.querySelectorAll("time:not(.exact)")) {
    const now = near(new Date(time.dateTime));
    if (time.textContent !== now) time.textContent = now;
  }
}

/** A time of today as a clock shows it. */
export function clockOf(iso) {
  return clock.format(new Date(iso));
}

/** How many of something, with the noun in the right number. */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/**
 * JSON with line breaks, or the text as it is if it is none. The tokens stay as they were written: `JSON.stringify` would round large
 * numbers and drop a member that occurs twice.
 */
export function formatJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  let last = "";
  let formatted = "";
  const line = () => (formatted += `\n${"  ".repeat(depth)}`);
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const isEnd = token === "}" || token === "]";
    if (isEnd) depth -= 1;
    if (last === "," || (OPENERS.includes(last) && !isEnd) || (isEnd && !OPENERS.includes(last))) line();
    formatted += token === ":" ? ": " : token;
    if (OPENERS.includes(token)) depth += 1;
    last = token;
  }
  return formatted;
}
