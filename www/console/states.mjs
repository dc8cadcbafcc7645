// What a view shows while it has nothing else to show.

import { button, element } from "./dom.mjs";

/** Shows that something is on its way. `heading` is the view's, if it has no other yet. */
export function showLoading(place, text, heading) {
  place.replaceChildren(...headed(heading), element("p", { role: "status" }, text));
}

/**
 * Shows an error and a button that tries again. Shows nothing if the view was left meanwhile.
 * @param {{signal?: AbortSignal, retry?: () => void, heading?: string}} [options]   heading: as in {@link showLoading}
 */
export function showError(place, error, { signal, retry, heading } = {}) {
  if (signal?.aborted) return;
  place.replaceChildren(...headed(heading), errorBox(error, retry));
}

function headed(heading) {
  return heading ? [element("h1", {}, heading)] : [];
}

/** An error with what a person needs to ask for help. */
export function errorBox(error, retry) {
  const { code, requestId } = error;
  const details = [code, requestId && `request ${requestId}`].filter(Boolean).join(" · ");
  // An error without a status is a fault of this page, and belongs into the browser's console too.
  if (error.name !== "Error") console.error(error);
  return element(
    "div",
    { class: "error", role: "alert" },
    element("p", {}, sentence(error.message)),
    details && element("p", { class: "soft" }, element("code", {}, details)),
    retry && button("Try again", retry),
  );
}

/** The Worker's errors and hints begin in lower case and have no full stop. */
export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Shows that there is nothing, and what to do next. */
export function showEmpty(place, ...sentences) {
  place.replaceChildren(element("div", { class: "empty" }, ...sentences.map((sentence) => element("p", {}, sentence))));
}
