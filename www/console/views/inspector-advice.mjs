// What to do about each cause that the package names, beyond its own sentence.

const RAW = "Give the check the bytes as they came in. In Express that is `express.raw({ type: \"*/*\" })` before any JSON parser. With a `Request` it is `await request.text()`, and never `JSON.stringify(await request.json())`. A proxy or a tool that writes bodies anew must pass them on.";
const PASTED = "If that is so only because of how you copied the body, change it here and check again.";
const SENDER = "Whoever sent this did not sign as OFAuth does. OFAuth itself signs right, so look at the program that sent it: a test, a script, or a relay that signs anew.";
const PASSED_ON = "Look at what stands between OFAuth and the check. A proxy, or code that copies headers, has changed or dropped it.";
const COPY = "Copy the secret anew from OFAuth's dashboard, without anything around it, and set it again where webhooks are checked. For the Worker, that is `make deploy` with the new value in its settings file.";

const ADVICE = {
  unknown: [
    "A secret of another endpoint, or of the sandbox, looks much the same. Compare the whole of it.",
    "If the secret was replaced lately, try the older one too: put both into the field, with a comma between them.",
    "If the secret is right, the body was changed in a way that leaves no trace. Take it from where it arrives first, and choose it as a file.",
  ],
  missing_headers: ["Copy all headers of the request. If the request has none of them, OFAuth did not send it, or something on the way removed them.", "The headers are OFAuth-Signature; or svix-id, svix-timestamp and svix-signature together."],
  wrong_scheme_header: ["OFAuth signs in two ways, and each has a secret of its own. The Worker reads them from OFAUTH_WEBHOOK_SECRET and SVIX_WEBHOOK_SECRET. Set the one that the headers need."],
  clock_skew: ["If you look at an old webhook, all is well: its signature is good.", "If it was refused when it came, set the clock of the machine that checks, or look for what held the webhook back. A tool that sends an old webhook again must sign it again."],
  invalid_secret: [COPY],
  secret_white_space: [COPY],
  secret_quoted: [COPY],
  secret_prefix_added: [COPY],
  other_scheme_secret: ["The Worker reads one from OFAUTH_WEBHOOK_SECRET and the other from SVIX_WEBHOOK_SECRET. They have changed places."],
  body_empty: ["If you have not pasted the body yet, do so and check again.", RAW],
  invalid_timestamp: [SENDER],
  no_valid_signatures: ["Copy the header again: it may have been cut off.", SENDER],
};

const GROUPS = [
  [/^(?:secret_(?:decoded|not_decoded|prefix_removed)|milliseconds|comma_for_dot|body_without_timestamp|base64_for_hex|hex_for_base64)$/, [SENDER]],
  [/^(?:malformed_header|mixed_header_families|wrong_svix_id)$/, [PASSED_ON]],
  [/^(?:trailing_newline|newlines|outer_white_space|bom)_/, [PASTED, RAW]],
  [/^(?:body_|json_)/, [RAW]],
];

/**
 * @param {string} cause   of a diagnosis
 * @returns {string[]} sentences
 */
export function adviceFor(cause) {
  if (Object.hasOwn(ADVICE, cause)) return ADVICE[cause];
  return GROUPS.find(([causes]) => causes.test(cause))?.[1] ?? [];
}
