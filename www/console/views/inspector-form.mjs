// The form of the Inspector: headers, body and secret. A whole request in the first field is taken apart.

import { button, element } from "../dom.mjs";
import { count } from "../format.mjs";
import { isWholeRequest, readPasted } from "../paste.mjs";

/** @param {(request: import("./inspector-judge.mjs").WebhookRequest) => void} onCheck */
export function openForm(onCheck) {
  const fields = makeFields();
  const { headers, body, secret, scheme } = fields;
  const submit = (event) => {
    event.preventDefault();
    if (!takeApart(fields)) return;
    onCheck({ headers: readPasted(headers.value).headers, body: fields.exact ?? body.value, secret: secret.value, scheme: scheme.value });
  };
  // Not while somebody types: half of a command is none.
  headers.addEventListener("input", ({ inputType }) => /^insertFrom(?:Paste|Drop)/.test(inputType ?? "") && takeApart(fields));
  body.addEventListener("input", () => setBody(fields));
  fields.file.addEventListener("change", () => chooseFile(fields));
  const form = element("form", { onsubmit: submit, "aria-label": "The webhook" }, ...layOut(fields));
  return {
    element: form,
    /** Fills in a request and checks it. */
    check(request) {
      headers.value = linesOf(request.headers);
      setBody(fields, request.body);
      secret.value = request.secret;
      scheme.value = request.scheme;
      fields.notes.replaceChildren();
      form.requestSubmit();
    },
  };
}

function makeFields() {
  const area = (id, rows, help) => element("textarea", { id, rows, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": help });
  return {
    headers: area("headers", 5, "headers-help notes"),
    body: area("body", 8, "body-help"),
    secret: element("input", { id: "secret", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "secret-help" }),
    scheme: element("select", { id: "scheme" }, ...SCHEMES.map(([value, name]) => element("option", { value }, name))),
    file: element("input", { id: "file", type: "file" }),
    notes: element("div", { id: "notes", role: "status" }),
    bodyHelp: element("p", { id: "body-help", class: "soft small" }),
    /** The body, if it is not what the field can hold. */
    exact: undefined,
  };
}

const SCHEMES = [
  ["", "either scheme"],
  ["ofauth", "OFAuth-Signature (OFAUTH_WEBHOOK_SECRET)"],
  ["svix", "svix-signature (SVIX_WEBHOOK_SECRET)"],
];

function layOut(fields) {
  const { headers, body, secret, scheme, file, notes, bodyHelp } = fields;
  setBody(fields);
  const reveal = button("Show", () => {
    const shows = secret.type === "password";
    secret.type = shows ? "text" : "password";
    reveal.setAttribute("aria-pressed", shows);
  }, { "aria-pressed": "false", "aria-label": "Show the secret" });
  return [
    element("label", { for: "headers" }, "Headers, or the whole request"),
    element("p", { id: "headers-help", class: "soft small" }, "A curl command, a request, a log in JSON, or lines such as OFAuth-Signature: t=1795852344,v1=5257a8"),
    headers,
    notes,
    element("label", { for: "body" }, "Body"),
    body,
    bodyHelp,
    element("label", { for: "file" }, "Or a file with the body, byte for byte"),
    file,
    element("label", { for: "secret" }, "Secret"),
    element("div", { class: "with-button" }, secret, reveal),
    element("p", { id: "secret-help", class: "soft small" }, "As it is in the Worker or in your app. Several have commas between them."),
    element("label", { for: "scheme" }, "It is the secret of"),
    scheme,
    element("button", { type: "submit", class: "primary" }, "Check"),
  ];
}

/** Splits what is in the first field, if it is more than headers. Answers whether all of it could be read. */
function takeApart(fields) {
  const { headers, notes } = fields;
  try {
    const pasted = readPasted(headers.value);
    if (!isWholeRequest(headers.value)) return notes.replaceChildren(), true;
    headers.value = linesOf(pasted.headers);
    if (pasted.body !== undefined) setBody(fields, pasted.body);
    const sentences = [pasted.body === undefined ? "The headers were taken from it. It has no body." : "It was taken apart into headers and body.", ...pasted.notes];
    notes.replaceChildren(...sentences.map((text) => element("p", { class: "note" }, text)));
    return !pasted.lacks;
  } catch (error) {
    notes.replaceChildren(element("p", { class: "note bad" }, error.message));
    headers.focus();
    return false;
  }
}

/** Shows a body. A field has no CR, and no bytes that are not text, so those are kept beside it. */
function setBody(fields, body) {
  if (body !== undefined) fields.body.value = typeof body === "string" ? body : new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  const isExact = body === undefined || body === fields.body.value;
  fields.exact = isExact ? undefined : body;
  const bytes = body instanceof Uint8Array ? body.length : new TextEncoder().encode(fields.exact ?? fields.body.value).length;
  const kept = isExact ? "Without a change: not formatted, with no line break added." : "Its bytes are kept as they came, until you change the field.";
  fields.bodyHelp.textContent = `${count(bytes, "byte")}. ${kept}`;
  // Else it would name a file whose bytes are not the body any more.
  fields.file.value = "";
}

async function chooseFile(fields) {
  const [chosen] = fields.file.files;
  if (!chosen) return;
  const bytes = new Uint8Array(await chosen.arrayBuffer());
  setBody(fields, bytes);
  fields.bodyHelp.textContent = `${count(bytes.length, "byte")} of ${chosen.name}. They are kept as they are, until you change the field.`;
}

function linesOf(pairs) {
  return pairs.map(([name, value]) => `${name}: ${value.replace(/\s*[\r\n]+\s*/g, " ")}`).join("\n");
}
