// Receives the events that ofauth-edge forwards. A copy of an event counts once, and an older event never replaces a newer one.

import { Hono } from "hono";
import { verifyRequest, WebhookVerificationError } from "ofauth-edge";

const INSERT_EVENT = "INSERT OR IGNORE INTO events VALUES (?, ?, ?)";
const UPSERT_CONNECTION = `
  INSERT INTO connections VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET user = coalesce(excluded.user, user), status = coalesce(excluded.status, status), version = excluded.version
  WHERE excluded.version > version
`;

const app = new Hono();

app.post("/events", async (c) => {
  // A list while the secret is being replaced.
  const event = await verifyRequest(c.req.raw, c.env.FORWARD_SECRET?.split(","));
  const digest = c.req.header("x-ofauth-edge-digest");
  // Only the gateway sends this header, and a proxy that removes it would make all events one.
  if (!digest) return c.body(null, 400);
  const statements = [c.env.DB.prepare(INSERT_EVENT).bind(digest, event.type, Date.now())];
  const version = c.req.header("x-ofauth-edge-version");
  if (version !== undefined) statements.push(await upsertConnection(c.env.DB, event.data, Number(version)));
  // A batch is one transaction.
  const [inserted, upserted] = await c.env.DB.batch(statements);
  console.log(outcomeOf(inserted, upserted), event.type);
  return c.body(null, 204);
});

// An event that is not stored is answered with an error, so the gateway sends it again.
app.onError((error, c) => {
  const status = error instanceof WebhookVerificationError ? error.status : 500;
  if (status === 500) console.error(error);
  return c.body(null, status);
});

export default app;

async function upsertConnection(database, { connection, clientReferenceId }, version) {
  // A connection id opens the account, so the database has only its hash.
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(connection.id))).toHex();
  const user = clientReferenceId ?? connection.clientReferenceId ?? null;
  return database.prepare(UPSERT_CONNECTION).bind(hash, user, connection.status ?? null, version);
}

function outcomeOf(inserted, upserted) {
  if (inserted.meta.changes === 0) return "duplicate";
  return upserted?.meta.changes === 0 ? "stale" : "stored";
}
