// Is everything all right? Each line of /edge/status in words, and what to do if it is not. The lines that need somebody come first.

import { element, replaceContent } from "../dom.mjs";
import { keepFresh } from "../keep-fresh.mjs";
import { sentence, showError, showLoading } from "../states.mjs";
import { describe } from "./status-lines.mjs";

export const title = "Start";

const HEADING = "Is everything all right?";
const EVERY_MS = 15_000;

export async function render(root, { api, signal }) {
  const place = element("div");
  root.append(place);
  showLoading(place, "Asking the Worker", HEADING);
  let shown;
  const load = async () => {
    const status = await api.get("/edge/status", { signal });
    if (JSON.stringify(status) !== shown) replaceContent(place, ...show(status));
    shown = JSON.stringify(status);
  };
  const first = () => load().catch((error) => showError(place, error, { signal, retry: first, heading: HEADING }));
  await first();
  keepFresh(load, { every: EVERY_MS, signal });
}

function show({ ok, lines }) {
  const order = (line) => [false, null, true].indexOf(line.ok);
  const wrong = lines.filter((line) => line.ok === false).length;
  const summary = ok ? "Everything is all right" : wrong === 1 ? "One thing needs attention" : `${wrong} things need attention`;
  return [
    element("h1", { class: ok ? "good" : "bad" }, summary),
    element("p", { class: "soft" }, "This page asks the Worker again every 15 seconds."),
    element("ul", { class: "lines", role: "list" }, ...lines.toSorted((a, b) => order(a) - order(b)).map(showLine)),
  ];
}

const BADGES = new Map([
  [true, ["good", "All right"]],
  [false, ["bad", "Look here"]],
  [null, ["unknown", "Not known"]],
]);

function showLine({ name, ok, value, hint }) {
  const { title, content, todo, link } = describe(name, value, ok);
  const [look, badge] = ok === null && value !== null ? ["", "Not yet"] : (BADGES.get(ok) ?? BADGES.get(null));
  return element(
    "li",
    { class: `line ${look}` },
    element("div", { class: "line-head" }, element("h2", {}, title), element("span", { class: `badge ${look}` }, badge)),
    element("div", {}, ...content),
    hint && element("p", { class: "hint" }, element("strong", {}, "What to do: "), todo ?? sentence(hint)),
    ok === false && link && element("p", {}, link),
  );
}
