// OFAuth's other routes: little lies behind them here. Each answers with its own name and with what the path named, so that a
// test sees which one was reached. One that reads a collection has a list besides, empty but for stories; one that creates
// something has the new thing's id; Vault+ has a status.

import { storiesOf } from "./account.mjs";
import { sendError, sendJson } from "./answers.mjs";
import { routeOf } from "./routes.mjs";

/**
 * @param {import("./access.mjs").Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export function answerManaged({ req, res, path }, platform) {
  if (req.headers.apikey !== platform.apiKey) return sendError(res, 401, "UNAUTHORIZED", "Invalid API key");
  const found = routeOf(req.method, path);
  if (!found) return sendError(res, 404, "ROUTE_NOT_FOUND", "Route not found");
  const { route, parameters } = found;
  const name = `${route.method} ${route.path}`;
  const isCollection = route.method === "GET" && !route.path.endsWith("}");
  const more = CONTENT[name]?.(req.headers["x-connection-id"], parameters, platform);
  sendJson(res, 200, { route: name, parameters, ...(more ?? (isCollection && { list: [], hasMore: false })) });
}

/** What a route answers beside its name. Of Vault+, OFAuth documents the paths but no bodies: these are our reading. */
const CONTENT = {
  __proto__: null,
  "GET /v2/access/stories/items": (id) => ({ list: storiesOf(id), hasMore: false }),
  "GET /v2/access/users/{userId}/stories": (id, { userId }) => ({ list: storiesOf(id, userId), hasMore: false }),
  "POST /v2/access/posts": created,
  "POST /v2/access/users/lists": created,
  "GET /v2/vault-plus/status": () => ({ status: "active", mediaCount: 0 }),
  "GET /v2/vault-plus/media/{mediaId}": (_, { mediaId }) => ({ id: mediaId, status: "stored" }),
  "DELETE /v2/vault-plus/media": () => ({ success: true, deleted: 0 }),
};

function created(_connection, _parameters, platform) {
  platform.created += 1;
  return { id: FIRST_ID + platform.created };
}

/** OnlyFans's ids are numbers of about this size. */
const FIRST_ID = 1_000_000_000;
