// The entry for Node, browsers and bundlers. The wasm is embedded.

// This import comes first, so that a bundle begins with the wasm. Compressed, the bundle is 1.5 KB smaller than with the wasm in the
// middle: deflate looks back at most 32 KB, and the code after the wasm would find nothing of the code before it.
import { wasmBytes } from "./embedded.js";
import {
  compile,
  makeExplainSignature,
  makeSignWebhook,
  makeVerifyRequest,
  makeVerifySignature,
  makeVerifyWebhook,
  makeWebhookClass,
} from "./core.js";

const load = () => compile(wasmBytes);

export const verifySignature = /* @__PURE__ */ makeVerifySignature(load);
export const verifyWebhook = /* @__PURE__ */ makeVerifyWebhook(load);
export const verifyRequest = /* @__PURE__ */ makeVerifyRequest(load);
export const explainSignature = /* @__PURE__ */ makeExplainSignature(load);
export const signWebhook = /* @__PURE__ */ makeSignWebhook(load);
export const Webhook = /* @__PURE__ */ makeWebhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./client.js";
