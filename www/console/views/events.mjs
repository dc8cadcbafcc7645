// The stored events that are not about a connection, the newest first, with their bodies. The gateway has no filter by type, so the
// filter looks at what has been read.

import { showBody } from "../bodies.mjs";
import { addressOf, button, codeBlock, copyButton, element, lazyDetails, linkTo } from "../dom.mjs";
import { count, exactTimeOf, timeOf } from "../format.mjs";
import { keepFresh } from "../keep-fresh.mjs";
import { showEmpty, showError, showLoading } from "../states.mjs";

export const title = "Events";

const PATH = "/edge/events";
const EVERY_MS = 15_000;
/** How many pages are read at once in the search for an event of the chosen type. */
const MOST_PAGES = 5;
const NO_TYPE = "not an event";

export async function render(root, { query, api, signal }) {
  const view = { api, signal, type: query.type ?? "", known: new Map() };
  view.list = element("ol", { class: "timeline", role: "list" });
  view.end = element("div");
  view.summary = element("p", { class: "soft", role: "status" });
  view.select = element("select", { id: "type", onchange: () => choose(view, view.select.value) });
  root.append(
    element("h1", {}, title),
    element("p", { class: "soft" }, "What OFAuth sent that is not about one connection. Webhooks about a connection are in its timeline: see ", linkTo("/connections", {}, "Connections"), "."),
    element("form", { class: "toolbar", onsubmit: (event) => event.preventDefault() },
      element("label", { for: "type" }, "Type"), view.select, button("Refresh", () => refresh(view))),
    view.summary, view.list, view.end,
  );
  showLoading(view.end, "Reading the events");
  await refresh(view);
  keepFresh(() => lookForNew(view), { every: EVERY_MS, signal });
  return ({ type = "" }) => {
    view.type = type;
    update(view);
  };
}

function choose(view, type) {
  view.type = type;
  history.replaceState(null, "", addressOf("/events", { type }));
  update(view);
}

/** Asks for one event only, because a page costs a read of Workers KV for each event. */
async function lookForNew(view) {
  const { list } = await view.api.get(PATH, { query: { limit: 1 }, signal: view.signal });
  if (list.some(({ id }) => !view.known.has(id))) await refresh(view);
}

/** Reads the newest page again. */
async function refresh(view) {
  await read(view, async () => {
    const page = await view.api.get(PATH, { signal: view.signal });
    const isJoined = page.list.some(({ id }) => view.known.has(id));
    if (!isJoined) {
      // Nothing of it is known: there may be more between it and what was read before.
      view.known.clear();
      view.list.replaceChildren();
      view.cursor = page.cursor;
    }
    take(view, page.list);
  }, () => refresh(view));
}

/** Reads an older page, and more of them until there is one with the chosen type. */
async function readOlder(view) {
  await read(view, async () => {
    const before = shownOf(view).length;
    for (let pages = 0; view.cursor && pages < MOST_PAGES && shownOf(view).length === before; pages += 1) {
      const page = await view.api.get(PATH, { query: { cursor: view.cursor }, signal: view.signal });
      view.cursor = page.cursor;
      take(view, page.list);
    }
  }, () => readOlder(view));
}

async function read(view, load, retry) {
  try {
    await load();
    update(view);
  } catch (error) {
    showError(view.end, error, { signal: view.signal, retry });
  }
}

/** Puts events in their places: the list is ordered by when they happened. */
function take(view, events) {
  for (const event of events) {
    if (view.known.has(event.id)) continue;
    const item = { ...event, kind: event.type || NO_TYPE, element: showEvent(event) };
    const next = [...view.list.children].find((other) => other.dataset.stamp < event.stamp);
    view.list.insertBefore(item.element, next ?? null);
    view.known.set(event.id, item);
  }
}

function shownOf({ known, type }) {
  return [...known.values()].filter(({ kind }) => !type || kind === type);
}

function update(view) {
  const { known, type, cursor, select, signal } = view;
  if (signal.aborted) return;
  const shown = shownOf(view);
  for (const item of known.values()) item.element.hidden = !shown.includes(item);
  const kinds = Map.groupBy(known.values(), ({ kind }) => kind);
  const names = [...new Set([...kinds.keys(), ...(type ? [type] : [])])].sort();
  const options = [["", `All types (${known.size})`], ...names.map((name) => [name, `${name} (${kinds.get(name)?.length ?? 0})`])];
  // A list that somebody has opened is left as it is if it says the same.
  if (select.textContent !== options.map(([, text]) => text).join("")) {
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = type;
  const more = cursor ? "There are older ones." : "";
  view.summary.textContent = known.size > 0 ? `${shown.length.toLocaleString("en")} of ${count(known.size, "event")} read so far. ${more}` : "";
  view.end.replaceChildren(...endOf(view, shown));
}

function endOf(view, shown) {
  const older = view.cursor && button(view.type ? "Look for older ones" : "Show older", () => readOlder(view));
  const place = element("div");
  if (view.known.size === 0) showNone(place);
  else if (shown.length === 0) showEmpty(place, "None of the events that were read has this type.", linkTo("/events", {}, "Show all types"));
  return [place, older].filter(Boolean);
}

function showNone(place) {
  const command = `npx ofauth-edge trigger rules.updated --vars .dev.vars --url ${location.origin}/webhooks/ofauth`;
  showEmpty(place, "No event is stored.",
    "An event appears here up to a minute after it came, if EVENT_KEEP names its type. It stays for EVENT_TTL_SECONDS. To try it on a Worker that no real users have, send a sample:");
  place.firstChild.append(codeBlock("The command", command), copyButton(command, "Copy the command"));
}

function showEvent(event) {
  const { id, type, receivedAt, stamp } = event;
  const summary = element("summary", {}, element("code", {}, type || NO_TYPE), element("span", { class: "soft" }, timeOf(receivedAt)));
  const item = element("li", {}, lazyDetails(summary, () => [
    element("p", { class: "soft" }, "It arrived on ", exactTimeOf(receivedAt), " and is of ", exactTimeOf(stamp), ". Its id is ", element("code", {}, id), "."),
    ...connectionsIn(event.body),
    showBody(event, "The body is empty."),
  ]));
  item.dataset.stamp = stamp;
  return item;
}

/** Links to the connections that a body names. */
function connectionsIn(body) {
  const handles = new Set((body.match(/\bacct_[0-9a-f]{32}\b/g) ?? []).slice(0, 20));
  const links = [...handles].flatMap((handle) => [" ", linkTo(`/connections/${handle}`, {}, handle)]);
  return links.length > 0 ? [element("p", {}, `It names ${handles.size === 1 ? "the connection" : "the connections"}`, ...links)] : [];
}
