// Each line of /edge/status in words: its title, what its value says, and the view that shows more.

import { element, linkTo } from "../dom.mjs";
import { count, timeOf } from "../format.mjs";
import { CODES } from "./inspector-codes.mjs";

const LINES = {
  configuration: {
    title: "Configuration",
    show: (warnings) => (warnings.length === 0 ? ["The settings are complete."] : [list(warnings)]),
  },
  lastWebhook: {
    title: "Last webhook",
    todo: "Check the webhook URL and the secret at OFAuth.",
    show: (time) => (time ? ["OFAuth's last webhook was accepted ", timeOf(time), "."] : ["No webhook was accepted in the last 24 hours."]),
  },
  rejectedWebhooks: {
    title: "Refused webhooks",
    show: (codes) => perCode(codes, "No webhook was refused in the last hour.", "refused in the last hour", CODES),
    link: () => element("span", { class: "buttons" }, linkTo("/inspector", {}, "Find out why"), linkTo("/charts", {}, "See when")),
  },
  failingDeliveries: {
    title: "Forwards that failed",
    from: "The list of forwards",
    show: (number) => forwards(number, "No forward has failed and waits.", " to be sent again."),
    link: () => linkTo("/forwards", { state: "pending" }, "Show the events that are sent again"),
  },
  parkedForwards: {
    title: "Forwards that were given up",
    from: "The list of forwards",
    show: (number) => forwards(number, "No forward is parked.", " parked. Each is sent again only if you replay it."),
    link: () => linkTo("/forwards", { state: "parked" }, "Show these events"),
  },
  expiredConnections: {
    title: "Users who must link again",
    from: "Workers KV",
    show: expired,
    todo: "Ask these users to link again.",
    link: () => linkTo("/connections", { status: "relink" }, "Show these connections"),
  },
  reconciliation: {
    title: "Comparison with OFAuth's list",
    from: "The reconciler",
    show: passes,
  },
  apiKeyRefused: {
    title: "OFAuth's API key",
    show: (codes) => perCode(codes, "OFAuth has not refused OFAUTH_API_KEY in the last hour.", "refusals in the last hour"),
  },
  storageKeys: {
    title: "Storage keys",
    from: "The reconciler",
    show: storageKeys,
  },
  webhookSecrets: { title: "Webhook secrets in use", show: (list) => uses("webhookSecrets", list) },
  gatewayKeys: { title: "Gateway keys in use", show: (list) => uses("gatewayKeys", list) },
};

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean | null} ok
 * @returns {{title: string, content: (Node | string)[], todo?: string, link?: Node}}   todo: in the place of the Worker's hint
 */
export function describe(name, value, ok) {
  const line = Object.hasOwn(LINES, name) ? LINES[name] : { title: name, show: (value) => [element("code", {}, JSON.stringify(value))] };
  const isUnanswered = ok === null && value === null;
  const content = isUnanswered ? [`${line.from ?? "The metrics"} did not answer. If that goes on, look at the log of the Worker.`] : line.show(value);
  return { title: line.title, content, todo: line.todo, link: line.link?.() };
}

function forwards(number, none, what) {
  if (number === null) return ["Nothing is forwarded. If your app should get the events, set ", element("code", {}, "FORWARD_URL"), "."];
  return number === 0 ? [none] : [count(number, "forward"), what];
}

function storageKeys({ counts, countedAt }) {
  const keys = Object.entries(counts).map(([id, number]) =>
    element("li", {}, element("code", {}, id), number === null ? "" : `: ${count(number, id === "failed" ? "connection" : "stored value")}`));
  const when = countedAt ? ["Counted ", timeOf(countedAt), "."] : ["The first pass counts what each key encrypts."];
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
  return [`${expired === 0 ? "None" : expired.toLocaleString("en")} ${looked} ${expired === 1 || of === 1 ? "has" : "have"} expired.`];
}

function passes({ completedAt, stopped, stoppedAt }) {
  const last = completedAt ? ["The last complete pass ended ", timeOf(completedAt), ". "] : ["No pass has ended yet. A cron trigger starts one each hour. "];
  return stopped ? [...last, "The last one stopped ", timeOf(stoppedAt), ": ", element("code", {}, stopped), "."] : last;
}

function uses(line, list) {
  return [element("ul", { class: "plain", role: "list" }, ...list.map((use) => element("li", {}, element("strong", {}, nameOfUse(line, use)), ": ", ...describeUse(use, " in the last 24 hours"))))];
}

/** How often a secret or key was used, and when last. */
export function describeUse({ uses, lastUsed }, when = "") {
  return uses ? [`used ${count(uses, "time")}${when}, last `, timeOf(lastUsed)] : [`not used${when}`];
}

/** Whether the uses were counted by fingerprint. Older versions of the Worker counted by place and by name. */
export function hasFingerprint({ code }) {
  return /(^|:)[\da-f]{8}$/.test(code);
}

/** A webhook secret or gateway key, by its place in the list of its variable. */
export function nameOfUse(line, { code, place }) {
  if (!hasFingerprint({ code })) return `${code}, counted without a fingerprint`;
  const isKey = line === "gatewayKeys";
  const name = code.slice(0, -9);
  const variable = isKey ? "GATEWAY_KEY" : `${name.toUpperCase()}_WEBHOOK_SECRET`;
  if (!place) return `${code}, removed from ${variable}`;
  const value = `value ${place} of ${variable}`;
  if (isKey) return name ? `${name}, ${value}` : value;
  return `${value}, ${place === 1 ? "the newest" : "an older one"}`;
}

function list(texts) {
  return element("ul", {}, ...texts.map((text) => element("li", {}, text)));
}
