// What OFAuth refuses: 1. a refusal that means relink marks the connection and says so, 2. whatever is no such refusal
// changes nothing, neither the connection nor a byte, 3. the verdict on every error, 4. what every answer says of itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";

import { eventually, startGateway, tokenOf, unixNow } from "./harness.mjs";
import { access, isListed, LIMIT, link, marks, PATH, recordOf, SELF, startBoth } from "./shown.mjs";

const RELINK = "relink_connection";
const HINT = ',"actionRequired":"relink_connection"';

const { gateway, emulator, upstream, told } = await startBoth();

for (const type of ["SESSION_EXPIRED", "SESSION_NOT_PROVIDED"]) {
  test(`${type} marks the connection in each of its forms, and every view shows it`, async () => {
    for (const variant of [undefined, "code", "lower", "snake"]) {
      for (const hint of [true, false]) {
        const { id, reference } = await link(gateway);
        emulator.fault({ kind: "refuse", type, hint, ...(variant && { variant }), times: 1 });
        const answer = await access(gateway, id, { method: "POST" });
        const what = `${variant}, ${hint}: ${answer.text}`;
        assert.equal(answer.status, 401, what);
        const { actionRequired, action_required: snake } = answer.json();
        const hints = variant === "snake" && hint ? [undefined, RELINK] : [RELINK, undefined];
        assert.deepEqual([actionRequired, snake], hints, what);
        assert.equal(answer.headers["x-ofauth-edge-action"], "relink", what);
        const record = await recordOf(gateway, id);
        assert.equal(record.status, "expired", what);
        assert.equal(record.expiredAt, record.updatedAt);
        assert.ok(Math.abs(Date.parse(record.expiredAt) - Date.now()) < 10_000);
        const views = [`status=expired&clientReferenceId=${reference}`, "limit=100&status=expired"];
        await eventually(async () => {
          for (const query of views) assert.ok(await isListed(gateway, id, query), `${what} in ${query}`);
          assert.ok(!(await isListed(gateway, id, `status=active&clientReferenceId=${reference}`)));
        });
      }
    }
  });
}

test("a refusal that asks for a relink marks the connection, whatever its type, with 401 or 403", async () => {
  const expired = { error: "x", type: "SESSION_EXPIRED", requestId: "req_1" };
  const forms = [
    expired,
    { message: "x", code: "session_expired" },
    { error: "x", type: "Session_Not_Provided" },
    { ...expired, type: "FORBIDDEN", actionRequired: RELINK },
    { ...expired, type: "ACCOUNT_LOCKED", action_required: "refresh_session" },
    { ...expired, actionRequired: "verify_identity" },
  ];
  for (const status of [401, 403]) {
    for (const form of forms) {
      const { id } = await link(told);
      const body = JSON.stringify(form);
      upstream.say({ status, body });
      const answer = await access(told, id);
      const hinted = form.actionRequired ?? form.action_required;
      assert.equal(answer.status, status);
      assert.equal(answer.text.replace(hinted ? "" : HINT, ""), body, `${status} ${body}`);
      assert.equal(answer.json().actionRequired ?? answer.json().action_required, hinted ?? RELINK);
      assert.equal(answer.headers["x-ofauth-edge-action"], "relink", `${status} ${body}`);
      assert.equal((await recordOf(told, id)).status, "expired", `${status} ${body}`);
    }
  }
});

test("except for the hint, the body stays as it is, byte for byte", async () => {
  const bodies = [
    '{"type":"SESSION_EXPIRED"}',
    '{ "error" : "caf\\u00e9 é 🎉\\/" ,\n\t"type" : "SESSION_EXPIRED" , "n" : 1.50e+02, "big": 12345678901234567890 \r\n}',
    '  {"type":"SESSION_EXPIRED","deep":{"actionRequired":"relink_connection","a":[{}]}}',
    '{"type":"SESSION_EXPIRED"}\n',
    `{"type":"SESSION_EXPIRED","pad":"${"x".repeat(LIMIT - 35)}"}`,
  ];
  for (const body of bodies) {
    const { id } = await link(told);
    upstream.say({ status: 401, body, headers: { "x-request-id": "req_upstream", "x-any": "kept" } });
    const answer = await access(told, id);
    const shown = JSON.stringify(body.slice(0, 80));
    assert.ok(answer.text.includes(HINT), shown);
    assert.equal(answer.json().actionRequired, RELINK, shown);
    assert.equal((await recordOf(told, id)).status, "expired", shown);
    assert.deepEqual([answer.headers["x-request-id"], answer.headers["x-any"]], ["req_upstream", "kept"]);
    assert.match(answer.headers["content-type"], /^application\/json/);
    assert.equal(Number(answer.headers["content-length"] ?? answer.body.length), answer.body.length);
    assert.equal(answer.text.replace(HINT, ""), body);
  }
});

test("any other answer passes unchanged, and marks no connection", async () => {
  const { id } = await link(told);
  const expired = JSON.stringify({ error: "x", type: "SESSION_EXPIRED", requestId: "req_1" });
  const html = { "content-type": "text/html" };
  const long = `{"type":"SESSION_EXPIRED","pad":"${"x".repeat(LIMIT)}"}`;
  const all = [
    ...[401, 403].flatMap((status) => [
      { status, body: "" },
      { status, body: "", headers: html },
      { status, body: "<h1>SESSION_EXPIRED</h1>", headers: html },
      { status, body: long },
      { status, body: long, chunked: true },
      { status, body: "{" },
      { status, body: "[]" },
      { status, body: `[${expired}]` },
      { status, body: '"SESSION_EXPIRED"' },
      { status, body: "null" },
      { status, body: "{}" },
      { status, body: '{"error":"SESSION_EXPIRED"}' },
      { status, body: `{"data":${expired}}` },
      { status, body: '{"type":["SESSION_EXPIRED"]}' },
      { status, body: `${expired}${expired}` },
      { status, body: Buffer.from([0xff, 0xfe, 0x7b, 0x7d]) },
      { status, body: '{"type":"UNAUTHORIZED"}' },
      { status, body: '{"type":"SESSION_EXPIRED_NOT"}' },
      { status, body: '{"type":"RULES_OUTDATED"}' },
    ]),
    ...[400, 404, 410, 429, 500, 502].map((status) => ({ status, body: expired })),
    ...[200, 201, 299].map((status) => ({ status, body: expired })),
  ];
  for (const what of all) {
    upstream.say(what);
    const answer = await access(told, id, { method: "POST" });
    const shown = `${what.status} ${String(what.body).slice(0, 60)}`;
    assert.equal(answer.status, what.status, shown);
    assert.ok(answer.body.equals(Buffer.from(what.body)), `${shown}: ${answer.text.slice(0, 100)}`);
    assert.equal((await recordOf(told, id)).status, "active", shown);
  }
});

test("UNAUTHORIZED, RULES_OUTDATED, FORBIDDEN and a proxy's refusals mark no connection", async () => {
  const { id } = await link(gateway);
  const refusals = ["UNAUTHORIZED", "RULES_OUTDATED", "FORBIDDEN"];
  const bodies = ["html", "empty", "big"];
  const pages = [401, 403, 500, 503].flatMap((code) => bodies.map((body) => ({ kind: "status", code, body })));
  for (const rule of [...refusals.map((type) => ({ kind: "refuse", type })), ...pages, { kind: "limit" }, { kind: "drop" }]) {
    for (const method of ["GET", "POST"]) {
      emulator.heal();
      emulator.fault(rule);
      const answer = await access(gateway, id, { method });
      assert.ok(answer.status >= 400);
      assert.ok(!answer.text.includes("actionRequired") || rule.body === "big", JSON.stringify(rule));
      assert.equal((await recordOf(gateway, id)).status, "active", JSON.stringify(rule));
    }
  }
});

test("a compressed answer is understood, and comes back whole", async () => {
  const refused = JSON.stringify({ type: "SESSION_EXPIRED", pad: "x".repeat(5_000) });
  const encodings = { gzip: [gzipSync, gunzipSync], br: [brotliCompressSync, brotliDecompressSync] };
  const says = [
    [PATH, 401, refused, "expired", refused.replace(/}$/, `${HINT}}`)],
    [PATH, 401, refused.replace("SESSION_EXPIRED", "UNAUTHORIZED"), "active"],
    [SELF, 200, JSON.stringify({ isAuth: false, pad: "x".repeat(5_000) }), "expired"],
    [SELF, 200, JSON.stringify({ isAuth: true, pad: "x".repeat(5_000) }), "active"],
  ];
  for (const [encoding, [compress, expand]] of Object.entries(encodings)) {
    for (const [path, status, body, then, expected = body] of says) {
      for (const chunked of [false, true]) {
        const { id } = await link(told);
        upstream.say({ status, body: compress(body), chunked, headers: { "content-encoding": encoding } });
        const answer = await access(told, id, { path, headers: { "accept-encoding": encoding } });
        const what = `${encoding} ${path} ${status}${chunked ? " chunked" : ""}`;
        assert.equal(answer.status, status, what);
        const text = answer.headers["content-encoding"] === encoding ? expand(answer.body).toString() : answer.text;
        assert.equal(text, expected, what);
        assert.equal((await recordOf(told, id)).status, then, what);
      }
    }
  }
});

test("a refusal under the raw proxy is OnlyFans' own, so it marks no connection and gets no hint", async () => {
  const { id } = await link(told);
  for (const status of [401, 403]) {
    for (const body of ['{"type":"SESSION_EXPIRED"}', '{"type":"SESSION_NOT_PROVIDED"}', '{"type":"UNAUTHORIZED"}']) {
      upstream.say({ status, body });
      const answer = await access(told, id, { path: "/v2/access/proxy/api2/v2/users/me" });
      assert.deepEqual([answer.status, answer.text], [status, body]);
      assert.equal(answer.headers["x-ofauth-edge-action"], "give_up");
      assert.equal((await recordOf(told, id)).status, "active");
    }
  }
});

test("a refusal stores nothing about an unknown id", async () => {
  const id = "conn_learning_unknown";
  emulator.fault({ kind: "refuse", type: "SESSION_EXPIRED", hint: false });
  const answer = await access(gateway, id);
  assert.deepEqual([answer.status, answer.json().actionRequired], [401, RELINK]);
  assert.equal((await gateway.call("GET", `/edge/connections/${id}`)).status, 404);
});

test("a refused call of a session marks its connection, and the next call says so too", async () => {
  const { id, reference } = await link(gateway);
  const authorization = `Bearer ${tokenOf({ sub: reference, permissions: ["subscribers:read"] })}`;
  const ask = () => gateway.send("GET", PATH, { headers: { authorization } });
  emulator.fault({ kind: "refuse", type: "SESSION_EXPIRED", hint: false, times: 2 });
  for (const time of ["first", "second"]) {
    const answer = await ask();
    assert.deepEqual([answer.status, answer.json().actionRequired], [401, RELINK], time);
    assert.equal((await recordOf(gateway, id)).status, "expired", time);
  }
  assert.equal((await ask()).status, 200);
  assert.equal((await recordOf(gateway, id)).status, "active");
});

test("every error of OFAuth has the verdict, and nothing else has it", async () => {
  const { id } = await link(told);
  const typed = (status, type, rest) => ({ status, body: JSON.stringify({ error: "x", type, ...rest }) });
  const verdicts = [
    ["relink", typed(401, "SESSION_EXPIRED"), typed(401, "SESSION_NOT_PROVIDED"), typed(403, "X", { actionRequired: RELINK })],
    ["operator", typed(401, "UNAUTHORIZED"), typed(403, "UNAUTHORIZED")],
    ["retry", typed(401, "RULES_OUTDATED"), typed(429, "RATE_LIMIT_EXCEEDED"), typed(502, "PROXY_ERROR"), typed(503, "X")],
    ["retry", { status: 500, body: "" }, { status: 504, body: "<p>" }, { status: 429, body: "" }],
    ["give_up", typed(400, "BAD_REQUEST"), typed(403, "FORBIDDEN"), typed(404, "RESOURCE_NOT_FOUND"), typed(409, "CONFLICT")],
    ["give_up", { status: 404, body: "" }, typed(403, "X", { actionRequired: "verify_identity" })],
    [undefined, { status: 200, body: "{}" }, { status: 204, body: "" }, { status: 302, body: "" }, { status: 304, body: "" }],
  ];
  for (const [verdict, ...replies] of verdicts) {
    for (const reply of replies) {
      upstream.say(reply);
      const { headers } = await access(told, id, { method: "POST" });
      const shown = `${reply.status} ${reply.body}`;
      assert.equal(headers["x-ofauth-edge"], "upstream", shown);
      assert.equal(headers["x-ofauth-edge-action"], verdict, shown);
    }
  }
});

test("the gateway's own headers replace those that OFAuth sends under the same names", async () => {
  const { id } = await link(told);
  const headers = { "x-ofauth-edge": "spoofed", "x-ofauth-edge-action": "spoofed" };
  for (const [status, verdict] of [[200, undefined], [302, undefined], [404, "give_up"], [500, "retry"]]) {
    upstream.say({ status, body: "", headers });
    const answer = await access(told, id, { method: "POST" });
    assert.deepEqual(marks(answer), ["upstream", verdict], `${status}`);
  }
});

test("every error of the gateway has the verdict", async (t) => {
  const { reference, handle } = await link(gateway);
  const bearer = (claims) => ({ authorization: `Bearer ${tokenOf({ sub: reference, permissions: ["profile:read"], ...claims })}` });
  const key = { apikey: gateway.vars.GATEWAY_KEY };
  const now = unixNow();
  const verdicts = [
    ["CREDENTIALS_MISSING", "give_up", PATH, {}],
    ["CREDENTIALS_INVALID", "give_up", PATH, { apikey: "x" }],
    ["CREDENTIALS_INVALID", "refresh_token", PATH, bearer({ exp: now + 90_000 })],
    ["TOKEN_EXPIRED", "refresh_token", PATH, bearer({ iat: now - 100, exp: now - 10 })],
    ["PERMISSION_DENIED", "give_up", PATH, bearer()],
    ["ORIGIN_DENIED", "give_up", PATH, { ...key, origin: "https://other.example" }],
    ["CONNECTION_NOT_FOUND", "relink", PATH, { ...key, "x-connection-id": `acct_${"0".repeat(32)}` }],
    ["CONNECTION_NOT_FOUND", "relink", `/edge/connections/acct_${"0".repeat(32)}`, bearer()],
    ["ROUTE_NOT_FOUND", "give_up", "/v2/nowhere", key],
    ["ROUTE_NOT_FOUND", "give_up", "/edge/nowhere", key],
    ["BAD_REQUEST", "give_up", PATH, key],
    ["BAD_REQUEST", "give_up", "/edge/connections?nothing=1", key],
    ["METHOD_NOT_ALLOWED", "give_up", "/edge/sessions", key],
  ];
  const check = (answer, type, verdict, target) => {
    assert.deepEqual([answer.json().type, marks(answer)], [type, ["gateway", verdict]], `${target}: ${answer.text}`);
  };
  for (const [type, verdict, target, headers] of verdicts) {
    check(await gateway.send("GET", target, { headers }), type, verdict, target);
  }
  emulator.fault({ kind: "drop" });
  check(await access(gateway, handle), "UPSTREAM_UNREACHABLE", "retry", PATH);
  const unready = await startGateway({ vars: { STORAGE_KEY: undefined } });
  t.after(() => unready.close());
  check(await access(unready, handle), "NOT_CONFIGURED", "operator", PATH);
});

test("no answer may be stored or sniffed, and each has an id and says who made it", async () => {
  const { id, reference, handle } = await link(told);
  const authorization = `Bearer ${tokenOf({ sub: reference, permissions: ["access:any"] })}`;
  const hostile = { "cache-control": "public, max-age=60", vary: "accept-encoding", "x-content-type-options": "sniff" };
  const replies = [
    ...[200, 204, 302, 304, 404, 500].map((status) => ({ status, body: "" })),
    { status: 401, body: '{"type":"SESSION_EXPIRED"}' },
  ];
  const answers = [];
  for (const reply of replies) {
    upstream.say({ ...reply, headers: hostile });
    const answer = await access(told, id, { method: "POST" });
    assert.ok(varies(answer).includes("accept-encoding"));
    answers.push(answer, await told.send("POST", PATH, { headers: { authorization } }));
  }
  const own = ["/edge/connections", `/edge/connections/${handle}`, "/edge/events", "/edge/nowhere", "/v2/nowhere"];
  for (const target of own) {
    const credentials = [{}, { apikey: told.vars.GATEWAY_KEY }, { authorization }];
    for (const headers of credentials) answers.push(await told.send("GET", target, { headers }));
  }
  for (const { status, headers } of answers) {
    assert.equal(headers["cache-control"], "private, no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(headers["x-request-id"], /^req_[\w-]+$/);
    assert.match(headers["x-ofauth-edge"], /^(gateway|upstream)$/);
    const named = varies({ headers });
    const missing = ["origin", "authorization", "apikey", "x-connection-id"].filter((name) => !named.includes(name));
    assert.deepEqual(missing, [], `${status}: ${headers.vary}`);
  }
});

function varies({ headers }) {
  return headers.vary.toLowerCase().split(",").map((name) => name.trim());
}
