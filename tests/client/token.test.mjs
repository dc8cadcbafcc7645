// The token function: 1. it is called for the first call, and again when the token has expired, 2. once for all calls at the same
// time, 3. it may fail.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { json, refuse, serve, verdict } from "./server.mjs";

/** A gateway that takes `good()` only. */
const takes = (good) => (req, res) =>
  req.headers.authorization === `Bearer ${good()}` ? json(res, 200, {}) : refuse(res, 401, "TOKEN_EXPIRED", "refresh_token");

test("a key and a token are sent as a bearer, whatever the caller's headers say", async (t) => {
  const { client, seen } = await serve(t, (req, res) => json(res, 200, {}));
  const headers = { authorization: "Bearer mine", apikey: "mine", "x-connection-id": "acct_2" };
  for (const options of [{ token: "secret" }, { token: undefined, apiKey: "secret" }, { token: () => "secret" }]) {
    await client(options).access("/v2/access/self", { headers, authentication: { connectionId: "acct_1" } });
    const sent = seen.at(-1).headers;
    assert.deepEqual([sent.authorization, sent.apikey, sent["x-connection-id"]], ["Bearer secret", undefined, "acct_1"]);
  }
});

test("a token serves many calls", async (t) => {
  let calls = 0;
  const { client } = await serve(
    t,
    takes(() => "t1"),
  );
  const one = client({ token: () => `t${(calls += 1)}` });
  for (let call = 0; call < 3; call += 1) assert.equal((await one.account.whoami()).error, undefined);
  assert.equal(calls, 1);
});

test("a call whose body is a stream is not repeated with a new token, but the next call has it", async (t) => {
  let calls = 0;
  const { client, seen } = await serve(
    t,
    takes(() => "t2"),
  );
  const one = client({ token: () => `t${(calls += 1)}` });
  const upload = () => one.access("/v2/access/x", { method: "PUT", body: new Blob(["part"]).stream() });
  assert.equal((await upload()).error.code, "TOKEN_EXPIRED");
  assert.equal((await upload()).error, undefined);
  assert.deepEqual([calls, seen.length], [2, 2]);
});

test("an expired token is replaced and the call repeated, a POST too, and without retries", async (t) => {
  let calls = 0;
  const { client, seen } = await serve(
    t,
    takes(() => "t2"),
  );
  const one = client({ token: async () => `t${(calls += 1)}`, retry: false });
  assert.equal((await one.link.init({ redirectUrl: "https://app.example" })).error, undefined);
  assert.deepEqual([calls, seen.length, seen[0].body], [2, 2, seen[1].body]);
});

test("a call whose new token is expired too fails, and asks for no third one", async (t) => {
  let calls = 0;
  const { client, seen } = await serve(
    t,
    takes(() => "never"),
  );
  const one = client({ token: () => `t${(calls += 1)}` });
  const result = await one.account.whoami();
  assert.deepEqual(verdict(result), [undefined, "unauthorized", "TOKEN_EXPIRED", 401, "refresh_token"]);
  assert.deepEqual([calls, seen.length], [2, 2]);
  assert.equal((await one.account.whoami()).error.code, "TOKEN_EXPIRED");
  assert.deepEqual([calls, seen.length], [3, 4]);
});

test("a refresh of the token does not count as a try", async (t) => {
  let calls = 0;
  const { client, seen } = await serve(t, (req, res) => {
    if (seen.length === 1) return refuse(res, 401, "TOKEN_EXPIRED", "refresh_token");
    return seen.length < 4 ? req.socket.destroy() : json(res, 200, {});
  });
  assert.equal((await client({ token: () => `t${(calls += 1)}` }).account.whoami()).error, undefined);
  assert.deepEqual([calls, seen.length], [2, 4]);
});

test("a call with a fixed token, or with another refusal, is not repeated", async (t) => {
  let calls = 0;
  const expired = await serve(
    t,
    takes(() => "never"),
  );
  assert.equal((await expired.client({ token: "t1" }).account.whoami()).error.code, "TOKEN_EXPIRED");
  assert.equal(expired.seen.length, 1);
  for (const [type, action] of [
    ["CREDENTIALS_INVALID", "give_up"],
    ["SESSION_EXPIRED", "relink"],
    ["TOKEN_EXPIRED", "give_up"],
  ]) {
    const { client, seen } = await serve(t, (req, res) => refuse(res, 401, type, action));
    calls = 0;
    assert.equal((await client({ token: () => `t${(calls += 1)}` }).account.whoami()).error.code, type);
    assert.deepEqual([calls, seen.length], [1, 1]);
  }
});

test("twenty calls at the same time share the first token, and the next one", async (t) => {
  let calls = 0;
  let good = "t1";
  const { client, seen } = await serve(
    t,
    takes(() => good),
  );
  const one = client({ token: () => sleep(20, `t${(calls += 1)}`) });
  const all = () => Promise.all(Array.from({ length: 20 }, () => one.account.whoami()));
  assert.deepEqual(
    (await all()).filter(({ error }) => error),
    [],
  );
  assert.deepEqual([calls, seen.length], [1, 20]);
  good = "t2";
  assert.deepEqual(
    (await all()).filter(({ error }) => error),
    [],
  );
  assert.deepEqual([calls, seen.length], [2, 60]);
});

test("a call that learns late of its expired token uses the one that is there by then", async (t) => {
  let calls = 0;
  const { client } = await serve(t, (req, res) => {
    const answer = () => takes(() => "t2")(req, res);
    setTimeout(answer, req.url.endsWith("slow") ? 100 : 0);
  });
  const one = client({ token: () => `t${(calls += 1)}` });
  const slow = one.access("/v2/access/slow");
  assert.equal((await one.access("/v2/access/quick")).error, undefined);
  assert.equal((await slow).error, undefined);
  assert.equal(calls, 2);
});

test("a token function that throws, rejects or gives no token is an error, and the next call asks it again", async (t) => {
  const { client, seen } = await serve(t, (req, res) => json(res, 200, {}));
  const answers = [
    () => {
      throw new Error("the backend is down");
    },
    () => Promise.reject(new Error("the backend is down")),
    () => Promise.reject(undefined),
    ...[undefined, null, "", 42, {}, "two words", "line\nbreak", [], Symbol("x")].map((value) => () => value),
  ];
  for (const answer of answers) {
    let calls = 0;
    const one = client({ token: () => ((calls += 1) <= 1 ? answer() : "good") });
    const results = await Promise.all([one.account.whoami(), one.account.whoami()]);
    for (const result of results) {
      assert.deepEqual(verdict(result), [undefined, "unauthorized", "TOKEN_UNAVAILABLE", 0, "refresh_token"]);
      assert.match(result.error.message, /^there is no token: ./);
    }
    assert.deepEqual([calls, seen.length], [1, 0]);
    assert.equal((await one.account.whoami()).error, undefined);
    seen.length = 0;
  }
});

test("a refresh that fails is the error of the calls that wait for it", async (t) => {
  let calls = 0;
  const { client } = await serve(
    t,
    takes(() => "t3"),
  );
  const one = client({
    token: async () => {
      const call = (calls += 1);
      await sleep(100);
      if (call === 2) throw new Error("signed out");
      return `t${call}`;
    },
  });
  const results = await Promise.all([one.account.whoami(), one.account.whoami()]);
  assert.deepEqual(
    results.map(({ error }) => error.message),
    Array(2).fill("there is no token: signed out"),
  );
  assert.equal((await one.account.whoami()).error, undefined);
});

test("a token function that hangs ends with the call's timeout, or with its signal", async (t) => {
  const { client, seen } = await serve(t, (req, res) => json(res, 200, {}));
  const one = client({ token: () => new Promise(() => {}) });
  const results = await Promise.all([
    one.account.whoami({ timeout: 50 }),
    one.account.whoami({ signal: AbortSignal.timeout(50) }),
  ]);
  assert.deepEqual(
    results.map(({ error }) => error.type),
    ["timeout", "timeout"],
  );
  assert.equal(seen.length, 0);
});
