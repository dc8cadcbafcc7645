// Credentials: 1. what opens nothing is refused at every door before anything else happens, 2. tokens of any JWT library
// work, and a refusal says which rule a token breaks, 3. gateway keys stay on servers. Tokens that the gateway mints are in
// sessions.test.mjs.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, refusal, SECRETS, sessionOf, startGateway, tokenOf, unixNow } from "./harness.mjs";

const ID = "conn_Gd5tLq8x";
const USER = "user_456";
const PERMISSIONS = ["profile:read"];
const FOREIGN = "https://app.example";

const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: FOREIGN } });
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
