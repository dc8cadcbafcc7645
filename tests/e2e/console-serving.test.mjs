// The console's files: 1. the policy allows no inline code and no other origin, 2. the page is small, 3. CONSOLE=off removes the pages and
// the tokens, 4. every other path is the Worker's.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { copyVendored } from "../../scripts/vendor.mjs";
import { startBrowser } from "../browser/browser.mjs";
import { eventually, refusal, sessionOf, startGateway, tokenOf, unixNow } from "./harness.mjs";

copyVendored();
const FILES = readdirSync(new URL("../../www/console", import.meta.url), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => `${parentPath.split("/www")[1]}/${name}`);
const CONSOLE_TOKEN = { aud: "ofauth-edge-console", sub: "console", iat: unixNow(), exp: unixNow() + 600 };

let on;
let off;
before(async () => {
  [on, off] = await Promise.all([{}, { CONSOLE: "off" }].map((vars) => startGateway({ assets: true, vars })));
});
after(() => Promise.all([on, off].map((gateway) => gateway?.close())));

test("each file has a strict policy", async () => {
  assert.ok(FILES.length > 10);
  for (const file of FILES) {
    const { status, headers } = await on.send("GET", file.replace("index.html", ""));
    assert.equal(status, 200, file);
    assert.equal(
      headers["content-security-policy"],
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      file,
    );
    assert.deepEqual([headers["x-content-type-options"], headers["referrer-policy"], headers["cross-origin-opener-policy"]], ["nosniff", "no-referrer", "same-origin"]);
  }
  const moved = await on.send("GET", "/console");
  assert.deepEqual([moved.status, moved.headers.location], [307, "/console/"]);
});

test("all views together load less than 300 KB, and ask this origin only", async () => {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    const loaded = [];
    page.on("response", async (response) => loaded.push([response.url(), (await response.body()).length]));
    await page.goto(`http://127.0.0.1:${on.port}/console/`);
    await page.getByLabel("Gateway key").fill(on.vars.GATEWAY_KEY);
    await page.keyboard.press("Enter");
    await page.locator(".line").first().waitFor();
    await page.getByRole("link", { name: "Connections" }).click();
    await page.getByText("No account is connected yet.").waitFor();
    for (const [view, text] of [["Events", "No event is stored."], ["Forwards", "No event is given up."], ["Charts", "Secrets and keys in use"]]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.getByText(text).first().waitFor();
    }
    assert.ok(!loaded.some(([url]) => url.includes("/package/")), "the wasm is loaded with the Inspector, and not before");
    await page.getByRole("link", { name: "Inspector" }).click();
    await page.locator("#event-type option").first().waitFor({ state: "attached" });
    await eventually(() => loaded.some(([url, length]) => url.endsWith("/package/ofauth_edge.wasm") && length > 10_000));
    const bytes = loaded.reduce((sum, [, length]) => sum + length, 0);
    assert.ok(bytes > 10_000 && bytes < 300_000, `${bytes} bytes`);
    assert.deepEqual(loaded.filter(([url]) => !url.startsWith(`http://127.0.0.1:${on.port}/`)), []);
  } finally {
    await browser.close();
  }
});

test("CONSOLE=off removes the pages, however their path is written", async () => {
  for (const path of ["/console", ...FILES, "/console/", "/console//index.html", "/%63onsole/", "/console%2findex.html", "/console/%69ndex", "/x/../console/", "//console/", "/console/main.mjs?x"]) {
    for (const method of ["GET", "HEAD"]) {
      let answer = await off.send(method, path);
      for (let hops = 0; answer.status >= 300 && answer.status < 400 && hops < 3; hops += 1) answer = await off.send(method, answer.headers.location);
      assert.equal(answer.status, 404, `${method} ${path}`);
      assert.equal(answer.headers["x-ofauth-edge"], "gateway", path);
    }
  }
  assert.equal((await off.send("GET", "/privacy")).status, 200);
});

test("CONSOLE=off removes the tokens, and nothing else", async () => {
  assert.deepEqual(refusal(await off.call("POST", "/edge/sessions", { body: '{"console":true}' })), [400, "BAD_REQUEST"]);
  const token = tokenOf(CONSOLE_TOKEN);
  for (const path of ["/edge/status", "/edge/connections", "/edge/events", "/edge/metrics"]) {
    assert.deepEqual(refusal(await sessionOf(off, token)("GET", path)), [401, "CREDENTIALS_INVALID"], path);
    assert.equal((await sessionOf(on, token)("GET", path)).status, 200, path);
    assert.equal((await off.call("GET", path)).status, 200, path);
  }
  assert.equal((await off.call("POST", "/edge/sessions", { body: '{"clientReferenceId":"user_1"}' })).status, 201);
  assert.equal((await sessionOf(off, { sub: "user_1" })("GET", "/edge/connections")).status, 200);
});

test("a value that is neither on nor off stops the Worker, and removes the pages", async (t) => {
  const gateway = await startGateway({ assets: true, vars: { CONSOLE: "no" } });
  t.after(() => gateway.close());
  const { status, text } = await gateway.send("GET", "/healthz");
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(text).problems, ["CONSOLE must be on or off"]);
  assert.equal((await gateway.send("GET", "/console/")).status, 503);
});

test("paths that are similar to the console's are the Worker's", async () => {
  for (const path of ["/consoles", "/console.css", "/edge/console", "/v2/console/", "/"]) {
    const answer = await on.send("GET", path);
    assert.equal(answer.headers["x-ofauth-edge"], "gateway", path);
    assert.ok([401, 404].includes(answer.status), path);
  }
  assert.equal((await on.send("GET", "/console/views/nothing.mjs")).status, 404);
});

test("the files are small after a server has compressed them", async () => {
  const sizeOf = async (files) => {
    const sizes = await Promise.all(files.map(async (file) => gzipSync((await on.send("GET", file.replace("index.html", ""))).body).length));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  // The Inspector alone loads the npm package, whose wasm has a limit of its own too: tests/npm/size.test.mjs.
  const isOfPackage = (file) => file.startsWith("/console/package/");
  const [own, edge] = await Promise.all([FILES.filter((file) => !isOfPackage(file)), FILES.filter(isOfPackage)].map(sizeOf));
  assert.ok(own < 100_000, `${own} bytes`);
  assert.ok(edge > 10_000 && edge < 36_000, `${edge} bytes of the package`);
});
