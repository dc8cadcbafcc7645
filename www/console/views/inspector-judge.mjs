// Judges a webhook with the npm package, whose wasm is loaded when it is first needed.

import { collect } from "../paste.mjs";

let loading;

/** The package. If it could not be loaded, the next call tries again. */
export function loadPackage() {
  loading ??= import("../package/ofauth-edge.js")
    .then(async (edge) => (await edge.init(), edge))
    .catch((cause) => {
      loading = undefined;
      throw new Error("The part of the console that checks signatures could not be loaded. Reload the page. If that does not help: `make run` and `make build` write it to www/console/package/.", { cause });
    });
  return loading;
}

/**
 * @typedef {object} WebhookRequest
 * @property {[string, string][]} headers
 * @property {string | Uint8Array} body
 * @property {string} secret   one, or several with commas between them, as in a variable of the Worker
 * @property {"" | "ofauth" | "svix"} scheme   for which the secret is; empty: whichever the headers have
 */

/**
 * @param {WebhookRequest} request
 * @returns {Promise<{diagnosis: object, fitsOther?: boolean, event?: {type: string, known: boolean}, fault?: {code: string, message: string}}>}
 *   fitsOther: the secret is right for the scheme of the headers, but was given for the other one; event: what the webhook says, if
 *   it verifies; fault: why its body is no event
 */
export async function judge({ headers, body, secret, scheme }) {
  const edge = await loadPackage();
  const given = collect(headers);
  // The Worker does not trim the values of its lists either.
  const list = secret.split(",");
  const secrets = scheme ? { [scheme]: list } : list;
  const diagnosis = edge.explainSignature(body, given, secrets);
  if (!diagnosis.ok) return { diagnosis, fitsOther: scheme !== "" && edge.explainSignature(body, given, list).evidence.macMatches };
  try {
    return { diagnosis, event: edge.verifyWebhook(body, given, secrets) };
  } catch ({ code, message }) {
    return { diagnosis, fault: { code, message } };
  }
}
