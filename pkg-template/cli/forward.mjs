// Sends a kept webhook to the local app.

import { readUrl, Unreachable } from "./http.mjs";
import { required } from "./arguments.mjs";
import { secretToSign, SIGNING_OPTIONS } from "./environment.mjs";
import { clean, timeOfDay } from "./output.mjs";
import { describeAnswer, postWebhook } from "./webhooks.mjs";

/** The options of commands that forward. */
export const FORWARD_OPTIONS = {
  forward: { type: "string", value: "url", help: "Your app, such as http://localhost:3000/webhooks" },
  ...SIGNING_OPTIONS,
};

/** @typedef {{url: URL, signer: {scheme: "ofauth" | "svix", secret: string}}} Target */

/** @returns {Target} */
export function targetOf(values, env) {
  const url = readUrl(required(values, "forward", "http://localhost:3000/webhooks"), "--forward");
  return { url, signer: secretToSign(values, env) };
}

/**
 * Sends one webhook, signed at the present time.
 * @param {import("./events.mjs").KeptEvent} event
 * @param {Target} target
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ok: boolean, answer?: import("./http.mjs").Answer, error?: Unreachable}>}
 */
export async function forward({ id, body }, { url, signer }, signal) {
  try {
    const answer = await postWebhook({ url, body, id, signer, signal });
    return { ok: answer.status >= 200 && answer.status < 300, answer };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { ok: false, error };
  }
}

/** A digest is long, and its beginning names it well enough. An id of svix is shown whole. */
export function shortId(id) {
  return isDigest(id) ? id.slice(0, 12) : clean(id, 100);
}

/** Whether an id is a SHA-256 in hex. */
export function isDigest(id) {
  return /^[0-9a-f]{64}$/.test(id);
}

/** Prints what became of one webhook. */
export function printForwarded({ id, type, receivedAt }, { ok, answer, error }, output) {
  const { style } = output;
  if (output.json) {
    const result = answer ? { status: answer.status, ms: answer.ms, answer: clean(answer.text, 1_000) } : { error: error.message };
    output.data({ ok, id, type, receivedAt, ...result });
    return;
  }
  const result = ok ? `${style.green(answer.status)}  ${style.dim(`${answer.ms} ms`)}` : style.red(answer ? describeAnswer(answer) : error.message);
  output.result(`${timeOfDay()}  ${clean(type ?? "no event")}  ${style.dim(shortId(id))}  ${result}`);
}
