// Which webhook secrets and gateway keys were used in the last 24 hours, and whether an old one can go.

import { element, tableHead } from "../dom.mjs";
import { hasFingerprint, nameOfUse, describeUse } from "./status-lines.mjs";

/** @returns {{element: HTMLElement, update: (lines: object[]) => void}} */
export function openSecrets() {
  const place = element("div");
  const section = element("section", { "aria-labelledby": "in-use" },
    element("h2", { id: "in-use" }, "Secrets and keys in use"),
    element("p", { class: "soft" }, "A value that is not used any more can be removed from its list. Uses are counted by the fingerprint of the value, so they stay with it when the list is changed."),
    place);
  const update = (lines) => {
    const usesOf = (name) => lines.find((line) => line.name === name)?.value;
    const [secrets, keys] = [usesOf("webhookSecrets"), usesOf("gatewayKeys")];
    if (!secrets || !keys) return place.replaceChildren(element("p", {}, "The metrics did not answer."));
    place.replaceChildren(element("table", { class: "uses" },
      tableHead("Secret or key", "In the last 24 hours"),
      element("tbody", {},
        ...secrets.map((use) => row("webhookSecrets", use, adviceOnSecret(use, secrets))),
        ...keys.map((use) => row("gatewayKeys", use, use.uses ? "" : "A job that runs less than once a day may still need it."))),
    ));
  };
  return { element: section, update };
}

function row(line, use, advice) {
  return element("tr", {},
    element("td", {}, nameOfUse(line, use), use.place && element("code", { class: "advice soft" }, use.code), advice && element("span", { class: "advice soft" }, advice)),
    element("td", {}, ...describeUse(use)),
  );
}

/** What to do about a webhook secret, by its own uses and those of the others of its scheme. */
function adviceOnSecret({ code, place, uses }, secrets) {
  const [scheme] = code.split(":");
  if (!place) return "";
  const others = secrets.filter((other) => other.code !== code && other.code.startsWith(`${scheme}:`));
  if (place === 1) return !uses && others.some((other) => other.place && other.uses) ? "OFAuth still signs with an older value." : "";
  if (uses) return "OFAuth has signed with this old value. Keep it until 24 hours have passed without a use.";
  if (others.some((other) => !hasFingerprint(other))) return "Some uses were counted without a fingerprint, and may be its own. Keep it until they are gone.";
  return others.some((other) => other.uses) ? "Nothing was signed with this old value for 24 hours, and webhooks came with another one. It can be removed." : "No webhook came that would tell whether OFAuth still uses it.";
}
