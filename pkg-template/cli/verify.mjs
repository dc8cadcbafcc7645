// `verify`: says whether a captured request is genuine.

import { verifySignature, verifyWebhook, WebhookVerificationError } from "../index.mjs";
import { CAPTURED_OPTIONS, readCaptured } from "./captured.mjs";
import { clean } from "./output.mjs";
import { asFailure } from "./webhooks.mjs";

/** @type {import("./program.mjs").Command} */
export const verify = {
  name: "verify",
  summary: "Verify the signature of a captured request, and read its event",
  positionals: "[file]",
  about: `The body comes from the file, or from stdin. It must be the raw body, as it was received.
A signature is too old after 5 minutes. --now or --any-time verifies an older request.`,
  options: {
    ...CAPTURED_OPTIONS,
    "any-time": { type: "boolean", help: "Accept a signature of any age" },
  },
  examples: [
    ["A body and its header", `ofauth-edge verify body.json -H 'OFAuth-Signature: t=1795852344,v1=5257a8'`],
    ["A request that was captured as a whole, some time ago", "ofauth-edge verify --request captured.txt --any-time"],
  ],
  async run(context) {
    const { values, output } = context;
    const [body, headers, secrets, options] = await readCaptured(context);
    if (values["any-time"]) options.tolerance = Number.MAX_SAFE_INTEGER;
    const result = asFailure(() => judge(body, headers, secrets, options));
    if (output.json) output.data(result);
    else print(result, output);
    return result.ok ? 0 : 1;
  },
};

/** The signature is judged apart from the event, so that a body which is no event does not look forged. */
function judge(body, headers, secrets, options) {
  let signature = null;
  try {
    signature = verifySignature(body, headers, secrets, options);
    const { type, known, timestamp, live = null } = verifyWebhook(body, headers, secrets, options);
    return { ok: true, signature, event: { type, known, timestamp, live } };
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return { ok: false, signature, code: error.code, message: error.message };
  }
}

function print({ ok, signature, event, message }, { result, style, note }) {
  if (signature === null) {
    result(`${style.red("Not genuine")}: ${clean(message, 500)}`);
    note("ofauth-edge explain, with the same arguments, looks for the cause.");
    return;
  }
  const when = new Date(signature.timestamp * 1_000).toISOString();
  const { scheme, secretIndex, digest } = signature;
  result(`${ok ? style.green("Genuine") : style.yellow("The signature is right, but the body is no event")}${ok ? "" : `: ${clean(message, 500)}`}`);
  if (event) result(`  event   ${clean(event.type)}${event.known ? "" : " (a type that this package does not know)"}`);
  result(`  signed  ${when} (${scheme}, secret ${secretIndex + 1})`);
  result(`  digest  ${digest}`);
}
