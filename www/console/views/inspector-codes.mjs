// What the codes of refused webhooks mean, for whoever comes from the line "Refused webhooks".

import { element } from "../dom.mjs";

/** Codes of the Worker and of the npm package, and what they mean. */
export const CODES = {
  SIGNATURE_MISMATCH: "No signature fits the body with any of the secrets. The secret is another one, or the body was changed on the way.",
  MISSING_HEADERS: "There is no signature in the headers for which there is a secret. Often a stranger or a scanner called the URL.",
  MALFORMED_HEADER: "A signature header has no time or two, is too long, or came twice.",
  INVALID_TIMESTAMP: "The time in the header is no decimal number of seconds.",
  NO_VALID_SIGNATURES: "The header has no signature of the right form.",
  TIMESTAMP_TOO_OLD: "It was signed longer ago than 5 minutes, or WEBHOOK_TOLERANCE_SECONDS. It came late, was sent again, or a clock is wrong.",
  TIMESTAMP_TOO_NEW: "It was signed for a time in the future. A clock is wrong.",
  BODY_TOO_LARGE: "The body is longer than a webhook may be.",
  OVERLOADED: "Too many large bodies came at the same time. OFAuth sends the webhook again.",
  STORAGE_UNAVAILABLE: "The webhook is genuine, but Cloudflare's storage did not answer. OFAuth sends it again.",
  INVALID_SECRET: "From the npm package: a secret is empty, or is not in the form that its scheme needs.",
  INVALID_JSON: "From the npm package: the signature is good, but the body is not JSON.",
  INVALID_EVENT: "From the npm package: the signature is good, but the body is no event of OFAuth's.",
};

export function codes() {
  return element("section", {}, element("details", { class: "card" },
    element("summary", {}, element("h2", {}, "What the codes mean")),
    element("dl", {}, ...Object.entries(CODES).map(([code, meaning]) => element("div", {}, element("dt", {}, element("code", {}, code)), element("dd", {}, meaning)))),
    element("p", {}, "The Worker stores no refused webhook. The sender still has it: OFAuth's dashboard shows what it sent. Or log headers and body where they arrive."),
  ));
}
