// The integrator's own app, as far as `make run` needs one: the page that users return to after Link.

import { sendPage } from "./answers.mjs";
import { appPage } from "./pages.mjs";

/** No route of OFAuth's. */
export const APP_PATH = "/app";

/** @param {Pick<import("./access.mjs").Call, "req" | "res" | "query">} call */
export function answerApp({ req, res, query }) {
  if (req.method === "GET" || req.method === "HEAD") return sendPage(res, 200, appPage(query));
  res.writeHead(405, { allow: "GET, HEAD" }).end();
}
