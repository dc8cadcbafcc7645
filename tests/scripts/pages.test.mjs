// The pages of `make run` and of a deployment: 1. the first URL that is printed is the demo app's, and its page works, 2. the
// Worker serves the files of www/ with strict headers, and everything else itself, 3. the demo app is not uploaded, 4. a page
// with facts to fill in is named at the upload.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startBrowser } from "../browser/browser.mjs";
import { inspect } from "../browser/inspect.mjs";
import { cleanUp, copyOfProject, freePorts, run } from "./project.mjs";

const folder = copyOfProject();
const ports = await freePorts();
const worker = `http://127.0.0.1:${ports.PORT}`;
const demo = `http://127.0.0.1:${ports.DEMO_PORT}`;
const get = (url, headers = {}) => fetch(url, { headers, redirect: "manual" });

let program;
before(async () => {
  appendFileSync(join(folder, ".dev.vars"), 'ALLOWED_ORIGINS="https://app.example"\n');
  program = await run(folder, ports);
});
after(cleanUp);

test("the first URL that is printed is the demo app's, whose page gets a session and may call the Worker", async () => {
  const [first] = /http:\/\/[\w.:]+/.exec(program.output());
  assert.equal(first, demo);
  assert.match(await (await get(first)).text(), /<h1>Linked accounts<\/h1>/);
  assert.equal((await get(`${demo}/demo.css`)).status, 200);
  const modules = await modulesFrom(`${demo}/demo.mjs`);
  for (const path of ["/config.mjs", "/ofauth-edge/client.js", "/ofauth-edge/element.js"]) assert.ok(modules.has(`${demo}${path}`), path);
  for (const path of ["/../backend.mjs", "/%2e%2e/backend.mjs", "/ofauth-edge/../../.dev.vars", "/nothing"]) {
    assert.equal((await get(`${demo}${path}`)).status, 404, path);
  }
  assert.equal((await get(`${demo}/session`)).status, 405, "another site's page cannot even cause a session by a link");
  for (const [host, status] of [["evil.example", 421], [`evil.example:${ports.DEMO_PORT}`, 421], [`localhost:${ports.DEMO_PORT}`, 200]]) {
    const request = httpRequest(`${demo}/session`, { method: "POST", headers: { host } }).end();
    const [answer] = await once(request, "response");
    assert.equal(answer.resume().statusCode, status, host);
  }
  const token = await (await fetch(`${demo}/session`, { method: "POST" })).text();
  for (const origin of [demo, "https://app.example"]) {
    const list = await get(`${worker}/edge/connections`, { origin, authorization: `Bearer ${token}` });
    assert.deepEqual([list.status, list.headers.get("access-control-allow-origin")], [200, origin]);
  }
  const [control] = /http:\/\/[\w.:]+\/control/.exec(program.output());
  assert.match(await (await get(control)).text(), /<h1>Connections<\/h1>/);
  rmSync(join(folder, "examples/demo/page/demo.css"));
  assert.equal((await get(`${demo}/demo.css`)).status, 404, "a build may be writing a file anew");
  assert.equal((await get(demo)).status, 200);
});

test("the pages have strict headers and run no script", async () => {
  for (const page of ["/privacy", "/reference"]) {
    const moved = await get(`${worker}${page}.html`);
    assert.deepEqual([moved.status, moved.headers.get("location")], [307, page]);
  }
  assert.equal((await (await get(`${worker}/openapi.json`)).json()).openapi, "3.1.0");
  for (const path of ["/palette.css", "/privacy", "/privacy.css", "/reference", "/reference.css", "/openapi.json"]) {
    const { status, headers } = await get(`${worker}${path}`);
    assert.equal(status, 200);
    const policy = headers.get("content-security-policy");
    assert.match(policy, /^default-src 'none';/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.deepEqual(
      ["x-content-type-options", "referrer-policy", "cross-origin-opener-policy"].map((name) => headers.get(name)),
      ["nosniff", "no-referrer", "same-origin"],
    );
  }
  const text = readFileSync(join(folder, "www/privacy.html"), "utf8");
  assert.doesNotMatch(text, /<script|<style|\sstyle=|\son\w+=|https?:\/\/(?!ofauth\.com")/);
  const marks = text.match(/\[\[[^\]]+\]\]/g);
  assert.equal(new Set(marks).size, marks.length, "each fact stands at one place");
});

test("the console is served by the Worker, and may run its own scripts only", async () => {
  const moved = await get(`${worker}/console`);
  assert.deepEqual([moved.status, moved.headers.get("location")], [307, "/console/"]);
  for (const path of ["/console/", "/console/main.mjs", "/console/console.css", "/console/vendor/uplot.mjs", "/console/vendor/uplot.css", "/console/package/ofauth-edge.js", "/console/package/ofauth_edge.wasm"]) {
    const { status, headers } = await get(`${worker}${path}`);
    assert.equal(status, 200, path);
    assert.match(headers.get("content-security-policy"), /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self';/);
    assert.doesNotMatch(headers.get("content-security-policy"), /'unsafe-|\*|https?:|,/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

test("the pages fit wide and narrow screens, light and dark, and axe-core finds no fault", async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  const trouble = [];
  page.on("console", (message) => trouble.push(message.text()));
  page.on("request", (request) => new URL(request.url()).origin === worker || trouble.push(request.url()));
  for (const [name, element, width] of [["privacy", "main", "672px"], ["reference", "body", "1024px"]]) {
    await page.goto(`${worker}/${name}`);
    const style = await page.evaluate((selector) => getComputedStyle(document.querySelector(selector)).maxWidth, element);
    assert.equal(style, width, "its style applies");
    await inspect(page, name, { fullPage: name !== "reference" });
  }
  assert.deepEqual(trouble, []);
});

test("in the reference, the first press of Tab leads past the contents, and each link of the contents to its part", async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${worker}/reference`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the content");
  for (const link of await page.locator("nav a").all()) {
    await link.click();
    const title = await page.evaluate(() => document.querySelector(":target").textContent);
    assert.equal(title, await link.textContent());
  }
});

test("every path that is no file of www/ is the Worker's, also when a browser navigates to it", async () => {
  const routes = {
    "/": [404, "ROUTE_NOT_FOUND"],
    "/healthz": [200, undefined],
    "/edge/connections": [401, "CREDENTIALS_MISSING"],
    "/v2/access/self": [401, "CREDENTIALS_MISSING"],
    "/v2/link/init": [405, "METHOD_NOT_ALLOWED"],
    "/webhooks/ofauth": [405, "METHOD_NOT_ALLOWED"],
    "/_headers": [404, "ROUTE_NOT_FOUND"],
    "/demo.mjs": [404, "ROUTE_NOT_FOUND"],
    "/examples/demo/page/index.html": [404, "ROUTE_NOT_FOUND"],
  };
  for (const [path, expected] of Object.entries(routes)) {
    const answer = await get(`${worker}${path}`, { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" });
    assert.deepEqual([answer.status, (await answer.json()).type], expected, path);
    assert.equal(answer.headers.get("content-security-policy"), null, path);
  }
  const callback = await get(`${worker}/link/callback?status=cancelled`, { "sec-fetch-mode": "navigate" });
  assert.deepEqual([callback.status, callback.headers.get("location")], [303, `${demo}/?status=cancelled`]);
});

test("only www/ is uploaded, and nothing of the demo app is in it", () => {
  const assets = /^\[assets\]\n((?:.+\n)+)/m.exec(readFileSync(join(folder, "wrangler.toml"), "utf8"))[1];
  assert.match(assets, /^directory = "www"$/m);
  const names = (path) => readdirSync(join(folder, path), { recursive: true, withFileTypes: true });
  const uploaded = names("www");
  assert.ok(uploaded.every((entry) => entry.isFile() || entry.isDirectory()), "no link leads out of it");
  const texts = new Set(uploaded.filter((entry) => entry.isFile()).map(readEntry));
  for (const entry of names("examples").filter((one) => one.isFile())) assert.ok(!texts.has(readEntry(entry)), entry.name);
});

test("a mark that is left in the privacy page is named, with its file and line, and the upload goes on", () => {
  const file = join(folder, "page.html");
  const check = (text) => {
    writeFileSync(file, text);
    const { status, stderr } = spawnSync(process.execPath, ["scripts/privacy.mjs", file], { cwd: folder, encoding: "utf8" });
    assert.equal(status, 0);
    return stderr;
  };
  assert.equal(check("<p>All is said.</p> [] a[0][1]"), "");
  const warning = check("<p>[[YOUR APP NAME]]</p>\n\n<p>[[A LONG\n  FACT]]</p>\n");
  assert.match(warning, /^Warning: page\.html .* 2 of its facts/);
  assert.match(warning, /\n {2}line 1: \[\[YOUR APP NAME\]\]\n {2}line 3: \[\[A LONG FACT\]\]\n$/);
  assert.match(readFileSync(join(folder, "Makefile"), "utf8"), /^deploy: .*\n\t@.*scripts\/deploy\.mjs$/m);
  assert.match(readFileSync(join(folder, "scripts/deploy.mjs"), "utf8"), /^spawnSync\(.*"scripts\/privacy\.mjs"\).*;$/m);
});

function readEntry({ parentPath, path = parentPath, name }) {
  return readFileSync(join(path, name), "utf8");
}

/** The modules that a module imports, and those that these import. Each must be there. */
async function modulesFrom(url, found = new Set()) {
  if (found.has(url)) return found;
  const answer = await get(url);
  assert.equal(answer.status, 200, url);
  found.add(url);
  for (const [, path] of (await answer.text()).matchAll(/^import .*?"([./][^"]+)";/gm)) await modulesFrom(new URL(path, url).href, found);
  return found;
}
