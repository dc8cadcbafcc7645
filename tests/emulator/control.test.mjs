// Steering from another process: 1. switches, 2. connections, 3. Link sessions, 4. where webhooks go and what became of
// them, 5. starting afresh.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { startEmulator } from "./emulator.mjs";
import { connectionEvent, sdkEvent } from "./events.mjs";
import { API_KEY, callerOf, SECRET, startReceiver } from "./testing.mjs";
import { visitLink } from "./visitor.mjs";

const receiver = await startReceiver();
const emulator = await startEmulator({ apiKey: API_KEY });
const call = callerOf(emulator);
const control = (method, path, body) => call(method, `/_emulator/${path}`, { body });

after(async () => {
  await emulator.close();
  receiver.close();
});
beforeEach(async () => {
  await control("POST", "reset", {});
  await control("PUT", "webhooks/target", { url: receiver.url, ofauthSecret: SECRET });
  emulator.clear();
  receiver.events.length = 0;
});

test("some switches can be set, and the answer has all of them", async () => {
  const { status, json } = await control("POST", "switches", { listShape: "sdk", linkSeconds: 5 });
  assert.deepEqual([status, json.listShape, json.linkSeconds, json.linkWebhook], [200, "sdk", 5, "before"]);
  assert.deepEqual((await control("GET", "switches")).json, json);
});

test("a wrong switch is refused with its name, and none is set", async () => {
  const wrong = [
    [{ listShape: "sdk", linkSecond: 5 }, /the emulator has no linkSecond/],
    [{ listShape: "old" }, /listShape: one of current, sdk/],
    [{ linkSeconds: -1 }, /linkSeconds: a whole number from 0 to 86400/],
    [{ linkUrl: 5 }, /linkUrl: a string, or null/],
    [[], /switches are an object/],
  ];
  for (const [changes, words] of wrong) {
    const { status, json } = await control("POST", "switches", changes);
    assert.equal(status, 400);
    assert.match(json.error, words);
    assert.throws(() => emulator.set(changes), { name: "TypeError", message: words });
  }
  assert.equal((await control("GET", "switches")).json.listShape, "current");
});

test("connections are made, changed and removed without a webhook", async () => {
  const { json } = await control("POST", "connections", { id: "conn_a", clientReferenceId: "user_1" });
  assert.deepEqual([json.status, json.clientReferenceId, json.expiredAt], ["active", "user_1", null]);
  const changed = await control("POST", "connections", { id: "conn_a", status: "expired" });
  assert.deepEqual([changed.json.clientReferenceId, changed.json.createdAt], ["user_1", json.createdAt]);
  assert.equal(typeof changed.json.expiredAt, "string");
  assert.deepEqual((await control("GET", "connections")).json.connections, [changed.json]);
  assert.equal((await control("DELETE", "connections/conn_a")).status, 204);
  assert.deepEqual((await control("GET", "connections")).json.connections, []);
  assert.match((await control("POST", "connections", { state: "expired" })).json.error, /a connection has no state/);
  assert.deepEqual([emulator.requests, receiver.events], [[], []]);
});

test("a Link session can be made to expire", async () => {
  const { json } = await call("POST", "/v2/link/init", { body: { redirectUrl: "https://app.example/back" } });
  const { links } = (await control("GET", "links")).json;
  const secret = json.url.split("/").at(-1);
  assert.deepEqual(links.map(({ clientSecret, step }) => [clientSecret, step]), [[secret, "pre-login"]]);
  assert.equal((await control("POST", `links/${secret}/expire`, {})).status, 204);
  assert.equal((await visitLink(json.url)).searchParams.get("error_code"), "session_expired");
  assert.equal((await control("POST", "links/cs_nothing/expire", {})).status, 404);
});

test("held webhooks are sent when they are released, and the result of each is listed", async () => {
  await control("POST", "switches", { accountWebhook: "held" });
  for (const id of ["conn_a", "conn_b"]) {
    await control("POST", "connections", { id });
    await call("DELETE", `/v2/account/connections/${id}`);
  }
  assert.equal((await control("GET", "webhooks")).json.held.length, 2);
  const { sent } = (await control("POST", "webhooks/release", {})).json;
  assert.deepEqual(sent.map(({ event, delivery }) => [event.data.connection.id, delivery.outcome]), [
    ["conn_a", "applied"],
    ["conn_b", "applied"],
  ]);
  assert.deepEqual((await control("GET", "webhooks")).json, { sent, held: [] });
});

test("an event that is sent for a test changes its connection in the API too", async () => {
  const send = (...events) => control("POST", "webhooks", { events });
  await send(
    connectionEvent("connection.created", { id: "conn_a", clientReferenceId: "user_1", permissions: ["posts:read"] }),
    sdkEvent("connection.created", { id: "conn_b", clientReferenceId: null }),
    connectionEvent("connection.expired", { id: "conn_a", clientReferenceId: undefined }),
  );
  const a = emulator.connections.get("conn_a");
  assert.deepEqual([a.status, a.permissions, a.clientReferenceId], ["expired", ["posts:read"], "user_1"]);
  assert.deepEqual(Object.keys(emulator.connections.get("conn_b").userData), ["id", "name", "username", "avatar"]);
  await send(...["connection.disconnected", "connection.updated"].map((type) => connectionEvent(type, { id: "conn_a" })));
  assert.equal(emulator.connections.get("conn_a"), undefined);
  assert.equal((await call("GET", "/v2/access/self", { headers: { "x-connection-id": "conn_a" } })).status, 401);
});

test("an event of a wrong form is sent as it is, and changes no connection", async () => {
  const connection = { id: "conn_a", status: 5, permissions: "all", userData: [] };
  const odd = { type: "connection.created", data: { connection } };
  const { status } = await control("POST", "webhooks", { events: [odd, { type: "connection.created" }, "text", null] });
  assert.deepEqual([status, emulator.connections.get("conn_a").status], [200, "active"]);
  assert.deepEqual(emulator.connections.all().length, 1);
});

test("a call that needs a secret is refused if the target has none", async () => {
  await control("PUT", "webhooks/target", { url: receiver.url, ofauthSecret: SECRET });
  await control("POST", "switches", { webhookScheme: "svix" });
  await control("POST", "connections", { id: "conn_a" });
  assert.match((await control("POST", "webhooks", { events: [], scheme: "svix" })).json.error, /svix/);
  assert.match((await control("PUT", "webhooks/target", { url: "nowhere" })).json.error, /url: a URL/);
});

test("a reset forgets connections, Link sessions, webhooks and switches, and keeps requests and faults", async () => {
  await control("POST", "switches", { linkWebhook: "held" });
  const { json } = await call("POST", "/v2/link/init", { body: { redirectUrl: "https://app.example/" } });
  await visitLink(json.url);
  emulator.fault({ kind: "status", code: 503 });
  await control("POST", "reset", {});
  const left = [emulator.connections.all(), emulator.links.all(), emulator.outbox.held, emulator.outbox.sent];
  assert.deepEqual(left, [[], [], [], []]);
  assert.equal((await control("GET", "switches")).json.linkWebhook, "before");
  assert.equal(emulator.requests.length, 1);
  assert.equal((await call("GET", "/v2/account/whoami")).status, 503);
  emulator.heal();
});
