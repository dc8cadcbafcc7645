// The webhooks that are sent: their bodies and signatures. Sample and number decide every byte except the signature's time. So all
// sides get the same webhooks, and a delivery can be sent again.

import { createHash, createHmac } from "node:crypto";

/** All secrets of all sides. */
export const SECRETS = Object.freeze({
  OFAUTH_API_KEY: "sk_sandbox_bench_0123456789abcdef",
  OFAUTH_WEBHOOK_SECRET: "whsec_bench_fedcba9876543210",
  GATEWAY_KEY: "gk_bench_00112233445566778899aabbccddeeff",
  SESSION_SECRET: "bench-session-secret-0123456789abcdef0123",
  STORAGE_KEY: Buffer.alloc(32, "storage").toString("base64"),
  INDEX_KEY: Buffer.alloc(32, "index").toString("base64"),
});

const USERS = 100;
const begun = Date.now();

/** The user of a connection. Connections that follow each other have different users, as in operation. */
export const userOf = (number) => `user_${number % USERS}`;

/** The handle that the gateway derives from a connection's id. */
export function handleOf(id) {
  const mac = createHmac("sha256", Buffer.from(SECRETS.INDEX_KEY, "base64")).update(`handle\0${id}`).digest("hex");
  return `acct_${mac.slice(0, 32)}`;
}

/**
 * What a connection event says.
 * @param {{type?: string, id: string, user: string, sample: number, size: number}} event   sample: later ones are newer;
 *   size: in bytes; it is reached with members that nobody reads, texts and small values alike
 */
export function eventBody({ type = "connection.updated", id, user, sample, size }) {
  const event = {
    type,
    timestamp: new Date(begun + sample).toISOString(),
    data: {
      clientReferenceId: user,
      connection: {
        id,
        status: "active",
        permissions: ["profile:read", "messages:read", "messages:write", "subscribers:read"],
        userData: { id: "12345678", name: `Jane ${sample}`, username: "jane", avatar: "https://cdn.example.com/jane.jpg" },
      },
      history: [],
    },
  };
  const item = (n) => ({ at: `2026-01-01T00:00:${String(n % 60).padStart(2, "0")}Z`, by: n, seen: n % 2 === 0, note: noteOf(n) });
  const bytesOf = (value) => Buffer.byteLength(JSON.stringify(value)) + 1;
  let left = size - bytesOf(event);
  for (let n = 0; left > 0; n++) {
    event.data.history.push(item(n));
    left -= bytesOf(item(n));
  }
  return Buffer.from(JSON.stringify(event));
}

/** A POST of a webhook, signed now. */
export function webhook(body, expect, secret = SECRETS.OFAUTH_WEBHOOK_SECRET) {
  const seconds = Math.floor(Date.now() / 1000);
  const mac = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
  const headers = { "content-type": "application/json", "ofauth-signature": `t=${seconds},v1=${mac}` };
  return { method: "POST", path: "/webhooks/ofauth", headers, body, expect };
}

// Text of 100 characters that does not repeat.
function noteOf(n) {
  return createHash("sha512").update(String(n)).digest("hex").slice(0, 100);
}
