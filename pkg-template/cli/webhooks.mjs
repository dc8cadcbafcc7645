// What the commands for webhooks share: sending a signed one, and the package's errors as messages.

import { randomBytes } from "node:crypto";

import { signWebhook, WebhookVerificationError } from "../index.mjs";
import { Failure, UsageError } from "./errors.mjs";
import { send } from "./http.mjs";
import { clean } from "./output.mjs";

/** Calls a function of the package. An error about a secret or a body is the user's, not a fault of this program. */
export function asFailure(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof WebhookVerificationError) throw new Failure(error.message);
    if (error instanceof TypeError && error.message.startsWith("ofauth-edge: ")) throw new UsageError(error.message.slice("ofauth-edge: ".length));
    throw error;
  }
}

/** A message id as svix makes them. */
export function newMessageId() {
  return `msg_${randomBytes(12).toString("hex")}`;
}

/**
 * Signs a body at the present time and posts it.
 * @param {{url: URL, body: Uint8Array, id: string, signer: {scheme: "ofauth" | "svix", secret: string}, signal?: AbortSignal}} webhook
 * @returns {Promise<import("./http.mjs").Answer>}
 */
export function postWebhook({ url, body, id, signer: { scheme, secret }, signal }) {
  const signature = asFailure(() => signWebhook(body, secret, scheme === "svix" ? { scheme, id } : { scheme }));
  return send("POST", url, { headers: { ...signature, "content-type": "application/json" }, body, signal });
}

/** Why a receiver may have refused a webhook, or undefined. */
export function explainRefusal({ status, headers, text }, url) {
  if (status === 404 && /"type":"ROUTE_NOT_FOUND"/.test(text)) return `A gateway takes webhooks at ${url.origin}/webhooks/ofauth`;
  if (status === 401 || status === 403) return "The receiver refused the signature. Is its secret the one that signed? Does it verify the raw body? \"ofauth-edge explain\" finds the cause";
  if (status === 404) return `Nothing takes a POST at ${url.pathname}`;
  if (status >= 300 && status < 400) return `It redirects to ${clean(headers.location)}. OFAuth may not follow: use that URL`;
  return undefined;
}

/** What a receiver answered, for one line. */
export function describeAnswer({ status, text }) {
  const said = clean(text);
  return said === "" ? String(status) : `${status} ${said}`;
}
