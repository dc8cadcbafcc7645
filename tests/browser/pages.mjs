// Pages of a project in a real browser, and what they report (fixtures/web/report.mjs).

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Serves a folder on loopback, as any host of static files does.
 * @param {string} folder
 * @param {Record<string, string>} [headers]
 */
export async function serve(folder, headers = {}) {
  const server = http.createServer(async ({ url }, response) => {
    const path = join(folder, normalize(decodeURIComponent(new URL(url, "http://localhost").pathname)));
    try {
      const body = await readFile(path);
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() && server.closeAllConnections() };
}

/**
 * Opens a page and gives what it reports: `{value}` or `{error, cause}`.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 */
export async function reportOf(browser, url) {
  const page = await browser.newPage();
  const trouble = [];
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  try {
    await page.goto(url);
    await page.waitForFunction(() => globalThis.report, undefined, { timeout: 15_000 });
    return await page.evaluate(() => globalThis.report);
  } catch (error) {
    throw new Error(`${url} reported nothing\n${trouble.join("\n")}`, { cause: error });
  } finally {
    await page.close();
  }
}
