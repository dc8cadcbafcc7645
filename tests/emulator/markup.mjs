// What the emulator's pages share: markup that escapes what is put into it, the layout of a page, and its style. A page is
// light or dark as the reader's system is.

/** Markup, as opposed to text that is still to be escaped. */
class Markup {
  constructor(text) {
    this.text = text;
  }
}

/** The tag of a template. It escapes the values that are not markup. */
export function html(strings, ...values) {
  return new Markup(String.raw({ raw: strings }, ...values.map(markupOf)));
}

function markupOf(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(markupOf).join("");
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

/**
 * A whole page.
 * @param {string} title
 * @param {Markup} content
 * @param {{site?: string, footer?: string, script?: string}} [options]   script: a module that the page runs
 */
export function page(title, content, { site = LINK_SITE, footer = LINK_FOOTER, script } = {}) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${site}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${content}
</main>
<footer>${footer}</footer>${script ? html`
<script type="module">${new Markup(script)}</script>` : ""}
</body>
</html>
`.text;
}

const LINK_SITE = "OFAuth Link (emulated)";
const LINK_FOOTER = "Emulated OFAuth Link: no login leaves this machine";

const STYLE = new Markup(`
:root { color-scheme: light dark; --ground: #f3f4f7; --card: #fff; --text: #1b1e27; --soft: #565d6d; --line: #d5d9e2;
  --edge: #7a8293; --accent: #2450c4; --on-accent: #fff; --alert: #a11d1d; --alert-ground: #fdeeee; }
@media (prefers-color-scheme: dark) { :root { --ground: #12141a; --card: #1d2029; --text: #eceef3; --soft: #a4abbb;
  --line: #363b48; --edge: #7f8799; --accent: #8fb0ff; --on-accent: #10131b; --alert: #ffb3ad; --alert-ground: #3b1d1f; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; padding: 2rem 1rem; display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: 1rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 1.75rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25; }
h2 { margin: 0; font-size: 1rem; }
p { margin: 0 0 1rem; }
main > p:last-child, form > :last-child { margin-bottom: 0; }
ul { margin: 0 0 1rem; padding-left: 1.25rem; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input { width: 100%; margin-bottom: 1rem; padding: .6rem .75rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--edge); border-radius: .5rem; }
input[aria-invalid] { border-color: var(--alert); }
button { flex: 1; padding: .65rem 1rem; font: inherit; font-weight: 600; cursor: pointer; color: var(--on-accent);
  background: var(--accent); border: 1px solid var(--accent); border-radius: .5rem; }
button.quiet { color: inherit; background: transparent; border-color: var(--edge); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] { padding: .6rem .75rem; color: var(--alert); background: var(--alert-ground); border-radius: .5rem; }
code { font-size: .9em; overflow-wrap: anywhere; }
summary { cursor: pointer; }
details { color: var(--soft); font-size: .9rem; }
dl { margin: .5rem 0 0; }
dd { margin: 0 0 .5rem; padding-left: 1rem; }
.buttons { display: flex; gap: .75rem; margin-top: 1.25rem; }
.place, .hint, footer { color: var(--soft); font-size: .875rem; }
.place { margin-bottom: .25rem; }
main:has(.cards) { max-width: 40rem; }
.cards { list-style: none; margin-bottom: 0; padding: 0; }
.cards li { padding: 1.25rem 0; border-top: 1px solid var(--line); }
.cards li:last-child { padding-bottom: 0; }
.cards h2 .hint { font-weight: normal; }
.cards .buttons { flex-wrap: wrap; margin: 0; }
.cards button { flex: none; padding: .4rem .8rem; }
.cards label { margin-top: 1rem; }
.row { display: flex; gap: .75rem; }
select { flex: 1; min-width: 0; padding: .4rem .5rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--edge); border-radius: .5rem; }
`);
