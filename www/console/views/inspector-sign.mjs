// Signs a test event as OFAuth signs, and shows it as a curl command.

import { button, codeBlock, copyButton, element } from "../dom.mjs";
import { quote } from "../shell.mjs";
import { errorBox } from "../states.mjs";
import { loadPackage } from "./inspector-judge.mjs";

/** @param {(request: import("./inspector-judge.mjs").WebhookRequest) => void} onCheck   checks what was signed */
export function signing(onCheck) {
  const fields = {
    type: element("select", { id: "event-type" }),
    event: element("textarea", { id: "event", rows: 10, spellcheck: "false", autocomplete: "off", required: true }),
    secret: element("input", { id: "sign-secret", type: "password", autocomplete: "off", spellcheck: "false", required: true }),
    scheme: element("select", { id: "sign-scheme" }, element("option", { value: "ofauth" }, "OFAuth-Signature"), element("option", { value: "svix" }, "svix-signature")),
    url: element("input", { id: "url", inputmode: "url", spellcheck: "false", autocomplete: "off", value: `${location.origin}/webhooks/ofauth` }),
    result: element("div", { role: "status" }),
  };
  const form = element("form", {
    "aria-labelledby": "sign",
    onsubmit: (event) => (event.preventDefault(), sign(fields, onCheck)),
    // A command of other fields would be taken for theirs.
    oninput: () => fields.result.replaceChildren(),
  }, ...layOut(fields));
  fields.type.addEventListener("change", () => showSample(fields));
  offer(fields);
  return element("section", { "aria-labelledby": "sign" },
    element("h2", { id: "sign" }, "Sign a test event"),
    element("p", {}, "Makes a webhook like OFAuth's, and the command that sends it. A gateway believes it, so do not send one to a gateway that real users have."),
    element("div", { class: "columns" }, form, element("div", { class: "result" }, fields.result)),
  );
}

function layOut({ type, event, secret, scheme, url }) {
  const field = (label, input) => [element("label", { for: input.id }, label), input];
  return [
    ...field("Event", type),
    ...field("Body", event),
    ...field("Secret to sign with", secret),
    ...field("Signature", scheme),
    ...field("Where curl sends it", url),
    element("button", { type: "submit", class: "primary" }, "Sign"),
  ];
}

/** Lists the types of events, once the package is there. */
async function offer(fields) {
  try {
    const { SAMPLE_TYPES } = await loadPackage();
    fields.type.replaceChildren(...SAMPLE_TYPES.map((type) => element("option", {}, type)));
    await showSample(fields);
  } catch (error) {
    fields.result.replaceChildren(errorBox(error, () => offer(fields)));
  }
}

async function showSample({ type, event, result }) {
  const { sampleEvent } = await loadPackage();
  event.value = JSON.stringify(sampleEvent(type.value), null, 2);
  result.replaceChildren();
}

async function sign({ event, secret: { value: secret }, scheme, url, result }, onCheck) {
  try {
    const { signWebhook } = await loadPackage();
    const body = event.value;
    const headers = Object.entries(signWebhook(body, secret, scheme.value === "svix" ? { scheme: "svix", id: newMessageId() } : {}));
    const command = curl(url.value, headers, body);
    result.replaceChildren(
      element("p", {}, "Signed. The signature is good for 5 minutes. The command does not have the secret."),
      codeBlock("The command", command),
      element("div", { class: "buttons" },
        copyButton(command, "Copy the command"),
        button("Check it above", () => onCheck({ headers, body, secret, scheme: scheme.value }), { class: "small" })),
    );
  } catch (error) {
    result.replaceChildren(errorBox(error));
  }
}

function curl(url, headers, body) {
  const lines = [...headers, ["content-type", "application/json"]].map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  return [`curl ${quote(url)}`, ...lines, `--data-binary ${quote(body)}`].join(" \\\n  ");
}

/** A message id as svix makes them. */
function newMessageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `msg_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
