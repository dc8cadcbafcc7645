// The events that the app has not taken: why, when they are sent again, and a button that sends one now.

import { button, element, linkTo, replaceContent, tab } from "../dom.mjs";
import { count, timeOf } from "../format.mjs";
import { keepFresh } from "../keep-fresh.mjs";
import { errorBox, showEmpty, showError, showLoading } from "../states.mjs";
import { answerOf, replays } from "./replays.mjs";

export const title = "Forwards";

const PATH = "/edge/deliveries";
const EVERY_MS = 5_000;
const PER_PAGE = 50;
const TABS = [["parked", "Given up"], ["pending", "Sent again by themselves"]];

export async function render(root, { query, api, signal }) {
  const view = { api, signal, state: stateOf(query), pages: 1, items: [] };
  view.tabs = element("ul", { class: "tabs", role: "list" });
  view.results = element("div");
  view.replays = replays({ api, signal, onNews: () => load(view).catch(() => {}) });
  root.append(
    element("h1", {}, title),
    element("p", { class: "soft" }, "Events that your app did not take at the first attempt. An event that your app has taken leaves the list."),
    element("nav", { "aria-label": "State" }, view.tabs),
    view.replays.messages,
    view.results,
  );
  const first = async () => {
    showLoading(view.results, "Reading the forwards");
    await load(view).catch((error) => showError(view.results, error, { signal, retry: first }));
  };
  showTabs(view);
  await first();
  keepFresh(() => load(view), { every: EVERY_MS, signal });
  return (query) => {
    Object.assign(view, { state: stateOf(query), pages: 1 });
    showTabs(view);
    return first();
  };
}

function stateOf({ state }) {
  return state === "pending" ? "pending" : "parked";
}

function showTabs({ tabs, state }) {
  replaceContent(tabs, ...TABS.map(([value, name]) => tab(linkTo("/forwards", { state: value }, name), value === state)));
}

/** Reads the pages that are shown. */
async function load(view) {
  const { state, pages, api, signal } = view;
  const items = [];
  let cursor;
  for (let page = 0; page < pages && (page === 0 || cursor); page += 1) {
    const answer = await api.get(PATH, { query: { state, limit: PER_PAGE, cursor }, signal });
    items.push(...answer.list);
    cursor = answer.cursor;
  }
  if (signal.aborted || state !== view.state) return;
  const news = JSON.stringify([state, items, cursor !== undefined]);
  if (news === view.shown && view.results.querySelector("ul, .empty")) return;
  view.shown = news;
  show(view, items, cursor);
}

function show(view, items, cursor) {
  if (items.length === 0) return showNone(view);
  const more = async () => {
    view.pages += 1;
    await load(view).catch((error) => view.results.append(errorBox(error)));
  };
  const list = element("ul", { class: "lines", role: "list" }, ...items.map((item) => showItem(item, view)));
  replaceContent(view.results, ...[list, cursor && button("Show older", more)].filter(Boolean));
}

function showItem(item, view) {
  const { id, type, handle, state, firstTriedAt, nextTryAt, parkedAt, lastAnswer } = item;
  const name = type || "not an event";
  const isParked = state === "parked";
  return element("li", { class: `line ${isParked ? "bad" : "unknown"}` },
    element("div", { class: "line-head" },
      element("h2", {}, element("code", {}, name)),
      element("span", { class: `badge ${isParked ? "bad" : "unknown"}` }, isParked ? "given up" : "waiting")),
    element("p", {}, triesOf(item), " The last answer was ", element("strong", {}, answerOf(lastAnswer)), "."),
    element("p", {}, "First sent ", timeOf(firstTriedAt), ". ", ...(isParked ? ["Given up ", timeOf(parkedAt)] : ["Next try ", timeOf(nextTryAt)]), "."),
    element("p", { class: "soft" }, element("code", {}, id)),
    element("div", { class: "buttons" },
      button("Send again now", () => view.replays.send(item), { "aria-label": `Send again now: ${name}, event ${id.slice(0, 8)}` }),
      handle && linkTo(`/connections/${encodeURIComponent(handle)}`, {}, "Show the connection")),
  );
}

function triesOf({ tries, unanswered, refused }) {
  const parts = [unanswered && `${unanswered.toLocaleString("en")} without an answer`, refused && `${refused.toLocaleString("en")} refused`].filter(Boolean);
  return `${count(tries, "try", "tries")}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}.`;
}

/** Says that the list is empty, and whether forwarding is on. That is asked for once, because the status costs reads of Workers KV. */
async function showNone(view) {
  const { results, state, api, signal } = view;
  const place = element("div");
  const say = (...more) => showEmpty(place, state === "parked" ? "No event is given up." : "No event waits to be sent again.", ...more);
  say();
  replaceContent(results, place);
  view.isOn ??= api.get("/edge/status", { signal }).then(({ lines }) => lines.find(({ name }) => name === "parkedForwards")?.value !== null, () => undefined);
  const isOn = await view.isOn;
  if (isOn === true) say("Forwarding is on. An event appears here if your app does not take it at the first attempt.");
  if (isOn === false) say("Forwarding is off. To turn it on, set the variable FORWARD_URL to an address of your app, and the secret FORWARD_SECRET to what it verifies webhooks with.", "Then OFAuth's events reach your app through this Worker, in order, and again until it has taken them.");
}
