// Hono as most would write it. It verifies the signature and writes the connection to KV, unencrypted. It has no object, so it does not
// recognise copies and late deliveries.

import { Hono } from "hono";
import { Call } from "./job/call.js";

const encoder = new TextEncoder();
const app = new Hono();
let key;

app.post("/webhooks/ofauth", async (c) => {
  const call = new Call("webhook");
  const response = await receive(c, call);
  call.log(c.req.method, response.status);
  return response;
});

async function receive(c, call) {
  const body = await c.req.text();
  const { t, v1 } = Object.fromEntries((c.req.header("ofauth-signature") ?? "").split(",").map((part) => part.split("=")));
  const isFresh = Math.abs(Date.now() / 1000 - Number(t)) <= 300;
  if (!isFresh || !(await isAuthentic(`${t}.${body}`, v1, c.env))) {
    call.type = "SIGNATURE_MISMATCH";
    return c.json({ error: "bad signature", message: "bad signature", type: call.type, code: call.type, requestId: call.id }, 401);
  }
  const { type, timestamp, data } = JSON.parse(body);
  const { connection, clientReferenceId } = data;
  await c.env.CONNECTIONS.put(`conn:${connection.id}`, JSON.stringify({ type, timestamp, clientReferenceId, connection }));
  call.type = "applied";
  return c.json({ outcome: call.type });
}

async function isAuthentic(content, mac, env) {
  if (!/^[0-9a-f]{64}$/.test(mac)) return false;
  key ??= await importKey(env.OFAUTH_WEBHOOK_SECRET);
  return crypto.subtle.verify("HMAC", key, Uint8Array.fromHex(mac), encoder.encode(content));
}

function importKey(secret) {
  return crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

export default app;
