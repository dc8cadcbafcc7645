// Each line of /edge/status in words: its title, what its value says, and the view that shows more.

import { element, linkTo } from "../dom.mjs";
import { count, timeOf } from "../format.mjs";
import { CODES } from "./inspector-codes.mjs";

const LINES = {
  configuration: {
    title: "Configuration",
    say: (warnings) => (warnings.length === 0 ? ["The settings are complete."] : [list(warnings)]),
  },
  lastWebhook: {
    title: "Last webhook",
    todo: "Check the webhook URL and the secret at OFAuth.",
    say: (time) => (time ? ["OFAuth's last webhook was accepted ", timeOf(time), "."] : ["No webhook was accepted in the last 24 hours."]),
  },
  rejectedWebhooks: {
    title: "Refused webhooks",
    say: (codes) => perCode(codes, "No webhook was refused in the last hour.", "refused in the last hour", CODES),
    link: () => element("span", { class: "buttons" }, linkTo("/inspector", {}, "Find out why"), linkTo("/charts", {}, "See when")),
  },
  failingDeliveries: {
    title: "Forwards that failed",
    say: (number) => forwards(number, "No forward has failed and waits.", " to be sent again."),
    link: () => linkTo("/forwards", { state: "pending" }, "Show the events that are sent again"),
  },
  parkedForwards: {
    title: "Forwards that were given up",
    say: (number) => forwards(number, "No forward is parked.", " parked. Each is sent again only if you replay it."),
    link: () => linkTo("/forwards", { state: "parked" }, "Show these events"),
  },
  expiredConnections: {
    title: "Users who must link again",
    say: (value) => (value ? expired(value) : ["Workers KV did not answer."]),
    todo: "Ask these users to link again.",
    link: () => linkTo("/connections", { status: "relink" }, "Show these connections"),
  },
  reconciliation: {
    title: "Comparison with OFAuth's list",
    say: (value) => (value ? passes(value) : ["No pass has ended yet. A cron trigger starts one each hour."]),
  },
  apiKeyRefused: {
    title: "OFAuth's API key",
    say: (codes) => perCode(codes, "OFAuth has not refused OFAUTH_API_KEY in the last hour.", "refusals in the last hour"),
  },
  storageKeys: {
    title: "Storage keys",
    say: storageKeys,
  },
  webhookSecrets: { title: "Webhook secrets in use", say: (names) => uses(names, nameOfSecret) },
  gatewayKeys: { title: "Gateway keys in use", say: (names) => uses(names, nameOfKey) },
};

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean | null} ok
 * @returns {{title: string, content: (Node | string)[], todo?: string, link?: Node}}   todo: in the place of the Worker's hint
 */
export function describe(name, value, ok) {
  const line = Object.hasOwn(LINES, name) ? LINES[name] : { title: name, say: (value) => [element("code", {}, JSON.stringify(value))] };
  const isUnknown = ok === null && !SAYS_NULL.has(name);
  const content = isUnknown ? ["The metrics did not answer."] : line.say(value);
  return { title: line.title, content, todo: line.todo, link: line.link?.() };
}

// These lines say themselves what is not known.
const SAYS_NULL = new Set(["failingDeliveries", "parkedForwards", "expiredConnections", "reconciliation", "storageKeys"]);

function forwards(number, none, what) {
  if (number === null) return ["Nothing is forwarded, because ", element("code", {}, "FORWARD_URL"), " is not set, or else the list of forwards did not answer."];
  return number === 0 ? [none] : [count(number, "forward"), what];
}

function storageKeys({ counts, countedAt }) {
  const keys = Object.entries(counts).map(([id, number]) =>
    element("li", {}, element("code", {}, id), number === null ? "" : `: ${count(number, id === "failed" ? "connection" : "stored value")}`));
  const when = countedAt ? ["Counted ", timeOf(countedAt), "."] : ["No pass has counted yet what each key encrypts."];
  return [element("ul", { class: "plain", role: "list" }, ...keys), ...when];
}

function perCode(codes, none, when, meanings = {}) {
  const pairs = Object.entries(codes);
  if (pairs.length === 0) return [none];
  const row = ([code, number]) => element("li", {}, `${number.toLocaleString("en")} × `, element("code", {}, code), ` ${when}`,
    Object.hasOwn(meanings, code) && element("span", { class: "meaning soft" }, meanings[code]));
  return [element("ul", { class: "plain", role: "list" }, ...pairs.map(row))];
}

function expired({ expired, of, all }) {
  if (of === 0) return ["No account is connected yet."];
  const looked = all ? `of ${count(of, "connection")}` : `of the first ${count(of, "connection")}`;
  return [`${expired === 0 ? "None" : expired.toLocaleString("en")} ${looked} ${expired === 1 ? "has" : "have"} expired.`];
}

function passes({ completedAt, stopped, stoppedAt }) {
  const last = completedAt ? ["The last complete pass ended ", timeOf(completedAt), ". "] : ["No pass was completed yet. "];
  return stopped ? [...last, "The last one stopped ", timeOf(stoppedAt), ": ", element("code", {}, stopped), "."] : last;
}

function uses(names, nameOf) {
  const rows = Object.entries(names).map(([name, last]) =>
    element("li", {}, element("strong", {}, nameOf(name)), ...(last ? [": used ", timeOf(last)] : [": not used in the last 24 hours"])));
  return [element("ul", { class: "plain", role: "list" }, ...rows)];
}

/** A gateway key by its name, else by its place in the list. */
export function nameOfKey(name) {
  return /^\d+$/.test(name) ? `value ${name} of GATEWAY_KEY` : name;
}

/** Such as ofauth:2, by its place in the list of its variable. */
export function nameOfSecret(name) {
  const [scheme, place] = name.split(":");
  const age = place === "1" ? "the newest" : "an older one";
  return `value ${place} of ${scheme.toUpperCase()}_WEBHOOK_SECRET, ${age}`;
}

function list(texts) {
  return element("ul", {}, ...texts.map((text) => element("li", {}, text)));
}
