// POST /webhooks/ofauth.
//
// 1. The header and its time are judged before the body is read.
// 2. The MAC is compared.
// 3. A connection event goes to its ledger. 200 means that it is stored.
// 4. Anything else is kept in KV.

import { Refusal } from "./call.js";
import { keysOf } from "./keys.js";
import { readEvent } from "./record.js";
import { readSignature, verifySignature } from "./signature.js";
import { handleOf, hubOf, seal } from "./seal.js";

const MAX_BODY = 1024 * 1024;
const EVENT_TTL = 604800;
const decoder = new TextDecoder("utf-8", { fatal: true });

export async function receiveWebhook(request, env, call) {
  // 1.
  if (Number(request.headers.get("content-length")) > MAX_BODY) throw new Refusal(413, "BODY_TOO_LARGE", "the body is too large");
  const signature = readSignature(request.headers.get("ofauth-signature"), call.started);
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.length > MAX_BODY) throw new Refusal(413, "BODY_TOO_LARGE", "the body is too large");
  // 2.
  const keys = await keysOf(env);
  await verifySignature(signature, body, keys.webhook);
  const event = parse(body);
  const delivery = await deliveryId(event, signature, body);
  // 3.
  if (event?.changes) {
    const handle = await handleOf(keys.index, event.id);
    const reference = event.changes.clientReferenceId;
    const hub = reference === undefined ? undefined : await hubOf(keys.index, reference);
    const stamp = stampOf(event, signature);
    const entry = { ...event, handle, hub, delivery, stamp, received: call.started };
    return call.outcome(await env.LEDGER.getByName(handle).enter(entry, body));
  }
  // 4.
  const key = `event:${delivery}`;
  const metadata = { type: event?.type ?? null, receivedAt: new Date(call.started).toISOString() };
  await env.CONNECTIONS.put(key, await seal(keys.storage, key, body), { metadata, expirationTtl: EVENT_TTL });
  return call.outcome("kept");
}

function parse(body) {
  try {
    const json = JSON.parse(decoder.decode(body));
    return readEvent(json) ?? { type: json.type, timestamp: json.timestamp };
  } catch {
    return undefined;
  }
}

// The same for every copy of one delivery. Bodies without a timestamp repeat honestly.
async function deliveryId(event, { timestamp }, body) {
  const content = event?.timestamp ? body : await new Blob([`${timestamp}.`, body]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
}

// When it happened, in unix ms: the body's time, unless it is unreadable or lies too far after the signature's.
function stampOf({ timestamp }, { timestamp: seconds }) {
  const signed = Number(seconds) * 1000;
  const stamp = Date.parse(timestamp);
  return stamp <= signed + 300_000 ? stamp : signed;
}
