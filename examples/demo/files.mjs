// Serves the page of the demo app, and the npm package from pkg/. Only files that are there at the start are served.

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript" };

const files = new Map([...listFiles("page/", "/"), ...listFiles("../../pkg/", "/ofauth-edge/")]);

/**
 * Answers a request for a file.
 * @param {string} gatewayUrl   the only other origin that the page may call
 */
export async function serveFile({ method, url }, response, gatewayUrl) {
  const path = url.replace(/\?.*/, "").replace(/^\/$/, "/index.html");
  // The page needs the gateway's URL. An app with a build step would set it there.
  const config = path === "/config.mjs" ? `export const gatewayUrl = ${JSON.stringify(gatewayUrl)};\n` : undefined;
  const body = method === "GET" ? (config ?? (await readListed(path))) : undefined;
  if (body === undefined) return response.writeHead(404).end();
  response.writeHead(200, {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "cache-control": "no-cache",
    "content-security-policy": policy(gatewayUrl),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

/** The content of a file, or undefined if there is none: a build may be writing pkg/ anew. */
function readListed(path) {
  const file = files.get(path);
  return file && readFile(file).catch(() => undefined);
}

/** What the page may load and call. The gateway is also called by WebSocket. */
function policy(gatewayUrl) {
  const callable = `connect-src 'self' ${gatewayUrl} ${gatewayUrl.replace(/^http/, "ws")}`;
  return `default-src 'self'; ${callable}; img-src data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** Pairs of the path under which a file is served, and its URL on disk. */
function listFiles(folder, prefix) {
  const base = new URL(folder, import.meta.url);
  return readdirSync(base).map((name) => [`${prefix}${name}`, new URL(name, base)]);
}

/**
 * Whether a request names this machine as its host. Else another site's page could read the session: that site's name may point to
 * this machine ("DNS rebinding"). Your app checks for its own name.
 */
export function isForThisMachine({ headers }) {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(headers.host);
}
