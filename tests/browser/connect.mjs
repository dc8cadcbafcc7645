// A page with <ofauth-connect> and a gateway of another origin, for the tests of the element.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";

import { serve } from "./pages.mjs";
import { takeSockets } from "../client/sockets.mjs";
import { makeProject } from "../npm/project.mjs";

const HEADERS = { "access-control-allow-origin": "*", "access-control-allow-headers": "*", "access-control-expose-headers": "*" };

/** Answers no call of the client, as `answer` of a gateway. */
export const silent = ({ pathname }) => pathname.startsWith("/edge/");

/** A connection's record. */
export function record(handle, status, more = {}) {
  const metadata = { username: "ada", displayName: "Ada", lastActivity: null };
  return { id: handle, handle, status, metadata, updatedAt: "2026-11-28T07:52:24.000Z", ...more };
}

/**
 * Starts a gateway. `records` are the user's connections. `answer` may answer a request itself; then it returns true.
 * @param {import("node:test").TestContext} t
 */
export async function startGateway(t, { records = [], answer } = {}) {
  const state = { records: new Map(records.map((one) => [one.handle, one])), seen: [], answer };
  const server = http.createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    const send = (status, value, more = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...HEADERS, ...more }).end(JSON.stringify(value));
    };
    if (request.method === "OPTIONS") return send(200, {}, { "access-control-allow-methods": "*" });
    const { pathname } = new URL(request.url, "http://gateway");
    state.seen.push({ method: request.method, path: pathname, body, headers: request.headers });
    if (state.answer?.({ pathname, send, response })) return undefined;
    const handle = /^\/edge\/connections\/(.+)$/.exec(pathname)?.[1];
    if (pathname === "/edge/connections") return send(200, { list: [...state.records.values()], total: state.records.size, hasMore: false });
    if (handle && state.records.has(handle)) return send(200, state.records.get(handle));
    if (handle) return refuse(send, 404, "CONNECTION_NOT_FOUND", "relink");
    if (pathname === "/v2/link/init") return send(200, { mode: "hosted", url: `${url}/ofauth?link=1` });
    return response.writeHead(200, { "content-type": "text/html" }).end("<title>OFAuth</title>");
  });
  const sockets = takeSockets(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  t.after(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets.sockets) socket.drop();
  });
  let seq = 1;
  const change = (one) => {
    state.records.set(one.handle, one);
    seq += 1;
    for (const socket of sockets.sockets) socket.send({ seq, handle: one.handle, status: one.status, updatedAt: one.updatedAt });
  };
  return Object.assign(state, sockets, { url, change });
}

/** Answers as the gateway refuses. */
export function refuse(send, status, type, action) {
  send(status, { error: "no", type, requestId: "req_1" }, { "x-ofauth-edge-action": action });
}

let project;

/**
 * Opens a page with one element in it, whose events are in `globalThis.events`.
 * @param {import("node:test").TestContext} t
 * @param {import("playwright-core").Browser} browser
 */
export async function openPage(t, browser, gateway, { attributes = {}, policy, context = {}, token = "token", style = "", script = "" } = {}) {
  project ??= makeProject("node");
  const all = Object.entries({ gateway: gateway.url, "return-url": "/linked?a=1", ...attributes });
  const text = all.map(([name, value]) => ` ${name}="${value}"`).join("");
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">${style && `<style>${style}</style>`}
<main><h1>Accounts</h1><ofauth-connect${text}></ofauth-connect></main><script type="module" src="page.mjs"></script></html>`;
  const code = `globalThis.events = [];
const element = document.querySelector("ofauth-connect");
for (const type of ["connect", "connection", "linkend", "error"]) element.addEventListener(type, ({ detail }) => events.push([type, detail]));
${token === null ? "" : `element.token = ${JSON.stringify(token)};`}
${script}
await import("./node_modules/ofauth-edge/element.js");
globalThis.isReady = true;
`;
  writeFileSync(join(project, "page.html"), html);
  writeFileSync(join(project, "page.mjs"), code);
  const pages = await serve(project, policy ? { "content-security-policy": policy } : {});
  const opened = await browser.newContext(context);
  const page = await opened.newPage();
  t.after(async () => {
    await opened.close();
    pages.close();
  });
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(`${pages.url}/page.html`);
  await page.waitForFunction(() => globalThis.isReady);
  return { page, faults, origin: pages.url };
}

/** Opens the page of the package's README, with `gateway` in the place of its gateway. */
export async function openSample(t, browser, gateway) {
  project ??= makeProject("node");
  const readme = readFileSync(join(project, "node_modules/ofauth-edge/README.md"), "utf8");
  const [, sample] = /^## Element\n[^]*?```html\n([^]*?)```/m.exec(readme);
  const imports = { "ofauth-edge/element": "./node_modules/ofauth-edge/element.js" };
  const head = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>`;
  writeFileSync(join(project, "sample.html"), head + sample.replaceAll("https://gateway.example", gateway.url));
  writeFileSync(join(project, "token"), "token-of-the-backend");
  const pages = await serve(project);
  const page = await browser.newPage();
  t.after(async () => {
    await page.close();
    pages.close();
  });
  const logged = [];
  page.on("console", (message) => message.type() === "log" && logged.push(message.text()));
  await page.goto(`${pages.url}/sample.html`);
  return { page, logged };
}

/** Waits for a state of the element. */
export function waitForState(page, state) {
  return page.waitForSelector(`ofauth-connect[state="${state}"]`, { state: "attached", timeout: 10_000 });
}

/** What a user sees and hears of the element. */
export function read(page) {
  return page.evaluate(() => {
    const element = document.querySelector("ofauth-connect");
    const button = element.shadowRoot.querySelector("button");
    const status = element.shadowRoot.querySelector("[role=status]");
    const { ariaBusy, ariaDisabled } = button;
    return { state: element.state, label: button.innerText.trim(), status: status.innerText, busy: ariaBusy, disabled: ariaDisabled };
  });
}
