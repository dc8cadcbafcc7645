// Steering the emulator from another process: what was asked of it, how it is to fail or to behave, which connections there
// are, and webhooks to send. Everything is under `/_emulator/`, which no OFAuth route can be, and none of it is recorded.

import { sendError, sendJson } from "./answers.mjs";
import { checkFields, count, isObject, oneOf, TEXT } from "./check.mjs";

export const CONTROL_PREFIX = "/_emulator/";

/**
 * | route | answer |
 * |---|---|
 * | GET `/_emulator/requests` | 200 `{requests}` |
 * | DELETE `/_emulator/requests` | 204, and they are forgotten |
 * | POST `/_emulator/faults` | 204, and the rule in the body (faults.mjs) is in force, behind those already set |
 * | DELETE `/_emulator/faults` | 204, and they are forgotten |
 * | GET `/_emulator/switches` | 200 `{…}`, all of them (switches.mjs) |
 * | POST `/_emulator/switches` | 200 `{…}`, and those in the body are set |
 * | GET `/_emulator/connections` | 200 `{connections}` |
 * | POST `/_emulator/connections` | 200, and the one in the body is made or changed (connections.mjs); no webhook tells it |
 * | DELETE `/_emulator/connections/{id}` | 204, and it is gone for good; likewise |
 * | GET `/_emulator/links` | 200 `{links}`, the Link sessions (link.mjs) |
 * | POST `/_emulator/links/{clientSecret}/expire` | 204, and the session is over; 404 if there is none |
 * | POST `/_emulator/webhooks` | 200 `{seed, order, results}`, once all are delivered or given up |
 * | PUT `/_emulator/webhooks/target` | 204, and they go to `{url?, ofauthSecret?, svixSecret?}` from now on |
 * | GET `/_emulator/webhooks` | 200 `{sent, held}`: what the emulator sent of its own accord, with what became of it |
 * | POST `/_emulator/webhooks/release` | 200 `{sent}`, once all that was held is delivered or given up |
 * | POST `/_emulator/reset` | 204, and all is as at the start but requests, faults and the webhooks' target |
 *
 * A POST needs `content-type: application/json`, also where there is nothing to say. A slip in a body is a 400 naming it.
 * POST `/_emulator/webhooks` takes `{events, scheme?, duplicates?, disorder?, concurrency?}`, as WebhookSender.deliverAll
 * does. What an event says of a connection is so for the API too.
 *
 * @param {Pick<import("./access.mjs").Call, "req" | "res" | "path">} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export async function answerControl({ req, res, path }, platform) {
  // A web page can post text anywhere unasked, but not JSON: without this, any site could send signed events.
  if (req.method === "POST" && !/^application\/json\b/i.test(req.headers["content-type"] ?? "")) {
    return sendError(res, 400, "BAD_REQUEST", "send application/json");
  }
  for (const [method, pattern, answer] of ROUTES) {
    const [match, name] = (method === req.method && pattern.exec(path.slice(CONTROL_PREFIX.length))) || [];
    if (match === undefined) continue;
    try {
      return await answer(res, platform, name ?? (await bodyOf(req)));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return sendError(res, 400, "BAD_REQUEST", error.message);
    }
  }
  sendError(res, 404, "ROUTE_NOT_FOUND", "No such control route");
}

const ROUTES = [
  ["GET", /^requests$/, (res, { requests }) => sendJson(res, 200, { requests })],
  ["DELETE", /^requests$/, (res, { requests }) => done(res, requests.splice(0))],
  ["POST", /^faults$/, (res, { faults }, rule) => done(res, faults.add(rule))],
  ["DELETE", /^faults$/, (res, { faults }) => done(res, faults.clear())],
  ["GET", /^switches$/, (res, { switches }) => sendJson(res, 200, switches.values)],
  ["POST", /^switches$/, setSwitches],
  ["GET", /^connections$/, (res, { connections }) => sendJson(res, 200, { connections: connections.all() })],
  ["POST", /^connections$/, (res, { connections }, fields) => sendJson(res, 200, connections.put(fields))],
  ["DELETE", /^connections\/([^/]+)$/, (res, { connections }, id) => done(res, connections.remove(decodeURIComponent(id)))],
  ["GET", /^links$/, (res, { links }) => sendJson(res, 200, { links: links.all() })],
  ["POST", /^links\/([^/]+)\/expire$/, expireLink],
  ["POST", /^webhooks$/, sendWebhooks],
  ["PUT", /^webhooks\/target$/, setTarget],
  ["GET", /^webhooks$/, (res, { outbox: { sent, held } }) => sendJson(res, 200, { sent, held })],
  ["POST", /^webhooks\/release$/, async (res, { outbox }) => sendJson(res, 200, { sent: await outbox.release() })],
  ["POST", /^reset$/, (res, platform) => done(res, platform.reset())],
];

function done(res) {
  res.writeHead(204).end();
}

function setSwitches(res, { switches }, changes) {
  switches.set(changes);
  sendJson(res, 200, switches.values);
}

function expireLink(res, { links }, clientSecret) {
  const session = links.get(clientSecret);
  if (!session) return sendError(res, 404, "RESOURCE_NOT_FOUND", "No such Link session");
  session.expiresAt = 0;
  done(res);
}

function setTarget(res, { outbox }, target) {
  checkFields(objectOf(target), { "url?": WEB_URL, "ofauthSecret?": TEXT, "svixSecret?": TEXT }, "a target");
  done(res, outbox.sendTo(target));
}

const WEB_URL = { words: "a URL", holds: (value) => URL.canParse(value) };

async function sendWebhooks(res, { outbox, connections }, order) {
  checkFields(objectOf(order), ORDER, "an order");
  const { events, scheme, ...options } = order;
  const sender = outbox.sender(scheme);
  for (const event of events) connections.learn(event);
  sendJson(res, 200, await sender.deliverAll(events, options));
}

const SEED = count(0, 2 ** 32 - 1);

const ORDER = {
  events: { words: "a list", holds: Array.isArray },
  "scheme?": oneOf(["ofauth", "svix"]),
  "duplicates?": count(0, 1_000),
  "concurrency?": count(1, 1_000),
  "disorder?": { words: "a boolean or a seed", holds: (value) => typeof value === "boolean" || SEED.holds(value) },
};

function objectOf(value) {
  if (!isObject(value)) throw new TypeError("the body must be a JSON object");
  return value;
}

async function bodyOf(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    throw new TypeError("the body must be JSON");
  }
}
