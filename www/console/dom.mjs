// Makes elements. Whatever the gateway answers becomes text: nothing here parses markup, and no attribute holds a script.

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]   a function is a listener, such as `onclick`; true is an attribute without a value;
 *   false, null and undefined are none
 * @param {...(Node | string | number | null | undefined | false)} children   texts and elements
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/**
 * A link to a view.
 * @param {string} path   such as /connections
 * @param {Record<string, string>} query   empty values are left out
 */
export function linkTo(path, query, ...children) {
  return element("a", { href: addressOf(path, query) }, ...children);
}

/** The address of a view, as {@link linkTo} has it. */
export function addressOf(path, query = {}) {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#${path}${given.size > 0 ? `?${given}` : ""}`;
}

/** A button. */
export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

/** A block of code, which the keyboard can scroll. `label` says to a screen reader what it is. */
export function codeBlock(label, ...content) {
  return element("pre", { tabindex: "0", "aria-label": label }, element("code", {}, ...content));
}

/** One tab of a list of tabs, which are links. */
export function tab(link, isCurrent) {
  if (isCurrent) link.setAttribute("aria-current", "true");
  return element("li", {}, link);
}

/** The head of a table. */
export function tableHead(...names) {
  return element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));
}

/** A button that copies a text, and says so. */
export function copyButton(text, label = "Copy") {
  const copy = button(label, async () => {
    copy.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Could not copy");
    setTimeout(() => (copy.textContent = label), 2_000);
  }, { class: "small", "aria-live": "polite" });
  return copy;
}

/**
 * Details whose content is made when they are opened for the first time.
 * @param {HTMLElement} summary
 * @param {() => (Node | string)[]} makeContent
 */
export function lazyDetails(summary, makeContent) {
  let isMade = false;
  const details = element("details", {
    ontoggle: () => {
      if (details.open && !isMade) details.append(...makeContent());
      isMade ||= details.open;
    },
  }, summary);
  return details;
}

/** Terms and what they are, without those that are not known: `[term, value, look]`, where the look `wide` gives a long value a row of its own. */
export function definitions(terms) {
  const known = terms.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...known.map(([term, value, look]) => element("div", { class: look }, element("dt", {}, term), element("dd", {}, value))));
}

/** Puts other content in the place of what is there. The focus stays on what looks the same, else it goes to the heading. */
export function replaceContent(place, ...children) {
  const { activeElement: active } = document;
  const hadFocus = place.contains(active);
  place.replaceChildren(...children);
  if (!hadFocus) return;
  const looks = (one) => `${one.textContent}\n${one.getAttribute("aria-label")}`;
  const same = [...place.querySelectorAll(active.tagName)].find((one) => looks(one) === looks(active));
  const target = same ?? document.querySelector("h1");
  if (target && target.tabIndex < 0) target.tabIndex = -1;
  target?.focus();
}
