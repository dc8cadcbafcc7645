// A session begins Link: 1. it takes connections:link, 2. always for its own user and through the gateway's callback,
// 3. the page it returns to is on a site that is allowed, 4. which connection is linked again, 5. storage that fails. What is
// refused never reaches OFAuth. What a session gets of OFAuth's answer is in link-init-answer.test.mjs.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";

import { introduce, refusal, SECRETS, sessionOf, startGateway, tokenOf, unixNow } from "./harness.mjs";
import { begin, begun, browserOf, handleOf } from "./linking.mjs";

const APP = "https://app.example";
const RETURN_URL = "https://return.example/linked?from=link#top";
const BOB = "user_bob";

const gateway = await startGateway({ faults: true, vars: { ALLOWED_ORIGINS: APP, APP_RETURN_URL: RETURN_URL } });
const other = await startGateway({ vars: { ALLOWED_ORIGINS: APP } });
after(() => Promise.all([gateway.close(), other.close()]));
const { emulator, port } = gateway;
const OF_BOB = await introduce(gateway, "conn_Bob1zX4", { user: BOB });
beforeEach(() => emulator.clear());
afterEach(async () => {
  await gateway.fail({});
  emulator.heal();
  emulator.reset();
});

test("OFAuth gets a callback at PUBLIC_URL, whatever the Host, and without PUBLIC_URL none with plain http", async (t) => {
  const named = await startGateway({ vars: { ALLOWED_ORIGINS: APP, APP_RETURN_URL: RETURN_URL, PUBLIC_URL: "https://gateway.example" } });
  t.after(() => named.close());
  const body = JSON.stringify({ redirectUrl: `${APP}/back` });
  const beginAt = (to, host) => {
    const headers = { authorization: `Bearer ${tokenOf({ sub: "user_ada", permissions: ["connections:link"] })}`, host };
    return to.send("POST", "/v2/link/init", { headers: { ...headers, "content-type": "application/json" }, body });
  };
  for (const host of ["evil.example", `127.0.0.1:${named.port}`]) assert.equal((await beginAt(named, host)).status, 200);
  assert.deepEqual(begun(named).map(({ redirectUrl }) => redirectUrl), Array(2).fill("https://gateway.example/link/callback"));
  const refused = await beginAt(gateway, "evil.example");
  assert.deepEqual(refusal(refused), [400, "BAD_REQUEST"]);
  assert.match(refused.json().error, /PUBLIC_URL/);
  assert.deepEqual(begun(gateway), []);
});

test("Link needs a session with connections:link, and neither a console nor a call without a credential begins it", async () => {
  const near = ["connections:write", "access:any", "profile:read", "connections:*", "Connections:Link", " connections:link"];
  for (const permissions of [undefined, [], near]) {
    const answer = await begin(sessionOf(gateway, { sub: "user_ada", permissions }));
    assert.deepEqual(refusal(answer), [403, "PERMISSION_DENIED"]);
  }
  const now = unixNow();
  const console = tokenOf({ sub: "console", aud: "ofauth-edge-console", iat: now, exp: now + 600, permissions: near });
  assert.deepEqual(refusal(await begin(sessionOf(gateway, console))), [403, "PERMISSION_DENIED"]);
  assert.deepEqual(refusal(await begin(gateway.send)), [401, "CREDENTIALS_MISSING"]);
  const get = await browserOf(gateway, "user_ada")("GET", "/v2/link/init");
  assert.deepEqual([refusal(get), get.headers.allow], [[405, "METHOD_NOT_ALLOWED"], "POST"]);
  assert.deepEqual(emulator.requests, []);
});

test("a session's Link is for its own user and comes back to the gateway, whatever it asks for", async () => {
  const wish = {
    clientReferenceId: BOB,
    redirectUrl: `${APP}/back`,
    connectionId: null,
    clientAppId: "app_1",
    geolocation: { country: "US", state: "CA" },
    mode: "whitelabel",
    permissions: ["everything"],
    client_reference_id: BOB,
    ClientReferenceId: BOB,
  };
  const twice = `{"clientReferenceId":"${BOB}","redirectUrl":"${APP}/","clientReferenceId":"${BOB}"}`;
  const ada = browserOf(gateway, "user ada/&é");
  const answers = [await begin(ada, wish), await begin(ada, twice)];
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  const forced = { clientReferenceId: "user ada/&é", redirectUrl: `http://127.0.0.1:${port}/link/callback` };
  const { clientAppId, geolocation } = wish;
  assert.deepEqual(begun(gateway), [{ clientAppId, geolocation, ...forced }, forced]);
  const [{ headers }] = emulator.requests;
  assert.deepEqual([headers.apikey, headers["content-type"]], [SECRETS.OFAUTH_API_KEY, "application/json"]);
  for (const name of ["authorization", "x-connection-id", "origin"]) assert.equal(headers[name], undefined, name);
});

test("a session gets the URL of OFAuth's page and its end, from the app's site too, and needs no body", async () => {
  const ada = browserOf(gateway, "user_ada");
  const answer = await begin(ada, { redirectUrl: `${APP}/` }, { headers: { origin: APP } });
  const { mode, url, expiresAt, ...rest } = answer.json();
  assert.deepEqual([mode, rest], ["hosted", {}]);
  assert.match(url, new RegExp(`^${emulator.url}/link/cs_[0-9a-f]+$`));
  assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 1_800_000) < 10_000, expiresAt);
  const { "x-ofauth-edge": by, "cache-control": cache, "access-control-allow-origin": site } = answer.headers;
  assert.deepEqual([by, cache, site], ["gateway", "private, no-store", APP]);
  assert.equal((await ada("POST", "/v2/link/init")).status, 200);
});

test("a body that is no object, or whose connectionId is no text, is refused", async () => {
  const ada = browserOf(gateway, "user_ada");
  for (const body of ["[]", "7", "null", "{", '"x"', '{"connectionId":7}', '{"connectionId":{}}', '{"connectionId":[]}']) {
    assert.deepEqual(refusal(await begin(ada, body)), [400, "BAD_REQUEST"], body);
  }
  const long = JSON.stringify({ clientAppId: "x".repeat(65_536) });
  assert.deepEqual(refusal(await begin(ada, long)), [413, "BODY_TOO_LARGE"]);
  assert.deepEqual(emulator.requests, []);
});

test("a page to return to may be on an allowed origin, or on that of APP_RETURN_URL", async () => {
  const ada = browserOf(gateway, "user_ada");
  const good = [APP, `${APP}/`, `${APP}?a=1`, `${APP}#x`, `${APP}/a/b?c=d&e=%20#f`, "https://return.example/elsewhere"];
  for (const redirectUrl of good) assert.equal((await begin(ada, { redirectUrl })).status, 200, redirectUrl);
  assert.equal(begun(gateway).length, good.length);
  assert.ok(begun(gateway).every(({ redirectUrl }) => redirectUrl === `http://127.0.0.1:${port}/link/callback`));
});

const NOT_ALLOWED = [
  "https://evil.example/",
  "https://app.example.evil.example/",
  "https://evil.example/https://app.example/",
  "https://app.example@evil.example/",
  "https://app.example:pass@evil.example/",
  "https://user@app.example/",
  "https://app.example:8443/",
  "https://app.example:443/",
  "https://app.example\\@evil.example/",
  "https://app.example\\.evil.example/",
  "https:\\\\app.example/",
  "https:app.example/",
  "https:///app.example/",
  "http://app.example/",
  "HTTPS://APP.EXAMPLE/",
  "//app.example/",
  "/back",
  "back",
  "",
  " https://app.example/",
  "https://app.example/\r\nset-cookie: a=b",
  "https://app.example/\u0000",
  "https://app.example/é",
  "https://app.example./",
  "javascript:alert(1)//https://app.example/",
  "data:text/html,x",
  `${APP}/${"x".repeat(2_048)}`,
  7,
  {},
  [APP],
];

test("any other page to return to is refused", async () => {
  const ada = browserOf(gateway, "user_ada");
  for (const redirectUrl of NOT_ALLOWED) {
    const answer = await begin(ada, { redirectUrl });
    assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], String(redirectUrl));
  }
  const twice = await begin(ada, `{"redirectUrl":"${APP}/","redirectUrl":"https://evil.example/"}`);
  assert.deepEqual(refusal(twice), [400, "BAD_REQUEST"]);
  assert.deepEqual(emulator.requests, []);
});

test("without a page to return to a session needs APP_RETURN_URL", async () => {
  assert.equal((await begin(browserOf(gateway, "user_ada"))).status, 200);
  const without = await begin(browserOf(other, "user_ada"));
  assert.deepEqual(refusal(without), [400, "BAD_REQUEST"]);
  assert.match(without.json().error, /APP_RETURN_URL/);
  const foreign = await begin(browserOf(other, "user_ada"), { redirectUrl: "https://return.example/elsewhere" });
  assert.deepEqual(refusal(foreign), [400, "BAD_REQUEST"]);
  assert.deepEqual(other.emulator.requests, []);
});

test("a session can link each of its connections again by handle, whatever its status", async () => {
  for (const status of ["active", "expired", "error", "awaiting_2fa", "pending", "failed", "revoked"]) {
    const [id, user] = [`conn_own_${status}`, `user_own_${status}`];
    const connectionId = await introduce(gateway, id, { user, status });
    assert.equal((await begin(browserOf(gateway, user), { connectionId })).status, 200, status);
    assert.equal(begun(gateway).at(-1).connectionId, id);
  }
});

test("a session does not find another user's connection, an id, or a connection that is gone or unknown", async () => {
  await introduce(gateway, "conn_mine", { user: "user_mine" });
  const gone = await introduce(gateway, "conn_gone", { user: "user_mine", status: "disconnected" });
  emulator.clear();
  const mine = browserOf(gateway, "user_mine");
  const own = await handleOf(gateway, "conn_mine");
  const spelled = [own.toUpperCase(), ` ${own}`, `${own}0`, own.slice(0, -1), ""];
  for (const connectionId of ["conn_mine", "conn_Bob1zX4", OF_BOB, gone, `acct_${"0".repeat(32)}`, ...spelled]) {
    const answer = await begin(mine, { connectionId, clientReferenceId: BOB });
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], connectionId);
    assert.doesNotMatch(answer.text, /conn_/);
  }
  assert.deepEqual(emulator.requests, []);
});

// What a user has, and which of it is linked again if none is named.
const ONLY_EXPIRED = [
  [[], undefined],
  [["expired"], 0],
  [["expired", "disconnected"], 0],
  [["disconnected", "error", "expired", "awaiting_2fa", "pending"], 2],
  [["expired", "expired"], undefined],
  [["expired", "active"], undefined],
  [["active"], undefined],
  [["error"], undefined],
  [["disconnected"], undefined],
];

test("without a connectionId the only expired connection is linked again if none is active, and null asks for a new one", async () => {
  for (const [index, [statuses, expected]] of ONLY_EXPIRED.entries()) {
    const user = `user_only_${index}`;
    const ids = statuses.map((_, place) => `conn_only_${index}_${place}`);
    for (const [place, id] of ids.entries()) await introduce(gateway, id, { user, status: statuses[place] });
    emulator.clear();
    assert.equal((await begin(browserOf(gateway, user))).status, 200);
    assert.equal((await begin(browserOf(gateway, user), { connectionId: null })).status, 200);
    const [any, another] = begun(gateway);
    assert.equal(any.connectionId, ids[expected], statuses.join());
    assert.ok(!("connectionId" in another), statuses.join());
  }
});

test("a token for one connection links that one only", async () => {
  const first = await introduce(gateway, "conn_bound_1", { user: "user_bound" });
  const second = await introduce(gateway, "conn_bound_2", { user: "user_bound", status: "expired" });
  emulator.clear();
  const bound = (connection) => browserOf(gateway, "user_bound", { connection });
  assert.equal((await begin(bound(first))).status, 200);
  assert.equal((await begin(bound(first), { connectionId: first })).status, 200);
  assert.deepEqual(begun(gateway).map(({ connectionId }) => connectionId), ["conn_bound_1", "conn_bound_1"]);
  emulator.clear();
  assert.deepEqual(refusal(await begin(bound(first), { connectionId: second })), [404, "CONNECTION_NOT_FOUND"]);
  assert.deepEqual(refusal(await begin(bound(first), { connectionId: null })), [403, "PERMISSION_DENIED"]);
  for (const wish of [{}, { connectionId: OF_BOB }]) {
    assert.deepEqual(refusal(await begin(bound(OF_BOB), wish)), [404, "CONNECTION_NOT_FOUND"]);
  }
  assert.deepEqual(emulator.requests, []);
});

test("while the hub fails Link gets a 503, and it needs neither KV nor ledgers", async () => {
  const ada = browserOf(gateway, "user_ada");
  for (const hub of ["fail", "lost"]) {
    await gateway.fail({ hub });
    for (const wish of [{}, { connectionId: `acct_${"0".repeat(32)}` }]) {
      emulator.clear();
      await assertUnavailable(await begin(ada, wish));
      assert.deepEqual(emulator.requests, []);
    }
    const unkept = await begin(ada, { connectionId: null });
    await assertUnavailable(unkept);
    assert.doesNotMatch(unkept.text, /cs_|http/, "a page from which there is no way back is not given out");
  }
  await gateway.fail({ read: "fail", put: "fail", ledger: "fail" });
  assert.equal((await begin(ada)).status, 200);
  await gateway.fail({});
  assert.equal((await begin(ada)).status, 200);
});

async function assertUnavailable(answer) {
  assert.deepEqual(refusal(answer), [503, "STORAGE_UNAVAILABLE"]);
  assert.deepEqual([answer.headers["retry-after"], answer.headers["x-ofauth-edge-action"]], ["2", "retry"]);
}
