// A session begins Link: 1. it takes connections:link, 2. always for its own user and through the gateway's callback,
// 3. the page it returns to is on a site that is allowed, 4. which connection is linked again, 5. a session gets OFAuth's
// page and nothing else of its answer, 6. errors of OFAuth's pass, 7. storage that fails. What is refused never reaches
// OFAuth.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, afterEach, beforeEach, test } from "node:test";

import { introduce, refusal, SECRETS, sessionOf, startGateway, tokenOf, unixNow } from "./harness.mjs";
import { begin, begun, browserOf, handleOf } from "./linking.mjs";

const APP = "https://app.example";
const RETURN_URL = "https://return.example/linked?from=link#top";
const BOB = "user_bob";

const gateway = await startGateway({ faults: true, vars: { ALLOWED_ORIGINS: APP, APP_RETURN_URL: RETURN_URL } });
const oddOFAuth = await startOddOFAuth();
const other = await startGateway({ vars: { OFAUTH_API_URL: oddOFAuth.url, ALLOWED_ORIGINS: APP } });
after(async () => {
  await gateway.close();
  await other.close();
  oddOFAuth.close();
});
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
  oddOFAuth.requests.length = 0;
  const without = await begin(browserOf(other, "user_ada"));
  assert.deepEqual(refusal(without), [400, "BAD_REQUEST"]);
  assert.match(without.json().error, /APP_RETURN_URL/);
  const foreign = await begin(browserOf(other, "user_ada"), { redirectUrl: "https://return.example/elsewhere" });
  assert.deepEqual(refusal(foreign), [400, "BAD_REQUEST"]);
  assert.deepEqual(oddOFAuth.requests, []);
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

const PAGE = "https://link.ofauth.com/cs_page";
const LEAK = "cs_LEAK_5f2a";
const NO_PAGES = [
  "http://link.ofauth.com/LEAK",
  "javascript:LEAK()",
  "JaVaScRiPt:LEAK()",
  "data:text/html,LEAK",
  "//LEAK.example/",
  "/LEAK",
  "LEAK",
  "",
  "https://LEAK@link.ofauth.com/",
  "https://link.ofauth.com\\@LEAK/",
  "https:///LEAK",
];
const SESSION = { cookie: "sess=LEAK_raw; auth_id=1", userAgent: "LEAK_agent" };

test("an answer without a hosted page is a 502, and nothing of it reaches a session", async () => {
  const secret = { clientSecret: LEAK, expiresAt: "2026-11-20T12:00:00Z" };
  const wrong = [
    { mode: "whitelabel", ...secret },
    { mode: "whitelabel", url: PAGE, ...secret },
    secret,
    { mode: "hosted", ...secret },
    { mode: "Hosted", url: PAGE, ...secret },
    { mode: 1, url: PAGE, ...secret },
    { mode: "hosted", url: null, ...secret },
    { mode: "hosted", url: [PAGE], ...secret },
    ...NO_PAGES.map((url) => ({ mode: "hosted", url, ...secret })),
    [{ mode: "hosted", url: PAGE }, LEAK],
    `{"mode":"hosted","url":"${PAGE}","clientSecret":"${LEAK}"`,
    `<!doctype html><h1>${LEAK}</h1>`,
    "",
    "null",
    JSON.stringify({ mode: "hosted", url: PAGE, clientSecret: LEAK, more: "x".repeat(70_000) }),
  ];
  for (const body of wrong) {
    const answer = await beginWith({ body });
    const what = typeof body === "string" ? body.slice(0, 80) : JSON.stringify(body);
    assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"], what);
    assertTight(answer, what);
  }
  const html = await beginWith({ headers: { "content-type": "text/html" }, body: { mode: "hosted", url: PAGE } });
  assert.deepEqual(refusal(html), [502, "UPSTREAM_UNREACHABLE"]);
  assert.doesNotMatch(other.logs.join("\n"), /LEAK/);
});

test("only the URL and the expiry of OFAuth's answer reach a session", async () => {
  const more = { clientSecret: LEAK, session: SESSION, connection: { id: "conn_LEAK" }, token: "LEAK" };
  const headers = { "x-client-secret": LEAK, location: `https://link.ofauth.com/${LEAK}`, "x-request-id": "req_LEAK" };
  for (const mode of ["hosted", undefined, null]) {
    for (const expiresAt of ["2026-11-20T12:00:00Z", "soon", undefined]) {
      const answer = await beginWith({ headers, body: { mode, url: PAGE, expiresAt, ...more } });
      assert.equal(answer.status, 200, answer.text);
      const expected = { mode: "hosted", url: PAGE, ...(expiresAt && { expiresAt }) };
      assert.deepEqual(answer.json(), expected);
      assertTight(answer);
    }
  }
  const created = await beginWith({ status: 201, body: { url: PAGE, ...more } });
  assert.deepEqual([created.status, created.json()], [200, { mode: "hosted", url: PAGE }]);
});

test("an error of OFAuth passes as it came, with the members that OFAuth's SDKs read", async () => {
  const verdicts = { 400: "give_up", 401: "operator", 403: "give_up", 429: "retry", 500: "retry" };
  for (const [status, verdict] of Object.entries(verdicts).map(([code, word]) => [Number(code), word])) {
    const body = { error: "No", type: status === 401 ? "UNAUTHORIZED" : "SOME_TYPE", requestId: "req_1" };
    const answer = await beginWith({ status, body, headers: { "x-request-id": "req_1" } });
    assert.deepEqual([answer.status, answer.json()], [status, { ...body, message: body.error, code: body.type }]);
    const { "x-ofauth-edge": by, "x-ofauth-edge-action": action, "x-request-id": requestId } = answer.headers;
    assert.deepEqual([by, action, requestId], ["upstream", verdict, "req_1"], String(status));
  }
  emulator.fault({ kind: "status", code: 503, body: "html" });
  const down = await begin(browserOf(gateway, "user_ada"));
  assert.deepEqual([down.status, down.headers["x-ofauth-edge"], begun(gateway).length], [503, "upstream", 1], "sent once");
  emulator.heal();
  emulator.fault({ kind: "drop" });
  assert.deepEqual(refusal(await begin(browserOf(gateway, "user_ada"))), [502, "UPSTREAM_UNREACHABLE"]);
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

/** A session's init, answered by OFAuth as given. */
function beginWith(answer) {
  oddOFAuth.answer = answer;
  return begin(browserOf(other, "user_ada"), { redirectUrl: `${APP}/back` });
}

function assertTight(answer, what) {
  assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), /LEAK|clientSecret|whitelabel/, what);
}

/** An OFAuth that answers with `answer`, whatever it is asked. */
async function startOddOFAuth() {
  const odd = { requests: [], answer: {}, url: "", close: () => server.close() && server.closeAllConnections() };
  const server = http.createServer((request, response) => {
    odd.requests.push(request.url);
    request.resume();
    const { status = 200, headers = {}, body = "" } = odd.answer;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  odd.url = `http://127.0.0.1:${server.address().port}`;
  return odd;
}
