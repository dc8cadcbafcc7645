// The entry for pages and platforms that load the wasm themselves. Nothing is embedded.

import {
  argumentError,
  compile,
  makeExplainSignature,
  makeSignWebhook,
  makeVerifyRequest,
  makeVerifySignature,
  makeVerifyWebhook,
  makeWebhookClass,
} from "./core.js";

const EXPECTED_SOURCE = "ofauth_edge.wasm, as a WebAssembly.Module or its bytes";

let loadedModule;
let loading;

const load = () => {
  if (loadedModule === undefined) throw new Error("ofauth-edge/slim: call await init() or initSync(module) first");
  return loadedModule;
};

export const verifySignature = /* @__PURE__ */ makeVerifySignature(load);
export const verifyWebhook = /* @__PURE__ */ makeVerifyWebhook(load);
export const verifyRequest = /* @__PURE__ */ makeVerifyRequest(load);
export const explainSignature = /* @__PURE__ */ makeExplainSignature(load);
export const signWebhook = /* @__PURE__ */ makeSignWebhook(load);
export const Webhook = /* @__PURE__ */ makeWebhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./client.js";

// Accepts the wasm as a module, as bytes, as a response, as a URL, or as a promise of one of these. Without an argument it
// fetches the file beside this module.
export function init(source) {
  if (loadedModule !== undefined) return Promise.resolve();
  // Another call may be loading from another source. If that fails, this call tries its own source.
  if (loading !== undefined) return loading.catch(() => init(source));
  return (loading = loadFrom(source).finally(() => (loading = undefined)));
}

export function initSync(source) {
  if (loadedModule !== undefined) return;
  loadedModule = isModule(source) ? source : compile(() => bytesOf(source));
}

async function loadFrom(source) {
  let wasm = await (source ?? defaultUrl());
  if (typeof wasm === "string" || typeof wasm?.href === "string") wasm = await loadUrl(wasm.href ?? wasm);
  if (typeof wasm?.arrayBuffer === "function") {
    if (wasm.ok === false) throw new Error(`ofauth-edge/slim: ofauth_edge.wasm could not be fetched: HTTP ${wasm.status}`);
    wasm = await wasm.arrayBuffer();
  }
  initSync(wasm);
}

// Node's fetch refuses a file: URL, which is what `import.meta.url` gives there.
async function loadUrl(url) {
  if (!url.startsWith("file:") || globalThis.process?.versions?.node === undefined) return fetch(url);
  // Bundlers must not follow this import, because there is no such module in a browser.
  const fileSystem = "node:fs/promises";
  const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ fileSystem);
  return readFile(new URL(url));
}

// Bundlers recognise `new URL("…", import.meta.url)` and copy the file.
function defaultUrl() {
  if (import.meta.url === undefined) {
    throw new Error("ofauth-edge/slim: the URL of this module is unknown; pass ofauth_edge.wasm to init(), as its bytes or its URL");
  }
  return new URL("./ofauth_edge.wasm", import.meta.url);
}

function bytesOf(source) {
  const isView = ArrayBuffer.isView(source);
  if (!isView && Object.prototype.toString.call(source) !== "[object ArrayBuffer]") throw argumentError("source", EXPECTED_SOURCE);
  const { buffer, byteOffset, byteLength } = isView ? source : new Uint8Array(source);
  const start = new Uint8Array(buffer, byteOffset, byteLength).subarray(0, 4);
  // Some servers answer every URL with a page. The compiler's error would not say that these bytes are HTML.
  if (String.fromCharCode(...start) !== "\0asm") throw argumentError("source", `${EXPECTED_SOURCE}; these are bytes of something else`);
  return source;
}

function isModule(source) {
  return Object.prototype.toString.call(source) === "[object WebAssembly.Module]";
}
