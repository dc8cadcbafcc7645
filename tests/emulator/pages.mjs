// The hosted Link pages, and the app's own, as HTML: plain forms, no script, light and dark as the reader's system is.
// Whatever is put into a page is escaped, unless it is markup made here.

/**
 * The page of the step a session is at.
 * @param {import("./link.mjs").LinkSession} session
 * @param {import("./emulator.mjs").Platform} platform
 */
export function stepPage(session, { connections }) {
  const [title, content] = STEPS[session.step](session, connections);
  const place = PLACES.indexOf(session.step) + 1;
  const last = session.step === "2fa" ? 4 : 3;
  return page(
    title,
    html`<p class="place">Step ${place} of ${last}</p>
      <h1>${title}</h1>
      <form method="post">
        <input type="hidden" name="step" value="${session.step}">
        ${content}
      </form>`,
  );
}

/** @param {import("./link.mjs").LinkSession} session   one that has ended */
export function endedPage({ outcome }) {
  const { status, connection_id: id, step, error_code: code } = outcome;
  const [title, text] = {
    success: ["Account linked", html`The connection is <code>${id}</code>.`],
    cancelled: ["Cancelled", html`Nothing was linked: it was cancelled at <code>${step}</code>.`],
    error: ["Not linked", html`It ended with <code>${code}</code>.`],
  }[status];
  return page(title, html`<h1>${title}</h1><p>${text}</p><p>You can close this page.</p>`);
}

export function missingPage() {
  const title = "No such Link session";
  return page(title, html`<h1>${title}</h1><p>It was cancelled, or never begun. Go back to the app and start again.</p>`);
}

/**
 * The app's own page, that users return to: how Link ended, and whatever else its query says.
 * @param {URLSearchParams} query
 */
export function appPage(query) {
  const [title, text] = ENDS[query.get("status")] ?? ["Your app", "Users return to this page after Link."];
  const given = [...query].map(([name, value]) => html`<dt>${name}</dt><dd><code>${value}</code></dd>`);
  return page(
    title,
    html`<p class="place">Your app</p><h1>${title}</h1><p role="status">${text}</p>
      ${given.length > 0 ? html`<h2>What this page was given</h2><dl>${given}</dl>` : ""}`,
    { site: "Your app", footer: "Emulated: stands for the page of APP_RETURN_URL" },
  );
}

const ENDS = {
  __proto__: null,
  success: ["Account linked", "The connection is yours to use, under its handle."],
  pending: ["Almost there", "The account is being linked: OFAuth will tell."],
  cancelled: ["Cancelled", "Nothing was linked."],
  error: ["Not linked", "Something went wrong."],
  unknown: ["Nothing to finish", "No Link session of this user is under way."],
};

const PLACES = ["pre-login", "authorization", "login", "2fa"];

const STEPS = {
  "pre-login": ({ asked }, connections) => {
    const known = connections.get(asked);
    const title = known ? "Reconnect your account" : "Link your account";
    const who = known ? html`<strong>@${known.userData.username}</strong>` : "your OnlyFans account";
    return [title, html`<p>An app would like to use ${who} through OFAuth.</p>${buttons("Continue")}`];
  },
  authorization: ({ permissions }) => [
    "What the app may do",
    html`<p>The app asks for these permissions:</p>
      <ul>${permissions.map((permission) => html`<li><code>${permission}</code></li>`)}</ul>
      ${buttons("Allow")}`,
  ],
  login: ({ problem, typed }) => [
    "Log in",
    html`${alert(problem)}
      <label for="email">Email</label>
      <input id="email" name="email" type="email" value="${typed}" autocomplete="username" required autofocus
        ${about(problem)}>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required ${about(problem)}>
      ${buttons("Log in")}${SANDBOX_LOGINS}`,
  ],
  "2fa": ({ problem, login }) => [
    "Enter your code",
    html`<p>For <strong>${login.email}</strong>, from the authenticator app.</p>
      ${alert(problem)}
      <label for="code">Six digits</label>
      <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required autofocus ${about(problem)}>
      ${buttons("Verify")}
      <p class="hint">In the sandbox the code is <code>123456</code>.</p>`,
  ],
};

// The first button is the one that Enter presses.
function buttons(words) {
  return html`<p class="buttons">
    <button name="action" value="next">${words}</button>
    <button name="action" value="cancel" formnovalidate class="quiet">Cancel</button>
  </p>`;
}

function alert(problem) {
  return problem ? html`<p role="alert" id="problem">${problem}</p>` : "";
}

function about(problem) {
  return problem ? html`aria-invalid="true" aria-describedby="problem"` : "";
}

/** Markup, as opposed to text that is still to be escaped. */
class Markup {
  constructor(text) {
    this.text = text;
  }
}

function html(strings, ...values) {
  return new Markup(String.raw({ raw: strings }, ...values.map(markupOf)));
}

function markupOf(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(markupOf).join("");
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

const SANDBOX_LOGINS = html`<details>
  <summary>Sandbox logins</summary>
  <dl>
    <dt><code>anything@creator.sandbox.com</code>, <code>anything@fan.sandbox.com</code></dt>
    <dd>password <code>good-password</code></dd>
    <dt><code>anything@creator-otp.sandbox.com</code>, <code>anything@fan-otp.sandbox.com</code></dt>
    <dd>the same, then the code <code>123456</code></dd>
    <dt><code>locked@creator.sandbox.com</code>, <code>expired@creator.sandbox.com</code></dt>
    <dd>end in an error (the emulator’s own)</dd>
  </dl>
</details>`;

function page(title, content, { site = LINK_SITE, footer = LINK_FOOTER } = {}) {
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
<footer>${footer}</footer>
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
`);
