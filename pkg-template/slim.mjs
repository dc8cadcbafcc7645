// For pages and platforms that load the wasm themselves: nothing is embedded.

import { compile, misuse } from "./core.js";
import { signatureExplainer, signatureVerifier, webhookClass, webhookSigner, webhookVerifier } from "./core.js";

let loaded;
let loading;

const load = () => {
  if (loaded === undefined) throw new Error("ofauth-edge/slim: call await init() or initSync(module) first");
  return loaded;
};

export const verifySignature = /* @__PURE__ */ signatureVerifier(load);
export const verifyWebhook = /* @__PURE__ */ webhookVerifier(load);
export const explainSignature = /* @__PURE__ */ signatureExplainer(load);
export const signWebhook = /* @__PURE__ */ webhookSigner(load);
export const Webhook = /* @__PURE__ */ webhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./client.js";

// Takes the wasm as a module, as bytes, as a response or a URL, or a promise of one; without it, fetches the file beside this one.
export function init(source) {
  if (loaded !== undefined) return Promise.resolve();
  // What another call was given says nothing about this one's.
  if (loading !== undefined) return loading.catch(() => init(source));
  return (loading = open(source).finally(() => (loading = undefined)));
}

export function initSync(source) {
  if (loaded !== undefined) return;
  loaded = isModule(source) ? source : compile(bytesOf(source));
}

async function open(source) {
  let wasm = await (source ?? beside());
  if (typeof wasm === "string" || typeof wasm?.href === "string") wasm = await fetch(wasm.href ?? wasm);
  if (typeof wasm?.arrayBuffer === "function") {
    if (wasm.ok === false) throw new Error(`ofauth-edge/slim: ofauth_edge.wasm could not be fetched: HTTP ${wasm.status}`);
    wasm = await wasm.arrayBuffer();
  }
  initSync(wasm);
}

// Bundlers know this expression, and copy the file.
function beside() {
  if (import.meta.url === undefined) {
    throw new Error("ofauth-edge/slim: nothing says where this module is: pass ofauth_edge.wasm to init(), as its bytes or its URL");
  }
  return new URL("./ofauth_edge.wasm", import.meta.url);
}

function bytesOf(source) {
  const isBytes = ArrayBuffer.isView(source) || Object.prototype.toString.call(source) === "[object ArrayBuffer]";
  if (!isBytes) throw misuse("source", "ofauth_edge.wasm, as a WebAssembly.Module or its bytes");
  return source;
}

function isModule(source) {
  return Object.prototype.toString.call(source) === "[object WebAssembly.Module]";
}
