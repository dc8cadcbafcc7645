// The list of connections: filter, search and pages. What is chosen stands in the address, so that it can be sent to a colleague.

import { addressOf, button, element, linkTo, replaceContent, tab, tableHead } from "../dom.mjs";
import { count, timeOf } from "../format.mjs";
import { findExactly, listOf, matches } from "../connection-list.mjs";
import { errorBox, showEmpty, showLoading } from "../states.mjs";
import { FILTERS, isInFilter, nameOf, statusBadge } from "../statuses.mjs";

export const title = "Connections";

const PER_PAGE = 50;
/** How long somebody may pause while typing, in ms. */
const PAUSE_MS = 300;

export async function render(root, { query, api, signal }) {
  const view = { list: listOf(api), api, signal, chosen: chosenBy(query) };
  view.results = element("div");
  view.summary = element("p", { class: "soft", role: "status" });
  view.tabs = element("ul", { class: "tabs", role: "list" });
  root.append(element("h1", {}, title), form(view), element("nav", { "aria-label": "Status" }, view.tabs), view.summary, view.results);
  if (view.list.size > 0) update(view);
  else showLoading(view.results, "Reading the connections");
  view.refresh = () => read(view, () => view.list.reload(() => update(view)));
  read(view, () => view.list.load(() => update(view))).then(() => search(view));
  return (query) => {
    view.chosen = chosenBy(query);
    if (view.field.value.trim() !== view.chosen.q) view.field.value = view.chosen.q;
    update(view);
    search(view);
  };
}

function chosenBy({ status = "", q = "", page = "" }) {
  return { status, q, page };
}

/** Reads, and shows what has been read and what went wrong. */
async function read(view, load) {
  view.failure = undefined;
  view.isReading = true;
  try {
    await load();
  } catch (error) {
    view.failure = error;
  }
  view.isReading = false;
  update(view);
}

function form(view) {
  const field = element("input", {
    id: "search",
    type: "search",
    value: view.chosen.q,
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => choose(view, { q: field.value.trim() }),
  });
  view.field = field;
  return element("form", { role: "search", class: "toolbar", onsubmit: (event) => event.preventDefault() },
    element("label", { for: "search" }, "Search by name, user, reference or handle"),
    field,
    button("Refresh", () => view.refresh()),
  );
}

/** Shows another choice without leaving the view, so that the field keeps its focus. */
function choose(view, change) {
  view.chosen = { ...view.chosen, page: "", ...change };
  history.replaceState(null, "", addressOf("/connections", view.chosen));
  update(view);
  clearTimeout(view.timer);
  view.timer = setTimeout(() => search(view), PAUSE_MS);
}

/** Asks for what the list may lack: it is a minute late, and not all of it may have been read. */
async function search(view) {
  const { q } = view.chosen;
  const isFound = view.list.all().some((record) => matches(record, q));
  if (!q || (isFound && view.list.isComplete)) return;
  try {
    const found = await findExactly(view.api, q, view.signal);
    if (view.signal.aborted || view.chosen.q !== q) return;
    found.forEach((record) => view.list.put(record));
    if (found.length > 0) update(view);
  } catch {
    // What the list has is shown all the same.
  }
}

function update(view) {
  const { list, chosen, signal } = view;
  if (signal.aborted) return;
  const found = chosen.q ? list.all().filter((record) => matches(record, chosen.q)) : list.all();
  const rows = found.filter((record) => isInFilter(record, chosen.status));
  replaceContent(view.tabs, ...tabs(found, chosen));
  view.summary.textContent = summarise(view, rows.length);
  if (view.failure && list.size === 0) return view.results.replaceChildren(errorBox(view.failure, view.refresh));
  if (rows.length === 0) return showNone(view);
  const pages = Math.ceil(rows.length / PER_PAGE);
  const page = Math.min(Math.max(1, Number.parseInt(chosen.page, 10) || 1), pages);
  const failure = view.failure && errorBox(view.failure, view.refresh);
  const more = list.isPaused && element("p", {}, button("Read 1,000 more", () => read(view, () => list.loadMore(() => update(view)))));
  const parts = [failure, table(rows.slice((page - 1) * PER_PAGE, page * PER_PAGE)), pager(chosen, page, pages), more];
  replaceContent(view.results, ...parts.filter(Boolean));
}

function tabs(records, chosen) {
  const known = FILTERS.some(([value]) => value === chosen.status) ? FILTERS : [...FILTERS, [chosen.status, chosen.status]];
  return known.map(([value, name]) => {
    const number = records.filter((record) => isInFilter(record, value)).length;
    const link = linkTo("/connections", { ...chosen, status: value, page: "" }, `${name} `, element("span", { class: "number" }, number.toLocaleString("en")));
    return tab(link, value === chosen.status);
  });
}

function summarise({ list, isReading }, shown) {
  const total = list.isComplete ? count(list.size, "connection") : `the first ${count(list.size, "connection")}`;
  return isReading && !list.isComplete ? `Reading: ${count(list.size, "connection")} so far` : `${shown.toLocaleString("en")} of ${total}`;
}

function showNone({ list, chosen, results, isReading }) {
  if (isReading) return showLoading(results, "Reading the connections");
  if (list.size === 0) {
    return showEmpty(results, "No account is connected yet.", "A connection appears here when a user goes through Link, when OFAuth sends a webhook about it, or when reconciliation finds it in OFAuth's list.");
  }
  const all = linkTo("/connections", {}, "Show all connections");
  return showEmpty(results, chosen.q ? `No connection matches “${chosen.q}”.` : "No connection has this status.", all);
}

function table(records) {
  return element("table", {},
    tableHead("Account", "Status", "Last change"),
    element("tbody", {}, ...records.map(row)),
  );
}

function row(record) {
  const { handle, status, updatedAt, accountChangedAt, clientReferenceId, metadata } = record;
  const about = [metadata?.username && `@${metadata.username}`, clientReferenceId ?? "belongs to no user"].filter(Boolean).join(" · ");
  return element("tr", {},
    element("td", {}, linkTo(`/connections/${encodeURIComponent(handle)}`, {}, nameOf(record)), element("span", { class: "soft below" }, about)),
    element("td", {}, statusBadge(status), accountChangedAt && [" ", element("span", { class: "badge unknown" }, "another account")]),
    element("td", {}, timeOf(updatedAt)),
  );
}

function pager(chosen, page, pages) {
  if (pages === 1) return null;
  const step = (to, text) => (to < 1 || to > pages ? element("span", { class: "soft" }, text) : linkTo("/connections", { ...chosen, page: String(to) }, text));
  return element("nav", { class: "pager", "aria-label": "Pages" }, step(page - 1, "Newer"), ` Page ${page} of ${pages} `, step(page + 1, "Older"));
}
