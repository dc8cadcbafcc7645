// Faults to order: 1. which calls a rule is for, 2. refusals and limits, 3. other statuses, 4. slowness and broken
// connections, 5. answers that mislead, 6. setting rules over HTTP.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { buffer, json, text } from "node:stream/consumers";
import { after, beforeEach, test } from "node:test";

import { sha256OfLarge, startEmulator } from "./emulator.mjs";
import { exchange, until } from "./testing.mjs";

const API_KEY = "sk_sandbox_faults";
const CALLER = { apikey: API_KEY, "x-connection-id": "conn_alice" };
const SELF = "/v2/access/self";

const emulator = await startEmulator({ apiKey: API_KEY });
for (const id of ["conn_alice", "conn_bob"]) emulator.connections.put({ id });
after(() => emulator.close());
beforeEach(() => {
  emulator.heal();
  emulator.clear();
});

test("a rule without a match is for every call, proxied ones too, until it is healed", async () => {
  emulator.fault({ kind: "status", code: 503 });
  for (const path of [SELF, "/v2/access/proxy/echo", "/v2/access/nowhere"]) assert.equal(await statusOf(path), 503);
  emulator.heal();
  assert.equal(await statusOf(SELF), 200);
});

test("a rule matches if the method, the beginning of the path and the connection all do", async () => {
  const match = { method: "POST", path: "/v2/access/proxy/", connection: "conn_alice" };
  emulator.fault({ kind: "status", code: 500, match });
  const path = "/v2/access/proxy/echo?x=1";
  assert.equal(await statusOf(path, { method: "POST" }), 500);
  assert.equal(await statusOf(path), 200);
  assert.equal(await statusOf(SELF, { method: "POST" }), 404);
  assert.equal(await statusOf(path, { method: "POST", headers: { ...CALLER, "x-connection-id": "conn_bob" } }), 200);
});

test("a rule that is used up makes way for the next one, so rules are a script", async () => {
  emulator.fault({ kind: "status", code: 502, times: 2 });
  emulator.fault({ kind: "limit", times: 1, match: { path: SELF } });
  const seen = [];
  while (seen.length < 5) seen.push(await statusOf(SELF));
  assert.deepEqual(seen, [502, 502, 429, 200, 200]);
});

test("a call with a wrong key uses up no rule, and one without a connection does", async () => {
  emulator.fault({ kind: "status", code: 500, times: 1 });
  assert.equal(await statusOf(SELF, { headers: { ...CALLER, apikey: "sk_live_other" } }), 401);
  assert.equal(await statusOf(SELF, { headers: { apikey: API_KEY } }), 500);
});

test("a call that a fault answers is recorded with its body", async () => {
  emulator.fault({ kind: "drop" });
  await assert.rejects(call("/v2/access/proxy/echo", { method: "POST", body: "hello" }), { code: "ECONNRESET" });
  await until(() => emulator.requests[0].aborted);
  assert.deepEqual([emulator.requests[0].bodyLength, emulator.requests.length], [5, 1]);
});

test("a refusal has the status of its type, and a session's has a hint unless that is turned off", async () => {
  const cases = [
    [{ type: "SESSION_EXPIRED" }, 401, "relink_connection"],
    [{ type: "SESSION_NOT_PROVIDED" }, 401, "relink_connection"],
    [{ type: "SESSION_EXPIRED", hint: false }, 401, undefined],
    [{ type: "SESSION_EXPIRED", actionRequired: "refresh_session" }, 401, "refresh_session"],
    ...["UNAUTHORIZED", "RULES_OUTDATED"].map((type) => [{ type }, 401, undefined]),
    [{ type: "FORBIDDEN" }, 403, undefined],
    [{ type: "FORBIDDEN", actionRequired: "verify_identity" }, 403, "verify_identity"],
  ];
  for (const [fields, status, action] of cases) {
    const answer = await faulted({ kind: "refuse", ...fields });
    const { type, error, requestId, actionRequired } = await json(answer);
    assert.deepEqual([answer.statusCode, type, actionRequired], [status, fields.type, action]);
    assert.deepEqual([typeof error, requestId], ["string", answer.headers["x-request-id"]]);
  }
});

test("a refusal comes in each of the forms that occur in practice", async () => {
  const variants = {
    code: { code: "SESSION_EXPIRED", message: "Session expired", actionRequired: "relink_connection" },
    lower: { type: "session_expired", error: "Session expired", actionRequired: "relink_connection" },
    snake: { type: "SESSION_EXPIRED", error: "Session expired", action_required: "relink_connection" },
  };
  for (const [variant, expected] of Object.entries(variants)) {
    const { requestId, ...rest } = await json(await faulted({ kind: "refuse", type: "SESSION_EXPIRED", variant }));
    assert.deepEqual([typeof requestId, rest], ["string", expected]);
  }
});

test("a limit says how long to wait only where its rule does, and its reset agrees", async () => {
  const cases = [
    [{}, undefined, undefined, undefined, 60],
    [{ retryAfter: 7 }, "7", undefined, undefined, 7],
    [{ rateLimitRetryAfter: 8 }, undefined, "8", undefined, 8],
    [{ bodyRetryAfter: 9 }, undefined, undefined, 9, 9],
    [{ retryAfter: 0, bodyRetryAfter: 9 }, "0", undefined, 9, 0],
  ];
  for (const [fields, retryAfter, rateLimit, inBody, wait] of cases) {
    const before = Date.now() / 1000;
    const { statusCode, headers, ...answer } = await faulted({ kind: "limit", ...fields }).then(withBody);
    assert.deepEqual([statusCode, answer.type], [429, "RATE_LIMIT_EXCEEDED"]);
    const waits = [headers["retry-after"], headers["x-ratelimit-retry-after"], answer.retryAfter];
    assert.deepEqual([...waits, headers["x-ratelimit-remaining"]], [retryAfter, rateLimit, inBody, "0"]);
    const ahead = Number(headers["x-ratelimit-reset"]) - before;
    assert.ok(ahead >= wait && ahead < wait + 10, `${ahead}`);
  }
});

test("a status comes with OFAuth's error for it, or with HTML, with nothing, or with over 64 KB", async () => {
  const types = { 401: "SESSION_EXPIRED", 403: "FORBIDDEN", 500: "UNKNOWN_ERROR", 502: "PROXY_ERROR", 503: "NETWORK_ERROR" };
  for (const [code, type] of Object.entries(types)) {
    const ask = async (body) => {
      const answer = await faulted({ kind: "status", code: Number(code), body });
      assert.equal(answer.statusCode, Number(code));
      return { kind: answer.headers["content-type"], sent: await text(answer) };
    };
    assert.equal(JSON.parse((await ask()).sent).type, type);
    assert.deepEqual(await ask("empty"), { kind: undefined, sent: "" });
    assert.match((await ask("html")).sent, /^<!doctype html>/);
    const big = await ask("big");
    assert.deepEqual([big.kind, JSON.parse(big.sent).type, big.sent.length > 65_536], ["application/json", type, true]);
  }
});

test("a slow answer is the route's own, and begins after the delay", async () => {
  const begun = performance.now();
  const answer = await faulted({ kind: "slow", ms: 80 });
  assert.ok(performance.now() - begun >= 78);
  assert.deepEqual([(await json(answer)).isAuth, emulator.requests[0].aborted], [true, false]);
});

test("any fault can be delayed, and its answer is the same", async () => {
  const delayMs = 80;
  const cases = [
    [{ kind: "refuse", type: "SESSION_EXPIRED" }, 401],
    [{ kind: "limit", retryAfter: 7 }, 429],
    [{ kind: "status", code: 502, body: "html" }, 502],
    [{ kind: "redirect", to: "/elsewhere" }, 302],
    [{ kind: "unauthenticatedSelf" }, 200],
  ];
  const told = async (rule) => {
    const answer = await faulted(rule);
    const body = (await text(answer)).replace(answer.headers["x-request-id"], "");
    return { status: answer.statusCode, body, location: answer.headers.location, wait: answer.headers["retry-after"] };
  };
  for (const [rule, status] of cases) {
    const begun = performance.now();
    const late = await told({ ...rule, delayMs });
    assert.ok(performance.now() - begun >= delayMs - 2, rule.kind);
    assert.equal(late.status, status);
    assert.deepEqual(late, await told(rule));
  }
  const begun = performance.now();
  await assert.rejects(faulted({ kind: "drop", delayMs }), { code: "ECONNRESET" });
  assert.ok(performance.now() - begun >= delayMs - 2);
});

test("a caller who gives up on a slow or delayed answer, or on a slow body, is recorded as aborted at once", async () => {
  const rules = [{ kind: "slow", ms: 600_000 }, { kind: "status", code: 500, delayMs: 600_000 }];
  for (const [index, rule] of rules.entries()) {
    emulator.fault({ ...rule, times: 1 });
    const waiting = http.get(`${emulator.url}${SELF}`, { headers: CALLER, agent: false }).on("error", () => {});
    await until(() => emulator.requests[index]?.bodyLength === 0);
    waiting.destroy();
    await until(() => emulator.requests[index].aborted);
  }

  const answer = await faulted({ kind: "slowBody", ms: 600_000 }); // its headers are there, with ten minutes to go
  answer.destroy();
  await until(() => emulator.requests[2].aborted);
});

test("a slow body arrives whole after the delay, small, streamed or of several parts", async () => {
  const ask = async (path) => {
    const begun = performance.now();
    const body = await buffer(await faulted({ kind: "slowBody", ms: 80 }, path));
    assert.ok(performance.now() - begun >= 78, path);
    return body;
  };
  assert.equal(JSON.parse(await ask(SELF)).isAuth, true);
  const large = await ask("/v2/access/proxy/large?bytes=3000001");
  assert.equal(createHash("sha256").update(large).digest("hex"), sha256OfLarge(3_000_001));
  assert.equal(String(await ask("/v2/access/proxy/sse?count=3&interval=1")).match(/"n":[012]/g).length, 3);
});

test("an answer that is dropped midway has headers and a beginning, and no end", async () => {
  const answer = await faulted({ kind: "dropMidway" });
  assert.equal(answer.statusCode, 200);
  let length = 0;
  answer.on("data", (part) => (length += part.length));
  await assert.rejects(once(answer, "end"), { code: "ECONNRESET" });
  assert.ok(length > 0 && length < Number(answer.headers["content-length"]), String(length));
  await until(() => emulator.requests[0].aborted);
});

test("a redirect leads where its rule says, also from a managed route", async () => {
  const { statusCode, headers } = await faulted({ kind: "redirect", to: "http://127.0.0.1:9/elsewhere" });
  assert.deepEqual([statusCode, headers.location], [302, "http://127.0.0.1:9/elsewhere"]);
});

test("only GET self reports a dead session, and no other call uses the rule up", async () => {
  emulator.fault({ kind: "unauthenticatedSelf", times: 1, match: { connection: "conn_alice" } });
  const others = [await statusOf("/v2/access/subscribers"), await statusOf(SELF, { method: "POST" })];
  assert.deepEqual(others, [200, 404]);
  assert.equal((await json(await call(SELF, { headers: { ...CALLER, "x-connection-id": "conn_bob" } }))).isAuth, true);
  assert.deepEqual(await json(await call(SELF)), { isAuth: false });
  assert.equal((await json(await call(SELF))).isAuth, true);
});

test("control sets and heals faults without being recorded or faulted itself", async () => {
  assert.equal((await setFault({ kind: "status", code: 502, times: 1 })).statusCode, 204);
  assert.equal((await setFault({ kind: "status", code: 500 })).statusCode, 204);
  assert.deepEqual([await statusOf(SELF), await statusOf(SELF)], [502, 500]);
  assert.equal(await statusOf("/_emulator/faults", { method: "DELETE" }), 204);
  assert.equal(await statusOf(SELF), 200);
  assert.equal(emulator.requests.length, 3);
});

test("a wrong rule is refused with its wrong field, over HTTP and in the process", async () => {
  const wrong = [
    [null, /object with a kind/],
    [{ kind: "constructor" }, /kind: one of/],
    [{ kind: "refuse" }, /type: one of SESSION_EXPIRED/],
    [{ kind: "limit", retryAfter: "60" }, /retryAfter: a whole number/],
    [{ kind: "limit", retry: 60 }, /limit has no retry/],
    [{ kind: "status", code: 200 }, /code: a whole number from 400 to 599/],
    [{ kind: "redirect", to: "a b" }, /to: a URL/],
    [{ kind: "drop", times: 0 }, /times: a whole number from 1/],
    [{ kind: "drop", delayMs: -1 }, /delayMs: a whole number/],
    [{ kind: "slow", ms: 1, delayMs: 1 }, /slow has no delayMs/],
    [{ kind: "drop", match: { host: "x" } }, /match has no host/],
    [{ kind: "drop", match: { method: "get" } }, /method: an HTTP method in capitals/],
    [{ kind: "drop", match: { path: "/v2?x" } }, /path: how a path begins/],
    [{ kind: "drop", match: { connection: "" } }, /connection: a connection id/],
  ];
  for (const [rule, words] of wrong) {
    assert.throws(() => emulator.fault(rule), { name: "TypeError", message: words });
    const { statusCode, type, error } = await setFault(rule).then(withBody);
    assert.deepEqual([statusCode, type, words.test(error)], [400, "BAD_REQUEST", true]);
  }
  assert.match((await setFault({ kind: "drop" }, {}).then(withBody)).error, /application\/json/);
  assert.match((await setFault("{").then(withBody)).error, /must be JSON/);
  assert.equal(await statusOf(SELF), 200);
});

function faulted(rule, path = SELF) {
  emulator.fault({ times: 1, ...rule });
  return call(path);
}

function setFault(rule, headers = { "content-type": "application/json" }) {
  const body = typeof rule === "string" ? rule : JSON.stringify(rule);
  return call("/_emulator/faults", { method: "POST", headers, body });
}

async function statusOf(path, options) {
  return (await call(path, options)).resume().statusCode;
}

async function withBody(answer) {
  return { statusCode: answer.statusCode, headers: answer.headers, ...(await json(answer)) };
}

function call(path, options) {
  return exchange(emulator, path, { headers: CALLER, ...options });
}
