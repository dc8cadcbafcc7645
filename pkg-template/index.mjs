// For Node, browsers and bundlers: the wasm comes along.

import { compile, signatureExplainer, signatureVerifier, webhookClass, webhookSigner, webhookVerifier } from "./core.js";
import { wasm } from "./embedded.js";

const load = () => compile(wasm());

export const verifySignature = /* @__PURE__ */ signatureVerifier(load);
export const verifyWebhook = /* @__PURE__ */ webhookVerifier(load);
export const explainSignature = /* @__PURE__ */ signatureExplainer(load);
export const signWebhook = /* @__PURE__ */ webhookSigner(load);
export const Webhook = /* @__PURE__ */ webhookClass(load);
export { WebhookVerificationError } from "./core.js";
export { createClient } from "./client.js";
