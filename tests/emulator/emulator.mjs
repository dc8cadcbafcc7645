// OFAuth on loopback: one HTTP server that answers as the platform does and remembers what it was asked. In scope: the
// Access API (access.mjs), failing as told (faults.mjs), sending signed webhooks (webhooks.mjs), and a way to steer all
// that over HTTP (control.mjs). Out of scope: real logins, real content, TLS. It shares no code with the gateway it is
// there to try.

import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

import { answerAccess } from "./access.mjs";
import { sendError } from "./answers.mjs";
import { answerControl, CONTROL_PREFIX } from "./control.mjs";
import { Faults } from "./faults.mjs";

export { sha256OfLarge } from "./access.mjs";

/**
 * @typedef {object} Recorded             one request as it arrived; control requests are not recorded
 * @property {string} method
 * @property {string} path                the request-target, query and all, byte for byte
 * @property {Record<string, string | string[]>} headers   lower-cased names; repeated ones joined as Node joins them
 * @property {string[]} rawHeaders        name, value, name, value…, as they came
 * @property {number | null} bodyLength   null until the body has arrived whole
 * @property {string | null} bodySha256   hex; likewise
 * @property {boolean} aborted            the connection closed before the body had come or the answer gone out whole: the
 *   caller went away, or a fault dropped it
 */

/**
 * @typedef {object} Emulator
 * @property {string} url                 its origin
 * @property {number} port
 * @property {Recorded[]} requests        in order of arrival, there as soon as the headers are
 * @property {() => void} clear           forgets the requests
 * @property {(rule: import("./faults.mjs").Rule) => void} fault   from now on, answers the calls it matches; TypeError if
 *   it is no rule
 * @property {() => void} heal            forgets the faults
 * @property {() => Promise<void>} close  drops every connection, gives up webhooks being sent
 */

/**
 * Starts an emulator and waits until it listens.
 * @param {{apiKey: string, host?: string, port?: number,
 *   webhooks?: {url?: string, ofauthSecret?: string, svixSecret?: string}}} options
 *   apiKey: the one key it lets in (its prefix, `sk_live_` or `sk_sandbox_`, changes nothing here); port: 0 picks a free
 *   one; webhooks: where `POST /_emulator/webhooks` sends, and what it signs with
 * @returns {Promise<Emulator>}
 */
export async function startEmulator({ apiKey, host = "127.0.0.1", port = 0, webhooks = {} }) {
  if (typeof apiKey !== "string" || apiKey === "") throw new TypeError("apiKey: a string that is not empty");
  const requests = [];
  const clear = () => requests.splice(0);
  const faults = new Faults();
  const stopping = new AbortController();
  const control = { requests, clear, faults, webhooks, signal: stopping.signal };

  const server = http.createServer(SERVER_OPTIONS, async (req, res) => {
    res.setHeader("x-request-id", `req_${randomUUID()}`);
    const call = { req, res, ...splitTarget(req.url) };
    try {
      if (call.path.startsWith(CONTROL_PREFIX)) await answerControl(call, control);
      else await answerRecorded(call, requests, faults, apiKey);
    } catch (error) {
      if (!req.socket.destroyed) failVisibly(res, error); // else the caller left: there is nobody to tell
    }
  });
  server.keepAliveTimeout = 0;

  server.listen(port, host);
  await once(server, "listening");
  const bound = server.address().port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    requests,
    clear,
    fault: (rule) => faults.add(rule),
    heal: () => faults.clear(),
    async close() {
      stopping.abort();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

// No time limits (and above, no idle limit): a slow upload is a test, not an attack, and a server that closes an idle
// connection just as a caller reuses it makes tests fail now and then.
const SERVER_OPTIONS = { requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 65_536 };

const LARGEST_BODY_KEPT = 65_536;

async function answerRecorded(call, requests, faults, apiKey) {
  const { req, res, path } = call;
  const { method, url, headers, rawHeaders } = req;
  const record = { method, path: url, headers, rawHeaders, bodyLength: null, bodySha256: null, aborted: false };
  requests.push(record);
  res.once("close", () => (record.aborted = !res.writableFinished));

  const body = await readBody(req);
  record.bodyLength = body.length;
  record.bodySha256 = body.sha256;

  // A wrong key is refused as ever, and uses up no rule.
  if (headers.apikey === apiKey && (await faults.answer({ ...call, body }))) return;
  if (path.startsWith("/v2/access/")) await answerAccess({ ...call, body }, apiKey);
  else sendError(res, 404, "ROUTE_NOT_FOUND", "Route not found");
}

/** Reads a body as fast as it comes without keeping it, but for a small one. */
async function readBody(req) {
  const hash = createHash("sha256");
  const kept = [];
  let length = 0;
  for await (const chunk of req) {
    hash.update(chunk);
    length += chunk.length;
    if (length <= LARGEST_BODY_KEPT) kept.push(chunk);
    else kept.length = 0;
  }
  return { length, sha256: hash.digest("hex"), bytes: length <= LARGEST_BODY_KEPT ? Buffer.concat(kept) : null };
}

// By hand: URL would resolve dot segments and re-encode, and routes are matched on what really came.
function splitTarget(target) {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)) };
}

/** A fault of the emulator's own must not pass for an answer of OFAuth's. */
function failVisibly(res, error) {
  console.error("emulator:", error);
  if (res.headersSent) res.destroy();
  else sendError(res, 500, "EMULATOR_FAULT", String(error));
}
