// The entry for Cloudflare Workers. The bundler or the platform imports the wasm as a compiled module.

import { makeExplainSignature, makeSignWebhook, makeVerifyRequest, makeVerifySignature, makeVerifyWebhook, makeWebhookClass } from "./core.js";
import module from "./ofauth_edge.wasm";

const load = () => module;

export const verifySignature = /* @__PURE__ */ makeVerifySignature(load);
export const verifyWebhook = /* @__PURE__ */ makeVerifyWebhook(load);
export const verifyRequest = /* @__PURE__ */ makeVerifyRequest(load);
export const explainSignature = /* @__PURE__ */ makeExplainSignature(load);
export const signWebhook = /* @__PURE__ */ makeSignWebhook(load);
export const Webhook = /* @__PURE__ */ makeWebhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./client.js";
