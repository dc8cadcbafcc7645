// For Cloudflare Workers: the bundler or the platform hands over a compiled module.

import { signatureExplainer, signatureVerifier, webhookClass, webhookSigner, webhookVerifier } from "./core.js";
import module from "./ofauth_edge.wasm";

const load = () => module;

export const verifySignature = /* @__PURE__ */ signatureVerifier(load);
export const verifyWebhook = /* @__PURE__ */ webhookVerifier(load);
export const explainSignature = /* @__PURE__ */ signatureExplainer(load);
export const signWebhook = /* @__PURE__ */ webhookSigner(load);
export const Webhook = /* @__PURE__ */ webhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./client.js";
