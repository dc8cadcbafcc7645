// Which webhook secrets and gateway keys were used last, and when, and whether an old one can go.

import { element } from "../dom.mjs";
import { count, timeOf } from "../format.mjs";
import { nameOfKey, nameOfSecret } from "./status-lines.mjs";

/** @returns {{element: HTMLElement, update: (lines: object[], total: object, span: object) => void}} */
export function openSecrets() {
  const place = element("div");
  const section = element("section", { "aria-labelledby": "in-use" },
    element("h2", { id: "in-use" }, "Secrets and keys in use"),
    element("p", { class: "soft" }, "A value that is not used any more can be removed from its list. The Worker remembers uses for 24 hours, by the place in the list: in the first 24 hours after the list was changed, a place may show the uses of the value that was there before."),
    place);
  const update = (lines, total, span) => {
    const usesOf = (name) => lines.find((line) => line.name === name)?.value;
    const [secrets, keys] = [usesOf("webhookSecrets"), usesOf("gatewayKeys")];
    if (!secrets || !keys) return place.replaceChildren(element("p", {}, "The metrics did not answer."));
    place.replaceChildren(element("table", { class: "uses" },
      element("thead", {}, element("tr", {}, ...["Secret or key", "Last used"].map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {},
        ...Object.keys(secrets).map((name) => row(nameOfSecret(name), adviceOf(name, secrets), secrets[name], usesIn(span, total.webhook_secret?.[name]))),
        ...Object.keys(keys).map((name) => row(nameOfKey(name), keys[name] ? "" : "A job that runs less than once a day may still need it.", keys[name], usesIn(span, total.gateway_key?.[name])))),
    ));
  };
  return { element: section, update };
}

function row(name, advice, last, uses) {
  return element("tr", {},
    element("td", {}, name, advice && element("span", { class: "advice soft" }, advice)),
    element("td", {}, last ? timeOf(last) : "not in the last 24 hours", last && element("span", { class: "soft" }, uses)),
  );
}

function usesIn(span, number = 0) {
  return `${count(number, "use")} in ${span.last}`;
}

/** What to do about a webhook secret such as ofauth:2, by its own uses and those of the others of its scheme. */
function adviceOf(name, uses) {
  const [scheme, place] = name.split(":");
  const isUsed = uses[name] !== null;
  const others = Object.keys(uses).filter((other) => other !== name && other.startsWith(`${scheme}:`));
  const isOtherUsed = others.some((other) => uses[other] !== null);
  if (place === "1") return !isUsed && isOtherUsed ? "OFAuth still signs with an older value." : "";
  if (isUsed) return "OFAuth has signed with this old value. Keep it until 24 hours have passed without a use.";
  return isOtherUsed ? "Nothing was signed with this old value for 24 hours, and webhooks came with another one. It can be removed, if the list was not changed in that time." : "No webhook came that would tell whether OFAuth still uses it.";
}
