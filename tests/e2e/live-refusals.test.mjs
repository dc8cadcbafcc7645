// What GET /edge/live refuses before the upgrade: 1. no WebSocket, another method, 2. credentials that are no session's, 3. the
// pages of other sites, 4. subprotocols and queries of another form, 5. a hub that cannot. And 6. what it answers if it does not
// refuse, 7. that other routes still open none.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { SECRETS, refusal, startGateway, tokenOf, unixNow } from "./harness.mjs";
import { offer, upgrade } from "./sockets.mjs";

const APP = "https://app.example";
const gateway = await startGateway({ faults: true, vars: { ALLOWED_ORIGINS: APP } });
after(() => gateway.close());
const own = `http://127.0.0.1:${gateway.port}`;
const token = tokenOf();

test("a call that asks for no WebSocket is told to, and another method is not allowed", async () => {
  for (const headers of [{}, { authorization: `Bearer ${token}` }, { upgrade: "h2c", connection: "Upgrade" }]) {
    const answer = await gateway.send("GET", "/edge/live", { headers });
    assert.deepEqual(refusal(answer), [426, "UPGRADE_REQUIRED"]);
  }
  for (const method of ["HEAD", "POST", "DELETE"]) {
    const answer = await gateway.call(method, "/edge/live");
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET"], method);
  }
  assert.deepEqual(refusal(await gateway.call("GET", "/edge/live/")), [404, "ROUTE_NOT_FOUND"]);
});

test("only a valid session token opens a WebSocket", async () => {
  const key = gateway.vars.GATEWAY_KEY;
  const operator = (await gateway.call("POST", "/edge/sessions", { body: '{"console":true}' })).json().token;
  const refused = [
    [401, "CREDENTIALS_MISSING", {}],
    [401, "CREDENTIALS_MISSING", { "sec-websocket-protocol": "ofauth-edge" }],
    [401, "CREDENTIALS_INVALID", offer(`${token}x`)],
    [401, "CREDENTIALS_INVALID", offer(tokenOf({}, { secret: "another-secret-0123456789-0123456789" }))],
    [401, "CREDENTIALS_INVALID", offer("nothing")],
    [401, "CREDENTIALS_INVALID", { ...offer(""), authorization: `Bearer ${key}` }],
    [401, "TOKEN_EXPIRED", offer(tokenOf({ exp: unixNow() - 1 }))],
    [403, "PERMISSION_DENIED", offer(key)],
    [403, "PERMISSION_DENIED", { authorization: `Bearer ${key}`, "sec-websocket-protocol": "ofauth-edge" }],
    [403, "PERMISSION_DENIED", { apikey: key }],
    [403, "PERMISSION_DENIED", offer(operator)],
  ];
  for (const [status, type, headers] of refused) {
    assert.deepEqual(refusal(await upgrade(gateway, { headers })), [status, type], JSON.stringify(headers));
  }
  assert.equal((await upgrade(gateway, { headers: { ...offer(token), authorization: "Bearer nothing" } })).status, 101);
  const plain = { "sec-websocket-protocol": "ofauth-edge", authorization: `Bearer ${token}` };
  assert.equal((await upgrade(gateway, { headers: plain })).status, 101, "a client that can set headers may use them");
});

test("a page of another site is refused, and pages of the gateway and of allowed origins are not", async () => {
  for (const origin of [APP, own]) {
    assert.equal((await upgrade(gateway, { headers: { ...offer(token), origin } })).status, 101, origin);
  }
  for (const origin of ["https://evil.example", "null", `${APP}.evil.example`, `${APP}:444`, "http://127.0.0.1"]) {
    const answer = await upgrade(gateway, { headers: { ...offer(token), origin } });
    assert.deepEqual(refusal(answer), [403, "ORIGIN_DENIED"], origin);
    assert.match(answer.json().error, /ALLOWED_ORIGINS/);
  }
});

test("the gateway's subprotocol must be offered, and the query has nothing but a number as since", async () => {
  const missing = await upgrade(gateway, { headers: { "sec-websocket-protocol": `bearer.${token}` } });
  assert.deepEqual(refusal(missing), [400, "BAD_REQUEST"]);
  for (const query of ["since=", "since=x", "since=-1", "since=1.5", "since=1&since=2", "from=1"]) {
    const answer = await upgrade(gateway, { target: `/edge/live?${query}`, headers: offer(token) });
    assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], query);
  }
});

test("while the hub is down, or runs a build that opens no WebSocket, the answer is 503", async () => {
  for (const hub of ["fail", "older"]) {
    await gateway.fail({ hub });
    const answer = await upgrade(gateway, { headers: offer(token) });
    assert.deepEqual([...refusal(answer), answer.headers["retry-after"]], [503, "STORAGE_UNAVAILABLE", "2"], hub);
  }
  await gateway.fail({});
});

test("the answer selects the gateway's subprotocol, has the headers of every answer, and is logged as a call of the route", async () => {
  const { status, headers } = await upgrade(gateway, { target: "/edge/live?since=3", headers: { ...offer(token), origin: APP } });
  assert.deepEqual([status, headers["sec-websocket-protocol"], headers.upgrade], [101, "ofauth-edge", "websocket"]);
  assert.deepEqual([headers["cache-control"], headers["x-ofauth-edge"]], ["private, no-store", "gateway"]);
  const line = await gateway.lineOf(headers["x-request-id"]);
  assert.deepEqual([line.route, line.status, line.level], ["live", 101, "info"]);
  assert.ok(!gateway.logs.join("\n").includes(token), "no log has the token");
});

test("no other route opens a WebSocket", async () => {
  for (const target of ["/edge/connections", "/healthz"]) {
    assert.equal((await upgrade(gateway, { target, headers: { ...offer(token), authorization: `Bearer ${token}` } })).status, 200);
  }
  for (const target of ["/v2/access/self", "/v2/account/whoami"]) {
    const answer = await upgrade(gateway, { target, headers: { apikey: SECRETS.GATEWAY_KEY } });
    assert.deepEqual(refusal(answer), [501, "NOT_IMPLEMENTED"], target);
  }
});
