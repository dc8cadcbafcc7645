// Credentials: 1. what opens nothing is refused at every door before anything else happens, 2. tokens of any JWT library
// work, 3. so do those that POST /edge/sessions mints, within limits, 4. gateway keys stay on servers, 5. a console token
// opens /edge/* only and shows no id.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, beforeEach, test } from "node:test";

import { connectionEvent, realtimeEvent } from "../emulator/events.mjs";
import { eventually, refusal, SECRETS, sessionOf, startGateway, tokenOf, unixNow } from "./harness.mjs";

const ID = "conn_Gd5tLq8x";
const USER = "user_456";
const PERMISSIONS = ["profile:read"];
const FOREIGN = "https://app.example";

const gateway = await startGateway({ vars: { EVENT_KEEP: "*", ALLOWED_ORIGINS: FOREIGN } });
after(() => gateway.close());
await gateway.deliver(connectionEvent("connection.created", { id: ID, clientReferenceId: USER }));
const { handle } = (await gateway.call("GET", `/edge/connections/${ID}`)).json();

const DOORS = [
  ["GET", "/v2/access/self"],
  ["POST", "/v2/access/posts"],
  ["GET", "/v2/access/proxy/echo"],
  ["GET", "/edge/connections"],
  ["GET", `/edge/connections/${handle}`],
  ["GET", "/edge/events"],
  ["POST", "/edge/sessions"],
];

beforeEach(() => gateway.emulator.clear());

test("every route is closed without a credential, and with an unknown one", async () => {
  await assertRefused({}, [401, "CREDENTIALS_MISSING"]);
  const good = tokenOf({ permissions: PERMISSIONS });
  const keys = [SECRETS.GATEWAY_KEY.slice(0, -1), `${SECRETS.GATEWAY_KEY}x`, SECRETS.GATEWAY_KEY.toUpperCase()];
  const secrets = [SECRETS.SESSION_SECRET, SECRETS.OFAUTH_API_KEY, handle, ID, "x", "..", "a.b.c"];
  for (const wrong of [...keys, ...secrets]) {
    await assertRefused({ apikey: wrong }, [401, "CREDENTIALS_INVALID"]);
    await assertRefused({ authorization: `Bearer ${wrong}` }, [401, "CREDENTIALS_INVALID"]);
  }
  const schemes = [`Basic ${good}`, `Token ${good}`, good, "Bearer", "Bearer "];
  const others = [...schemes, `Bearer ${good} ${good}`, `Bearer ${good},x`];
  for (const authorization of others) await assertRefused({ authorization }, [401, "CREDENTIALS_INVALID"]);
  const both = { authorization: "Bearer wrong", apikey: SECRETS.GATEWAY_KEY };
  await assertRefused(both, [401, "CREDENTIALS_INVALID"], "Authorization alone counts");
  assert.deepEqual(gateway.emulator.requests, []);
});

test("a token that is forged, altered or signed in another way is refused", async () => {
  const claims = { permissions: PERMISSIONS };
  const [header, payload, signature] = tokenOf(claims).split(".");
  const swapped = tokenOf({ ...claims, sub: "another" }).split(".")[1];
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const flipped = signature.replace(/^./, (first) => (first === "A" ? "B" : "A"));
  const unsigned = encode({ alg: "none", typ: "JWT" });
  const wrong = {
    "another's payload": `${header}.${swapped}.${signature}`,
    "a signature that is off": `${header}.${payload}.${flipped}`,
    "a signature cut short": `${header}.${payload}.${signature.slice(0, 22)}`,
    "no signature": `${header}.${payload}.`,
    "two parts": `${header}.${payload}`,
    "a fourth part": `${header}.${payload}.${signature}.${signature}`,
    padding: `${header}.${payload}.${signature}=`,
    "another secret": tokenOf(claims, { secret: "another-session-secret-0123456789abcdef" }),
    "the gateway key as secret": tokenOf(claims, { secret: SECRETS.GATEWAY_KEY }),
    "no secret": tokenOf(claims, { secret: "" }),
    "alg none": `${unsigned}.${payload}.`,
    "alg none, signature left": `${unsigned}.${payload}.${signature}`,
    "alg none, signed": tokenOf(claims, { header: { alg: "none" } }),
    "alg None": tokenOf(claims, { header: { alg: "None" } }),
    "alg hs256": tokenOf(claims, { header: { alg: "hs256" } }),
    HS512: tokenOf(claims, { header: { alg: "HS512" }, hash: "sha512" }),
    HS384: tokenOf(claims, { header: { alg: "HS384" }, hash: "sha384" }),
    "HS512 in name": tokenOf(claims, { header: { alg: "HS512" } }),
    "HS256 in name": tokenOf(claims, { hash: "sha512" }),
    RS256: tokenOf(claims, { header: { alg: "RS256" } }),
    "no alg": tokenOf(claims, { header: { alg: undefined } }),
    "a list of algs": tokenOf(claims, { header: { alg: ["HS256"] } }),
    crit: tokenOf(claims, { header: { crit: ["exp"] } }),
    "empty crit": tokenOf(claims, { header: { crit: [] } }),
    "null crit": tokenOf(claims, { header: { crit: null } }),
    "payload no object": tokenOf("7"),
    "payload a list": tokenOf("[]"),
    "payload no JSON": tokenOf("{"),
  };
  await assertTokensRefused(wrong);
});

test("a token with wrong claims is refused", async () => {
  const now = unixNow();
  const wrong = {
    "no sub": { sub: undefined },
    "sub null": { sub: null },
    "sub a number": { sub: 456 },
    "sub empty": { sub: "" },
    "sub of 257 bytes": { sub: "s".repeat(257) },
    "sub of 258 bytes in 129 characters": { sub: "é".repeat(129) },
    "no exp": { exp: undefined },
    "exp a string": { exp: String(now + 600) },
    "exp null": { exp: null },
    "exp beyond numbers": { exp: 1e300 },
    "no iat": { iat: undefined },
    "iat a string": { iat: String(now) },
    "iat in the future by a fraction": { iat: now + 120.5, exp: now + 600 },
    "iat in the future": { iat: now + 120, exp: now + 600 },
    "a life over a day": { exp: now + 86_401 },
    "begun too long ago": { iat: now - 86_400, exp: now + 60 },
    "permissions a string": { permissions: "profile:read" },
    "permissions null": { permissions: null },
    "permissions not all strings": { permissions: ["profile:read", 7] },
    "connection an id": { connection: ID },
    "connection upper case": { connection: handle.toUpperCase() },
    "connection null": { connection: null },
    "aud of another": { aud: "another" },
    "auds of others": { aud: ["another", "ofauth-edge2"] },
    "aud a number": { aud: 7 },
    "no aud in the list": { aud: [] },
  };
  const entries = Object.entries(wrong).map(([name, claims]) => [name, tokenOf({ permissions: PERMISSIONS, ...claims })]);
  await assertTokensRefused(Object.fromEntries(entries));
});

test("an expired token has a code of its own, and the action refresh_token", async () => {
  const now = unixNow();
  for (const claims of [{ iat: now - 3_600, exp: now }, { iat: now - 100, exp: now - 1 }, { iat: 1_000, exp: 2_000 }]) {
    const authorization = `Bearer ${tokenOf(claims)}`;
    for (const [method, path] of DOORS) {
      const answer = await gateway.send(method, path, { headers: { authorization } });
      assert.deepEqual(refusal(answer), [401, "TOKEN_EXPIRED"], `${method} ${path}`);
      assert.equal(answer.headers["x-ofauth-edge-action"], "refresh_token");
    }
  }
  const forged = tokenOf({ iat: now - 100, exp: now - 1 }, { secret: "x".repeat(32) });
  await assertRefused({ authorization: `Bearer ${forged}` }, [401, "CREDENTIALS_INVALID"], "forged counts first");
  assert.deepEqual(gateway.emulator.requests, []);
});

test("a token of 8,192 bytes is taken, and a longer one is not", async () => {
  const padded = (bytes) => tokenOf({ permissions: [...PERMISSIONS, "x".repeat(bytes)] });
  const length = (bytes) => padded(bytes).length;
  let most = 5_500;
  while (length(most + 1) <= 8_192) most += 1;
  assert.equal((await sessionOf(gateway, padded(most))("GET", "/v2/access/self")).status, 200, `${length(most)} bytes`);
  gateway.emulator.clear();
  await assertTokensRefused({ "a byte or two more": padded(most + 1), "twice as long": padded(most * 2) });
});

test("a token of another JWT library works, as a bearer and as an apikey, whatever else it claims", async () => {
  const now = unixNow();
  const fine = [
    {},
    { iat: now + 30, exp: now + 600 },
    { iat: now - 86_300, exp: now + 100 },
    { iat: now, exp: now + 86_400 },
    { aud: "ofauth-edge" },
    { aud: ["another", "ofauth-edge"] },
    { iss: "https://app.example", jti: "7", nested: { sub: "another" }, name: "Jané 😀" },
    { connection: handle },
  ];
  for (const claims of fine) {
    const token = tokenOf({ permissions: PERMISSIONS, ...claims });
    for (const headers of [{ authorization: `Bearer ${token}` }, { authorization: `bearer ${token}` }, { apikey: token }]) {
      const answer = await gateway.send("GET", "/v2/access/self", { headers });
      assert.equal(answer.status, 200, `${JSON.stringify(claims)}: ${answer.text}`);
      const { list } = (await gateway.send("GET", "/edge/connections", { headers })).json();
      assert.deepEqual(list.map(({ handle }) => handle), [handle]);
    }
  }
  const seen = gateway.emulator.requests;
  assert.equal(seen.length, fine.length * 3);
  for (const { headers } of seen) {
    assert.deepEqual([headers["x-connection-id"], headers.apikey], [ID, SECRETS.OFAUTH_API_KEY]);
    assert.equal(headers.authorization, undefined);
  }
  const typeless = tokenOf({ permissions: PERMISSIONS }, { header: { typ: undefined, kid: "1" } });
  assert.equal((await sessionOf(gateway, typeless)("GET", "/v2/access/self")).status, 200);
  const subjects = ["s".repeat(256), "ü/😀 &=?%", "0"];
  for (const sub of subjects) {
    const id = `conn_sub_${subjects.indexOf(sub)}`;
    await gateway.deliver(connectionEvent("connection.created", { id, clientReferenceId: sub }));
    const { list } = (await sessionOf(gateway, { sub })("GET", "/edge/connections")).json();
    assert.deepEqual(list.map(({ clientReferenceId }) => clientReferenceId), [sub]);
  }
});

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

test("the times of a token may have a fraction or an exponent", async () => {
  const now = unixNow();
  const written = [`${now - 1}.5`, `${now + 600}.25`, `${(now + 600) / 10}e1`, `${now + 600}000E-3`];
  const [iat, ...expiries] = written;
  for (const exp of expiries) {
    const token = tokenOf(`{"sub":"${USER}","iat":${iat},"exp":${exp},"permissions":["profile:read"]}`);
    assert.equal((await sessionOf(gateway, token)("GET", "/v2/access/self")).status, 200, exp);
  }
  const expired = tokenOf(`{"sub":"${USER}","iat":${now - 60},"exp":${now - 1}.5}`);
  assert.deepEqual(refusal(await sessionOf(gateway, expired)("GET", "/edge/connections")), [401, "TOKEN_EXPIRED"]);
});

test("the answer to a refused token and its log line say which rule it breaks, and the action is to fetch a new one", async () => {
  const now = unixNow();
  const foreign = tokenOf({ sub: "" }, { secret: "another-session-secret-0123456789abcdef" });
  const tokens = [
    [tokenOf({ exp: now + 90_000 }), /exp must be at most 86400 s after iat/],
    [tokenOf({ aud: "another" }), /aud must be ofauth-edge/],
    [tokenOf({ permissions: "profile:read" }), /permissions must be a list/],
    [foreign, /none of the gateway's session secrets has signed it/],
  ];
  for (const [token, reason] of tokens) {
    const answer = await sessionOf(gateway, token)("GET", "/edge/connections");
    assert.deepEqual([...refusal(answer), answer.headers["x-ofauth-edge-action"]], [401, "CREDENTIALS_INVALID", "refresh_token"]);
    assert.match(answer.json().error, reason);
    const line = await eventually(() => gateway.logs.find((line) => line.includes(answer.json().requestId)) ?? false);
    assert.equal(JSON.parse(line).detail, answer.json().error);
  }
  const key = await gateway.send("GET", "/edge/connections", { headers: { apikey: "no-such-key" } });
  assert.equal(key.headers["x-ofauth-edge-action"], "give_up");
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

test("a gateway key is refused from any other site's page, and a session token is not", async () => {
  const own = `http://127.0.0.1:${gateway.port}`;
  const near = [own.replace("http:", "https:"), `${own}0`, `${own}/`, `${own}.evil.example`];
  const others = [FOREIGN, "https://evil.example", "null", ...near];
  for (const origin of others) {
    for (const credential of [{ apikey: SECRETS.GATEWAY_KEY }, { authorization: `Bearer ${SECRETS.GATEWAY_KEY}` }]) {
      await assertRefused({ ...credential, origin }, [403, "ORIGIN_DENIED"], origin);
    }
    const apikey = tokenOf({ permissions: PERMISSIONS });
    assert.equal((await gateway.send("GET", "/edge/connections", { headers: { apikey, origin } })).status, 200);
  }
  assert.deepEqual(gateway.emulator.requests, []);
  const headers = { "x-connection-id": ID, origin: own };
  assert.equal((await gateway.call("GET", "/v2/access/self", { headers })).status, 200);
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

async function assertRefused(headers, expected, message = JSON.stringify(headers)) {
  for (const [method, path] of DOORS) {
    const answer = await gateway.send(method, path, { headers: { "x-connection-id": handle, ...headers } });
    assert.equal(answer.status, expected[0], `${method} ${path}: ${message}: ${answer.text}`);
    assert.deepEqual(refusal(answer), expected, `${method} ${path}: ${message}`);
    assert.equal(answer.headers["x-ofauth-edge"], "gateway");
  }
}

async function assertTokensRefused(tokens) {
  for (const [name, token] of Object.entries(tokens)) {
    await assertRefused({ authorization: `Bearer ${token}` }, [401, "CREDENTIALS_INVALID"], name);
    await assertRefused({ apikey: token }, [401, "CREDENTIALS_INVALID"], name);
  }
  assert.deepEqual(gateway.emulator.requests, []);
}

function mint(wish, at = gateway) {
  return at.call("POST", "/edge/sessions", { body: JSON.stringify(wish) });
}

function signatureOf(token, secret) {
  return createHmac("sha256", secret).update(token.slice(0, token.lastIndexOf("."))).digest("base64url");
}
