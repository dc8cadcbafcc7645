// `explain`: finds out why a captured request does not verify.

import { explainSignature } from "../index.mjs";
import { CAPTURED_OPTIONS, readCaptured } from "./captured.mjs";
import { clean } from "./output.mjs";
import { asFailure } from "./webhooks.mjs";

/** @type {import("./program.mjs").Command} */
export const explain = {
  name: "explain",
  summary: "Find out why the signature of a captured request does not verify",
  positionals: "[file]",
  about: `The body comes from the file, or from stdin, as your app sees it. A cause is named only if there is proof:
the signature matches once the cause is undone, or the form of a header or of the secret shows it.`,
  options: CAPTURED_OPTIONS,
  examples: [
    ["Log the body and the headers in your app, then", "ofauth-edge explain body.txt --headers headers.json"],
    ["A header from a log", `ofauth-edge explain body.txt -H 'OFAuth-Signature: t=1795852344,v1=5257a8'`],
    ["A request that was captured as a whole", "ofauth-edge explain --request captured.txt --vars .dev.vars"],
  ],
  async run(context) {
    const { output } = context;
    const captured = await readCaptured(context);
    const diagnosis = asFailure(() => explainSignature(...captured));
    if (output.json) output.data(diagnosis);
    else print(diagnosis, output);
    return diagnosis.ok ? 0 : 1;
  },
};

function print({ ok, cause, message, evidence }, { result, note, style }) {
  // Without a cause there is nothing to undo.
  const facts = Object.entries(evidence).filter(([name]) => !(ok && name === "macMatches"));
  result(`${ok ? style.green("It verifies") : style.red(cause)}: ${clean(message, 1_000)}`);
  for (const [name, value] of facts) result(`  ${FACTS[name] ?? name}: ${clean(value)}`);
  if (cause === "unknown") note(UNKNOWN);
}

const UNKNOWN = `The secrets were those given here, and your app may have others. Try them all: --secret takes several, with commas between them.
If a secret is surely right, the body was changed. A JSON parser that rounds a number leaves no trace, so save the raw bytes.`;

const FACTS = {
  macMatches: "the signature matches once the cause is undone",
  bodyBytes: "bytes of the body",
  code: "code of the verifier",
  scheme: "scheme of the headers",
  secretList: "secret of the scheme",
  secretIndex: "position of the secret, from 0",
  missingHeader: "missing header",
  skewSeconds: "age of the signature in seconds",
  signedBytes: "bytes of the body that was signed",
  offset: "first byte that differs, from 0",
  layout: "white space in the JSON that was signed",
  escapes: "escapes in the JSON that was signed",
};
