// OFAuth's other routes: nothing lies behind them here. Each answers with its own name and with what the path named, so
// that a test sees which one was reached; one that reads a collection, with an empty list besides.

import { sendError, sendJson } from "./answers.mjs";
import { routeOf } from "./routes.mjs";

/**
 * @param {import("./access.mjs").Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export function answerManaged({ req, res, path }, { apiKey }) {
  if (req.headers.apikey !== apiKey) return sendError(res, 401, "UNAUTHORIZED", "Invalid API key");
  const found = routeOf(req.method, path);
  if (!found) return sendError(res, 404, "ROUTE_NOT_FOUND", "Route not found");
  const { route, parameters } = found;
  const collection = route.method === "GET" && !route.path.endsWith("}") ? { list: [], hasMore: false } : {};
  sendJson(res, 200, { route: `${route.method} ${route.path}`, parameters, ...collection });
}
