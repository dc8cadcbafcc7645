// `sign`: prints the headers that sign a body.

import { signWebhook } from "../index.mjs";
import { instant, onlyPositional } from "./arguments.mjs";
import { secretToSign, SIGNING_OPTIONS } from "./environment.mjs";
import { readInput } from "./input.mjs";
import { asFailure, newMessageId } from "./webhooks.mjs";

/** @type {import("./program.mjs").Command} */
export const sign = {
  name: "sign",
  summary: "Print the headers that sign a body, as OFAuth signs it",
  positionals: "[file]",
  about: `The body comes from the file, or from stdin. Its bytes are signed as they are, so send it with
curl --data-binary: curl -d would drop its line breaks.`,
  options: {
    ...SIGNING_OPTIONS,
    id: { type: "string", value: "id", help: "The message id of the svix scheme. The default is a new one" },
    timestamp: { type: "string", value: "time", help: "When it is signed, such as 10m (ago) or unix seconds. The default is now" },
  },
  examples: [
    ["Send a signed body with curl", "ofauth-edge sign body.json | curl -H @- --data-binary @body.json http://localhost:3000/webhooks"],
    ["See how your app treats an old signature", "ofauth-edge sign --timestamp 1h < body.json"],
  ],
  async run({ values, positionals, env, output }) {
    const { scheme, secret } = secretToSign(values, env);
    const time = instant(values, "timestamp", Date.now());
    const body = await readInput(onlyPositional(positionals, "file"), output, "the body");
    const id = scheme === "svix" ? (values.id ?? newMessageId()) : undefined;
    const timestamp = time === undefined ? undefined : Math.floor(time / 1_000);
    const headers = asFailure(() => signWebhook(body, secret, { scheme, timestamp, id }));
    if (output.json) output.data(headers);
    else output.result(Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n"));
    return 0;
  },
};
