// The ten lines that somebody writes who takes no package: node:crypto, and nothing else is checked.

import { createHmac, timingSafeEqual } from "node:crypto";

export function verify(body, header, secret) {
  const { t, v1 } = Object.fromEntries(header.split(",").map((part) => part.split("=")));
  if (Math.abs(Date.now() / 1000 - Number(t)) > 300) throw new Error("too old");
  const mac = createHmac("sha256", secret).update(`${t}.`).update(body).digest();
  if (!timingSafeEqual(mac, Buffer.from(v1, "hex"))) throw new Error("wrong signature");
  return JSON.parse(body);
}
