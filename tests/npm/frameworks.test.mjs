// The requests and contexts of the frameworks themselves, passed as headers: each verifies, under both schemes, and without a
// signature it is MISSING_HEADERS.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";

import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";

import { importInstalled } from "./project.mjs";

const { signWebhook, verifySignature } = await importInstalled();

const SECRET = "whsec_c2VjcmV0";
const BODY = "{}";
const code = (headers) => {
  try {
    return verifySignature(BODY, headers, SECRET).scheme;
  } catch (error) {
    return error.code ?? error.message;
  }
};

/** Each starts an app, which answers with the codes of what it passes as headers. */
const FRAMEWORKS = {
  "node:http": () => http.createServer((req, res) => res.end(JSON.stringify([req, req.headers, req.headersDistinct].map(code)))),
  Express: () => {
    const app = express();
    app.post("/", (req, res) => res.json([req, req.headers].map(code)));
    return http.createServer(app);
  },
  Koa: () => {
    const app = new Koa();
    app.use((ctx) => void (ctx.body = [ctx, ctx.request, ctx.headers, ctx.req].map(code)));
    return http.createServer(app.callback());
  },
  Fastify: () => {
    const app = Fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
    app.post("/", (request) => [request, request.headers, request.raw].map(code));
    return app;
  },
};

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  test(`${name}: a webhook verifies with its request as headers`, async (t) => {
    const app = make();
    const server = app.server ?? app;
    t.after(() => app.close());
    if (app.server) await app.listen({ port: 0, host: "127.0.0.1" });
    else await once(server.listen(0, "127.0.0.1"), "listening");
    await check(async (headers) => {
      const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: "POST", body: BODY, headers });
      return response.json();
    });
  });
}

test("Hono: a webhook verifies with its context or request as headers", async () => {
  const app = new Hono();
  app.post("/", (c) => c.json([c, c.req, c.req.raw, c.req.header()].map(code)));
  await check(async (headers) => (await app.request("/", { method: "POST", body: BODY, headers })).json());
});

async function check(send) {
  const svix = signWebhook(BODY, SECRET, { scheme: "svix", id: "msg_1" });
  for (const [headers, expected] of [[signWebhook(BODY, SECRET), "ofauth"], [svix, "svix"], [{ "x-other": "1" }, "MISSING_HEADERS"]]) {
    assert.deepEqual([...new Set(await send(headers))], [expected]);
  }
}
