// The body of a webhook: formatted to be read, and to copy or download as OFAuth sent it.

import { button, codeBlock, copyButton, element } from "./dom.mjs";
import { formatJson } from "./format.mjs";

/** How many characters are shown. More than that would make the page slow. */
const MOST_SHOWN = 100_000;

/**
 * @param {{type: string | null, encoding: string, body: string}} event
 * @param {string} none   what to say if there is no body
 */
export function showBody({ type, encoding, body }, none) {
  if (!body && encoding === "base64") return element("p", {}, "The body is not text, and only a server may read it.");
  if (!body) return element("p", {}, none);
  const text = formatJson(body);
  const isCut = text.length > MOST_SHOWN;
  return element("div", {},
    codeBlock("Body", isCut ? text.slice(0, MOST_SHOWN) : text),
    isCut && element("p", { class: "soft" }, `These are the first ${MOST_SHOWN.toLocaleString("en")} of ${text.length.toLocaleString("en")} characters. Copy or download the body to see all of it.`),
    element("div", { class: "buttons" }, copyButton(body, "Copy the body"), button("Download the body", () => download(body, type), { class: "small" })),
  );
}

/** Saves a body byte for byte, under the name of its type. */
function download(body, type) {
  const url = URL.createObjectURL(new Blob([body], { type: "application/json" }));
  element("a", { href: url, download: `${(type || "webhook").replace(/[^\w.-]/g, "_").slice(0, 100)}.json` }).click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
