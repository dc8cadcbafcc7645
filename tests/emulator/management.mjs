// The organisation's side: its key, its settings, and its connections, listed, deleted, invalidated and imported.

import { createHash } from "node:crypto";

import { accountOf } from "./account.mjs";
import { objectIn, sendError, sendJson, wholeNumber } from "./answers.mjs";
import { userDataOf } from "./connections.mjs";
import { ALL_PERMISSIONS, routeOf } from "./routes.mjs";

/**
 * Answers any call under `/v2/account/`, and `/v2/connections` as it was called before.
 * @param {import("./access.mjs").Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export async function answerAccount(call, platform) {
  const { req, res } = call;
  if (req.headers.apikey !== platform.apiKey) return sendError(res, 401, "UNAUTHORIZED", "Invalid API key");
  const path = call.path.replace(/^\/v2\/connections(?=\/|$)/, "/v2/account/connections");
  const { route, parameters } = routeOf(req.method, path) ?? {};
  const answer = route && ANSWERS[`${route.method} ${route.path}`];
  if (!answer) return sendError(res, 404, "ROUTE_NOT_FOUND", "Route not found");
  await answer(call, platform, parameters.connectionId);
}

const ANSWERS = {
  __proto__: null,
  "GET /v2/account/whoami": whoami,
  "GET /v2/account/settings": settings,
  "PATCH /v2/account/settings": settings,
  "GET /v2/account/connections": list,
  "DELETE /v2/account/connections/{connectionId}": known(disconnect),
  "POST /v2/account/connections/{connectionId}/invalidate": known(invalidate),
  "GET /v2/account/connections/{connectionId}/settings": known(settings),
  "PATCH /v2/account/connections/{connectionId}/settings": known(settings),
  "POST /v2/account/connections/import": importNew,
  "PATCH /v2/account/connections/import/{connectionId}": known(importAgain),
};

/** For calls about one connection: a 404 if it is not, or no longer, there. */
function known(answer) {
  return (call, platform, id) => {
    if (platform.connections.get(id)) return answer(call, platform, id);
    sendError(call.res, 404, "RESOURCE_NOT_FOUND", "Connection not found");
  };
}

function whoami({ res }) {
  sendJson(res, 200, { id: "org_emulator", name: "Emulator", permissions: ALL_PERMISSIONS });
}

function list({ res, query }, { connections, switches }) {
  const limit = wholeNumber(query, "limit", { or: 10, from: 1, to: 100 });
  const offset = wholeNumber(query, "offset", { or: 0 });
  if (limit === null) return sendError(res, 400, "BAD_REQUEST", "limit must be a whole number from 1 to 100");
  if (offset === null) return sendError(res, 400, "BAD_REQUEST", "offset must be a whole number");
  const { listShape, listFilters } = switches.values;
  const isSdk = listShape === "sdk";
  const wanted = connections.all().filter((item) => listFilters === "ignored" || passes(item, query, isSdk));
  const page = wanted.slice(offset, offset + limit);
  const hasMore = offset + limit < wanted.length;
  if (isSdk) sendJson(res, 200, { list: page.map(asSdkItem), total: wanted.length, hasMore });
  else sendJson(res, 200, { list: page, hasMore });
}

function passes({ status, imported, userData }, query, isSdk) {
  const asks = (name, value) => !query.has(name) || query.get(name) === value;
  return asks("status", status) && asks("imported", String(imported)) && (!isSdk || asks("platformUserId", userData.id));
}

/** As the SDK's document has it: `expiresAt` lies ahead and is there while the connection works. */
function asSdkItem({ id, status, userData, createdAt, updatedAt, lastCheckedAt }) {
  const expiresAt = status === "active" ? new Date(Date.parse(createdAt) + 31 * 86_400_000).toISOString() : undefined;
  const { username, name: displayName } = userData;
  const metadata = { username, displayName, lastActivity: lastCheckedAt ?? updatedAt };
  return { id, platformUserId: userData.id, status, createdAt, updatedAt, expiresAt, metadata };
}

async function disconnect({ res }, { connections, outbox, switches }, id) {
  const item = connections.get(id);
  connections.remove(id);
  await outbox.announce("connection.disconnected", item, switches.values.accountWebhook, res);
  sendJson(res, 200, { success: true, message: `Connection ${id} has been successfully deleted` });
}

/** One that has expired already stays as it is: nothing has happened that a webhook could tell. */
async function invalidate({ res }, { connections, outbox, switches }, id) {
  if (connections.get(id).status !== "expired") {
    const item = connections.put({ id, status: "expired" });
    await outbox.announce("connection.expired", item, switches.values.accountWebhook, res);
  }
  sendJson(res, 200, { success: true, message: `Connection ${id} has been invalidated` });
}

/** What was PATCHed is what is there: nothing here heeds it. */
function settings({ req, res, body }, { settings: kept }, id = ORGANISATION) {
  const before = kept.get(id) ?? NO_SETTINGS;
  if (req.method !== "PATCH") return sendJson(res, 200, before);
  const changes = objectIn(body);
  if (!changes) return sendError(res, 400, "BAD_REQUEST", "the body must be a JSON object");
  kept.set(id, { ...before, ...changes });
  sendJson(res, 200, kept.get(id));
}

const ORGANISATION = "";

const NO_SETTINGS = Object.freeze({ vaultCache: { autoEnableForNewConnections: false, defaultSettings: {} } });

async function importNew(call, platform) {
  const session = sessionIn(call);
  if (!session) return;
  const { connections } = platform;
  const isLive = ({ imported, status, userData }) => imported && status === "active" && userData.id === session.userId;
  if (connections.boundTo(session.digest) || connections.all().some(isLive)) {
    return sendError(call.res, 409, "CONFLICT", "This session is imported already");
  }
  await sendImported(call, platform, session, { imported: true, userData: userDataOf(session.account) });
}

async function importAgain(call, platform, id) {
  const session = sessionIn(call);
  if (!session) return;
  const { connections } = platform;
  const { imported, userData } = connections.get(id);
  if (!imported) return sendError(call.res, 400, "BAD_REQUEST", "Not an imported connection");
  const holder = connections.boundTo(session.digest);
  if (holder && holder !== id) return sendError(call.res, 409, "CONFLICT", "This session is imported already");
  if (userData.id !== session.userId) return sendError(call.res, 409, "CONFLICT", "This session is another user's");
  await sendImported(call, platform, session, { id });
}

async function sendImported({ res }, { connections, outbox, switches }, session, fields) {
  const { permissions, clientReferenceId } = session;
  const given = { ...(permissions && { permissions }), ...(clientReferenceId !== undefined && { clientReferenceId }) };
  const lastCheckedAt = new Date().toISOString();
  const item = connections.put({ ...fields, ...given, status: "active", lastCheckedAt });
  connections.bind(item.id, session.digest);
  const type = fields.id ? "connection.updated" : "connection.created";
  await outbox.announce(type, item, switches.values.accountWebhook, res);
  sendJson(res, 200, item);
}

/** The raw session in the body, of which only a digest is kept; null once a body that has none is refused. */
function sessionIn({ res, body }) {
  const { cookie, userAgent, permissions, clientReferenceId } = objectIn(body) ?? {};
  const refuse = (why) => {
    sendError(res, 400, "BAD_REQUEST", why);
    return null;
  };
  if (typeof cookie !== "string" || typeof userAgent !== "string") return refuse("cookie and userAgent must be strings");
  const values = new Map(cookie.split(/;\s*/).map((pair) => [pair.split("=")[0], pair.slice(pair.indexOf("=") + 1)]));
  const missing = ["auth_id", "sess", "fp"].filter((name) => !values.get(name));
  if (missing.length > 0) return refuse(`the cookie lacks ${missing.join(", ")}`);
  if (permissions !== undefined && !isListOfStrings(permissions)) return refuse("permissions must be a list of strings");
  const isReference = clientReferenceId == null || typeof clientReferenceId === "string";
  if (!isReference) return refuse("clientReferenceId must be a string or null");
  const userId = values.get("auth_id");
  const account = { ...accountOf(`imported\0${userId}`), id: userId };
  const digest = createHash("sha256").update(values.get("sess")).digest("hex");
  return { userId, account, digest, permissions, clientReferenceId };
}

function isListOfStrings(value) {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
