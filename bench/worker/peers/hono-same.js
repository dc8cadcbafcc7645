// Hono and WebCrypto doing the same job as ofauth-edge.

import { Hono } from "hono";
import { forwardAccess, listConnections } from "./job/access.js";
import { Call } from "./job/call.js";
import { receiveWebhook } from "./job/webhook.js";

export { Hub } from "./job/hub.js";
export { Ledger } from "./job/ledger.js";

const app = new Hono();

const route = (name, handler) => async (c) => {
  const call = new Call(name);
  c.set("call", call);
  c.res = await handler(c.req.raw, c.env, call);
};

app.use(async (c, next) => {
  await next();
  c.get("call")?.log(c.req.method, c.res.status);
});
app.post("/webhooks/ofauth", route("webhook", receiveWebhook));
app.get("/edge/connections", route("connections", listConnections));
app.all("/v2/access/*", route("access", forwardAccess));
app.onError((error, c) => c.get("call").refuse(error));

export default app;
