// Steering the emulator from another process: what was asked of it, how it is to fail, and webhooks to send. Everything is
// under `/_emulator/`, which no OFAuth route can be, and none of it is recorded.

import { sendError, sendJson } from "./answers.mjs";
import { WebhookSender } from "./webhooks.mjs";

export const CONTROL_PREFIX = "/_emulator/";

/**
 * @typedef {object} Control
 * @property {import("./emulator.mjs").Recorded[]} requests
 * @property {() => void} clear
 * @property {import("./faults.mjs").Faults} faults
 * @property {{url?: string, ofauthSecret?: string, svixSecret?: string}} webhooks
 * @property {AbortSignal} signal   the emulator is closing
 */

/**
 * | route | answer |
 * |---|---|
 * | GET `/_emulator/requests` | 200 `{requests}` |
 * | DELETE `/_emulator/requests` | 204, and they are forgotten |
 * | POST `/_emulator/faults` | 204, and the rule in the body (faults.mjs) is in force, behind those already set |
 * | DELETE `/_emulator/faults` | 204, and they are forgotten |
 * | POST `/_emulator/webhooks` | 200 `{seed, order, results}`, once all are delivered or given up |
 *
 * The last one takes `{events, scheme?, duplicates?, disorder?, concurrency?}`, as WebhookSender.deliverAll does.
 *
 * @param {Pick<import("./access.mjs").Call, "req" | "res" | "path">} call
 * @param {Control} control
 */
export async function answerControl({ req, res, path }, control) {
  // A web page can post text anywhere unasked, but not JSON: without this, any site could send signed events.
  if (req.method === "POST" && !/^application\/json\b/i.test(req.headers["content-type"] ?? "")) {
    return sendError(res, 400, "BAD_REQUEST", "send application/json");
  }
  switch (`${req.method} ${path}`) {
    case "GET /_emulator/requests":
      return sendJson(res, 200, { requests: control.requests });
    case "DELETE /_emulator/requests":
      control.clear();
      return res.writeHead(204).end();
    case "POST /_emulator/faults":
      return setFault(req, res, control);
    case "DELETE /_emulator/faults":
      control.faults.clear();
      return res.writeHead(204).end();
    case "POST /_emulator/webhooks":
      return sendWebhooks(req, res, control);
    default:
      return sendError(res, 404, "ROUTE_NOT_FOUND", "No such control route");
  }
}

async function setFault(req, res, { faults }) {
  const refuse = (why) => sendError(res, 400, "BAD_REQUEST", why);
  const rule = parse(await readText(req));
  if (rule === undefined) return refuse("the body must be JSON");
  try {
    faults.add(rule);
  } catch (error) {
    return refuse(error.message);
  }
  res.writeHead(204).end();
}

async function sendWebhooks(req, res, { webhooks, signal }) {
  const refuse = (why) => sendError(res, 400, "BAD_REQUEST", why);
  const order = parse(await readText(req));
  if (!Array.isArray(order?.events)) return refuse("the body must be JSON with a list of events");

  const { events, duplicates = 0, disorder = false, concurrency = 1 } = order;
  const { scheme = webhooks.ofauthSecret ? "ofauth" : "svix" } = order;
  if (scheme !== "ofauth" && scheme !== "svix") return refuse('scheme must be "ofauth" or "svix"');
  if (!isCount(duplicates, 0) || !isCount(concurrency, 1)) return refuse("duplicates, concurrency: small whole numbers");
  if (typeof disorder !== "boolean" && !isCount(disorder, 0, 2 ** 32 - 1)) return refuse("disorder: a boolean or a seed");
  const secret = scheme === "ofauth" ? webhooks.ofauthSecret : webhooks.svixSecret;
  if (!webhooks.url) return refuse("no webhook URL is configured");
  if (!secret) return refuse(`no secret is configured for the ${scheme} scheme`);

  let sender;
  try {
    sender = new WebhookSender({ url: webhooks.url, secret, scheme, signal });
  } catch (error) {
    return refuse(error.message); // a secret that is no secret of this scheme
  }
  sendJson(res, 200, await sender.deliverAll(events, { duplicates, disorder, concurrency }));
}

function isCount(value, least, most = 1_000) {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

async function readText(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
