// OFAuth-Signature: t=<unix seconds>,v1=<hex>. The MAC is HMAC-SHA256 over "{t}.{body}".

import { Refusal } from "./call.js";

const TOLERANCE = 300;
const encoder = new TextEncoder();

// Reads the header and judges its time, before the body is read.
export function readSignature(header, now) {
  if (!header) throw new Refusal(401, "MISSING_HEADERS", "no signature header");
  const parts = header.split(",").map((part) => part.trim());
  const timestamps = parts.filter((part) => part.startsWith("t="));
  if (timestamps.length !== 1) throw new Refusal(401, "MALFORMED_HEADER", "not exactly one t");
  const timestamp = timestamps[0].slice(2);
  if (!/^(0|[1-9]\d{0,15})$/.test(timestamp)) throw new Refusal(401, "INVALID_TIMESTAMP", "t is not unix seconds");
  const age = Math.floor(now / 1000) - Number(timestamp);
  if (age > TOLERANCE) throw new Refusal(401, "TIMESTAMP_TOO_OLD", "signed too long ago");
  if (age < -TOLERANCE) throw new Refusal(401, "TIMESTAMP_TOO_NEW", "signed in the future");
  const macs = parts.filter((part) => /^v1=[0-9a-fA-F]{64}$/.test(part)).map((part) => Uint8Array.fromHex(part.slice(3)));
  if (macs.length === 0) throw new Refusal(401, "NO_VALID_SIGNATURES", "no well-formed v1 signature");
  return { timestamp, macs };
}

// WebCrypto compares the MACs in constant time.
export async function verifySignature({ timestamp, macs }, body, key) {
  const prefix = encoder.encode(`${timestamp}.`);
  const content = new Uint8Array(prefix.length + body.length);
  content.set(prefix);
  content.set(body, prefix.length);
  for (const mac of macs) if (await crypto.subtle.verify("HMAC", key, mac, content)) return;
  throw new Refusal(401, "SIGNATURE_MISMATCH", "no signature matches these bytes");
}
