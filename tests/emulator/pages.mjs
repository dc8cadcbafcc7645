// The hosted Link pages as HTML: plain forms, no script.

import { html, page } from "./markup.mjs";

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
