// 1. What each method sends, byte for byte, 2. what it refuses to send, 3. nothing goes to any other place than the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { json, serve, verdict } from "./server.mjs";

const REFUSED = [undefined, "bad_request", "INVALID_ARGUMENT", 0, "give_up"];
const ok = (req, res) => json(res, 200, {});

test("each method calls its route", async (t) => {
  const { client, seen } = await serve(t, ok);
  const { link, sessions, account, self, subscribers, access } = client();
  const { connections } = link;
  const authentication = { connectionId: "acct_1" };
  const calls = [
    [() => link.init(), "POST /v2/link/init", "{}"],
    [
      () => link.init({ redirectUrl: "https://a.example", connectionId: null }),
      "POST /v2/link/init",
      '{"redirectUrl":"https://a.example","connectionId":null}',
    ],
    [() => connections.getAll(), "GET /edge/connections"],
    [() => connections.getAll({}), "GET /edge/connections"],
    [() => connections.getById("acct_1"), "GET /edge/connections/acct_1"],
    [() => connections.delete("acct_1"), "DELETE /edge/connections/acct_1"],
    [() => connections.invalidate("acct_1"), "POST /edge/connections/acct_1/invalidate"],
    [() => connections.health("acct_1"), "GET /edge/connections/acct_1/health"],
    [
      () => sessions.create({ clientReferenceId: "u", expiresIn: 60 }),
      "POST /edge/sessions",
      '{"clientReferenceId":"u","expiresIn":60}',
    ],
    [() => account.whoami(), "GET /v2/account/whoami"],
    [() => self.getMe(), "GET /v2/access/self"],
    [() => self.getMe({ authentication }), "GET /v2/access/self", "", "acct_1"],
    [() => subscribers.list(), "GET /v2/access/subscribers"],
    [
      () => subscribers.list({ limit: 20, offset: 40, authentication }),
      "GET /v2/access/subscribers?limit=20&offset=40",
      "",
      "acct_1",
    ],
    [
      () => access("/v2/access/posts", { method: "POST", body: "x", authentication }),
      "POST /v2/access/posts",
      "x",
      "acct_1",
    ],
  ];
  for (const [call, line, body = "", connection] of calls) {
    assert.deepEqual(await call(), { data: {}, error: undefined }, line);
    const { method, url, headers, body: sent } = seen.at(-1);
    assert.deepEqual([`${method} ${url}`, sent, headers["x-connection-id"]], [line, body, connection]);
    if (/^[{]/.test(body)) assert.equal(headers["content-type"], "application/json");
  }
});

test("a filter is sent as it is given, and long ids keep all digits", async (t) => {
  const { client, seen } = await serve(t, ok);
  const filters = [
    [{ status: "active", limit: 50, offset: 0 }, "status=active&limit=50&offset=0"],
    [{ platformUserId: 123456789 }, "platformUserId=123456789"],
    [{ platformUserId: "90071992547409931234" }, "platformUserId=90071992547409931234"],
    [{ platformUserId: Number.MAX_SAFE_INTEGER }, "platformUserId=9007199254740991"],
    [{ clientReferenceId: "a b&c=d/é" }, "clientReferenceId=a+b%26c%3Dd%2F%C3%A9"],
    [{ clientReferenceId: undefined, cursor: "c-_" }, "cursor=c-_"],
    [{ platfromUserId: "1" }, "platfromUserId=1"],
  ];
  for (const [filter, query] of filters) {
    assert.equal((await client().link.connections.getAll(filter)).error, undefined);
    assert.equal(seen.at(-1).url, `/edge/connections?${query}`);
  }
});

test("a filter that would mean something else is refused and not sent", async (t) => {
  const { client, seen } = await serve(t, ok);
  const values = [2 ** 53, 1.5, NaN, Infinity, null, {}, [], true, 1n, Symbol("x")];
  for (const platformUserId of values) {
    const result = await client().link.connections.getAll({ platformUserId });
    assert.deepEqual(verdict(result), REFUSED);
    assert.match(result.error.message, /^platformUserId: pass a string or a whole number/);
  }
  for (const filter of [null, "status=active", 1])
    assert.deepEqual(verdict(await client().link.connections.getAll(filter)), REFUSED);
  assert.equal(seen.length, 0);
});

test("an id is percent-encoded, and one that would name another route is not sent", async (t) => {
  const { client, seen } = await serve(t, ok);
  const { connections } = client().link;
  for (const [id, segment] of [
    ["a/b?c#d", "a%2Fb%3Fc%23d"],
    ["../x", "..%2Fx"],
    ["%2e", "%252e"],
    ["é ", "%C3%A9%20"],
    ["...", "..."],
  ]) {
    for (const method of ["getById", "delete", "invalidate", "health"])
      assert.equal((await connections[method](id)).error, undefined);
    const rest = ["", "", "/invalidate", "/health"];
    assert.deepEqual(
      seen.splice(0).map(({ url }) => url),
      rest.map((end) => `/edge/connections/${segment}${end}`),
    );
  }
  for (const id of ["", ".", "..", undefined, null, 5, {}, "\ud800"]) {
    for (const method of ["getById", "delete", "invalidate", "health"])
      assert.deepEqual(verdict(await connections[method](id)), REFUSED);
  }
  assert.equal(seen.length, 0);
});

test("a call with wrong options sends nothing", async (t) => {
  const { client, seen } = await serve(t, ok);
  const { self, account, subscribers, sessions, access } = client();
  const loop = {};
  loop.loop = loop;
  const wrong = [
    () => account.whoami("now"),
    () => account.whoami({ signal: {} }),
    ...[0, -1, NaN, "soon", "5000", {}].map((timeout) => () => account.whoami({ timeout })),
    ...["", undefined, 5, "a\nb", "two words"].map((connectionId) => () => self.getMe({ authentication: { connectionId } })),
    ...[null, "acct_1", {}].map((authentication) => () => subscribers.list({ authentication })),
    () => subscribers.list("all"),
    () => subscribers.list({ limit: null }),
    () => sessions.create(loop),
    () => sessions.create({ expiresIn: 1n }),
    () => access("/v2/access/x", "POST"),
    () => access("/v2/access/x", { method: "BAD METHOD" }),
    () => access("/v2/access/x", { method: 5 }),
    () => access("/v2/access/x", { method: "CONNECT" }),
    () => access("/v2/access/x", { body: "a GET has none" }),
    () => access("/v2/access/x", { headers: { "bad name": "x" } }),
    () => access("/v2/access/x", { headers: { name: "bad\nvalue" } }),
  ];
  for (const call of wrong) assert.deepEqual(verdict(await call()), REFUSED, String(call));
  for (const call of [() => account.whoami(null), () => subscribers.list(null), () => access("/v2/access/x", null)]) {
    assert.equal((await call()).error, undefined, "null is no options");
  }
  assert.equal(seen.length, 3);
});

test("access calls the given path of the gateway, and nothing but paths below /v2/access/", async (t) => {
  const { client, seen } = await serve(t, ok);
  const paths = [
    // Another host.
    "@evil.example",
    "@evil.example/v2/access/x",
    "//evil.example/v2/access/x",
    "https://evil.example/v2/access/x",
    ":80@evil.example/",
    "\\\\evil.example",
    "/\\evil.example",
    // Not a path below /v2/access/.
    "",
    "/",
    "v2/access/self",
    " /v2/access/self",
    "/edge/sessions",
    "/v2/account/whoami",
    "/v2/access",
    "/v2/access/",
    "/v2/accessible/x",
    "/V2/ACCESS/x",
    // A path that a URL parser would change.
    "/v2/access\\..\\x",
    "/v2/access/\\x",
    "/v2/access/..",
    "/v2/access/../account/whoami",
    "/v2/access/x/../y",
    "/v2/access/./x",
    "/v2/access/x/.",
    "/v2/access/x/..?q",
    "/v2/access/%2e%2e/x",
    "/v2/access/.%2E/x",
    "/v2/access/%2e",
    "/v2/access/x#y",
    "/v2/access/x y",
    "/v2/access/x\t",
    "/v2/access/\nx",
    // Not a string.
    undefined,
    null,
    5,
    {},
    new URL("https://evil.example/v2/access/x"),
    ["/v2/access/x"],
  ];
  for (const path of paths) assert.deepEqual(verdict(await client().access(path)), REFUSED, String(path));
  assert.equal(seen.length, 0);

  const kept = [
    "/v2/access/x?a=/../b&c=%2e%2e",
    "/v2/access/uploads/upload%3A1/2",
    "/v2/access/x/...",
    "/v2/access/a.b",
    "/v2/access/proxy/@evil.example//x",
  ];
  for (const path of kept) {
    assert.equal((await client().access(path)).error, undefined, path);
    assert.equal(seen.at(-1).url, path);
  }
});

test("a path in baseUrl goes before the path of each call", async (t) => {
  const { client, seen, baseUrl } = await serve(t, ok);
  for (const base of [`${baseUrl}/gateway`, `${baseUrl}/gateway/`]) {
    await client({ baseUrl: base }).account.whoami();
    await client({ baseUrl: base }).access("/v2/access/self");
  }
  const routes = ["/gateway/v2/account/whoami", "/gateway/v2/access/self"];
  assert.deepEqual(
    seen.map(({ url }) => url),
    [...routes, ...routes],
  );
});
