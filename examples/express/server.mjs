// Receives the events that ofauth-edge forwards. A copy of an event counts once, and an older event never replaces a newer one.

import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import express from "express";
import { Webhook, WebhookVerificationError } from "ofauth-edge";

const { DATABASE = "events.db", FORWARD_SECRET, PORT = "3000" } = process.env;
// A list while the secret is being replaced. Without a secret this throws.
const webhook = new Webhook(FORWARD_SECRET?.split(","));
const database = new DatabaseSync(DATABASE);
database.exec(`
  CREATE TABLE IF NOT EXISTS events (digest TEXT PRIMARY KEY, type TEXT NOT NULL, received_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS connections (id_hash TEXT PRIMARY KEY, user TEXT, status TEXT, version INTEGER NOT NULL);
`);
const insertEvent = database.prepare("INSERT OR IGNORE INTO events VALUES (?, ?, ?)");
const upsertConnection = database.prepare(`
  INSERT INTO connections VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET user = coalesce(excluded.user, user), status = coalesce(excluded.status, status), version = excluded.version
  WHERE excluded.version > version
`);

const app = express();
// The signature covers the bytes as they were sent, so no parser may come before.
app.post("/events", express.raw({ type: "*/*", limit: "1mb" }), (request, response) => {
  const event = webhook.verify(request.body ?? "", request.headers);
  const digest = request.get("x-ofauth-edge-digest");
  // Only the gateway sends this header, and a proxy that removes it would make all events one.
  if (!digest) return response.sendStatus(400);
  database.exec("BEGIN IMMEDIATE");
  try {
    const outcome = store(event, digest, request.get("x-ofauth-edge-version"));
    database.exec("COMMIT");
    console.log(outcome, event.type);
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
  response.sendStatus(204);
});

// An event that is not stored is answered with an error, so the gateway sends it again.
app.use((error, request, response, next) => {
  const status = error instanceof WebhookVerificationError ? error.status : (error.status ?? 500);
  if (status >= 500) console.error(error);
  response.sendStatus(status);
});
app.listen(Number(PORT), "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${PORT}/events`));

function store({ type, data }, digest, version) {
  if (insertEvent.run(digest, type, Date.now()).changes === 0) return "duplicate";
  // Put what else an event calls for here, such as a mail to queue when a connection has expired.
  if (version === undefined) return "stored";
  const { id, status, clientReferenceId } = data.connection;
  // A connection id opens the account, so the database has only its hash.
  const hash = createHash("sha256").update(id).digest("hex");
  const { changes } = upsertConnection.run(hash, data.clientReferenceId ?? clientReferenceId ?? null, status ?? null, Number(version));
  return changes === 0 ? "stale" : "stored";
}
