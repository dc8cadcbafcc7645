// Faults to order: the ways in which OFAuth, and what stands in front of it, fails. A rule says which calls go wrong, how,
// and how often. The first rule that matches answers; used up, it makes way for the next, so that rules with `times` are a
// script: a 502, then a 429, then all is well.

import { setTimeout as sleep } from "node:timers/promises";

import { TYPE_OF_STATUS } from "./access.mjs";
import { sendError, sendJson } from "./answers.mjs";
import { BOOLEAN, checkFields, count, isObject, OBJECT, oneOf, pattern } from "./check.mjs";

/**
 * | kind | fields | what the caller gets |
 * |---|---|---|
 * | `refuse` | `type`, `hint?`, `actionRequired?`, `variant?` | 401, or 403 for FORBIDDEN; see {@link refuse} |
 * | `limit` | `retryAfter?`, `rateLimitRetryAfter?`, `bodyRetryAfter?`, in seconds | 429, its wait where it is given |
 * | `status` | `code` from 400, `body?` (html, empty, big) | OFAuth's error for that status, or a body that is none |
 * | `slow` | `ms` | nothing for so long, then what the route answers |
 * | `slowBody` | `ms` | the route's headers at once, its body so much later |
 * | `drop` | | a closed connection |
 * | `dropMidway` | | a 200 that breaks off within its body |
 * | `redirect` | `to` | 302 |
 * | `unauthenticatedSelf` | | 200 `{isAuth: false}`; matches GET `/v2/access/self` only |
 *
 * @typedef {object} Rule
 * @property {string} kind
 * @property {{method?: string, path?: string, connection?: string}} [match]   all of what is given must hold; path: how
 *   the raw path begins, without the query; connection: the x-connection-id
 * @property {number} [times]   how many calls it is for; without it, all until healed
 * @property {number} [delayMs]   how long the caller waits for it, in ms; on any kind but slow and slowBody
 */

/** The rules in force, in the order they were set. */
export class Faults {
  #rules = [];

  /**
   * @param {Rule} rule
   * @throws {TypeError} that says which field must be what
   */
  add(rule) {
    check(rule);
    this.#rules.push({ ...rule, match: { ...rule.match }, left: rule.times ?? Infinity });
  }

  /** The rules in force. */
  all() {
    return [...this.#rules];
  }

  /** Forgets the rules that name this connection. */
  clearOf(connection) {
    this.#rules = this.#rules.filter(({ match }) => match.connection !== connection);
  }

  /** Forgets all rules. What is being answered by one goes on. */
  clear() {
    this.#rules.length = 0;
  }

  /**
   * Has the first rule that matches answer.
   * @param {import("./access.mjs").Call} call
   * @returns {Promise<boolean>} false if the route is still to answer: there was no rule, or one that only delays
   */
  async answer(call) {
    const rule = this.#rules.find((one) => matches(one, call));
    if (!rule) return false;
    rule.left -= 1;
    if (rule.left === 0) this.#rules.splice(this.#rules.indexOf(rule), 1);
    const { apply, delays = false } = KINDS[rule.kind];
    if (rule.delayMs !== undefined) await slow(call, { ms: rule.delayMs });
    await apply(call, rule);
    return !delays;
  }
}

const REFUSALS = {
  SESSION_EXPIRED: [401, "Session expired", "relink_connection"],
  SESSION_NOT_PROVIDED: [401, "No session for this connection", "relink_connection"],
  UNAUTHORIZED: [401, "Invalid API key"],
  RULES_OUTDATED: [401, "Dynamic rules are outdated"],
  FORBIDDEN: [403, "Permission missing"],
};

const ACTIONS = ["relink_connection", "refresh_session", "verify_identity"];

const SECONDS = count(0);
const MILLISECONDS = count(0, 2 ** 31 - 1); // a longer timer would fire at once

// Fields whose name ends in a question mark may be left out.
const KINDS = {
  refuse: {
    apply: refuse,
    fields: {
      type: oneOf(Object.keys(REFUSALS)),
      "hint?": BOOLEAN,
      "actionRequired?": oneOf(ACTIONS),
      "variant?": oneOf(["code", "lower", "snake"]),
    },
  },
  limit: {
    apply: limit,
    fields: { "retryAfter?": SECONDS, "rateLimitRetryAfter?": SECONDS, "bodyRetryAfter?": SECONDS },
  },
  status: { apply: status, fields: { code: count(400, 599), "body?": oneOf(["html", "empty", "big"]) } },
  slow: { apply: slow, fields: { ms: MILLISECONDS }, delays: true },
  slowBody: { apply: slowBody, fields: { ms: MILLISECONDS }, delays: true },
  drop: { apply: drop, fields: {} },
  dropMidway: { apply: dropMidway, fields: {} },
  redirect: { apply: redirect, fields: { to: pattern(/^[\x21-\x7e]+$/, "a URL") } },
  unauthenticatedSelf: { apply: unauthenticatedSelf, fields: {} },
};

const MATCH = {
  "method?": pattern(/^[A-Z]+$/, "an HTTP method in capitals"),
  "path?": pattern(/^\/[^?]*$/, "how a path begins: with a slash, and without a query"),
  "connection?": pattern(/./, "a connection id"),
};

function matches({ kind, match: { method, path, connection } }, { req, path: asked }) {
  if (kind === "unauthenticatedSelf" && !(req.method === "GET" && asked === "/v2/access/self")) return false;
  if (method !== undefined && method !== req.method) return false;
  if (path !== undefined && !asked.startsWith(path)) return false;
  return connection === undefined || connection === req.headers["x-connection-id"];
}

/**
 * `hint: false` leaves out the relink_connection that a session's refusal has by default. The variants are those in the
 * wild: `code` and `message` for type and error, the type in lower case, action_required.
 */
function refuse({ res }, { type, hint = true, actionRequired, variant }) {
  const [code, error, byDefault] = REFUSALS[type];
  const action = actionRequired ?? (hint ? byDefault : undefined);
  const requestId = res.getHeader("x-request-id");
  if (variant === "code") sendJson(res, code, { message: error, code: type, requestId, actionRequired: action });
  else if (variant === "snake") sendJson(res, code, { error, type, requestId, action_required: action });
  else sendError(res, code, variant === "lower" ? type.toLowerCase() : type, error, action);
}

function limit({ res }, { retryAfter, rateLimitRetryAfter, bodyRetryAfter }) {
  const wait = retryAfter ?? rateLimitRetryAfter ?? bodyRetryAfter ?? 60;
  res.setHeader("X-RateLimit-Limit", 60);
  res.setHeader("X-RateLimit-Remaining", 0);
  res.setHeader("X-RateLimit-Reset", Math.ceil(Date.now() / 1000) + wait);
  if (retryAfter !== undefined) res.setHeader("Retry-After", retryAfter);
  if (rateLimitRetryAfter !== undefined) res.setHeader("X-RateLimit-Retry-After", rateLimitRetryAfter);
  const requestId = res.getHeader("x-request-id");
  sendJson(res, 429, { error: "Too many requests", type: "RATE_LIMIT_EXCEEDED", requestId, retryAfter: bodyRetryAfter });
}

function status({ res }, { code, body }) {
  if (body === "empty") return res.writeHead(code, { "content-length": 0 }).end();
  if (body === "html") {
    const page = `<!doctype html><title>${code}</title><h1>${code}</h1><p>A proxy in front of OFAuth</p>\n`;
    return res.writeHead(code, { "content-type": "text/html", "content-length": page.length }).end(page);
  }
  const [type, actionRequired] = TYPE_OF_STATUS[code] ?? [`HTTP_${code}`];
  const error = `Status ${code}, as set`;
  sendError(res, code, type, body === "big" ? error.padEnd(LONGER_THAN_64_KIB, ".") : error, actionRequired);
}

const LONGER_THAN_64_KIB = 70_000;

async function slow({ res }, { ms }) {
  const left = new AbortController();
  res.once("close", () => left.abort());
  await sleep(ms, undefined, { signal: left.signal });
}

/** Holds back what the route writes, whichever it is and however it writes. */
function slowBody({ res }, { ms }) {
  const held = [];
  const hold = (method) => (...args) => {
    res.flushHeaders();
    held.push(() => res[method](...args));
    return false; // a stream that is piped in waits for the drain
  };
  res.write = hold("write");
  res.end = hold("end");
  const timer = setTimeout(() => {
    delete res.write; // the prototype's own are back
    delete res.end;
    for (const write of held) write();
    res.emit("drain");
  }, ms);
  res.once("close", () => clearTimeout(timer));
}

function drop({ req }) {
  req.socket.destroy();
}

function dropMidway({ res }) {
  res.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
  res.write('{"list":[', () => res.destroy()); // not before it is on its way
}

function redirect({ res }, { to }) {
  res.writeHead(302, { location: to, "content-length": 0 }).end();
}

function unauthenticatedSelf({ res }) {
  sendJson(res, 200, { isAuth: false });
}

/** A rule with a slip in it must not pass for a rule that never matched. */
function check(rule) {
  if (!isObject(rule)) throw new TypeError("a fault is an object with a kind");
  const kind = oneOf(Object.keys(KINDS));
  if (!kind.holds(rule.kind)) throw new TypeError(`kind: ${kind.words}`);
  const { fields, delays = false } = KINDS[rule.kind];
  const delay = delays ? {} : { "delayMs?": MILLISECONDS };
  checkFields(rule, { kind, "match?": OBJECT, "times?": count(1), ...delay, ...fields }, rule.kind);
  checkFields(rule.match ?? {}, MATCH, "match");
}
