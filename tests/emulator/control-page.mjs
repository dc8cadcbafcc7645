// The control page: a person sees the emulated connections, and expires, disconnects or disturbs one at a click. Its forms
// work without script. The script only shows changes that were made elsewhere.

import { createHash } from "node:crypto";

import { PAGE_HEADERS, sendPage } from "./answers.mjs";
import { html, page } from "./markup.mjs";

/** No route of OFAuth's. */
export const CONTROL_PAGE = "/control";

/**
 * GET shows the page. POST does what the form says and answers with a redirect, so that a reload is harmless.
 *
 * A page of another site could send the form too, so a POST counts only if the browser says that it comes from this page.
 * @param {import("./access.mjs").Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export async function answerControlPage({ req, res, body }, platform) {
  if (req.method === "GET" || req.method === "HEAD") return sendPage(res, 200, controlPage(platform), HEADERS);
  if (req.method !== "POST") return res.writeHead(405, { allow: "GET, HEAD, POST" }).end();
  if (req.headers["sec-fetch-site"] !== "same-origin") return res.writeHead(403).end();
  const form = new URLSearchParams(body.bytes?.toString() ?? "");
  const connection = platform.connections.get(form.get("id"));
  // The connection may be gone since the page was shown. The answer then shows that.
  if (connection) await ACTIONS[form.get("action")]?.(platform, connection, res, form);
  res.writeHead(303, { ...PAGE_HEADERS, location: CONTROL_PAGE, "content-length": 0 }).end();
}

const ACTIONS = {
  __proto__: null,
  expire: ({ connections, outbox }, { id }, res) =>
    outbox.announce("connection.expired", connections.put({ id, status: "expired" }), "before", res),
  "expire-silently": ({ connections }, { id }) => void connections.put({ id, status: "expired" }),
  disconnect({ connections, outbox, faults }, connection, res) {
    connections.remove(connection.id);
    faults.clearOf(connection.id);
    return outbox.announce("connection.disconnected", connection, "before", res);
  },
  disturb({ faults }, { id }, _res, form) {
    faults.clearOf(id);
    const fault = FAULTS[form.get("fault")];
    if (fault) faults.add({ ...fault.rule, match: { connection: id } });
  },
};

const FAULTS = {
  __proto__: null,
  limit: { title: "OFAuth has too many calls (429)", rule: { kind: "limit", retryAfter: 60 } },
  unavailable: { title: "OFAuth is unavailable (503)", rule: { kind: "status", code: 503 } },
  slow: { title: "OFAuth takes 5 seconds", rule: { kind: "slow", ms: 5_000 } },
  drop: { title: "OFAuth does not answer", rule: { kind: "drop" } },
};

/** @param {import("./emulator.mjs").Platform} platform */
function controlPage({ connections, faults }) {
  const rules = faults.all();
  const items = connections.all().map((item) => connectionItem(item, rules.find(({ match }) => match.connection === item.id)));
  return page(
    "Connections",
    html`<h1>Connections</h1>
      <p>What you do here happens at the emulated OFAuth. Your app learns it by a webhook. A silent expiry sends no webhook, so your
      app learns it at its next call.</p>
      ${items.length > 0 ? html`<ul class="cards" role="list">${items}</ul>` : html`<p><strong>No account is linked.</strong></p>`}`,
    { site: "OFAuth control (emulated)", footer: "Emulated OFAuth: only loopback sees this page", script: SCRIPT },
  );
}

function connectionItem({ id, status, userData, clientReferenceId }, rule) {
  const isActive = status === "active";
  return html`<li>
    <h2 id="${id}">${userData.name} <span class="hint">@${userData.username}</span></h2>
    <p class="hint"><strong>${status}</strong> · user ${clientReferenceId ?? "unknown"} · <code>${id}</code></p>
    <form method="post" class="buttons">
      <input type="hidden" name="id" value="${id}">
      ${isActive ? [button(id, "expire", "Expire"), button(id, "expire-silently", "Expire silently")] : ""}
      ${button(id, "disconnect", "Disconnect")}
    </form>
    ${isActive || rule ? faultForm(id, rule) : ""}
  </li>`;
}

function faultForm(id, rule) {
  const options = Object.entries(FAULTS).map(
    ([name, { title, rule: { kind } }]) => html`<option value="${name}" ${kind === rule?.kind ? "selected" : ""}>${title}</option>`,
  );
  return html`<form method="post">
    <input type="hidden" name="id" value="${id}">
    <label for="fault-${id}">Calls for this account</label>
    <div class="row">
      <select id="fault-${id}" name="fault"><option value="">work</option>${options}</select>
      ${button(id, "disturb", "Set")}
    </div>
  </form>`;
}

function button(id, action, words) {
  return html`<button id="${action}-${id}" name="action" value="${action}" class="quiet" aria-describedby="${id}">${words}</button>`;
}

// Asks for the page once a second and shows it if it has changed. A select that a person is using stays as it is, also if the
// person has begun to use it while the answer was on its way. What was chosen but not set yet stays chosen.
const SCRIPT = `
const setValue = ({ options }) => ([...options].find((option) => option.defaultSelected) ?? options[0]).value;
const isBusy = () => document.hidden || document.activeElement.matches("select");
setInterval(async () => {
  if (isBusy()) return;
  const answer = await fetch("").catch(() => undefined);
  if (!answer?.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  const shown = document.querySelector("main");
  if (isBusy() || shown.isEqualNode(now)) return;
  const { id } = document.activeElement;
  const chosen = [...shown.querySelectorAll("select")].filter((select) => select.value !== setValue(select));
  shown.replaceWith(now);
  for (const { id, value } of chosen) {
    const select = document.getElementById(id);
    if (select) select.value = value;
  }
  document.getElementById(id)?.focus();
}, 1000);
`;

const HEADERS = Object.freeze({
  "content-security-policy": [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src 'sha256-${createHash("sha256").update(SCRIPT).digest("base64")}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
});
