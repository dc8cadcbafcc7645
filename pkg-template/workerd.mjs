// For Cloudflare Workers: the bundler or the platform hands over a compiled module.

import { WebhookVerificationError, bind } from "./core.js";
import module from "./ofauth_edge.wasm";

const functions = /* @__PURE__ */ bind(() => module);

export const { verifySignature, verifyWebhook, explainSignature, signWebhook, Webhook } = functions;
export { WebhookVerificationError };
