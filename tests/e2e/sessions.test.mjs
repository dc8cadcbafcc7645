// Session tokens of the gateway's own: 1. the newest secret signs them, while an older one is still good, 2. POST /edge/sessions
// mints them, within limits, and for servers only, 3. a console token opens /edge/* only and shows no id. What opens
// nothing, and tokens of other makers, are in credentials.test.mjs.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, beforeEach, test } from "node:test";

import { connectionEvent, realtimeEvent } from "../emulator/events.mjs";
import { refusal, SECRETS, sessionOf, startGateway, tokenOf, unixNow } from "./harness.mjs";

const ID = "conn_Gd5tLq8x";
const USER = "user_456";
const PERMISSIONS = ["profile:read"];

const gateway = await startGateway({ vars: { EVENT_KEEP: "*" } });
after(() => gateway.close());
await gateway.deliver(connectionEvent("connection.created", { id: ID, clientReferenceId: USER }));
const { handle } = (await gateway.call("GET", `/edge/connections/${ID}`)).json();

beforeEach(() => gateway.emulator.clear());

test("while a session secret or gateway key is replaced both work, and the newest one signs tokens", async (t) => {
  const [newer, older] = ["newer-".padEnd(32, "n"), "older-".padEnd(32, "o")];
  const [key, oldKey] = ["newer-key-".padEnd(32, "n"), "older-key-".padEnd(32, "o")];
  const own = await startGateway({ vars: { SESSION_SECRET: `${newer},${older}`, GATEWAY_KEY: `${key},${oldKey}` } });
  t.after(() => own.close());
  for (const secret of [newer, older]) {
    assert.equal((await sessionOf(own, tokenOf({}, { secret }))("GET", "/edge/connections")).status, 200);
  }
  for (const apikey of [key, oldKey]) {
    assert.equal((await own.send("GET", "/edge/connections", { headers: { apikey } })).status, 200);
  }
  const whole = `${newer},${older}`;
  for (const secret of [whole, SECRETS.SESSION_SECRET]) {
    const answer = await sessionOf(own, tokenOf({}, { secret }))("GET", "/edge/connections");
    assert.deepEqual(refusal(answer), [401, "CREDENTIALS_INVALID"]);
  }
  const { token } = (await mint({ clientReferenceId: USER }, own)).json();
  assert.equal(signatureOf(token, newer), token.split(".")[2]);
});

test("POST /edge/sessions mints a token that works for as long as the answer says", async () => {
  const wishes = [
    [{ clientReferenceId: USER }, 3_600],
    [{ clientReferenceId: USER, permissions: PERMISSIONS }, 3_600],
    [{ clientReferenceId: USER, permissions: PERMISSIONS, connection: handle, expiresIn: 60 }, 60],
    [{ clientReferenceId: USER, permissions: [], expiresIn: 86_400 }, 86_400],
    [{ clientReferenceId: "é".repeat(128), console: false }, 3_600],
  ];
  for (const [wish, life] of wishes) {
    const before = unixNow();
    const answer = await mint(wish);
    assert.deepEqual([answer.status, Object.keys(answer.json()).sort()], [201, ["expiresAt", "token"]], answer.text);
    assert.equal(answer.headers["cache-control"], "private, no-store");
    const { token, expiresAt } = answer.json();
    assert.match(expiresAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const [header, payload, signature] = token.split(".");
    assert.equal(signature, signatureOf(token, SECRETS.SESSION_SECRET));
    assert.equal(JSON.parse(Buffer.from(header, "base64url")).alg, "HS256");
    const claims = JSON.parse(Buffer.from(payload, "base64url"));
    assert.deepEqual([claims.sub, claims.exp - claims.iat], [wish.clientReferenceId, life]);
    assert.equal(Date.parse(expiresAt), claims.exp * 1_000);
    assert.ok(claims.iat >= before && claims.iat <= unixNow());
    const list = await sessionOf(gateway, token)("GET", "/edge/connections");
    assert.equal(list.status, 200, list.text);
    const isGranted = (wish.permissions ?? []).length > 0;
    assert.equal((await sessionOf(gateway, token)("GET", "/v2/access/self")).status, isGranted ? 200 : 403);
  }
});

test("an unknown permission is refused with its position, and a token of another JWT library may have it", async () => {
  const answer = await mint({ clientReferenceId: USER, permissions: ["profile:read", "profile:reed"] });
  assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"]);
  assert.match(answer.json().error, /permissions\[1\]/);
  const claims = { permissions: ["profile:read", "profile:reed"] };
  assert.equal((await sessionOf(gateway, claims)("GET", "/v2/access/self")).status, 200);
});

test("POST /edge/sessions refuses what it cannot mint, and anyone but a server", async () => {
  const wish = { clientReferenceId: USER };
  const lives = [59, 86_401, 0, -60, 60.5, "3600", true, 1e300];
  const wrong = [
    ...lives.map((expiresIn) => ({ ...wish, expiresIn })),
    {},
    { permissions: PERMISSIONS },
    { clientReferenceId: "" },
    { clientReferenceId: 7 },
    { clientReferenceId: "s".repeat(257) },
    { clientReferenceId: "é".repeat(129) },
    { ...wish, permissions: "profile:read" },
    { ...wish, permissions: [7] },
    { ...wish, permissions: ["profile:read", "profile:reed"] },
    { ...wish, permissions: [""] },
    { ...wish, connection: ID },
    { ...wish, connection: "" },
    { ...wish, console: true },
    { ...wish, console: "true" },
    { console: true, permissions: PERMISSIONS },
    { console: true, connection: handle },
    [],
    [USER, PERMISSIONS],
    "text",
    7,
    null,
  ];
  for (const body of wrong) {
    assert.deepEqual(refusal(await mint(body)), [400, "BAD_REQUEST"], JSON.stringify(body));
  }
  for (const body of ["", "{", "clientReferenceId=user_456", Buffer.from([0xff, 0xfe])]) {
    assert.deepEqual(refusal(await gateway.call("POST", "/edge/sessions", { body })), [400, "BAD_REQUEST"]);
  }
  const huge = JSON.stringify({ ...wish, permissions: ["x".repeat(100_000)] });
  assert.deepEqual(refusal(await gateway.call("POST", "/edge/sessions", { body: huge })), [413, "BODY_TOO_LARGE"]);

  const body = JSON.stringify({ ...wish, permissions: ["access:any"] });
  const session = sessionOf(gateway, { permissions: ["access:any", "connections:write", "connections:link"] });
  const ofConsole = sessionOf(gateway, (await mint({ console: true })).json().token);
  for (const call of [session, ofConsole]) {
    for (const asked of [body, '{"console":true}']) {
      assert.deepEqual(refusal(await call("POST", "/edge/sessions", { body: asked })), [403, "PERMISSION_DENIED"]);
    }
  }
  const get = await gateway.call("GET", "/edge/sessions");
  assert.deepEqual([...refusal(get), get.headers.allow], [405, "METHOD_NOT_ALLOWED", "POST"]);
});

test("a minted token is never too long to be taken", async () => {
  for (const bytes of [4_000, 5_900, 6_500, 7_500, 8_100]) {
    const permissions = Array(Math.floor(bytes / '"profile:read",'.length)).fill("profile:read");
    const answer = await mint({ clientReferenceId: USER, permissions });
    if (answer.status !== 201) {
      assert.ok([400, 413].includes(refusal(answer)[0]), answer.text);
      continue;
    }
    const list = await sessionOf(gateway, answer.json().token)("GET", "/edge/connections");
    assert.equal(list.status, 200, `permissions of ${bytes} bytes: ${list.text}`);
  }
});

test("a console token opens /edge/* only, for an hour at most, and its answers show handles only", async () => {
  const answer = await mint({ console: true, expiresIn: 86_400 });
  if (answer.status !== 400) assert.ok(Date.parse(answer.json().expiresAt) <= Date.now() + 3_600_000);
  const { token, expiresAt } = (await mint({ console: true })).json();
  const life = Date.parse(expiresAt) - Date.now();
  assert.ok(life > 0 && life <= 3_600_000);
  const now = unixNow();
  const aud = "ofauth-edge-console";
  const long = tokenOf({ sub: "console", aud, iat: now, exp: now + 3_601 });
  const call = sessionOf(gateway, token);

  const shown = [await call("GET", "/edge/connections"), await call("GET", `/edge/connections/${handle}`)];
  for (const query of [`clientReferenceId=${USER}`, "status=active"]) {
    shown.push(await call("GET", `/edge/connections?${query}`));
  }
  for (const { status, text } of shown) {
    assert.equal(status, 200, text);
    assert.ok(text.includes(handle));
    assert.ok(!text.includes("conn_"), text);
  }
  assert.equal(shown[1].json().id, handle);
  assert.deepEqual(refusal(await call("GET", `/edge/connections/${ID}`)), [404, "CONNECTION_NOT_FOUND"]);
  for (const [method, path] of [["GET", "/v2/access/self"], ["POST", "/v2/access/posts"], ["GET", "/v2/access/proxy/echo"]]) {
    for (const headers of [{}, { "x-connection-id": handle }, { "x-connection-id": ID }]) {
      assert.deepEqual(refusal(await call(method, path, { headers })), [403, "PERMISSION_DENIED"], path);
    }
  }
  const answered = await sessionOf(gateway, long)("GET", "/edge/events");
  assert.deepEqual(refusal(answered), [401, "CREDENTIALS_INVALID"], "a console token for longer");
  assert.deepEqual(gateway.emulator.requests, []);
});

test("kept events have ids for a server and handles for the console, and a session gets none", async () => {
  const digits = "98765432109876543210";
  const escaped = JSON.stringify({ type: "odd.escaped", data: { connection: { id: ID } } }).replace("conn_", "conn\\u005f");
  const kept = [
    realtimeEvent("chatMessage", { id: ID, clientReferenceId: USER }),
    { type: "odd.text", data: `about ${ID}, ${ID}` },
    { type: "odd.key", data: { [ID]: [ID], nested: JSON.stringify({ id: ID }) } },
    { type: "odd.number", data: { connection: { id: digits } } },
    { type: "connection.updated", data: { connection: { id: ID, status: 7 } } },
    `not JSON, but ${ID}`,
    escaped,
    Buffer.concat([Buffer.from([0xff]), Buffer.from(`conn ${ID}`)]),
  ];
  for (const event of kept) assert.equal((await gateway.deliver(event)).status, 200);
  const server = await gateway.call("GET", "/edge/events?limit=100");
  assert.ok(server.text.includes(ID) && server.text.includes(digits));

  const call = sessionOf(gateway, (await mint({ console: true })).json().token);
  const answer = await call("GET", "/edge/events?limit=100");
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().list.length, server.json().list.length);
  assert.ok(answer.text.includes(handle));
  for (const { type, encoding, body } of answer.json().list) {
    const text = encoding === "base64" ? Buffer.from(body, "base64").toString("latin1") : body;
    for (const shown of [text, text.replaceAll("\\u005f", "_")]) {
      assert.ok(!shown.includes(ID) && !shown.includes(digits), `${type}: ${text}`);
    }
  }
  const session = sessionOf(gateway, { permissions: ["access:any", "connections:write"] });
  assert.deepEqual(refusal(await session("GET", "/edge/events")), [403, "PERMISSION_DENIED"]);
});

function mint(wish, at = gateway) {
  return at.call("POST", "/edge/sessions", { body: JSON.stringify(wish) });
}

function signatureOf(token, secret) {
  return createHmac("sha256", secret).update(token.slice(0, token.lastIndexOf("."))).digest("base64url");
}
