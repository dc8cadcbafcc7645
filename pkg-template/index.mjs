// For Node, browsers and bundlers: the wasm comes along, deflated, as base64.

import { inflateSync } from "fflate";
import { WebhookVerificationError, bind, compile } from "./core.js";
import { bytes, deflated } from "./embedded.js";

const functions = /* @__PURE__ */ bind(() => {
  const packed = Uint8Array.from(atob(deflated), (char) => char.charCodeAt(0));
  return compile(inflateSync(packed, { out: new Uint8Array(bytes) }));
});

export const { verifySignature, verifyWebhook, explainSignature, signWebhook, Webhook } = functions;
export { WebhookVerificationError };
