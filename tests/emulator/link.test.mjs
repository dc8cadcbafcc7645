// Link: 1. beginning, reading and cancelling a session, 2. the user's way through the pages and each of its ends, 3. what
// becomes of connections, 4. the order of webhook and redirect.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startWithReceiver, until } from "./testing.mjs";
import { visitLink } from "./visitor.mjs";

const { receiver, emulator, call } = await startWithReceiver();
const APP = "https://app.example/back?kept=1#here";

test("init answers a hosted URL of the emulator, and when it expires", async () => {
  const { status, json } = await call("POST", "/v2/link/init", { body: { redirectUrl: APP } });
  assert.deepEqual([status, Object.keys(json)], [200, ["mode", "url", "expiresAt"]]);
  assert.match(json.url, new RegExp(`^${emulator.url}/link/cs_[0-9a-f]{48}$`));
  const minutes = (Date.parse(json.expiresAt) - Date.now()) / 60_000;
  assert.ok(json.mode === "hosted" && minutes > 29 && minutes <= 30, `${minutes}`);
});

test("switches make init answer whitelabel, without a mode, with any URL, or a short-lived session", async () => {
  emulator.set({ linkAnswer: "whitelabel" });
  assert.deepEqual(Object.keys(await init()), ["mode", "clientSecret", "expiresAt"]);
  emulator.set({ linkAnswer: "modeless", linkUrl: "http://link.example/{clientSecret}", linkSeconds: 0 });
  const { mode, url, expiresAt } = await init();
  assert.deepEqual([mode, url.slice(0, 23)], [undefined, "http://link.example/cs_"]);
  assert.ok(Date.parse(expiresAt) <= Date.now());
});

test("init refuses a redirectUrl, a clientReferenceId and a geolocation of a wrong form", async () => {
  const wrong = [
    { redirectUrl: "javascript:alert(1)" },
    { redirectUrl: "/back" },
    { redirectUrl: 1 },
    { clientReferenceId: 5 },
    { geolocation: {} },
    "{",
  ];
  for (const body of wrong) assert.equal((await call("POST", "/v2/link/init", { body })).json.type, "BAD_REQUEST");
  const odd = { geolocation: { country: "US" }, connectionId: "odd" };
  assert.equal((await call("POST", "/v2/link/init", { body: odd })).status, 200);
});

test("a session tells its status, and carries a raw session once it is completed", async () => {
  const { url } = await init();
  const secret = url.split("/").at(-1);
  const read = async () => (await call("GET", `/v2/link/${secret}`)).json;
  assert.deepEqual(await read(), { status: "initialized" });
  const { searchParams } = await visitLink(url);
  const { status, data } = await read();
  assert.deepEqual([status, data.connection.id], ["completed", searchParams.get("connection_id")]);
  assert.match(data.session.cookie, /^sess=/);
});

test("neither the API nor the user finds a cancelled session", async () => {
  const { url } = await init();
  const path = `/v2/link/${url.split("/").at(-1)}`;
  assert.equal((await call("DELETE", path)).status, 200);
  assert.equal((await call("GET", path)).status, 404);
  assert.equal((await call("DELETE", path)).status, 404);
  assert.equal((await call("GET", new URL(url).pathname)).status, 404);
});

for (const kind of ["creator", "fan", "creator-otp", "fan-otp"]) {
  test(`a ${kind} login makes a connection of the app's user and leads back`, async () => {
    const back = await linked({ email: `Ada@${kind}.sandbox.com` });
    const { connection_id: id, ...rest } = Object.fromEntries(back.searchParams);
    assert.deepEqual(rest, { kept: "1", status: "success", client_reference_id: "user_1" });
    assert.deepEqual([back.origin, back.hash], ["https://app.example", "#here"]);
    const { status, userData, clientReferenceId } = emulator.connections.get(id);
    assert.deepEqual([status, userData.username, clientReferenceId], ["active", "ada", "user_1"]);
    const self = await call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
    assert.deepEqual([self.json.username, String(self.json.id)], ["ada", userData.id]);
  });
}

test("a user can cancel at any step, and the redirect names it", async () => {
  for (const step of ["pre-login", "authorization", "login", "2fa"]) {
    const back = await linked({ email: "ada@fan-otp.sandbox.com", cancelAt: step });
    const expected = { kept: "1", status: "cancelled", step, client_reference_id: "user_1" };
    assert.deepEqual(Object.fromEntries(back.searchParams), expected);
  }
  assert.deepEqual([emulator.connections.all(), receiver.events], [[], []]);
});

test("a switch lets only a success name the user in its redirect", async () => {
  emulator.set({ linkReference: "success" });
  assert.equal((await linked({ cancelAt: "login" })).search, "?kept=1&status=cancelled&step=login");
  assert.equal((await linked({ password: "bad" })).search, "?kept=1&status=error&error_code=invalid_credentials");
  assert.equal((await linked()).searchParams.get("client_reference_id"), "user_1");
});

test("three wrong passwords or codes end in an error, and so does a locked account", async () => {
  const cases = {
    invalid_credentials: [{ password: "bad" }, { email: "ada@elsewhere.example" }],
    "2fa_failed": [{ email: "ada@creator-otp.sandbox.com", code: "000000" }],
    account_locked: [{ email: "locked@creator.sandbox.com" }],
    session_expired: [{ email: "expired@creator.sandbox.com" }],
  };
  for (const [code, users] of Object.entries(cases)) {
    for (const user of users) {
      const { searchParams } = await linked(user);
      assert.deepEqual([searchParams.get("status"), searchParams.get("error_code")], ["error", code]);
      assert.equal(searchParams.get("client_reference_id"), "user_1");
    }
  }
  assert.deepEqual([emulator.connections.all(), receiver.events], [[], []]);
});

test("a right password after a wrong one succeeds", async () => {
  const { url } = await init();
  await press(url, "pre-login");
  await press(url, "authorization");
  const wrong = await press(url, "login", { email: "ada@creator.sandbox.com", password: "bad" });
  assert.deepEqual([wrong.status, wrong.headers.location], [303, new URL(url).pathname]);
  assert.match((await page(url)).text, /role="alert"[^>]*>That email and password do not match\. 2 tries left\./);
  const right = await press(url, "login", { email: "ada@creator.sandbox.com", password: "good-password" });
  assert.match(right.headers.location, /status=success/);
});

test("an expired session leads back with session_expired, whatever is pressed", async () => {
  for (const begin of ["GET", "POST"]) {
    const { url } = await init();
    const session = emulator.links.get(url.split("/").at(-1));
    session.expiresAt = Date.now() - 1;
    const answer = begin === "GET" ? await page(url) : await press(url, "pre-login");
    assert.match(answer.headers.location, /status=error&error_code=session_expired/);
  }
});

test("a form that another tab has overtaken changes nothing", async () => {
  const { url } = await init();
  await press(url, "pre-login");
  await press(url, "pre-login");
  assert.equal(emulator.links.get(url.split("/").at(-1)).step, "authorization");
});

test("pressing again after the end leads to the same page, and makes no second connection", async () => {
  const { url } = await init();
  const back = await visitLink(url);
  const again = await press(url, "login", { email: "bob@creator.sandbox.com", password: "good-password" });
  assert.equal(again.headers.location, back.href);
  assert.equal(emulator.connections.all().length, 1);
});

test("without a redirectUrl the page says how the session ended", async () => {
  const { url } = (await call("POST", "/v2/link/init", { body: {} })).json;
  for (const step of ["pre-login", "authorization"]) await press(url, step);
  await press(url, "login", { email: "ada@creator.sandbox.com", password: "good-password" });
  assert.match((await page(url)).text, /<h1>Account linked<\/h1>/);
});

test("an expired connection that is linked again keeps its id and its person", async () => {
  const { userData } = emulator.connections.put({ id: "conn_a", status: "expired", clientReferenceId: "user_1" });
  const back = await linked({}, { connectionId: "conn_a" });
  assert.equal(back.searchParams.get("connection_id"), "conn_a");
  const { status, expiredAt, userData: now } = emulator.connections.get("conn_a");
  assert.deepEqual([status, expiredAt, now], ["active", null, userData]);
  assert.deepEqual(receiver.events.map(({ type }) => type), ["connection.updated"]);
});

test("a connectionId that is unknown, deleted or malformed makes a new connection, and is no error", async () => {
  emulator.connections.put({ id: "conn_gone" });
  emulator.connections.remove("conn_gone");
  for (const connectionId of ["conn_never", "conn_gone", "nonsense"]) {
    const id = (await linked({}, { connectionId })).searchParams.get("connection_id");
    assert.match(id, /^conn_[0-9a-f]{24}$/);
  }
  assert.deepEqual(receiver.events.map(({ type }) => type), Array(3).fill("connection.created"));
});

test("the webhook comes before the redirect, names the user, and the connection is in the list", async () => {
  const back = await linked();
  const [{ type, data }] = receiver.events;
  const id = back.searchParams.get("connection_id");
  assert.deepEqual([type, data.clientReferenceId, data.connection.id], ["connection.created", "user_1", id]);
  assert.deepEqual([data.connection.status, data.connection.userData.username], ["active", "ada"]);
  assert.equal((await call("GET", "/v2/account/connections")).json.list[0].id, id);
});

test("the webhook can come after the redirect, when it is released, or never", async () => {
  emulator.set({ linkWebhook: "after" });
  await linked();
  await until(() => receiver.events.length === 1);

  emulator.set({ linkWebhook: "held" });
  const id = (await linked()).searchParams.get("connection_id");
  assert.equal(receiver.events.length, 1);
  assert.equal(emulator.outbox.held[0].data.connection.id, id);
  await emulator.outbox.release();
  assert.equal(receiver.events[1].data.connection.id, id);

  emulator.set({ linkWebhook: "never" });
  await linked();
  assert.equal(emulator.outbox.sent.length, 2);
});

test("a webhook can have the SDK's envelope", async () => {
  emulator.set({ webhookEnvelope: "sdk" });
  const id = (await linked()).searchParams.get("connection_id");
  const [{ eventType, live, data }] = receiver.events;
  const { userData } = emulator.connections.get(id);
  assert.deepEqual([eventType, live, data.connection.platformUserId], ["connection.created", false, userData.id]);
  assert.equal(data.connection.userData.userId, userData.id);
});

test("calls of the server are recorded, and visits of the user are not", async () => {
  await linked();
  assert.deepEqual(emulator.requests.map(({ path }) => path), ["/v2/link/init"]);
});

async function init(more = {}) {
  const body = { redirectUrl: APP, clientReferenceId: "user_1", ...more };
  return (await call("POST", "/v2/link/init", { body })).json;
}

async function linked(user, more) {
  return visitLink((await init(more)).url, user);
}

function page(url) {
  return call("GET", new URL(url).pathname);
}

function press(url, step, fields = {}) {
  const body = new URLSearchParams({ step, action: "next", ...fields }).toString();
  return call("POST", new URL(url).pathname, { body, headers: { "content-type": "application/x-www-form-urlencoded" } });
}
