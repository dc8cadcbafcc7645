// A stand-in for Cloudflare's API on loopback, as far as `wrangler deploy` asks it. It keeps what was uploaded. Its answers have
// the shape that https://developers.cloudflare.com/api/ documents.

import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

/** The only account. A test that names it keeps wrangler from asking for it, and from storing the answer. */
export const ACCOUNT = { id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9", name: "Acme" };
const NO_SUCH_WORKER = { status: 404, errors: [{ code: 10007, message: "This Worker does not exist on your account." }] };

/**
 * @typedef {object} Upload
 * @property {string} name       of the Worker
 * @property {any} metadata      bindings, migrations and the rest
 * @property {Record<string, Buffer>} modules
 */

/**
 * Starts it.
 * @param {{token: string}} options   token: the only API token that it takes
 * @returns {Promise<{url: string, uploads: Upload[], files: string[][], namespaces: string[], domains: string[], calls: string[], close: () => void}>}
 */
export async function startCloudflare({ token }) {
  const state = { uploads: [], files: [], namespaces: [], domains: [], calls: [] };
  const server = createServer(async (request, response) => {
    const path = request.url.replace(/^\/client\/v4|\?.*$/g, "");
    state.calls.push(`${request.method} ${path}`);
    const body = await buffer(request);
    const isKnown = request.headers.authorization === `Bearer ${token}`;
    const answer = isKnown ? route(state, request, path, body) : { status: 401, errors: [{ code: 10000, message: "Authentication error" }] };
    const { status = 200, errors = [], result = null } = answer;
    const count = Array.isArray(result) ? result.length : 1;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ success: status < 400, errors, messages: [], result, result_info: { page: 1, per_page: 100, count, total_count: count, total_pages: 1 } }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { ...state, url: `http://127.0.0.1:${server.address().port}/client/v4`, close: () => server.close() };
}

function route(state, request, path, body) {
  const { method } = request;
  if (path === "/user/tokens/verify") return { result: { id: "token", status: "active" } };
  if (path === "/user") return { result: { id: "user", email: "owner@example.com" } };
  if (path === "/memberships") return { result: [{ account: ACCOUNT, roles: [] }] };
  if (path === "/accounts") return { result: [ACCOUNT] };
  if (!path.startsWith(`/accounts/${ACCOUNT.id}/`)) return NO_SUCH_WORKER;
  const within = path.slice(`/accounts/${ACCOUNT.id}`.length);
  if (within === "/workers/subdomain") return { result: { subdomain: "acme" } };
  if (within === "/storage/kv/namespaces") return namespaces(state, method, body);
  const [, kind, name, rest = ""] = /^\/workers\/(services|scripts|workers)\/([\w-]+)(\/.*)?$/.exec(within) ?? [];
  return kind ? worker(state, { method, kind, name, rest, type: request.headers["content-type"], body }) : { status: 404, errors: [{ code: 7003, message: within }] };
}

function namespaces(state, method, body) {
  if (method === "POST") state.namespaces.push(JSON.parse(body).title);
  const list = state.namespaces.map((title, index) => ({ id: String(index + 1).padStart(32, "0"), title }));
  return { result: method === "POST" ? list.at(-1) : list };
}

function worker(state, { method, kind, name, rest, type, body }) {
  const last = state.uploads.findLast((upload) => upload.name === name);
  if (kind === "scripts" && rest === "/assets-upload-session") {
    state.files.push(Object.keys(JSON.parse(body).manifest));
    return { result: { jwt: "assets", buckets: [] } };
  }
  if (kind === "scripts" && rest === "/subdomain") return { result: { enabled: true, previews_enabled: false } };
  if (kind === "scripts" && rest === "/domains/changeset") return { result: { added: [], removed: [], updated: [], conflicting: [] } };
  if (kind === "scripts" && rest === "/domains/records") {
    state.domains.push(...JSON.parse(body).origins.map(({ hostname }) => hostname));
    return { result: [] };
  }
  if (kind === "scripts" && rest === "" && method === "PUT") {
    const { metadata, ...modules } = partsOf(type, body);
    state.uploads.push({ name, metadata: JSON.parse(metadata), modules });
    return { result: { id: name, etag: "etag", pipeline_hash: "hash", startup_time_ms: 5, deployment_id: "deployment", tag: name, entry_point: "index.js" } };
  }
  if (!last) return kind === "services" ? { status: 404, errors: [{ code: 10090, message: "not found" }] } : NO_SUCH_WORKER;
  if (kind === "workers") return { result: { id: name, name, subdomain: { enabled: true, previews_enabled: false } } };
  if (kind === "services") return { result: { id: name, default_environment: { environment: "production", script: { id: name, tag: name, tags: [], last_deployed_from: "wrangler" } } } };
  if (rest === "/secrets") return { result: last.metadata.bindings.filter((binding) => binding.type === "secret_text").map(({ name }) => ({ name, type: "secret_text" })) };
  if (rest === "/settings") return { result: { bindings: last.metadata.bindings } };
  if (rest === "/deployments") return { result: { deployments: [{ id: "deployment", source: "wrangler", author_email: "owner@example.com", versions: [{ version_id: "version", percentage: 100 }] }] } };
  return { result: {} };
}

/** The parts of a multipart/form-data body, by name. */
function partsOf(type, body) {
  const boundary = `--${/boundary=(.+)$/.exec(type)[1]}`;
  const parts = {};
  for (let start = body.indexOf(boundary); ; ) {
    const end = body.indexOf(boundary, start + boundary.length);
    if (end < 0) return parts;
    const head = body.indexOf("\r\n\r\n", start);
    const [, name] = / name="([^"]+)"/.exec(body.subarray(start, head).toString());
    parts[name] = body.subarray(head + 4, end - 2);
    start = end;
  }
}
