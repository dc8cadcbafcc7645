// Shows the view that the address names. The address of a view is after the #, which a browser never sends: so the handle or the user
// that somebody looks at is in no log, and the Worker serves one file for all views.

import { element, linkTo } from "./dom.mjs";
import { clockOf, refreshTimes } from "./format.mjs";
import { session, signOut, startSession } from "./session.mjs";
import { errorBox, showLoading } from "./states.mjs";

// A view has a name in the navigation, or is reached from another one. `isOpen` is for one that needs nobody to be signed in.
// The module of a view exports `title` and `render(root, {params, query, api, signal})`. If `render` returns a function, it is called
// with another query of the same view, in the place of `render`.
const VIEWS = [
  { path: "/", name: "Start", load: () => import("./views/start.mjs") },
  { path: "/connections", name: "Connections", load: () => import("./views/connections.mjs") },
  { path: "/connections/:handle", load: () => import("./views/connection.mjs") },
  { path: "/events", name: "Events", load: () => import("./views/events.mjs") },
  { path: "/forwards", name: "Forwards", load: () => import("./views/forwards.mjs") },
  { path: "/charts", name: "Charts", load: () => import("./views/charts.mjs") },
  { path: "/inspector", name: "Inspector", isOpen: true, load: () => import("./views/inspector.mjs") },
];

const main = document.getElementById("main");
const loadSignIn = () => import("./views/sign-in.mjs");
let leaving = new AbortController();
let notice;
/** The view that is shown, its path, and what `render` returned. */
let shown = {};

document.getElementById("skip").addEventListener("click", () => main.focus());
document.getElementById("sign-out").addEventListener("click", () => signOut());
setInterval(refreshTimes, 10_000);
addEventListener("hashchange", () => show({ isMove: true }));
startSession((reason) => {
  notice = reason;
  if (!shown.view?.isOpen) return show({ isMove: true });
  // What was entered there stays.
  showFrame(shown.view);
  // The button that had the focus is hidden now.
  if (!reason) main.focus();
});
show();

/** Shows the view of the address. `isMove` moves the focus to its heading, which a screen reader then reads. */
async function show({ isMove = false } = {}) {
  const [path] = location.hash.split("?");
  if (isMove && path === shown.path && shown.change && shown.session === session()) return shown.change(find(location.hash).query);
  leaving.abort();
  leaving = new AbortController();
  shown = {};
  const { signal } = leaving;
  const { view, params, query } = find(location.hash);
  showFrame(view);
  const root = element("div");
  showLoading(root, "Loading");
  main.replaceChildren(root);
  try {
    const needsSession = view && !view.isOpen && !session();
    const { title, render } = view ? await loaded(needsSession ? loadSignIn() : view.load()) : NOT_FOUND;
    if (signal.aborted) return;
    document.title = `${title} · ofauth-edge console`;
    root.replaceChildren();
    const current = session();
    const change = await render(root, { params, query, api: current?.api, signal, notice });
    if (signal.aborted) return;
    notice = undefined;
    shown = { view, path, change, session: current };
  } catch (error) {
    if (!signal.aborted) root.replaceChildren(errorBox(error, () => (error instanceof LoadError ? location.reload() : show())));
  }
  const heading = signal.aborted ? null : root.querySelector("h1");
  if (!isMove || !heading || root.contains(document.activeElement)) return;
  heading.tabIndex = -1;
  heading.focus();
}

/** A file of the page did not come. A browser may remember that, so only a reload asks for it again. */
class LoadError extends Error {}

function loaded(module) {
  return module.catch((cause) => {
    throw new LoadError("a file of this page could not be loaded, perhaps because a newer version of the page is there", { cause });
  });
}

/** The view of an address such as #/connections/acct_1?page=2, with what the address says. */
function find(hash) {
  const [path, search = ""] = hash.replace(/^#?\/*/, "/").split("?");
  const query = Object.fromEntries(new URLSearchParams(search));
  for (const view of VIEWS) {
    const match = new RegExp(`^${view.path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}/?$`).exec(path);
    const params = Object.entries(match?.groups ?? {}).map(([name, part]) => [name, decode(part)]);
    if (match) return { view, query, params: Object.fromEntries(params) };
  }
  return { query, params: {} };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The navigation, with the view that is open, and who is signed in. */
function showFrame(open) {
  const current = session();
  const section = open && VIEWS.find(({ path, name }) => name && (path === open.path || open.path.startsWith(`${path}/`)));
  const links = VIEWS.filter(({ name, isOpen }) => name && (current || isOpen)).map(({ path, name }) => {
    const link = linkTo(path, {}, name);
    if (name === section?.name) link.setAttribute("aria-current", path === open.path ? "page" : "true");
    return element("li", {}, link);
  });
  document.getElementById("views").replaceChildren(...links);
  document.getElementById("session").hidden = !current;
  // On a narrow screen, the first words are for screen readers only.
  document.getElementById("until").replaceChildren(...(current ? [element("span", { class: "if-wide" }, "Signed in "), `until ${clockOf(current.expiresAt)}`] : []));
}

const NOT_FOUND = {
  title: "Not found",
  render(root) {
    root.append(element("h1", {}, "There is no such view"), element("p", {}, linkTo("/", {}, "Go to the start")));
  },
};
