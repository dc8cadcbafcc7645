// Access calls: 1. method, path, query and body go up as they came, 2. which connection is meant, 3. who may call, 4. what
// stops on the way up, 5. and on the way back, 6. redirects, 7. no upstream. Paths are in paths.test.mjs.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, beforeEach, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { startDecoy } from "./decoy.mjs";
import { eventually, listAll, refusal, startGateway } from "./harness.mjs";

const ALICE = "conn_alice";
const CALLER = { "x-connection-id": ALICE };
const KEY = "another-gateway-key-0123456789abcdef";

const gateway = await startGateway({ vars: { GATEWAY_KEY: `gk_e2e_newest_0123456789abcdef01234567,${KEY}` } });
const { emulator } = gateway;
after(() => gateway.close());
await gateway.deliver(connectionEvent("connection.created", { id: ALICE }));
await gateway.deliver(connectionEvent("connection.created", { id: "conn_gone" }));
await gateway.deliver(connectionEvent("connection.disconnected", { id: "conn_gone" }));
// A server's call by handle reads KV, which accepts one write of a key per second.
await eventually(async () => (await listAll(gateway)).some(({ status }) => status === "disconnected"));
const handle = await handleOf(ALICE);
beforeEach(() => emulator.clear());

test("every method goes up with its path, query and body as they came", async () => {
  const body = randomBytes(10_000);
  const [path, query] = ["a%7e%41%aB/%C3%28/upload%3Auuid;v=1,2:@!$&()*+=~-_.%25x", "x=%zz&y=a+b&&z=[1]|{}&=/../?%2e%2e"];
  const target = `/v2/access/proxy/echo/${path}?${query}`;
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", "HEAD"]) {
    emulator.clear();
    const sent = method === "GET" || method === "HEAD" ? undefined : body;
    const headers = { ...CALLER, ...(sent && { "content-length": sent.length, "content-type": "image/x-odd; a=b" }) };
    const answer = await gateway.call(method, target, { headers, body: sent });
    assert.equal(answer.status, 200, method);
    assert.equal(emulator.requests.length, 1);
    const [seen] = emulator.requests;
    assert.deepEqual([seen.method, seen.path], [method, target]);
    assert.deepEqual([seen.bodyLength, seen.bodySha256], [sent?.length ?? 0, sha256(sent ?? "")]);
    assert.equal(seen.headers["content-type"], headers["content-type"]);
    assert.equal(answer.headers["x-ofauth-edge"], "upstream");
    if (method === "HEAD") assert.equal(answer.body.length, 0);
    else assert.deepEqual([answer.json().method, answer.json().path], [method, target]);
  }
});

test("a body on GET or HEAD is a bad request, because it cannot be passed on", async () => {
  for (const method of ["GET", "HEAD"]) {
    const headers = { ...CALLER, "content-length": 2 };
    assert.equal((await gateway.call(method, "/v2/access/self", { headers, body: "{}" })).status, 400, method);
  }
  assert.deepEqual(emulator.requests, []);
});

test("a content-length of 0 on GET or HEAD, which some clients send, is no body", async () => {
  for (const method of ["GET", "HEAD"]) {
    const answer = await gateway.call(method, "/v2/access/self", { headers: { ...CALLER, "content-length": 0 } });
    assert.equal(answer.status, 200, `${method}: ${answer.text}`);
  }
  assert.deepEqual(emulator.requests.map(({ bodyLength }) => bodyLength), [0, 0]);
});

test("a connection is named by handle or by id, and OFAuth gets the id and the configured key, once each", async () => {
  for (const name of [ALICE, handle]) {
    emulator.clear();
    const answer = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": name } });
    assert.equal(answer.json().isAuth, true);
    const [{ rawHeaders }] = emulator.requests;
    assert.deepEqual(valuesOf(rawHeaders, "x-connection-id"), [ALICE]);
    assert.deepEqual(valuesOf(rawHeaders, "apikey"), [gateway.vars.OFAUTH_API_KEY]);
    assert.deepEqual(valuesOf(rawHeaders, "host"), [`127.0.0.1:${emulator.port}`]);
  }
});

test("an unknown id is passed on, and nothing is stored about it", async () => {
  const id = "conn_never_heard_of";
  const answer = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
  assert.equal(answer.status, 200);
  assert.equal(emulator.requests[0].headers["x-connection-id"], id);
  assert.deepEqual(refusal(await gateway.call("GET", `/edge/connections/${id}`)), [404, "CONNECTION_NOT_FOUND"]);
  const { keys } = await (await gateway.kv()).list();
  assert.equal(keys.length, 2);
});

test("a disconnected connection and an unknown handle are not found, and the action is relink", async () => {
  for (const name of ["conn_gone", await handleOf("conn_gone"), `acct_${"0".repeat(32)}`]) {
    const answer = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": name } });
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"]);
    assert.equal(answer.json().actionRequired, "relink_connection");
  }
  assert.deepEqual(emulator.requests, []);
});

test("no connection, or more than one, is a bad request", async () => {
  const several = ["conn_a,conn_b", "conn_a, conn_b", "conn_a conn_b", `${handle},${ALICE}`, [ALICE, "conn_b"]];
  const names = ["", "conn_a,", "conn_\u00e9", "c".repeat(257), ...several];
  for (const headers of [{}, ...names.map((name) => ({ "x-connection-id": name }))]) {
    const answer = await gateway.call("GET", "/v2/access/self", { headers });
    assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], JSON.stringify(headers));
  }
  assert.deepEqual(emulator.requests, []);
});

test("without a valid gateway key nothing reaches OFAuth, and the answer says what is wrong", async () => {
  const key = gateway.vars.GATEWAY_KEY.split(",")[0];
  const missing = [{}, { cookie: `apikey=${key}` }, { "x-api-key": key }];
  const values = ["", "x", key.slice(0, -1), `${key}x`, `${key}, x`, key.toUpperCase(), gateway.vars.GATEWAY_KEY];
  const foreign = [gateway.vars.OFAUTH_API_KEY, gateway.vars.SESSION_SECRET];
  const bearer = [`Basic ${key}`, key, "Bearer", "Bearer ", `Bearer ${key}x`, `Bearer${key}`];
  const invalid = [
    ...[...values, ...foreign].map((apikey) => ({ apikey })),
    ...bearer.map((authorization) => ({ authorization })),
    { authorization: "Bearer wrong", apikey: key },
  ];
  for (const [type, list] of [["CREDENTIALS_MISSING", missing], ["CREDENTIALS_INVALID", invalid]]) {
    for (const headers of list) {
      for (const target of ["/v2/access/self", "/v2/access/proxy/echo", "/edge/connections", "/edge/events"]) {
        const answer = await gateway.send("GET", target, { headers: { ...CALLER, ...headers } });
        assert.deepEqual(refusal(answer), [401, type], `${target} ${JSON.stringify(headers)}`);
      }
    }
  }
  assert.deepEqual(emulator.requests, []);
});

test("each gateway key opens, as apikey or as bearer", async () => {
  for (const key of gateway.vars.GATEWAY_KEY.split(",")) {
    const [bearer, beside] = [{ authorization: `Bearer ${key}` }, { authorization: `bearer ${key}`, apikey: "other" }];
    for (const headers of [{ apikey: key }, { apiKey: key }, bearer, beside]) {
      const answer = await gateway.send("GET", "/v2/access/self", { headers: { ...CALLER, ...headers } });
      assert.equal(answer.status, 200, JSON.stringify(headers));
    }
  }
});

test("headers with which a caller claims another identity or address do not reach OFAuth", async () => {
  const stopped = {
    authorization: `Bearer ${KEY}`,
    cookie: "sess=caller",
    "x-of-cookie": "sess=caller",
    "x-of-user-agent": "caller",
    "x-of-bc": "caller",
    "X-OF-Anything": "caller",
    "x-platform-id": "caller",
    "cf-connecting-ip": "203.0.113.9",
    "cf-ray": "caller",
    "cf-ipcountry": "XX",
    "CF-Worker": "caller",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-real-ip": "203.0.113.9",
    "x-http-method-override": "DELETE",
    "x-method-override": "DELETE",
    "x-original-url": "/v2/account/whoami",
    "x-http-method": "DELETE",
    "x-rewrite-url": "/v2/account/whoami",
    "x-host": "evil.example",
    forwarded: "for=203.0.113.9",
    "true-client-ip": "203.0.113.9",
    "x_connection_id": "conn_other",
    "api_key": "caller",
    "keep-alive": "timeout=5",
    te: "trailers",
    trailer: "x-later",
    upgrade: "h2c",
    "proxy-authorization": "Basic Y2FsbGVy",
    "proxy-connection": "keep-alive",
    "x-named-by-connection": "caller",
    connection: "keep-alive, X-Named-By-Connection",
  };
  const passed = { accept: "a/b", "accept-language": "xx", "user-agent": "e2e", "x-custom": "kept", range: "bytes=0-1" };
  const all = { ...CALLER, ...stopped, ...passed };
  const answer = await gateway.call("POST", "/v2/access/proxy/echo", { headers: all, body: "{}" });
  assert.equal(answer.status, 200, answer.text);
  const [{ headers, rawHeaders }] = emulator.requests;
  for (const [name, value] of Object.entries(passed)) assert.equal(headers[name], value, name);
  for (const [name, value] of Object.entries(stopped)) assert.ok(!valuesOf(rawHeaders, name).includes(value), name);
  // The platform adds the last two where its cache is not to be used.
  const platform = ["transfer-encoding", "connection", "cache-control", "pragma"];
  const expected = [...Object.keys(passed), "host", "apikey", "x-connection-id", ...platform];
  assert.deepEqual(Object.keys(headers).filter((name) => !expected.includes(name)), []);
  assert.ok(!JSON.stringify(headers).includes(KEY));
});

test("headers of OFAuth that a browser may not get do not come back, and the others do", async () => {
  const answer = await gateway.call("GET", "/v2/access/proxy/headers", { headers: CALLER });
  const { headers } = answer;
  assert.deepEqual([answer.status, answer.json()], [200, { ok: true }]);
  const stopped = ["set-cookie", "x-connection-id", "x-of-cookie", "x-of-bc", "clear-site-data", "alt-svc", "keep-alive"];
  for (const name of stopped) assert.equal(headers[name], undefined, name);
  assert.ok(!Object.keys(headers).some((name) => name.startsWith("access-control-")));
  assert.ok(!answer.text.includes("leaked") && !JSON.stringify(headers).includes("leaked"));
  const passed = {
    "x-ratelimit-limit": "60",
    "x-ratelimit-remaining": "59",
    "x-ratelimit-reset": "1700000060",
    "x-ofauth-upload-total-parts": "3",
    etag: '"emulator-1"',
    "content-language": "en",
    "content-type": "application/json",
  };
  for (const [name, value] of Object.entries(passed)) assert.equal(headers[name], value, name);
});

test("a WebSocket is not proxied, and the answer says so", async () => {
  for (const path of ["/v2/access/self", "/v2/access/proxy/echo", "/v2/account/whoami"]) {
    const headers = { ...CALLER, upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" };
    const answer = await gateway.call("GET", path, { headers });
    assert.deepEqual(refusal(answer), [501, "NOT_IMPLEMENTED"], path);
    assert.match(answer.json().error, /WebSockets are not proxied/);
  }
  assert.deepEqual(emulator.requests, []);
});

test("methods that would show a caller's headers or open a tunnel have no route", async () => {
  for (const path of ["/v2/access/self", "/v2/account/whoami", "/edge/connections", "/webhooks/ofauth", "/nowhere"]) {
    const answer = await gateway.call("TRACE", path, { headers: CALLER });
    assert.ok([405, 501].includes(answer.status), `${answer.status}`);
  }
  assert.deepEqual(emulator.requests, []);
});

test("no answer may be cached or sniffed, and each has a request id and says who made it", async () => {
  const answers = [
    [await gateway.call("GET", "/v2/access/proxy/headers", { headers: CALLER }), "upstream"],
    [await gateway.call("GET", "/v2/access/proxy/status?code=503", { headers: CALLER }), "upstream"],
    [await gateway.call("GET", "/v2/access/proxy/status?code=204", { headers: CALLER }), "upstream"],
    [await gateway.call("GET", "/v2/access/self"), "gateway"],
    [await gateway.send("GET", "/v2/access/self"), "gateway"],
    [await gateway.call("GET", "/edge/connections"), "gateway"],
    [await gateway.call("GET", "/nowhere"), "gateway"],
  ];
  for (const [{ status, headers }, side] of answers) {
    assert.equal(headers["cache-control"], "private, no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(headers["x-request-id"], /^req_[\w-]+$/);
    assert.equal(headers["x-ofauth-edge"], side, `${status}`);
  }
});

test("OFAuth's errors come back as they are, with their status", async () => {
  for (const code of [400, 401, 403, 404, 418, 429, 500, 502, 503]) {
    const answer = await gateway.call("POST", `/v2/access/proxy/status?code=${code}`, { headers: CALLER });
    assert.equal(answer.status, code);
    assert.equal(answer.json().requestId, answer.headers["x-request-id"]);
    assert.equal(emulator.requests.length, 1, "sent once");
    emulator.clear();
  }
  const { status } = (await gateway.call("GET", `/edge/connections/${ALICE}`)).json();
  assert.equal(status, "active", "a 401 under proxy/ may come from anybody and marks nothing");
});

test("a redirect is passed back and not followed, wherever it points", async (t) => {
  const decoy = await startDecoy();
  t.after(decoy.close);
  for (const code of [301, 302, 303, 307, 308]) {
    for (const to of [`${decoy.url}/steal`, "/v2/access/self", "//evil.example/"]) {
      emulator.clear();
      const target = `/v2/access/proxy/redirect?status=${code}&to=${encodeURIComponent(to)}`;
      const answer = await gateway.call("POST", target, { headers: CALLER, body: "{}" });
      assert.deepEqual([answer.status, answer.headers.location], [code, to]);
      assert.equal(emulator.requests.length, 1);
    }
  }
  assert.deepEqual(decoy.requests, []);
});

test("without an upstream the answer is 502 in OFAuth's shape", async (t) => {
  const closed = await startDecoy();
  t.after(closed.close);
  closed.server.close();
  const lonely = await startGateway({ vars: { OFAUTH_API_URL: closed.url } });
  t.after(() => lonely.close());
  for (const method of ["GET", "POST"]) {
    const answer = await lonely.call(method, "/v2/access/self", { headers: CALLER });
    assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"]);
    assert.equal(answer.headers["x-ofauth-edge"], "gateway");
  }
});

async function handleOf(id) {
  return (await gateway.call("GET", `/edge/connections/${id}`)).json().handle;
}

function valuesOf(rawHeaders, name) {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1].toLowerCase() === name.toLowerCase());
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
