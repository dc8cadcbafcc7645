// What `verify` and `explain` are given: a captured request, the secrets, and the time at which the request is judged.

import { instant, wholeNumber } from "./arguments.mjs";
import { SECRET_OPTIONS, secretsToVerify } from "./environment.mjs";
import { readRequest, REQUEST_OPTIONS } from "./input.mjs";

/** The options of commands that judge a captured request. */
export const CAPTURED_OPTIONS = {
  ...SECRET_OPTIONS,
  ...REQUEST_OPTIONS,
  tolerance: { type: "string", value: "seconds", help: "How old or new the signature may be. The default is 300" },
  now: { type: "string", value: "time", help: "Judge as if it were this time: when the request was captured" },
};

/**
 * Reads what the package's functions take, in their order: the body, the headers, the secrets, and the options.
 * @param {import("./program.mjs").Context} context
 */
export async function readCaptured(context) {
  const { values, env } = context;
  const secrets = secretsToVerify(values, env);
  const now = instant(values, "now", Date.now());
  const options = { tolerance: wholeNumber(values, "tolerance", 300), ...(now !== undefined && { now: Math.floor(now / 1_000) }) };
  const { body, headers } = await readRequest(context);
  return [body, headers, secrets, options];
}
