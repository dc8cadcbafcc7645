// `trigger`: sends a signed sample event.

import { createHash } from "node:crypto";

import { instant, required, wholeNumber } from "./arguments.mjs";
import { secretToSign, SIGNING_OPTIONS } from "./environment.mjs";
import { UsageError } from "./errors.mjs";
import { readUrl, shownUrl } from "./http.mjs";
import { readInput } from "./input.mjs";
import { suggest } from "./nearest.mjs";
import { clean } from "./output.mjs";
import { setField, unsetField } from "./overrides.mjs";
import { sampleEvent, SAMPLE_TYPES } from "./samples.mjs";
import { explainRefusal, newMessageId, postWebhook } from "./webhooks.mjs";

/** @type {import("./program.mjs").Command} */
export const trigger = {
  name: "trigger",
  summary: "Send a signed sample event to your app or to a gateway",
  positionals: "<event type>",
  about: `The event types are:
${SAMPLE_TYPES.map((type) => `  ${type}`).join("\n")}

--set keeps the kind of a field: texts stay texts, and data.truncated=true is a boolean. --set path:=json sets any JSON.
A gateway believes a sample event. Do not send one to a gateway that real users have.`,
  options: {
    url: { type: "string", value: "url", help: "Where the webhook goes. The path of a gateway is /webhooks/ofauth" },
    ...SIGNING_OPTIONS,
    set: { type: "string", value: "path=value", multiple: true, help: "Set a field of the event" },
    unset: { type: "string", value: "path", multiple: true, help: "Remove a field of the event" },
    data: { type: "string", value: "file", help: "Send this body instead of a sample. - is stdin" },
    times: { type: "string", value: "number", help: "Send the same event several times, as OFAuth may" },
    timestamp: { type: "string", value: "time", help: "The event's own time, such as 10m (ago). The default is now" },
    print: { type: "boolean", help: "Print the event, and send nothing" },
  },
  examples: [
    ["A user has linked an account", "ofauth-edge trigger connection.created --url http://localhost:3000/webhooks --vars .env"],
    ["The same for a user of yours", "ofauth-edge trigger connection.created --url http://localhost:3000/webhooks --set data.clientReferenceId=user_1"],
    ["An old event that comes late, twice", "ofauth-edge trigger connection.expired --url http://localhost:3000/webhooks --timestamp 2h --times 2"],
    ["See the event", "ofauth-edge trigger realtime.chat_message.received --print"],
  ],
  async run(context) {
    const { values, env, output } = context;
    const body = await bodyOf(context);
    if (values.print) return printBody(body, output), 0;
    const url = readUrl(required(values, "url", "http://localhost:3000/webhooks"), "--url");
    const signer = secretToSign(values, env);
    const times = wholeNumber(values, "times", 1, 1);
    const id = newMessageId();
    let accepted = true;
    for (let sent = 0; sent < times; sent++) {
      const answer = await postWebhook({ url, body, id, signer });
      accepted = answer.status >= 200 && answer.status < 300 && accepted;
      printAnswer(answer, { url, body, id, signer, output });
    }
    return accepted ? 0 : 1;
  },
};

async function bodyOf({ values, positionals, output }) {
  const [type, ...more] = positionals;
  if (more.length > 0) throw new UsageError("Only one event type can be given, and every other argument must follow its option");
  if (values.data !== undefined) {
    if (type !== undefined || values.set || values.unset || values.timestamp) {
      throw new UsageError("--data is sent as it is, so it excludes an event type, --set, --unset and --timestamp");
    }
    return readInput(values.data, output, "the body");
  }
  if (type === undefined) throw new UsageError(`Which event? The types are:\n${SAMPLE_TYPES.map((one) => `  ${one}`).join("\n")}`);
  if (!SAMPLE_TYPES.includes(type)) {
    const nearest = suggest(type, SAMPLE_TYPES);
    throw new UsageError(`There is no sample of this type.${nearest} ofauth-edge trigger lists all. --data sends a body of your own`);
  }
  const time = instant(values, "timestamp", Date.now());
  const event = sampleEvent(type, time === undefined ? undefined : new Date(time).toISOString());
  for (const assignment of values.set ?? []) setField(event, assignment);
  for (const path of values.unset ?? []) unsetField(event, path);
  return Buffer.from(JSON.stringify(event));
}

/** Prints an event for people or for programs. A body that is not JSON is printed as it is, and for programs as a string. */
function printBody(body, output) {
  const text = String(body);
  let event;
  try {
    event = JSON.parse(text);
  } catch {
    return output.json ? output.data(text) : output.result(text);
  }
  return output.json ? output.data(event) : output.result(JSON.stringify(event, null, 2));
}

function printAnswer(answer, { url, body, id, signer, output }) {
  const { status, ms, text } = answer;
  const ok = status >= 200 && status < 300;
  const type = typeOf(body);
  const hint = ok ? undefined : explainRefusal(answer, url);
  if (output.json) {
    const digest = createHash("sha256").update(body).digest("hex");
    output.data({ ok, type, status, ms, answer: text, digest, ...(signer.scheme === "svix" && { id }), ...(hint && { hint }) });
    return;
  }
  const { style } = output;
  output.result(`${ok ? style.green(status) : style.red(status)}  ${clean(type)} -> ${shownUrl(url)}  ${style.dim(`${ms} ms`)}`);
  if (clean(text) !== "") output.result(`     ${clean(text, 500)}`);
  if (hint) output.note(hint);
}

function typeOf(body) {
  try {
    const { type, eventType } = JSON.parse(body);
    return type ?? eventType ?? "a body without a type";
  } catch {
    return "a body that is not JSON";
  }
}
