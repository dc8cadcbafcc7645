// The client where it is to run: 1. Node, 2. a page in Chromium, 3. workerd; the same calls, with the same results.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

import { accountOf } from "../emulator/account.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { servePages, startBrowser } from "../browser/browser.mjs";
import { run, takesKey } from "./client-scenario.mjs";
import { startGateway, tokenOf, unixNow } from "./harness.mjs";

const USER = "user_runtime";
const PERMISSIONS = ["profile:read", "subscribers:read", "posts:read", "messages:read", "connections:link", "access:any"];

const pages = await servePages();
const others = await servePages();
const origin = `http://localhost:${pages.port}`;
const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: origin } });
after(async () => {
  await gateway.close();
  pages.close();
  others.close();
});
await gateway.deliver(connectionEvent("connection.created", { id: "conn_Runtime1", clientReferenceId: USER }));
const [{ handle }] = (await gateway.call("GET", `/edge/connections?clientReferenceId=${USER}`)).json().list;
const baseUrl = `http://127.0.0.1:${gateway.port}`;
const now = unixNow();
const given = {
  baseUrl,
  token: tokenOf({ sub: USER, permissions: PERMISSIONS }),
  expired: tokenOf({ sub: USER, permissions: PERMISSIONS, iat: now - 100, exp: now - 10 }),
  returnUrl: `${origin}/linked`,
};

const EXPECTED = {
  crowd: [0, 2],
  all: [handle],
  byId: true,
  health: { verdict: "healthy", status: "active" },
  me: accountOf("conn_Runtime1").username,
  subscribers: 5,
  link: ["hosted", "string", undefined],
  echoes: [
    ["PUT", 7],
    ["PUT", 5],
    ["PUT", 4],
    ["PUT", 6],
    ["POST", 2],
    ["PATCH", 2],
    ["DELETE", 2],
  ],
  blob: [true, 70_000],
  errors: [
    ["missing", undefined, "not_found", "CONNECTION_NOT_FOUND", "relink"],
    ["forbidden", undefined, "forbidden", "PERMISSION_DENIED", "give_up"],
    ["redirect", undefined, "server_error", "REDIRECTED", "give_up"],
    ["aborted", undefined, "aborted", "ABORTED", "give_up"],
    ["timeout", undefined, "timeout", "TIMEOUT", "retry"],
    ["signalled", undefined, "timeout", "TIMEOUT", "retry"],
    ["limited", undefined, "too_many_requests", "RATE_LIMIT_EXCEEDED", "retry"],
    ["unreachable", undefined, "network_error", "NETWORK_ERROR", "retry"],
    ["elsewhere", undefined, "bad_request", "INVALID_ARGUMENT", "give_up"],
    ["mistaken", undefined, "bad_request", "INVALID_ARGUMENT", "give_up"],
  ],
  retryAfter: 45,
};

beforeEach(() => {
  gateway.emulator.heal();
  gateway.emulator.fault({ kind: "slow", ms: 2_000, match: { path: "/v2/access/posts" } });
  gateway.emulator.fault({ kind: "limit", retryAfter: 45, match: { path: "/v2/access/chats" } });
});

test("in Node", async () => {
  assert.deepEqual(await run(given), EXPECTED);
  assert.equal(takesKey(baseUrl), true);
});

describe("in a page", () => {
  let browser;
  let code;
  before(async () => {
    [browser, code] = await Promise.all([startBrowser(), bundle("client-scenario.mjs")]);
  });
  after(() => browser?.close());

  async function inPage(t, address, name, argument) {
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(`${address}/`);
    return page.evaluate(runInPage, { code, name, argument });
  }

  test("the calls have the same results from a page of an allowed origin", async (t) => {
    assert.deepEqual(await inPage(t, origin, "run", given), EXPECTED);
  });

  test("a page may make no client with a gateway key", async (t) => {
    assert.equal(await inPage(t, origin, "takesKey", baseUrl), "TypeError");
  });

  test("a call from a page of another origin is a network error", async (t) => {
    assert.deepEqual(await inPage(t, `http://localhost:${others.port}`, "refused", given), ["network_error", 0]);
  });
});

test("in workerd", async (t) => {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      cf: false, // else it asks the internet where it is
      telemetry: { enabled: false },
      logRequests: false,
      workers: [
        {
          name: "app",
          compatibilityDate: "2025-01-01",
          modules: [{ type: "ESModule", path: "app.mjs", contents: await workerOf() }],
        },
      ],
    }),
  );
  t.after(() => runtime.dispose());
  const answer = await runtime.dispatchFetch("http://app.example/", { method: "POST", body: JSON.stringify(given) });
  const { done, key } = await answer.json();
  assert.deepEqual(done, JSON.parse(JSON.stringify(EXPECTED)));
  assert.equal(key, true);
});

/** Runs in the page. */
async function runInPage({ code, name, argument }) {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return (await import(url))[name](argument);
}

function workerOf() {
  return bundle(undefined, {
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    contents: `
      import { run, takesKey } from "./client-scenario.mjs";
      export default {
        async fetch(request) {
          const given = await request.json();
          return Response.json({ done: await run(given), key: takesKey(given.baseUrl) });
        },
      };`,
  });
}

async function bundle(name, stdin) {
  const entryPoints = name && [fileURLToPath(new URL(name, import.meta.url))];
  const options = { bundle: true, minify: true, format: "esm", target: "es2022", write: false };
  const { outputFiles } = await build({ entryPoints, stdin, ...options });
  return outputFiles[0].text;
}
