// An upstream that fails: 1. a GET or HEAD is sent again where that may help, at most three times, 2. what is the caller's to
// wait for, or would fail again, comes back at once, 3. any other method is sent exactly once, 4. the deadline, 5. a caller
// that goes away.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";

import { eventually, open, refusal, startGateway } from "./harness.mjs";
import { access, link, marks, recordOf } from "./shown.mjs";

const CALLER = { "x-connection-id": "conn_retries" };
const PATH = "/v2/access/subscribers";
const SELF = "/v2/access/self";
const ECHO = "/v2/access/proxy/echo";
const PATIENCE = 10_000;
const TOLERANCE = 2_500; // a machine that is busy with other things
const HOPELESS = 45_000;

const BAD_GATEWAY = { kind: "status", code: 502 };
const UNAVAILABLE = { kind: "status", code: 503 };
const OUTDATED = { kind: "refuse", type: "RULES_OUTDATED" };
const DROP = { kind: "drop" };
const PASSING = [
  ["a 502", BAD_GATEWAY],
  ["a 502 of a proxy", { ...BAD_GATEWAY, body: "html" }],
  ["an empty 502", { ...BAD_GATEWAY, body: "empty" }],
  ["a long 502", { ...BAD_GATEWAY, body: "big" }],
  ["a 503", UNAVAILABLE],
  ["a dropped connection", DROP],
  ["a 429 that asks for no wait", { kind: "limit", retryAfter: 0 }],
];
const OUTDATED_FORMS = [OUTDATED, ...["code", "lower", "snake"].map((variant) => ({ ...OUTDATED, variant }))];

const gateway = await startGateway();
const { emulator } = gateway;
after(() => gateway.close());
beforeEach(() => {
  emulator.heal();
  emulator.clear();
});

for (const [name, rule] of PASSING) {
  test(`a GET or HEAD is repeated after ${name}, and succeeds`, async () => {
    for (const method of ["GET", "HEAD"]) {
      emulator.clear();
      emulator.fault({ ...rule, times: 1 });
      const { status, headers, text } = await call(method, `${PATH}?limit=2&x=%zz`);
      assert.equal(status, 200, `${method}: ${text}`);
      assert.equal(headers["x-ofauth-edge"], "upstream");
      assert.equal(headers["x-ofauth-edge-action"], undefined);
      if (method === "GET") assert.equal(JSON.parse(text).list.length, 2);
      const sent = emulator.requests.map(({ method, path, headers }) => ({ method, path, headers }));
      assert.equal(sent.length, 2);
      assert.deepEqual(sent[1], sent[0], "sent again as it was");
    }
  });
}

test("a GET is repeated after RULES_OUTDATED in each of its forms, and succeeds", async () => {
  for (const rule of OUTDATED_FORMS) {
    emulator.clear();
    emulator.fault({ ...rule, times: 1 });
    assert.equal((await call("GET", PATH)).status, 200, JSON.stringify(rule));
    assert.equal(emulator.requests.length, 2);
  }
});

test("a Retry-After of up to two seconds is waited for", async () => {
  for (const seconds of [1, 2]) {
    emulator.clear();
    emulator.fault({ kind: "limit", retryAfter: seconds, times: 1 });
    const { status, ms } = await call("GET", PATH);
    assert.deepEqual([status, emulator.requests.length], [200, 2]);
    assert.ok(ms >= seconds * 1_000 - 50, `tried again after ${ms} ms`);
  }
});

test("a GET is repeated after two different faults, and succeeds", async () => {
  const ring = [BAD_GATEWAY, DROP, OUTDATED, UNAVAILABLE];
  for (const [index, first] of ring.entries()) {
    const second = ring[(index + 1) % ring.length];
    emulator.clear();
    emulator.fault({ ...first, times: 1 });
    emulator.fault({ ...second, times: 1 });
    assert.equal((await call("GET", PATH)).status, 200, `${first.kind}, ${second.kind}`);
    assert.equal(emulator.requests.length, 3);
  }
});

test("after three tries the caller gets the last answer, with the verdict", async () => {
  const last = [[BAD_GATEWAY, 502, "PROXY_ERROR"], [UNAVAILABLE, 503, "NETWORK_ERROR"], [OUTDATED, 401, "RULES_OUTDATED"]];
  for (const [rule, status, type] of last) {
    emulator.heal();
    emulator.clear();
    emulator.fault(rule);
    const answer = await call("GET", PATH);
    assert.deepEqual(refusal(answer), [status, type]);
    assert.deepEqual(marks(answer), ["upstream", "retry"]);
    assert.equal(emulator.requests.length, 3);
  }
});

test("three dropped connections are 502 in OFAuth's shape", async () => {
  for (const method of ["GET", "HEAD"]) {
    emulator.clear();
    emulator.heal();
    emulator.fault(DROP);
    const answer = await call(method, PATH);
    assert.equal(answer.status, 502);
    if (method === "GET") assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"]);
    assert.deepEqual(marks(answer), ["gateway", "retry"]);
    assert.equal(emulator.requests.length, 3);
  }
});

test("a 429 that asks for more, or names no Retry-After, comes back at once with its headers", async () => {
  const waits = [{ retryAfter: 3 }, { retryAfter: 60 }, { retryAfter: 86_400 }, {}, { rateLimitRetryAfter: 1 }];
  for (const wait of [...waits, { bodyRetryAfter: 1 }, { retryAfter: 3, rateLimitRetryAfter: 1, bodyRetryAfter: 1 }]) {
    emulator.heal();
    emulator.clear();
    emulator.fault({ kind: "limit", ...wait });
    const answer = await call("GET", PATH);
    assert.deepEqual([answer.status, answer.json().type], [429, "RATE_LIMIT_EXCEEDED"]);
    assert.equal(emulator.requests.length, 1, JSON.stringify(wait));
    assert.ok(answer.ms < 1_000 + TOLERANCE, `${answer.ms} ms`);
    const text = (seconds) => (seconds === undefined ? undefined : String(seconds));
    const { headers } = answer;
    assert.equal(headers["retry-after"], text(wait.retryAfter));
    assert.equal(headers["x-ratelimit-retry-after"], text(wait.rateLimitRetryAfter));
    assert.deepEqual([headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]], ["60", "0"]);
    assert.match(headers["x-ratelimit-reset"], /^\d+$/);
    assert.equal(answer.json().retryAfter, wait.bodyRetryAfter);
    assert.deepEqual(marks(answer), ["upstream", "retry"]);
  }
});

test("a call that would fail again is not repeated", async () => {
  const final = [400, 403, 404, 405, 409, 418, 500, 501, 504].map((code) => ({ kind: "status", code }));
  const refusals = ["SESSION_EXPIRED", "SESSION_NOT_PROVIDED", "UNAUTHORIZED", "FORBIDDEN"];
  const redirect = { kind: "redirect", to: "https://x.example/" };
  for (const rule of [...final, ...refusals.map((type) => ({ kind: "refuse", type })), redirect]) {
    emulator.clear();
    emulator.fault({ ...rule, times: 1 });
    assert.notEqual((await call("GET", PATH)).status, 200, JSON.stringify(rule));
    assert.equal(emulator.requests.length, 1, JSON.stringify(rule));
  }
});

test("a call whose answer has begun is not repeated", async () => {
  emulator.fault({ kind: "dropMidway", times: 1 });
  await assert.rejects(call("GET", PATH), { code: "ECONNRESET" });
  assert.equal(emulator.requests.length, 1);
});

test("under the raw proxy RULES_OUTDATED is not OFAuth's and not repeated, and a 502 is", async () => {
  emulator.fault({ ...OUTDATED, times: 1 });
  const answer = await call("GET", ECHO);
  assert.deepEqual([answer.status, answer.json().type, emulator.requests.length], [401, "RULES_OUTDATED", 1]);
  emulator.clear();
  emulator.fault({ ...BAD_GATEWAY, times: 1 });
  assert.equal((await call("GET", ECHO)).status, 200);
  assert.equal(emulator.requests.length, 2);
});

test("any other method is sent exactly once, whatever happens", async () => {
  const rules = [...PASSING.map(([, rule]) => rule), ...OUTDATED_FORMS, { kind: "limit", retryAfter: 1 }];
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    for (const body of ["", "{}"]) {
      for (const rule of rules) {
        emulator.clear();
        emulator.fault({ ...rule, times: 1 });
        const headers = { ...CALLER, "content-length": body.length };
        const answer = await gateway.call(method, ECHO, { headers, body });
        const what = `${method} ${JSON.stringify(rule)}`;
        if (rule.kind === "drop") assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"], what);
        assert.equal(answer.status, { status: rule.code, limit: 429, refuse: 401, drop: 502 }[rule.kind], what);
        assert.equal(emulator.requests.length, 1, what);
      }
    }
  }
});

test("a call whose body breaks off is not repeated", async () => {
  const request = openAs("POST", ECHO, { "content-length": 1_000 });
  request.on("error", () => {}).write("half");
  await eventually(() => emulator.requests.length === 1);
  request.destroy();
  await eventually(() => emulator.requests[0].aborted);
  assert.equal((await call("GET", ECHO)).status, 200);
  assert.deepEqual(emulator.requests.map(({ method }) => method), ["POST", "GET"]);
});

// Side by side, since each waits for the deadline, with an emulator that nobody heals meanwhile.
describe("the deadline", { concurrency: true }, () => {
  let patient;
  before(async () => {
    patient = await startGateway();
  });
  after(() => patient.close());
  const fault = (path, rule) => patient.emulator.fault({ ...rule, match: { path } });
  const slow = (path) => fault(path, { kind: "slow", ms: HOPELESS });
  const ask = (method, path) => patient.call(method, path, { headers: CALLER });
  const asked = (path) => patient.emulator.requests.filter((request) => request.path === path);
  const expired = async (path, method, tries) => {
    const answer = await ask(method, path);
    assert.equal(answer.status, 502);
    if (method === "GET") assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"]);
    assert.deepEqual(marks(answer), ["gateway", "retry"]);
    assert.ok(answer.ms > PATIENCE - 500 && answer.ms < PATIENCE + TOLERANCE, `${answer.ms} ms`);
    assert.equal(asked(path).length, tries);
    await eventually(() => asked(path).every(({ aborted }, index) => aborted || index < tries - 1));
  };

  test("a GET without an answer ends at the deadline", async () => {
    slow(`${ECHO}/get`);
    await expired(`${ECHO}/get`, "GET", 1);
  });

  test("a HEAD without an answer ends at the deadline", async () => {
    slow(`${ECHO}/head`);
    await expired(`${ECHO}/head`, "HEAD", 1);
  });

  test("all tries of a call have one deadline", async () => {
    const path = `${ECHO}/tries`;
    fault(path, { kind: "limit", retryAfter: 2, times: 1 });
    fault(path, { ...UNAVAILABLE, times: 1 });
    slow(path);
    await expired(path, "GET", 3);
  });

  for (const [name, path, status] of [["a refusal", PATH, 401], ["/self", SELF, 200]]) {
    test(`${name} whose body does not come ends at the deadline too`, async (t) => {
      const head = `HTTP/1.1 ${status} Told\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{`;
      const beside = await startGateway({ vars: { OFAUTH_API_URL: await startSilent(t, head) } });
      t.after(() => beside.close());
      const begun = performance.now();
      const request = openAs("GET", path, {}, beside);
      request.on("error", () => {}).end();
      t.after(() => request.destroy());
      const [response] = await once(request, "response", { signal: AbortSignal.timeout(PATIENCE + 2 * TOLERANCE) });
      const ms = performance.now() - begun;
      assert.ok([status, 502].includes(response.statusCode));
      assert.ok(ms < PATIENCE + TOLERANCE, `${ms} ms`);
    });
  }

  test("a body that comes late, after its headers came in time, is not cut", async () => {
    for (const path of [`${ECHO}/body`, SELF]) fault(path, { kind: "slowBody", ms: PATIENCE + 2_000 });
    const [echo, self] = await Promise.all([ask("GET", `${ECHO}/body`), ask("GET", SELF)]);
    assert.deepEqual([echo.status, echo.json().path], [200, `${ECHO}/body`]);
    assert.deepEqual([self.status, self.json().isAuth], [200, true]);
    for (const { ms } of [echo, self]) assert.ok(ms > PATIENCE + 1_900, `${ms} ms`);
  });

  test("a slow answer to any other method is waited for", async () => {
    fault(`${ECHO}/post`, { kind: "slow", ms: PATIENCE + 2_000 });
    const answer = await ask("POST", `${ECHO}/post`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(asked(`${ECHO}/post`).length, 1);
  });

  test("a refusal of any other method counts however late it comes, from the start of the call", async () => {
    const { id } = await link(patient);
    const path = "/v2/access/posts";
    const [begun, delayMs] = [Date.now(), PATIENCE + 2_000];
    fault(path, { kind: "refuse", type: "SESSION_EXPIRED", hint: false, delayMs });
    const answer = await access(patient, id, { method: "POST", path });
    assert.ok(answer.ms >= delayMs, `${answer.ms} ms`);
    assert.deepEqual([answer.status, answer.json().actionRequired], [401, "relink_connection"]);
    assert.deepEqual(marks(answer), ["upstream", "relink"]);
    assert.equal(asked(path).length, 1);
    const { status, expiredAt } = await recordOf(patient, id);
    const at = Date.parse(expiredAt) - begun;
    assert.ok(status === "expired" && at >= 0 && at < delayMs / 2, `${status} ${at} ms after the call began`);
  });
});

test("a caller that goes away while OFAuth is thinking cancels the call", async () => {
  for (const method of ["GET", "POST"]) {
    emulator.clear();
    emulator.heal();
    emulator.fault({ kind: "slow", ms: HOPELESS });
    const request = openAs(method, ECHO);
    request.on("error", () => {}).end();
    await eventually(() => emulator.requests.length === 1);
    assert.equal(emulator.requests[0].aborted, false);
    leave(request);
    await eventually(() => emulator.requests[0].aborted);
    assert.equal(emulator.requests.length, 1, method);
  }
});

test("if the caller goes away between two tries, there is no other try", async () => {
  emulator.fault({ kind: "limit", retryAfter: 2, times: 1 });
  const request = openAs("GET", `${ECHO}/left`);
  request.on("error", () => {}).end();
  await eventually(() => emulator.requests.length === 1);
  leave(request);
  // The next one's two waits last longer than the one that was left.
  emulator.fault({ kind: "limit", retryAfter: 2, times: 2, match: { path: `${ECHO}/next` } });
  assert.equal((await call("GET", `${ECHO}/next`)).status, 200);
  assert.equal(emulator.requests.filter(({ path }) => path === `${ECHO}/left`).length, 1);
});

/** With a reset: a mere end of what is sent could be half a connection, still open for the answer. */
function leave(request) {
  request.socket.resetAndDestroy();
}

function call(method, target) {
  return gateway.call(method, target, { headers: CALLER });
}

function openAs(method, target, headers = {}, { port, vars } = gateway) {
  return open(port, method, target, { apikey: vars.GATEWAY_KEY, ...CALLER, ...headers });
}

/** Says what it is given to whoever asks, and then nothing more. */
async function startSilent(t, bytes) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
