// What came of a check: the cause in plain words, what to do, and the facts behind it.

import { codeBlock, definitions, element } from "../dom.mjs";
import { count } from "../format.mjs";
import { sentence } from "../states.mjs";
import { adviceFor } from "./inspector-advice.mjs";

/** Of which scheme a signature is, by the header that has it. */
const SCHEMES = { ofauth: "OFAuth-Signature", svix: "svix (svix-id, svix-timestamp, svix-signature)" };
const LAYOUTS = { compact: "none", spaced: "a space after each comma and colon", indent_2: "indented by 2 spaces", indent_4: "indented by 4 spaces", indent_tab: "indented by tabs" };
const ESCAPES = { none: "none", ascii: "all characters beyond ASCII", ascii_and_slash: "all characters beyond ASCII, and /", slash: "/" };

/**
 * @param {Awaited<ReturnType<import("./inspector-judge.mjs").judge>>} judgement
 * @param {import("./inspector-judge.mjs").WebhookRequest} request
 * @returns {Node[]}
 */
export function showResult(judgement, { body, secret }) {
  const { diagnosis, event, fault } = judgement;
  const look = diagnosis.ok ? (fault ? "unknown" : "good") : "bad";
  const parts = diagnosis.ok ? good(event, fault) : bad(diagnosis, judgement.fitsOther);
  return [
    element("div", { class: `line ${look}` },
      element("p", {}, element("span", { class: `badge ${look}` }, diagnosis.ok ? "It verifies" : "It does not verify"), " ", diagnosis.ok ? "" : element("code", {}, diagnosis.cause)),
      ...parts,
      difference(diagnosis.evidence, body),
    ),
    facts(diagnosis, secret),
  ];
}

function good(event, fault) {
  if (fault) {
    return [
      element("h2", {}, "The signature is good, but the body is no event."),
      element("p", {}, `The npm package refuses it with ${fault.code}, because OFAuth's events are JSON objects with a type. The Worker takes it, and it changes no connection.`),
    ];
  }
  return [
    element("h2", {}, "The signature is good."),
    element("p", {}, "It is the event ", element("code", {}, event.type), event.known ? "." : ", of a type that this version does not know.",
      " If your app or the Worker refuses it all the same, it has another secret, or it checks another body than this one."),
  ];
}

function bad({ cause, message, evidence }, fitsOther) {
  // The package says the cause first and then what to do about it.
  const [, what, todo] = /^(.*?[.])\s+(.+)$/s.exec(message) ?? [undefined, message];
  const advice = [cause === "clock_skew" && ageOf(evidence), todo, fitsOther && "This secret is right for the scheme of the headers. Give it for that scheme.", ...adviceFor(cause)].filter(Boolean);
  return [
    element("h2", {}, sentence(what)),
    advice.length > 0 && element("p", { class: "todo" }, element("strong", {}, "What to do")),
    advice.length > 0 && element("ul", {}, ...advice.map((text) => element("li", {}, ...withCode(text)))),
  ].filter(Boolean);
}

/** What stands between backticks becomes code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function ageOf({ skewSeconds }) {
  const span = duration(Math.abs(skewSeconds));
  return `It was signed ${skewSeconds < 0 ? `for a time that is ${span} ahead of this clock` : `${span} ago`}. The Worker accepts 5 minutes, or WEBHOOK_TOLERANCE_SECONDS.`;
}

/** The place at which the body differs from the one that was signed, with what stands around it. */
function difference({ offset }, body) {
  if (offset === undefined) return "";
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const text = (from, to) => visible(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(Math.max(0, from), to)));
  const rest = text(offset + 1, offset + 40);
  return element("div", {},
    element("p", {}, `It differs from what was signed at byte ${offset.toLocaleString("en")}, counted from 0:`),
    codeBlock("Where the body differs", text(offset - 40, offset), element("mark", {}, text(offset, offset + 1) || "the end"), rest),
  );
}

/** Line breaks, tabs and spaces, which are often what differs, as characters that can be seen. */
function visible(text) {
  return text.replaceAll("\r", "[CR]").replaceAll("\n", "↵").replaceAll("\t", "→").replaceAll(" ", "·").replaceAll("\ufeff", "[BOM]");
}

function facts({ ok, cause, evidence }, secret) {
  const { code, scheme, secretList, secretIndex, missingHeader, skewSeconds, bodyBytes, signedBytes, layout, escapes, macMatches } = evidence;
  const isOneOfMany = secretIndex !== undefined && secret.includes(",");
  return definitions([
    ["Code of the Worker", code && element("code", {}, code)],
    ["Scheme of the headers", scheme && SCHEMES[scheme]],
    ["Missing header", missingHeader && element("code", {}, missingHeader)],
    ["Signed", skewSeconds !== undefined && (skewSeconds < 0 ? `${duration(-skewSeconds)} ahead` : `${duration(skewSeconds)} ago`)],
    ["Secret that matters", isOneOfMany && `value ${secretIndex + 1} of the field`],
    ["Secret of the scheme", secretList && SCHEMES[secretList]],
    ["Body", count(bodyBytes, "byte")],
    ["Body that was signed", signedBytes !== undefined && count(signedBytes, "byte")],
    ["White space in the JSON that was signed", layout && (LAYOUTS[layout] ?? layout)],
    ["Escapes in the JSON that was signed", escapes && escapes !== "kept" && (ESCAPES[escapes] ?? escapes)],
    ["Proof", !ok && proofOf(cause, macMatches)],
  ].filter(([, value]) => value !== false));
}

function proofOf(cause, macMatches) {
  if (macMatches) return "The signature matches once the cause is undone.";
  return cause === "unknown" ? "None: no known cause, undone, makes the signature match." : "The form of a header or of a secret.";
}

function duration(seconds) {
  const [length, noun] = [[86_400, "day"], [3_600, "hour"], [60, "minute"]].find(([length]) => seconds >= 2 * length) ?? [1, "second"];
  return count(Math.round(seconds / length), noun);
}
