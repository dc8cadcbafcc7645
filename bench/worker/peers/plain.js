// The same job in plain JavaScript, without a framework.

import { forwardAccess, listConnections } from "./job/access.js";
import { Call, Refusal } from "./job/call.js";
import { receiveWebhook } from "./job/webhook.js";

export { Hub } from "./job/hub.js";
export { Ledger } from "./job/ledger.js";

export default {
  async fetch(request, env) {
    const { method, url } = request;
    const [name, handler] = route(method, url.slice(url.indexOf("/", 8)).split("?", 1)[0]);
    const call = new Call(name);
    const response = await handler(request, env, call).catch((error) => call.refuse(error));
    call.log(method, response.status);
    return response;
  },
};

function route(method, path) {
  if (path === "/webhooks/ofauth" && method === "POST") return ["webhook", receiveWebhook];
  if (path === "/edge/connections" && method === "GET") return ["connections", listConnections];
  if (path.startsWith("/v2/access/")) return ["access", forwardAccess];
  return ["none", notFound];
}

async function notFound() {
  throw new Refusal(404, "ROUTE_NOT_FOUND", "no such route");
}
