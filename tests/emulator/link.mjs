// Link sessions: what the integrator's server begins, reads and cancels. What the user then does on the hosted pages is in
// login.mjs.

import { randomBytes } from "node:crypto";

import { objectIn, sendError, sendJson } from "./answers.mjs";
import { routeOf } from "./routes.mjs";

/** Where the hosted pages are: `/link/cs_…`. */
export const LINK_PREFIX = "/link/";

/**
 * @typedef {object} LinkSession
 * @property {string} clientSecret
 * @property {"pre-login" | "authorization" | "login" | "2fa"} step   where the user is, or was when it ended
 * @property {"initialized" | "awaiting_2fa" | "denied" | "completed" | "invalid_credentials" | "failed"} status
 * @property {string | null} redirectUrl        null: the user is only told how it ended
 * @property {string | null} clientReferenceId
 * @property {string | null} asked              the connection to reconnect, as it was asked for
 * @property {string[]} permissions
 * @property {number} expiresAt                 ms since 1970
 * @property {number} tries                     left, before a wrong password or code ends it
 * @property {string | null} problem            what the page has to say about the last try
 * @property {string} typed                     the email last tried
 * @property {import("./login.mjs").Login | null} login   whose password was right
 * @property {string | null} connectionId       once completed
 * @property {Record<string, string> | null} outcome   once ended, what the redirect tells but for the reference
 */

/** All sessions; a cancelled one is gone. */
export class LinkSessions {
  #kept = new Map();

  /** @returns {LinkSession | undefined} */
  get(clientSecret) {
    return this.#kept.get(clientSecret);
  }

  all() {
    return [...this.#kept.values()];
  }

  /** @returns {LinkSession} */
  begin({ redirectUrl = null, clientReferenceId = null, connectionId = null }, { linkSeconds, linkPermissions }) {
    const session = {
      clientSecret: `cs_${randomBytes(24).toString("hex")}`,
      step: "pre-login",
      status: "initialized",
      redirectUrl,
      clientReferenceId,
      asked: connectionId,
      permissions: [...linkPermissions],
      expiresAt: Date.now() + linkSeconds * 1_000,
      tries: TRIES,
      problem: null,
      typed: "",
      login: null,
      connectionId: null,
      outcome: null,
    };
    this.#kept.set(session.clientSecret, session);
    return session;
  }

  remove(clientSecret) {
    return this.#kept.delete(clientSecret);
  }

  clear() {
    this.#kept.clear();
  }
}

/** How often a user may give a wrong password, and a wrong code. */
export const TRIES = 3;

/**
 * Answers any `/v2/link/*` call.
 * @param {import("./access.mjs").Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export function answerLink(call, platform) {
  const { req, res, path } = call;
  if (req.headers.apikey !== platform.apiKey) return sendError(res, 401, "UNAUTHORIZED", "Invalid API key");
  const { route, parameters } = routeOf(req.method, path) ?? {};
  if (!route) return sendError(res, 404, "ROUTE_NOT_FOUND", "Route not found");
  if (route.path === "/v2/link/init") return init(call, platform);
  const session = platform.links.get(parameters.clientSecret);
  if (!session) return sendError(res, 404, "RESOURCE_NOT_FOUND", "Link session not found");
  if (route.method === "DELETE") cancel(call, platform, session);
  else read(call, platform, session);
}

function init({ res, body }, platform) {
  const request = objectIn(body);
  const why = request ? wrongIn(request) : "the body must be a JSON object";
  if (why) return sendError(res, 400, "BAD_REQUEST", why);
  const { linkAnswer, linkUrl } = platform.switches.values;
  const session = platform.links.begin(request, platform.switches.values);
  const { clientSecret } = session;
  const expiresAt = new Date(session.expiresAt).toISOString();
  const url = linkUrl?.replaceAll("{clientSecret}", clientSecret) ?? `${platform.url}${LINK_PREFIX}${clientSecret}`;
  if (linkAnswer === "whitelabel") return sendJson(res, 200, { mode: "whitelabel", clientSecret, expiresAt });
  sendJson(res, 200, { mode: linkAnswer === "hosted" ? "hosted" : undefined, url, expiresAt });
}

/** An odd connectionId is no error: a new connection is made instead. */
function wrongIn({ redirectUrl, clientReferenceId, clientAppId, geolocation }) {
  if (redirectUrl !== undefined && !isWebUrl(redirectUrl)) return "redirectUrl must be an http or https URL";
  if (!isTextOrAbsent(clientReferenceId)) return "clientReferenceId must be a string";
  if (!isTextOrAbsent(clientAppId)) return "clientAppId must be a string";
  if (geolocation !== undefined && typeof geolocation?.country !== "string") return "geolocation.country must be a string";
  return null;
}

function isWebUrl(value) {
  return typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function isTextOrAbsent(value) {
  return value === undefined || typeof value === "string";
}

function read({ res }, { connections }, session) {
  const { status, connectionId } = session;
  if (status === "awaiting_2fa") return sendJson(res, 200, { status, data: { twoFactorState: twoFactorState(session) } });
  if (status !== "completed") return sendJson(res, 200, { status });
  const { id, userData } = connections.get(connectionId) ?? { id: connectionId, userData: null };
  sendJson(res, 200, { status, data: { connection: { id, userData }, session: rawSession(session) } });
}

function twoFactorState({ tries }) {
  return { options: ["app"], appCode: { checkAttemptsLimit: TRIES, checkAttemptsLeft: tries } };
}

/** What an account that asks for raw sessions gets: a credential, though this one opens nothing. */
function rawSession({ clientSecret, connectionId }) {
  const cookie = `sess=raw_session_of_${connectionId}; auth_id=1; fp=${clientSecret.slice(-8)}`;
  return { cookie, userAgent: "Mozilla/5.0 (emulator)" };
}

function cancel({ res }, { links }, { clientSecret }) {
  links.remove(clientSecret);
  sendJson(res, 200, { success: true });
}
