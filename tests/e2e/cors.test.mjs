// Other sites' pages: 1. what the gateway says to them, byte for byte, 2. what a real browser makes of it: calls from an
// allowed origin, with the headers they may read, 3. and from any other.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { servePages, startBrowser } from "../browser/browser.mjs";
import { refusal, startGateway, tokenOf, unixNow } from "./harness.mjs";

const APP = "https://app.example";
const PATH = "/v2/access/subscribers";
const ECHO = "/v2/access/proxy/echo";
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const SENT = ["authorization", "apikey", "content-type", "x-connection-id", "x-stainless-lang", "sentry-trace"];
const EXPOSED = [
  "retry-after",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
  "x-ratelimit-retry-after",
  "x-ofauth-upload-total-parts",
  "x-ofauth-upload-part-size",
  "x-request-id",
  "x-ofauth-edge",
  "x-ofauth-edge-action",
];

const pages = await servePages();
const allowed = `http://localhost:${pages.port}`;
const others = await servePages();
const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: `${APP},${allowed}` } });
const { emulator } = gateway;
after(async () => {
  await gateway.close();
  pages.close();
  others.close();
});
await gateway.deliver(connectionEvent("connection.created", { id: "conn_cors", clientReferenceId: "user_cors" }));
const token = tokenOf({ sub: "user_cors", permissions: ["access:any", "subscribers:read", "profile:read"] });
const [{ handle }] = (await gateway.call("GET", "/edge/connections?clientReferenceId=user_cors")).json().list;
beforeEach(() => {
  emulator.heal();
  emulator.clear();
});

const FOREIGN = [
  "https://other.example",
  "https://app.example.evil.example",
  "https://app.example:8443",
  "https://app.example/",
  "http://app.example",
  "https://APP.example",
  "https://sub.app.example",
  `${APP},${allowed}`,
  `http://127.0.0.1:${pages.port}`,
  "null",
  "*",
  "",
];

test("a preflight from an allowed origin is told what a page may do", async () => {
  for (const target of [PATH, ECHO, "/edge/connections", "/edge/events", "/v2/link/init"]) {
    for (const origin of [APP, allowed]) {
      for (const method of METHODS) {
        const answer = await preflight(target, origin, method, SENT.join(","));
        assert.deepEqual([answer.status, answer.text], [204, ""]);
        const { headers } = answer;
        assert.equal(headers["access-control-allow-origin"], origin);
        assert.deepEqual(listed(headers["access-control-allow-methods"]), listed(METHODS.join(",")));
        assert.deepEqual(listed(headers["access-control-allow-headers"]), SENT.toSorted());
        assert.equal(headers["access-control-allow-credentials"], undefined);
        assert.match(headers["access-control-max-age"], /^\d+$/);
        assert.ok(listed(headers.vary).includes("origin"));
        assert.deepEqual([headers["cache-control"], headers["x-ofauth-edge"]], ["private, no-store", "gateway"]);
      }
    }
  }
  assert.deepEqual(emulator.requests, []);
});

test("a preflight from any other origin is told nothing", async () => {
  for (const origin of FOREIGN) {
    const answer = await preflight(PATH, origin, "GET", "authorization");
    assert.deepEqual(refusal(answer), [403, "ORIGIN_DENIED"], origin);
    assert.equal(answer.json().error, `origin ${origin} is not in ALLOWED_ORIGINS`);
    assert.equal(answer.headers["x-ofauth-edge-action"], "give_up");
    assert.deepEqual(corsHeaders(answer), [], origin);
    assert.ok(listed(answer.headers.vary).includes("origin"));
  }
  assert.deepEqual(emulator.requests, []);
});

test("no page may call the webhook route or /healthz", async () => {
  for (const target of ["/webhooks/ofauth", "/healthz"]) {
    assert.deepEqual(corsHeaders(await preflight(target, APP, "POST", "content-type")), []);
    assert.deepEqual(corsHeaders(await gateway.send("GET", target, { headers: { origin: APP } })), []);
  }
});

test("an OPTIONS call that is no preflight is a call like any other", async () => {
  const headers = { authorization: `Bearer ${token}`, origin: APP };
  const answer = await gateway.send("OPTIONS", ECHO, { headers });
  assert.deepEqual([answer.status, answer.json().method], [200, "OPTIONS"]);
  assert.deepEqual(refusal(await gateway.send("OPTIONS", ECHO, { headers: { origin: APP } })), [401, "CREDENTIALS_MISSING"]);
});

test("every answer to an allowed origin may be read, whatever it is, and no answer to another", async () => {
  const authorization = `Bearer ${token}`;
  const targets = [
    [200, PATH, { authorization }],
    [200, "/v2/access/proxy/headers", { authorization }],
    [503, "/v2/access/proxy/status?code=503", { authorization }],
    [302, "/v2/access/proxy/redirect?status=302&to=/x", { authorization }],
    [200, "/edge/connections", { authorization }],
    [401, PATH, {}],
    [401, PATH, { authorization: "Bearer x" }],
    [403, "/edge/events", { authorization }],
    [404, "/edge/nowhere", { authorization }],
    [404, PATH, { authorization, "x-connection-id": `acct_${"0".repeat(32)}` }],
  ];
  for (const [status, target, headers] of targets) {
    for (const origin of [APP, allowed]) {
      const answer = await gateway.send("GET", target, { headers: { ...headers, origin } });
      assert.equal(answer.status, status, `${target}: ${answer.text}`);
      assert.equal(answer.headers["access-control-allow-origin"], origin);
      assert.deepEqual(listed(answer.headers["access-control-expose-headers"]), EXPOSED.toSorted());
      const names = ["access-control-allow-origin", "access-control-expose-headers"];
      assert.deepEqual(corsHeaders(answer).toSorted(), names, "nothing of the upstream's, and no credentials");
      assert.ok(listed(answer.headers.vary).includes("origin"));
    }
    for (const origin of FOREIGN) {
      const answer = await gateway.send("GET", target, { headers: { ...headers, origin } });
      assert.deepEqual(corsHeaders(answer), [], `${origin} ${target}`);
    }
    assert.deepEqual(corsHeaders(await gateway.send("GET", target, { headers })), []);
  }
});

test("without ALLOWED_ORIGINS no origin is allowed", async (t) => {
  const closed = await startGateway();
  t.after(() => closed.close());
  for (const origin of [APP, "null", "", "*"]) {
    const headers = { origin, "access-control-request-method": "GET" };
    assert.deepEqual(corsHeaders(await closed.send("OPTIONS", PATH, { headers })), []);
    assert.deepEqual(corsHeaders(await closed.send("GET", PATH, { headers: { origin } })), []);
  }
});

describe("in a browser", () => {
  let browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  const bearer = { authorization: `Bearer ${token}` };

  test("a page of an allowed origin calls with every method, by either header, and its body arrives", async (t) => {
    const fetchIn = await openPage(t, allowed);
    for (const method of METHODS) {
      for (const credential of [bearer, { apikey: token }]) {
        emulator.clear();
        const body = ["GET", "HEAD"].includes(method) ? undefined : JSON.stringify({ from: method });
        const headers = { ...credential, "x-connection-id": handle, ...(body && { "content-type": "application/json" }) };
        const answer = await fetchIn(ECHO, { method, headers, body });
        assert.deepEqual([answer.error, answer.status], [undefined, 200], method);
        if (method !== "HEAD") assert.equal(JSON.parse(answer.text).method, method);
        assert.equal(emulator.requests.length, 1);
        const [seen] = emulator.requests;
        assert.deepEqual([seen.method, seen.bodyLength], [method, body?.length ?? 0]);
        assert.equal(seen.headers["x-connection-id"], "conn_cors");
      }
    }
  });

  test("a page lists its connections, and no answer comes from the browser's cache", async (t) => {
    const fetchIn = await openPage(t, allowed);
    const { status, text } = await fetchIn("/edge/connections", { headers: bearer });
    assert.deepEqual([status, JSON.parse(text).list.map(({ id }) => id)], [200, [handle]]);
    for (const time of ["first", "second"]) assert.equal((await fetchIn(PATH, { headers: bearer })).status, 200, time);
    assert.equal(emulator.requests.length, 2);
  });

  test("a page reads the exposed headers and no others", async (t) => {
    const fetchIn = await openPage(t, allowed);
    const ok = await fetchIn("/v2/access/proxy/headers", { headers: bearer });
    assert.equal(ok.status, 200);
    assert.match(ok.headers["x-request-id"], /^req_/);
    const read = ["limit", "remaining", "reset"].map((name) => ok.headers[`x-ratelimit-${name}`]);
    assert.deepEqual([...read, ok.headers["x-ofauth-upload-total-parts"]], ["60", "59", "1700000060", "3"]);
    assert.equal(ok.headers["x-ofauth-edge"], "upstream");
    const content = ["language", "length", "type"].map((name) => `content-${name}`);
    const safelisted = [...content, "cache-control", "expires", "last-modified", "pragma"];
    const visible = Object.keys(ok.headers).filter((name) => !safelisted.includes(name));
    assert.deepEqual(visible.filter((name) => !EXPOSED.includes(name)), []);

    emulator.fault({ kind: "limit", retryAfter: 30, rateLimitRetryAfter: 31 });
    const limited = await fetchIn(PATH, { headers: bearer });
    const told = ["retry-after", "x-ratelimit-retry-after", "x-ofauth-edge-action"].map((name) => limited.headers[name]);
    assert.deepEqual([limited.status, ...told], [429, "30", "31", "retry"]);
  });

  test("a page reads the gateway's refusals, with the verdict", async (t) => {
    const fetchIn = await openPage(t, allowed);
    const expired = tokenOf({ sub: "user_cors", permissions: [], iat: unixNow() - 100, exp: unixNow() - 10 });
    const refusals = [
      [401, "CREDENTIALS_MISSING", "give_up", {}],
      [401, "TOKEN_EXPIRED", "refresh_token", { authorization: `Bearer ${expired}` }],
      [404, "CONNECTION_NOT_FOUND", "relink", { ...bearer, "x-connection-id": `acct_${"0".repeat(32)}` }],
      [403, "ORIGIN_DENIED", "give_up", { apikey: gateway.vars.GATEWAY_KEY, "x-connection-id": handle }],
    ];
    for (const [status, type, action, headers] of refusals) {
      const answer = await fetchIn(PATH, { headers });
      assert.deepEqual([answer.error, answer.status], [undefined, status], type);
      const body = JSON.parse(answer.text);
      assert.deepEqual([body.type, body.requestId], [type, answer.headers["x-request-id"]]);
      assert.deepEqual([answer.headers["x-ofauth-edge"], answer.headers["x-ofauth-edge-action"]], ["gateway", action]);
    }
    assert.deepEqual(emulator.requests, []);
  });

  test("a page may send any header, as SDKs do, and OFAuth does not get those that the gateway removes", async (t) => {
    const fetchIn = await openPage(t, allowed);
    const headers = { ...bearer, "x-other": "1", "x-stainless-lang": "js", "x-of-cookie": "sess=1" };
    assert.equal((await fetchIn(PATH, { headers })).status, 200);
    const [seen] = emulator.requests;
    assert.deepEqual([seen.headers["x-other"], seen.headers["x-stainless-lang"]], ["1", "js"]);
    assert.equal(seen.headers["x-of-cookie"], undefined);
  });

  test("if a page sends cookies, the browser does not let it read the answer", async (t) => {
    const fetchIn = await openPage(t, allowed);
    assert.match((await fetchIn(PATH, { headers: bearer, credentials: "include" })).error, /^TypeError/);
  });

  test("a page of any other origin can read nothing, and nothing reaches OFAuth", async (t) => {
    for (const origin of [`http://127.0.0.1:${pages.port}`, `http://localhost:${others.port}`]) {
      const fetchIn = await openPage(t, origin);
      for (const target of [PATH, ECHO, "/edge/connections"]) {
        for (const method of METHODS) {
          const answer = await fetchIn(target, { method, headers: { ...bearer, "x-connection-id": handle } });
          assert.match(answer.error ?? "", /^TypeError/, `${origin} ${method} ${target}`);
        }
        // Without a preflight, and so without a credential.
        assert.match((await fetchIn(target, {})).error ?? "", /^TypeError/);
        const opaque = await fetchIn(target, { method: "POST", mode: "no-cors", body: "{}" });
        assert.deepEqual([opaque.status, opaque.text], [0, ""]);
      }
    }
    assert.deepEqual(emulator.requests, []);
  });

  test("a frame without an origin can read nothing", async (t) => {
    const fetchIn = await openPage(t, allowed, { sandboxed: true });
    assert.match((await fetchIn(PATH, { headers: bearer })).error ?? "", /^TypeError/);
    assert.deepEqual(emulator.requests, []);
  });

  /** Opens a page; gives its `fetch` of a target on the gateway. */
  async function openPage(t, origin, { sandboxed = false } = {}) {
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(`${origin}/`);
    const frame = sandboxed ? await addSandbox(page) : page;
    const base = `http://127.0.0.1:${gateway.port}`;
    return (target, init) => frame.evaluate(fetchInPage, { url: base + target, init });
  }
});

async function addSandbox(page) {
  await page.setContent('<iframe sandbox="allow-scripts" srcdoc="<!doctype html>"></iframe>');
  return (await page.waitForSelector("iframe")).contentFrame();
}

/** Runs in the page. */
async function fetchInPage({ url, init }) {
  try {
    const response = await fetch(url, init);
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  } catch (error) {
    return { error: String(error) };
  }
}

function preflight(target, origin, method, headers) {
  const asked = { origin, "access-control-request-method": method, "access-control-request-headers": headers };
  return gateway.send("OPTIONS", target, { headers: asked });
}

function corsHeaders({ headers }) {
  return Object.keys(headers).filter((name) => name.startsWith("access-control-"));
}

function listed(value) {
  return value.toLowerCase().split(",").map((name) => name.trim()).toSorted();
}
