// Every call gives a Result: 1. data, 2. an error answer of any shape, 3. an error if there is no answer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { json, page, refuse, serve, verdict } from "./server.mjs";

test("data is what the gateway sent", async (t) => {
  const { client } = await serve(t, (req, res) => json(res, 200, page([{ id: "acct_1", extra: [1] }])));
  const result = await client().link.connections.getAll();
  assert.deepEqual(result, { data: page([{ id: "acct_1", extra: [1] }]), error: undefined });
});

test("the status of an error decides its type, which has a word of OFAuth's SDK", async (t) => {
  const { client } = await serve(t, (req, res) => refuse(res, Number(req.url.slice(11)), "SOME_TYPE", "give_up"));
  const types = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "bad_request",
    409: "conflict",
    413: "bad_request",
    422: "bad_request",
    429: "too_many_requests",
    500: "server_error",
    502: "server_error",
    503: "server_error",
  };
  for (const [status, type] of Object.entries(types)) {
    const result = await client({ retry: false }).access(`/v2/access/${status}`);
    assert.deepEqual(verdict(result), [undefined, type, "SOME_TYPE", Number(status), "give_up"]);
    assert.deepEqual([result.error.message, result.error.requestId], ["no", "req_1"]);
  }
});

test("an error's action is the gateway's verdict, and without one a cautious default", async (t) => {
  let answer;
  const { client } = await serve(t, (req, res) => refuse(res, ...answer));
  const actions = [
    [[401, "SESSION_EXPIRED", "relink"], "relink"],
    [[401, "UNAUTHORIZED", "operator"], "operator"],
    [[503, "STORAGE_UNAVAILABLE", "retry"], "retry"],
    [[500, "X", "give_up"], "give_up"],
    [[401, "TOKEN_EXPIRED"], "refresh_token"],
    [[401, "SESSION_EXPIRED"], "give_up"],
    [[429, "X"], "retry"],
    [[502, "X"], "retry"],
    [[502, "X", "something_new"], "retry"],
  ];
  for (const [arrange, action] of actions) {
    answer = arrange;
    assert.equal((await client({ retry: false }).account.whoami()).error.action, action, arrange.join());
  }
});

test("an error answer of any shape, or of none, becomes an error", async (t) => {
  let answer;
  const { client } = await serve(t, (req, res) => res.writeHead(...answer.slice(0, 2)).end(answer[2]));
  const html = { "content-type": "text/html" };
  const shapes = [
    [[502, html, "<h1>Bad gateway</h1>"], "HTTP_502", "the answer is HTTP 502"],
    [[503, {}, ""], "HTTP_503", "the answer is HTTP 503"],
    [[404, {}, '{"code":"not_found","message":"gone"}'], "not_found", "gone"],
    [[400, {}, '{"type":7,"error":{"nested":1}}'], "HTTP_400", "the answer is HTTP 400"],
    [[400, {}, "null"], "HTTP_400", "the answer is HTTP 400"],
    [[400, {}, '"text"'], "HTTP_400", "the answer is HTTP 400"],
    [[400, {}, "[1]"], "HTTP_400", "the answer is HTTP 400"],
    [[400, {}, "{"], "HTTP_400", "the answer is HTTP 400"],
  ];
  for (const [arrange, code, message] of shapes) {
    answer = arrange;
    const { error } = await client().link.connections.getById("acct_1");
    assert.deepEqual([error.status, error.code, error.message], [arrange[0], code, message]);
  }
  answer = [500, { "x-request-id": "req_header" }, ""];
  assert.equal((await client().account.whoami()).error.requestId, "req_header");
});

test("a 200 that is not a JSON object is an error, because something other than the gateway answers", async (t) => {
  let answer;
  const { client } = await serve(t, (req, res) => res.writeHead(...answer.slice(0, 2)).end(answer[2]));
  for (const [type, body] of [
    ["text/html", "<p>hello"],
    ["application/json", '{"list":['],
    ["application/json", ""],
    ["application/json", "null"],
    ["application/json", '"text"'],
  ]) {
    answer = [200, { "content-type": type, "x-request-id": "req_2" }, body];
    const result = await client().link.connections.getAll();
    assert.deepEqual(verdict(result), [undefined, "server_error", "INVALID_ANSWER", 200, "operator"], body);
    assert.equal(result.error.requestId, "req_2");
  }
  answer = [204, {}, ""];
  assert.equal((await client().link.connections.getAll()).error.code, "INVALID_ANSWER");
});

test("access takes any answer: JSON, text, bytes or nothing", async (t) => {
  let answer;
  const { client } = await serve(t, (req, res) => res.writeHead(...answer.slice(0, 2)).end(answer[2]));
  const read = async (...arrange) => {
    answer = arrange;
    const result = await client().access("/v2/access/proxy/x");
    return result.error?.code ?? result.data;
  };
  const type = (name) => ({ "content-type": name });
  assert.deepEqual(await read(200, type("application/json; charset=utf-8"), '{"a":1}'), { a: 1 });
  assert.deepEqual(await read(200, type("application/problem+json"), "[]"), []);
  assert.equal(await read(200, type("application/json"), "null"), null);
  assert.equal(await read(200, type("application/json"), "{"), "INVALID_ANSWER");
  assert.equal(await read(200, type("application/json"), ""), undefined);
  assert.equal(await read(200, type("text/plain"), "hello"), "hello");
  assert.equal(await read(200, {}, "hello"), "hello");
  assert.equal(await read(204, {}, undefined), undefined);
  assert.equal(await read(205, {}, undefined), undefined);
  const blob = await read(200, type("image/png"), Buffer.from([0, 255, 1]));
  assert.deepEqual([...new Uint8Array(await blob.arrayBuffer())], [0, 255, 1]);
  answer = [200, type("application/json"), undefined];
  assert.deepEqual(await client().access("/v2/access/x", { method: "head" }), { data: undefined, error: undefined });
});

test("a connection that is dropped, before or within an answer, is a network error", async (t) => {
  let drop;
  const { client, seen } = await serve(t, (req, res) => drop(req, res));
  const drops = [
    (req) => req.socket.destroy(),
    (req, res) => res.writeHead(200, { "content-length": "100" }).write("{", () => req.socket.destroy()),
    (req, res) => res.writeHead(500, { "content-length": "100" }).write("{", () => req.socket.destroy()),
    (req) => req.socket.end("nonsense\r\n\r\n"),
  ];
  for (drop of drops) {
    const result = await client({ retry: false }).account.whoami();
    assert.deepEqual(verdict(result), [undefined, "network_error", "NETWORK_ERROR", 0, "retry"]);
    assert.match(result.error.message, /^the gateway could not be reached: ./);
  }
  assert.equal(seen.length, drops.length);
});

test("a gateway that does not listen is a network error, and so is a fetch that throws anything", async (t) => {
  const { client, baseUrl } = await serve(t, () => {});
  const gone = baseUrl.replace(/\d+$/, "1");
  assert.equal((await client({ baseUrl: gone, retry: false }).account.whoami()).error.type, "network_error");
  const odd = [null, undefined, "text", new Error(""), Object.create(null), { message: 1 }, Symbol("x")];
  for (const thrown of odd) {
    const fetches = [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
      () => thrown,
    ];
    for (const fetch of fetches) {
      const { error } = await client({ fetch, retry: false }).account.whoami();
      assert.equal(error.type, "network_error");
    }
  }
});

test("a redirect is not followed", async (t) => {
  const other = await serve(t, (req, res) => json(res, 200, {}));
  const { client, baseUrl } = await serve(t, (req, res) => {
    res
      .writeHead(Number(req.url.slice(-3)), { location: req.url.includes("own") ? `${baseUrl}/v2/access/x` : other.baseUrl })
      .end();
  });
  for (const status of [301, 302, 303, 307, 308]) {
    for (const path of ["own", "other"]) {
      const result = await client().access(`/v2/access/${path}/${status}`, { redirect: "follow" });
      assert.deepEqual(verdict(result), [undefined, "server_error", "REDIRECTED", status, "give_up"]);
    }
  }
  assert.deepEqual(other.seen, []);
});

test("the platform's fetch may be replaced after the client is made", async (t) => {
  const { client } = await serve(t, () => {});
  const one = client();
  t.mock.method(globalThis, "fetch", async () => new Response('{"replaced":true}'));
  assert.deepEqual((await one.account.whoami()).data, { replaced: true });
});

test("a fetch that the caller gives is called without a this, and with the URL as a string", async (t) => {
  let called;
  const { client } = await serve(t, () => {});
  async function fetch(...given) {
    called = [this, ...given];
    return new Response("{}");
  }
  assert.deepEqual(await client({ fetch }).account.whoami(), { data: {}, error: undefined });
  assert.deepEqual([called[0], typeof called[1], called[2].redirect], [undefined, "string", "manual"]);
});
