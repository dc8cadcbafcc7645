// The look of <ofauth-connect>. Colours that are not the button's own come from the page, so that light and dark pages both work.

const CSS = `
:host { display: inline-flex; flex-wrap: wrap; align-items: center; gap: var(--ofauth-connect-gap, 0.75em); }
:host([hidden]) { display: none; }
button {
  display: inline-flex; align-items: center; gap: 0.5em; min-block-size: 2.75em; margin: 0; font: inherit; cursor: pointer;
  padding: var(--ofauth-connect-padding, 0.5em 1.25em);
  border: 1px solid transparent; border-radius: var(--ofauth-connect-radius, 0.5em);
  background: var(--ofauth-connect-background, #0b5cc4); color: var(--ofauth-connect-color, #fff);
}
button[aria-disabled="true"] { cursor: default; }
button:focus-visible { outline: 2px solid #fff; box-shadow: 0 0 0 4px #0b5cc4; }
:host([state="active"]) button { background: none; color: inherit; border-color: currentColor; }
[part="icon"] {
  flex: none; box-sizing: border-box; inline-size: 0.75em; block-size: 0.75em;
  border: 2px solid currentColor; border-radius: 50%;
}
:host([state="active"]) [part="icon"] { background: currentColor; }
:host([state="relink"]) [part="icon"] { border-style: dashed; }
:host([state="error"]) [part="icon"] { border-radius: 0; rotate: 45deg; }
[aria-busy="true"] [part="icon"] { border-block-start-color: transparent; animation: turn 1s linear infinite; }
@keyframes turn { to { rotate: 1turn; } }
@media (prefers-reduced-motion: reduce) { [aria-busy="true"] [part="icon"] { animation: none; } }
`;

let sheet;

/** Gives a shadow root its style. A Content-Security-Policy does not block such a sheet; it may block the <style> of older browsers. */
export function applyStyle(shadow) {
  try {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
    }
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    sheet = undefined;
    const style = document.createElement("style");
    style.textContent = CSS;
    shadow.prepend(style);
  }
}
