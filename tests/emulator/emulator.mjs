// OFAuth on loopback: one HTTP server that answers as the platform does and remembers what it was asked. In scope: the
// Access API (access.mjs), the organisation's connections (management.mjs), Link and its hosted pages (link.mjs, login.mjs),
// failing as told (faults.mjs), behaving otherwise as told (switches.mjs), sending signed webhooks (webhooks.mjs), a way to
// steer all that over HTTP (control.mjs) or by hand on a page (control-page.mjs). Out of scope: real logins, real
// content, TLS. It shares no code with the gateway it is there to try.

import { isUtf8 } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

import { answerAccess } from "./access.mjs";
import { isForLoopback, sendError } from "./answers.mjs";
import { Connections } from "./connections.mjs";
import { answerControl, CONTROL_PREFIX } from "./control.mjs";
import { answerControlPage, CONTROL_PAGE } from "./control-page.mjs";
import { Faults } from "./faults.mjs";
import { answerLink, LINK_PREFIX, LinkSessions } from "./link.mjs";
import { answerPage } from "./login.mjs";
import { answerManaged } from "./managed.mjs";
import { answerAccount } from "./management.mjs";
import { Outbox } from "./outbox.mjs";
import { Switches } from "./switches.mjs";
import { Uploads } from "./uploads.mjs";

export { sha256OfLarge } from "./access.mjs";

/**
 * @typedef {object} Recorded             one request as it arrived; those to control, to its page and to the hosted
 *   Link pages, which OFAuth has on another host, are not recorded
 * @property {string} method
 * @property {string} path                the request-target, query and all, byte for byte
 * @property {Record<string, string | string[]>} headers   lower-cased names; repeated ones joined as Node joins them
 * @property {string[]} rawHeaders        name, value, name, value…, as they came
 * @property {number | null} bodyLength   null until the body has arrived whole
 * @property {string | null} bodySha256   hex; likewise
 * @property {string | null} bodyText     likewise; null too if it is over 64 KiB or no UTF-8
 * @property {number | null} status       of the answer; null until that has begun
 * @property {boolean} aborted            the connection closed before the body had come or the answer gone out whole: the
 *   caller went away, or a fault dropped it
 */

/**
 * @typedef {object} Platform             what the routes share
 * @property {string} apiKey
 * @property {string} url                 the emulator's origin
 * @property {Connections} connections
 * @property {LinkSessions} links
 * @property {Uploads} uploads
 * @property {Map<string, object>} settings   by connection id, the organisation's under ""
 * @property {number} created             how many things have been created through managed routes (managed.mjs)
 * @property {Switches} switches
 * @property {Outbox} outbox
 * @property {Faults} faults
 * @property {Recorded[]} requests
 * @property {() => void} reset           forgets what it has come to know and do, but for requests and faults
 */

/**
 * @typedef {object} Emulator
 * @property {string} url                 its origin
 * @property {number} port
 * @property {Recorded[]} requests        in order of arrival, there as soon as the headers are
 * @property {() => Recorded[]} clear     forgets the requests, and answers them
 * @property {(rule: import("./faults.mjs").Rule) => void} fault   from now on, answers the calls it matches; TypeError if
 *   it is no rule
 * @property {() => void} heal            forgets the faults
 * @property {(changes: import("./switches.mjs").Changes) => void} set   behaves otherwise from now on; TypeError if it
 *   cannot
 * @property {() => void} reset           all switches as at the start, and no connection, Link session or webhook any more;
 *   requests and faults stay
 * @property {Connections} connections    put, get, all, remove: in silence, no webhook tells of it
 * @property {LinkSessions} links         a test may set a session's expiresAt
 * @property {Outbox} outbox              sendTo says where webhooks go; sent, held, release
 * @property {() => Promise<void>} close  drops every connection, gives up webhooks being sent
 */

/**
 * Starts an emulator and waits until it listens.
 * @param {{apiKey: string, host?: string, port?: number, webhooks?: import("./outbox.mjs").Target, opensUnknown?: boolean}}
 *   options   apiKey: the one key it lets in (its prefix, `sk_live_` or `sk_sandbox_`, changes nothing here); port: 0 picks a
 *   free one; webhooks: where they are sent, and what signs them; opensUnknown: an id that was never named opens an account
 * @returns {Promise<Emulator>}
 */
export async function startEmulator({ apiKey, host = "127.0.0.1", port = 0, webhooks = {}, opensUnknown = false }) {
  if (typeof apiKey !== "string" || apiKey === "") throw new TypeError("apiKey: a string that is not empty");
  const stopping = new AbortController();
  const connections = new Connections({ opensUnknown });
  const platform = newPlatform(apiKey, webhooks, stopping.signal, connections);
  const { requests, faults, switches, links, outbox } = platform;

  const server = http.createServer(SERVER_OPTIONS, async (req, res) => {
    res.setHeader("x-request-id", `req_${randomUUID()}`);
    const call = { req, res, ...splitTarget(req.url) };
    try {
      const isControl = call.path.startsWith(CONTROL_PREFIX) || call.path === CONTROL_PAGE;
      if (isControl && !isForLoopback(req)) sendError(res, 421, "HOST_DENIED", "control works at 127.0.0.1 and localhost");
      else if (call.path.startsWith(CONTROL_PREFIX)) await answerControl(call, platform);
      else if (call.path === CONTROL_PAGE) await answerControlPage({ ...call, body: await readBody(req) }, platform);
      else if (call.path.startsWith(LINK_PREFIX)) await answerPage({ ...call, body: await readBody(req) }, platform);
      else await answerRecorded(call, platform);
    } catch (error) {
      if (!req.socket.destroyed) failVisibly(res, error); // else the caller left: there is nobody to tell
    }
  });
  server.keepAliveTimeout = 0;

  server.listen(port, host);
  await once(server, "listening");
  const bound = server.address().port;
  platform.url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
  return {
    url: platform.url,
    port: bound,
    requests,
    clear: () => requests.splice(0),
    fault: (rule) => faults.add(rule),
    heal: () => faults.clear(),
    set: (changes) => switches.set(changes),
    reset: () => platform.reset(),
    connections,
    links,
    outbox,
    async close() {
      stopping.abort();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function newPlatform(apiKey, webhooks, signal, connections) {
  const switches = new Switches();
  const outbox = new Outbox(webhooks, switches, signal);
  const [links, uploads, settings] = [new LinkSessions(), new Uploads(), new Map()];
  const faults = new Faults();
  const reset = () => {
    switches.reset();
    for (const kept of [connections, links, uploads, settings, outbox]) kept.clear();
  };
  return { apiKey, url: "", requests: [], faults, switches, outbox, connections, links, uploads, settings, created: 0, reset };
}

// No time limits (and above, no idle limit): a slow upload is a test, not an attack, and a server that closes an idle
// connection just as a caller reuses it makes tests fail now and then.
const SERVER_OPTIONS = { requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 65_536 };

const LARGEST_BODY_KEPT = 65_536;

const AREAS = [
  ["/v2/access/", answerAccess],
  ["/v2/account/", answerAccount],
  ["/v2/connections", answerAccount],
  ["/v2/link/", answerLink],
  ["/v2/dynamic-rules", answerManaged],
  ["/v2/vault-plus/", answerManaged],
  ["/v2/vault/", answerManaged],
];

async function answerRecorded(call, platform) {
  const { req, res, path } = call;
  const { method, url, headers, rawHeaders } = req;
  const unread = { bodyLength: null, bodySha256: null, bodyText: null };
  const record = { method, path: url, headers, rawHeaders, ...unread, status: null, aborted: false };
  platform.requests.push(record);
  noteStatus(res, record);
  res.once("close", () => (record.aborted = !res.writableFinished));

  const body = await readBody(req);
  record.bodyLength = body.length;
  record.bodySha256 = body.sha256;
  record.bodyText = textOf(body);

  // A wrong key is refused as ever, and uses up no rule.
  if (headers.apikey === platform.apiKey && (await platform.faults.answer({ ...call, body }))) return;
  const [, answer] = AREAS.find(([beginning]) => path.startsWith(beginning)) ?? [];
  if (answer) await answer({ ...call, body }, platform);
  else sendError(res, 404, "ROUTE_NOT_FOUND", "Route not found");
}

/** Before the answer goes out, so that who has it finds it noted. */
function noteStatus(res, record) {
  const { writeHead } = res;
  res.writeHead = (status, ...rest) => {
    record.status = status;
    return writeHead.call(res, status, ...rest);
  };
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

function textOf({ bytes }) {
  return bytes && isUtf8(bytes) ? bytes.toString() : null;
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
