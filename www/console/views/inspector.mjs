// Why a webhook is refused. Everything here happens in the browser: nothing that is pasted is sent, stored or put into the address.

import { button, element } from "../dom.mjs";
import { showEmpty, showError } from "../states.mjs";
import { codes } from "./inspector-codes.mjs";
import { openForm } from "./inspector-form.mjs";
import { judge, loadPackage } from "./inspector-judge.mjs";
import { showResult } from "./inspector-result.mjs";
import { signing } from "./inspector-sign.mjs";

export const title = "Inspector";

const EXAMPLE_SECRET = "whsec_an_example_that_opens_nothing";

export function render(root) {
  const result = element("div", { role: "status" });
  const form = openForm((request) => check(request, result));
  showEmpty(result, "Paste a webhook and its secret, and press Check. The answer appears here.", "An example shows what it looks like.");
  const fillIn = async (change) => {
    try {
      form.check(await example(change));
    } catch (error) {
      showError(result, error);
    }
  };
  root.append(
    element("h1", {}, "Why is a webhook refused?"),
    element("p", { class: "lead" }, "Paste the webhook as it arrived. Your browser checks its signature: nothing is sent, and nothing is stored."),
    element("div", { class: "buttons" },
      button("Example that fails", () => fillIn((body) => JSON.stringify(JSON.parse(body), null, 2))),
      button("Example that verifies", () => fillIn((body) => body)),
    ),
    element("div", { class: "columns" }, form.element, element("section", { "aria-label": "Result", class: "result" }, result)),
    signing((request) => form.check(request)),
    codes(),
  );
}

async function check(request, place) {
  try {
    const judgement = await judge(request);
    place.replaceChildren(...showResult(judgement, request));
  } catch (error) {
    showError(place, error);
  }
  place.scrollIntoView({ block: "nearest" });
}

/** A sample event, signed now. `change` is what happens to its body on the way. */
async function example(change) {
  const { sampleEvent, signWebhook } = await loadPackage();
  const body = JSON.stringify(sampleEvent("connection.created"));
  return { headers: Object.entries(signWebhook(body, EXAMPLE_SECRET)), body: change(body), secret: EXAMPLE_SECRET, scheme: "" };
}
