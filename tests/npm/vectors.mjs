// The shared vectors and event bodies, and what every runtime must make of them: fixtures/judge.mjs runs there.

import { readFileSync, readdirSync } from "node:fs";

const fixtures = new URL("../fixtures/", import.meta.url);
const read = (path) => readFileSync(new URL(path, fixtures));

const events = readdirSync(new URL("events", fixtures)).map((name) => ({ name, body: read(`events/${name}`).toString() }));

/** What judge.mjs gets. */
export const data = { vectors: JSON.parse(read("signatures.json")), events };

const codes = data.vectors.map(({ name, expect }) => [name, expect]);

/** What it must return. */
export const expected = {
  signatures: codes,
  webhooks: data.vectors.map(({ name, expect, body_base64 }) => [name, expect === "ok" ? judged(body_base64) : expect]),
  explained: codes,
  events: events.map(({ name, body }) => [name, event(JSON.parse(body))]),
};

function judged(base64) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64"));
    const { type, eventType = type } = JSON.parse(text);
    return typeof eventType === "string" ? "ok" : "INVALID_EVENT";
  } catch {
    return "INVALID_JSON";
  }
}

function event({ type, eventType = type, timestamp = null, data, live }) {
  const known = /^(connection\.(created|updated|expired|disconnected)|of\.websocket\.event\.received)$/.test(eventType);
  return { known, type: eventType, timestamp, data, ...(live === undefined ? {} : { live }) };
}
