// For pages and platforms that load the wasm themselves: nothing is embedded.

import { WebhookVerificationError, bind, compile, misuse } from "./core.js";

let loaded;
let loading;

const functions = /* @__PURE__ */ bind(() => {
  if (loaded === undefined) throw new Error("ofauth-edge/slim: call await init() or initSync(module) first");
  return loaded;
});

export const { verifySignature, verifyWebhook, explainSignature, signWebhook, Webhook } = functions;
export { WebhookVerificationError };

// Takes the wasm as a module, as bytes, as a response or a URL, or a promise of one; without it, fetches the file beside this one.
export function init(source) {
  if (loaded !== undefined) return Promise.resolve();
  return (loading ??= open(source).finally(() => (loading = undefined)));
}

export function initSync(source) {
  if (loaded !== undefined) return;
  loaded = isModule(source) ? source : compile(bytesOf(source));
}

async function open(source) {
  let wasm = await (source ?? new URL("./ofauth_edge.wasm", import.meta.url));
  if (typeof wasm === "string" || typeof wasm.href === "string") wasm = await fetch(wasm);
  if (typeof wasm.arrayBuffer === "function") {
    if (wasm.ok === false) throw new Error(`ofauth-edge/slim: ofauth_edge.wasm could not be fetched: HTTP ${wasm.status}`);
    wasm = await wasm.arrayBuffer();
  }
  initSync(wasm);
}

function bytesOf(source) {
  const isBytes = ArrayBuffer.isView(source) || Object.prototype.toString.call(source) === "[object ArrayBuffer]";
  if (!isBytes) throw misuse("source", "ofauth_edge.wasm, as a WebAssembly.Module or its bytes");
  return source;
}

function isModule(source) {
  return Object.prototype.toString.call(source) === "[object WebAssembly.Module]";
}
