// Platforms that lack something, and those that have more: 1. React Native, 2. the error for what is missing, 3. caches, 4. options of
// fetch, 5. a page that the gateway does not allow.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";

import { json, page, serve, verdict } from "./server.mjs";

const ok = (req, res) => json(res, 200, page([]));

/** Takes globals away, or replaces them, for one test. */
function withGlobals(t, replaced) {
  for (const [name, value] of Object.entries(replaced)) {
    const original = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    t.after(() => (original ? Object.defineProperty(globalThis, name, original) : delete globalThis[name]));
  }
}

/** AbortController as React Native has it: no reason, no throwIfAborted, no AbortSignal.timeout. */
class OldSignal extends EventTarget {
  aborted = false;
}
class OldController {
  signal = new OldSignal();
  abort() {
    if (this.signal.aborted) return;
    this.signal.aborted = true;
    this.signal.dispatchEvent(new Event("abort"));
  }
}

/** URL as React Native has it. */
class OldUrl {
  constructor(url) {
    if (!/^https?:/.test(url)) throw new TypeError("Invalid URL");
    this.href = `${url}`.replace(/\/?$/, "/");
  }
  get protocol() {
    throw new Error("URL.protocol is not implemented");
  }
}

/** A fetch that uses none of the globals that are replaced, as Node's own does. */
function oldFetch(url, { method, headers, body, signal }) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: Object.fromEntries(headers) }, (response) => {
      const text = async () => Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode, headers: new Headers(response.headers), text });
    });
    signal.addEventListener("abort", () => request.destroy(new Error("Aborted")));
    request.once("error", reject).end(body);
  });
}

function becomeReactNative(t) {
  const URLSearchParams = class {
    set() {
      throw new Error("URLSearchParams.set is not implemented");
    }
  };
  withGlobals(t, { fetch: oldFetch, AbortController: OldController, AbortSignal: OldSignal, Request: undefined, URL: OldUrl, URLSearchParams });
}

test("a call, a filter, an abort and a timeout work in React Native", async (t) => {
  const { baseUrl, seen, client } = await serve(t, (req, res) => req.url.includes("slow") || ok(req, res));
  becomeReactNative(t);
  const one = client({ baseUrl });
  const { data, error } = await one.link.connections.getAll({ status: "active", clientReferenceId: "a b" });
  assert.deepEqual([error, data.list, seen[0].url], [undefined, [], "/edge/connections?status=active&clientReferenceId=a+b"]);
  assert.equal((await one.link.init({ clientReferenceId: "u" })).error, undefined);

  const controller = new OldController();
  setTimeout(() => controller.abort(), 30);
  const aborted = await one.access("/v2/access/slow", { signal: controller.signal });
  assert.deepEqual(verdict(aborted), [undefined, "aborted", "ABORTED", 0, "give_up"]);
  assert.deepEqual(verdict(await one.access("/v2/access/slow", { signal: controller.signal })), [undefined, "aborted", "ABORTED", 0, "give_up"]);
  assert.deepEqual(verdict(await one.access("/v2/access/slow", { timeout: 30 })), [undefined, "timeout", "TIMEOUT", 0, "retry"]);
});

for (const name of ["Headers", "AbortController"]) {
  test(`on a platform without ${name} the error names it, and is not called a wrong argument`, async (t) => {
    const { client } = await serve(t, ok);
    const one = client();
    const { [name]: original } = globalThis;
    delete globalThis[name];
    t.after(() => (globalThis[name] = original));
    const { error } = await one.account.whoami();
    globalThis[name] = original;
    assert.deepEqual([error.code, error.action], ["UNEXPECTED", "operator"]);
    assert.match(error.message, new RegExp(name));
  });
}

/** The options that fetch gets for a call. */
async function initOf(t, options, call = (client) => client.account.whoami()) {
  const { client } = await serve(t, ok);
  let init;
  const one = client({ ...options, fetch: (url, given) => ((init = given), fetch(url, { ...given, next: undefined })) });
  assert.equal((await call(one)).error, undefined);
  return init;
}

test("answers are not cached if the platform has caches", async (t) => {
  assert.equal((await initOf(t)).cache, "no-store");
});

test("a platform that refuses or ignores the option `cache` does not get it", async (t) => {
  const { Request } = globalThis;
  const refusing = class {
    constructor(url, init) {
      if (init?.cache) throw new Error("The 'cache' field on 'RequestInitializerDict' is not implemented.");
      return new Request(url, init);
    }
  };
  const ignoring = class {};
  for (const Request of [refusing, ignoring, undefined]) {
    await t.test(`${Request?.name}`, async (t) => {
      withGlobals(t, { Request });
      assert.equal("cache" in (await initOf(t)), false);
    });
  }
});

test("fetchOptions of the client and of the call are passed on, except for what the client sets itself", async (t) => {
  const fetchOptions = { keepalive: true, priority: "low", method: "PUT", redirect: "follow", body: "x", headers: { "x-app": "1", apikey: "k" } };
  const init = await initOf(t, { fetchOptions }, (client) => client.account.whoami({ fetchOptions: { priority: "high", cache: "reload" } }));
  const { keepalive, priority, cache, method, redirect, body } = init;
  assert.deepEqual([keepalive, priority, cache, method, redirect, body], [true, "high", "reload", "GET", "manual", undefined]);
  assert.deepEqual([init.headers.get("x-app"), init.headers.get("apikey")], ["1", null]);
});

test("Next.js's own fetchOptions replace no-store, with which they may not be combined", async (t) => {
  const init = await initOf(t, { fetchOptions: { next: { revalidate: 60 } } });
  assert.deepEqual([init.cache, init.next], [undefined, { revalidate: 60 }]);
});

test("fetchOptions that are no object are a wrong argument", async (t) => {
  const { client } = await serve(t, ok);
  assert.throws(() => client({ fetchOptions: 1 }), { name: "TypeError", message: /^fetchOptions: pass/ });
  const { error } = await client().account.whoami({ fetchOptions: "x" });
  assert.deepEqual([error.code, error.message.includes("fetchOptions")], ["INVALID_ARGUMENT", true]);
});

test("if a page cannot reach the gateway, the error names ALLOWED_ORIGINS and the page's origin", async (t) => {
  const { client } = await serve(t, ok);
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  const messageOf = async () => (await client({ fetch, retry: false }).account.whoami()).error.message;
  assert.doesNotMatch(await messageOf(), /ALLOWED_ORIGINS/);
  withGlobals(t, { document: {}, location: { origin: "https://app.example" } });
  assert.match(await messageOf(), /could not be reached.*ALLOWED_ORIGINS contain https:\/\/app\.example\?/);
});

test("if a page of the gateway cannot reach it, the error does not name ALLOWED_ORIGINS", async (t) => {
  const { baseUrl, client } = await serve(t, ok);
  withGlobals(t, { document: {}, location: { origin: baseUrl } });
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  assert.doesNotMatch((await client({ fetch, retry: false }).account.whoami()).error.message, /ALLOWED_ORIGINS/);
});
