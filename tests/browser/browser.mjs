// A real browser, headless, and pages for it: whatever Chromium lets a page do, and nothing else, decides these tests.

import { once } from "node:events";
import http from "node:http";

import { chromium } from "playwright-core";

import { BROWSER_FLAGS, findBrowser, isRoot } from "../../scripts/browser.mjs";

/**
 * Starts a browser.
 * @returns {Promise<import("playwright-core").Browser>}
 */
export async function startBrowser() {
  const args = isRoot() ? ["--no-sandbox", ...BROWSER_FLAGS] : BROWSER_FLAGS;
  const executablePath = findBrowser();
  if (!executablePath) throw new Error("there is no Chrome or Chromium: node scripts/browser.mjs gets one, or says how");
  return chromium.launch({ executablePath, headless: true, args });
}

/**
 * Serves empty pages on loopback.
 * @returns {Promise<{port: number, close: () => void}>}
 */
export async function servePages() {
  const server = http.createServer((request, response) => {
    const [status, page] = request.url === "/" ? [200, "<!doctype html><title>page</title>"] : [404, ""];
    response.writeHead(status, { "content-type": "text/html" }).end(page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, close: () => server.close() && server.closeAllConnections() };
}
