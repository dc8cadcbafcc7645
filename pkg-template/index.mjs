// The entry for Node, browsers and bundlers. The wasm is embedded.

import {
  compile,
  makeExplainSignature,
  makeSignWebhook,
  makeVerifyRequest,
  makeVerifySignature,
  makeVerifyWebhook,
  makeWebhookClass,
} from "./core.js";
import { wasmBytes } from "./embedded.js";

const load = () => compile(wasmBytes);

export const verifySignature = /* @__PURE__ */ makeVerifySignature(load);
export const verifyWebhook = /* @__PURE__ */ makeVerifyWebhook(load);
export const verifyRequest = /* @__PURE__ */ makeVerifyRequest(load);
export const explainSignature = /* @__PURE__ */ makeExplainSignature(load);
export const signWebhook = /* @__PURE__ */ makeSignWebhook(load);
export const Webhook = /* @__PURE__ */ makeWebhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./polling.js";
