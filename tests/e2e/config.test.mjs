// Configuration: 1. all that is missing is named at once, 2. so is all that is weak, without its value, 3. what may be left
// out, 4. lists of keys, 5. a wrong item of ALLOWED_ORIGINS or EVENT_KEEP is ignored and named.

import assert from "node:assert/strict";
import { test } from "node:test";

import { refusal, SECRETS, startGateway } from "./harness.mjs";

const KEYS = ["OFAUTH_API_KEY", "GATEWAY_KEY", "SESSION_SECRET", "STORAGE_KEY", "INDEX_KEY"];
const KEY = "0123456789abcdef0123456789abcdef";

test("all missing variables are named in one answer", async (t) => {
  const vars = Object.fromEntries(Object.keys(SECRETS).map((name) => [name, undefined]));
  const gateway = await start(t, vars);
  const health = await gateway.send("GET", "/healthz");
  assert.equal(health.status, 503);
  for (const name of KEYS) assert.match(health.text, new RegExp(`\\b${name}\\b`));
  assert.match(health.text, /\b(OFAUTH|SVIX)_WEBHOOK_SECRET\b/);
  assert.equal(health.json().ok, false);
  assert.equal(health.headers["cache-control"], "private, no-store");
  assert.deepEqual(refusal(await gateway.send("GET", "/edge/connections")), [503, "NOT_CONFIGURED"]);
});

test("a weak secret is named, its value is not shown, and the gateway serves nothing", async (t) => {
  const [short, storage] = ["veryShortKey", SECRETS.STORAGE_KEY];
  const six = (item) => Array.from({ length: 6 }, (_, index) => item + index).join(",");
  const origins = ["", "api.ofauth.com", "http://api.ofauth.com", "https://api.ofauth.com/", "https://api.ofauth.com/v2"];
  const disguised = ["https://user:password@api.ofauth.com", "http://127.0.0.1.evil.example", "https://api.ofauth.com?x"];
  const weak = {
    OFAUTH_API_KEY: ["", " sk_sandbox_spaced", "sk_sandbox_line\n"],
    OFAUTH_WEBHOOK_SECRET: ["", "first,,third", "first, second", six("secret"), ...Array(4)],
    SVIX_WEBHOOK_SECRET: [...Array(4), "", "whsec_", "whsec_%%%%", "not base64 at all"],
    GATEWAY_KEY: ["", short, `${KEY},`, `${KEY}, ${KEY}`, `${KEY},${short}`, six(KEY)],
    SESSION_SECRET: ["", short, `${KEY} `],
    STORAGE_KEY: ["", "AAAA", KEY, `${storage},`, `${storage}, ${storage}`],
    INDEX_KEY: ["", "AAAA", `${SECRETS.INDEX_KEY},${SECRETS.INDEX_KEY}`],
    OFAUTH_API_URL: [...origins, ...disguised, "ftp://127.0.0.1", "https://", "https://a b"],
    WEBHOOK_TOLERANCE_SECONDS: ["-1", "1.5", "five minutes"],
    EVENT_TTL_SECONDS: ["59", "a week"],
  };
  // As many at once as there are: each round gives every variable another weak value, until it has no more.
  for (let round = 0; round < weak.OFAUTH_API_URL.length; round += 1) {
    const all = Object.entries(weak).map(([name, values]) => [name, values[round]]);
    const chosen = all.filter(([, value]) => value !== undefined);
    const gateway = await start(t, Object.fromEntries(chosen));
    const health = await gateway.send("GET", "/healthz");
    assert.equal(health.status, 503);
    assert.deepEqual(namedBy(health), chosen.map(([name]) => name).toSorted(), health.text);
    for (const [name, value] of chosen) {
      if (value.length >= 8) assert.ok(!health.text.includes(value), `${name} is shown`);
    }
    assert.deepEqual(refusal(await gateway.send("POST", "/webhooks/ofauth")), [503, "NOT_CONFIGURED"]);
    assert.deepEqual(refusal(await gateway.call("GET", "/v2/access/self")), [503, "NOT_CONFIGURED"]);
    await gateway.close();
  }
});

test("weak secrets of both webhook schemes are both named", async (t) => {
  const gateway = await start(t, { OFAUTH_WEBHOOK_SECRET: "a,,b", SVIX_WEBHOOK_SECRET: "whsec_%%%%" });
  const health = await gateway.send("GET", "/healthz");
  assert.deepEqual(namedBy(health), ["OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET"], health.text);
});

test("one webhook scheme is enough, and variables with a default may be left out", async (t) => {
  const defaults = { WEBHOOK_TOLERANCE_SECONDS: undefined, EVENT_TTL_SECONDS: undefined, EVENT_KEEP: undefined };
  for (const absent of ["OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET"]) {
    const gateway = await start(t, { ...defaults, [absent]: undefined });
    assert.deepEqual((await gateway.send("GET", "/healthz")).json(), { ok: true });
    const [on, off] = absent.startsWith("SVIX") ? ["ofauth", "svix"] : ["svix", "ofauth"];
    assert.equal((await gateway.deliver({ type: "some.thing" }, { scheme: on, id: "msg_1" })).outcome, "kept");
    const secret = SECRETS[absent];
    const refused = await gateway.deliver({ type: "some.thing" }, { scheme: off, id: "msg_2", secret });
    assert.deepEqual(refusal(refused), [401, "MISSING_HEADERS"]);
    await gateway.close();
  }
});

test("WEBHOOK_TOLERANCE_SECONDS sets how old a signature may be", async (t) => {
  const gateway = await start(t, { WEBHOOK_TOLERANCE_SECONDS: "30" });
  const now = Math.floor(Date.now() / 1000);
  for (const [age, status] of [[20, 200], [40, 401], [-20, 200], [-40, 401]]) {
    assert.equal((await gateway.deliver({ type: "some.thing" }, { timestamp: now - age })).status, status, `${age} s old`);
  }
});

test("each of a list of webhook secrets verifies a webhook", async (t) => {
  const secrets = ["newest_secret", "older_secret", "oldest_secret"];
  const gateway = await start(t, { OFAUTH_WEBHOOK_SECRET: secrets.join(",") });
  for (const secret of secrets) assert.equal((await gateway.deliver({ type: "some.thing" }, { secret })).status, 200);
  const whole = await gateway.deliver({ type: "some.thing" }, { secret: secrets.join(",") });
  assert.deepEqual(refusal(whole), [401, "SIGNATURE_MISMATCH"]);
});

test("a wrong item of ALLOWED_ORIGINS or EVENT_KEEP is ignored and named, and the gateway works", async (t) => {
  const page = "https://app.example";
  const vars = { ALLOWED_ORIGINS: `${page},https://s3cr3t.example/,capacitor://localhost`, EVENT_KEEP: "*,*.s3cr3t,!x.*" };
  const gateway = await start(t, vars);
  const health = await gateway.send("GET", "/healthz");
  const { ok, warnings, ...rest } = health.json();
  assert.deepEqual([health.status, ok, rest], [200, true, {}]);
  assert.match(warnings[0], /^ALLOWED_ORIGINS: item 2 is ignored/);
  assert.match(warnings[1], /^EVENT_KEEP: item 2 is ignored/);
  assert.deepEqual([warnings.length, health.text.includes("s3cr3t")], [2, false]);
  assert.equal((await gateway.deliver({ type: "some.thing" })).outcome, "kept");
  assert.equal((await gateway.deliver({ type: "x.thing" })).outcome, "ignored");
  for (const [origin, status] of [[page, 204], ["capacitor://localhost", 204], ["https://s3cr3t.example", 403]]) {
    const headers = { origin, "access-control-request-method": "GET" };
    assert.equal((await gateway.send("OPTIONS", "/edge/connections", { headers })).status, status, origin);
  }
});

test("pages on private addresses may call if the API key is the sandbox's", async (t) => {
  const near = "http://192.168.1.20:5173";
  for (const [key, status] of [["sk_sandbox_0123456789", 204], ["sk_live_0123456789", 403]]) {
    const gateway = await start(t, { OFAUTH_API_KEY: key, ALLOWED_ORIGINS: near });
    const headers = { origin: near, "access-control-request-method": "GET" };
    assert.equal((await gateway.send("OPTIONS", "/edge/connections", { headers })).status, status, key);
    const { warnings = [] } = (await gateway.send("GET", "/healthz")).json();
    assert.equal(warnings.length, status === 204 ? 0 : 1, key);
    await gateway.close();
  }
});

function namedBy(health) {
  return health.json().problems.map((problem) => problem.split(" ")[0]).toSorted();
}

async function start(t, vars) {
  const gateway = await startGateway({ vars });
  t.after(() => gateway.close());
  return gateway;
}

test("a number without quotes is a number, and one out of range is named", async (t) => {
  const healthy = await start(t, { WEBHOOK_TOLERANCE_SECONDS: 10 });
  const { scheme, secret } = { scheme: "ofauth", secret: SECRETS.OFAUTH_WEBHOOK_SECRET };
  const old = await healthy.deliver({ type: "x" }, { scheme, secret, timestamp: Math.floor(Date.now() / 1000) - 60 });
  assert.deepEqual(refusal(old), [401, "TIMESTAMP_TOO_OLD"]);
  const wrong = await start(t, { EVENT_TTL_SECONDS: 10, WEBHOOK_TOLERANCE_SECONDS: true });
  const { status, text } = await wrong.send("GET", "/healthz");
  assert.equal(status, 503);
  assert.match(text, /EVENT_TTL_SECONDS.*WEBHOOK_TOLERANCE|WEBHOOK_TOLERANCE.*EVENT_TTL_SECONDS/);
});
