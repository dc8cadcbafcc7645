// What was counted over time, from GET /edge/metrics, and which secrets and keys are still used.

import { openChart } from "../charts/chart.mjs";
import { SPANS } from "../charts/counts.mjs";
import { element, linkTo, replaceContent, tab } from "../dom.mjs";
import { clockOf } from "../format.mjs";
import { keepFresh } from "../keep-fresh.mjs";
import { showEmpty, showError, showLoading } from "../states.mjs";
import { openSecrets } from "./secrets-in-use.mjs";
import { nameOfUse } from "./status-lines.mjs";

export const title = "Charts";

/** How often the counts are read again, in ms: those of many hours are a large answer. */
const everyOf = ({ hours }) => (hours === 1 ? 15_000 : 60_000);
const CHARTS = [
  { key: "accepted", title: "Webhooks accepted", about: "By what they did: applied ones changed a connection.", pick: (counts) => counts.webhook_accepted },
  { key: "refused", title: "Webhooks refused", about: "By the error that the sender got.", pick: (counts) => counts.webhook_rejected },
  { key: "forwards", title: "Forwards to your app", about: "Attempts by what came of them, and events that were parked or lost.", pick: (counts) => counts.forward, isRare: true },
  { key: "upstream", title: "OFAuth's answers", about: "By status. “none” is a call without an answer.", pick: (counts) => counts.upstream },
  { key: "upstream-errors", title: "OFAuth's errors", about: "By OFAuth's type of a 401 or 403, otherwise by status.", pick: (counts) => counts.upstream_error },
  { key: "limits", title: "Rate limits", about: "“low” is an answer that leaves less than a fifth of a limit, “429” a call that was refused.", pick: limitsOf },
  { key: "expired", title: "Sessions that expired", about: "By what showed it. A webhook and a call may show the same one.", pick: (counts) => counts.session_expired },
  { key: "errors", title: "The Worker's own errors", about: "By the error that a caller got, except for webhooks.", pick: (counts) => counts.error },
];
const CHARTS_OF_USE = [
  { key: "secrets", title: "Webhooks by secret", about: "By the secret that verified them.", pick: (counts) => counts.webhook_secret, line: "webhookSecrets" },
  { key: "keys", title: "Calls by gateway key", about: "By the key that was sent. The console's sign-in is one.", pick: (counts) => counts.gateway_key, line: "gatewayKeys" },
];

function limitsOf({ rate_limit: limits, upstream_error: errors }) {
  return errors?.["429"] ? { ...limits, 429: errors["429"] } : limits;
}

export async function render(root, { query, api, signal }) {
  await loadStyles();
  const view = { api, signal, span: spanOf(query), place: element("div"), tabs: element("ul", { class: "tabs", role: "list" }) };
  view.summary = element("p", { class: "soft" });
  const nameOf = (line) => line && ((code) => nameOfUse(line, view.uses?.[line]?.find((use) => use.code === code) ?? { code }));
  view.charts = new Map([...CHARTS, ...CHARTS_OF_USE].map((chart) => [chart.key, openChart({ ...chart, nameOf: nameOf(chart.line) })]));
  view.secrets = openSecrets();
  root.append(element("h1", {}, title), element("nav", { "aria-label": "Time" }, view.tabs), view.summary, view.place);
  const first = async () => {
    showTabs(view);
    view.shown = undefined;
    showLoading(view.place, "Reading the counts");
    await load(view).catch((error) => showFailure(view, error, first));
  };
  followColors(view);
  await first();
  keepFresh(async () => Date.now() - view.readAt >= everyOf(view.span) - 1_000 && load(view), { every: everyOf(SPANS[0]), signal });
  return (query) => {
    view.span = spanOf(query);
    return first();
  };
}

function spanOf({ hours }) {
  return SPANS.find((span) => String(span.hours) === hours) ?? SPANS[0];
}

function showTabs({ tabs, span }) {
  replaceContent(tabs, ...SPANS.map(({ hours, name }) => tab(linkTo("/charts", { hours: String(hours) }, name), hours === span.hours)));
}

async function load(view) {
  const { api, signal, span } = view;
  const [metrics, status] = await Promise.all([
    api.get("/edge/metrics", { query: { minutes: span.hours * 60 }, signal }),
    api.get("/edge/status", { signal }),
  ]);
  if (signal.aborted || span !== view.span) return;
  view.readAt = Date.now();
  view.summary.textContent = `What the Worker counted in ${span.last}, up to ${clockOf(view.readAt)}. This page asks again every ${everyOf(span) / 1_000} seconds.`;
  if (metrics.list.length === 0) return showNone(view, status);
  const news = JSON.stringify([metrics, status.lines, Math.floor(view.readAt / 60_000)]);
  if (news === view.shown) return;
  view.shown = news;
  showCharts(view, metrics, status);
}

function showCharts(view, { list, total }, { lines }) {
  const { charts, span, place, secrets } = view;
  view.uses = Object.fromEntries(lines.map(({ name, value }) => [name, value]));
  if (!place.querySelector(".charts")) {
    const grid = (group) => element("div", { class: "charts" }, ...group.map(({ key }) => charts.get(key).element));
    place.replaceChildren(grid(CHARTS), secrets.element, grid(CHARTS_OF_USE));
  }
  for (const { key, pick, isRare } of [...CHARTS, ...CHARTS_OF_USE]) {
    const chart = charts.get(key);
    chart.element.hidden = Boolean(isRare) && !pick(total);
    chart.update(list, span);
  }
  secrets.update(lines);
}

function showNone(view, { lines }) {
  const { place, span, secrets } = view;
  const box = element("div");
  const longer = span.hours < 24 && linkTo("/charts", { hours: "24" }, "Show the last 24 hours");
  showEmpty(box, `Nothing was counted in ${span.last}.`, "Webhooks and calls appear here about 15 seconds after they came.", ...[longer].filter(Boolean));
  place.replaceChildren(box, secrets.element);
  secrets.update(lines);
  view.shown = undefined;
}

function showFailure({ place, signal }, error, retry) {
  if (signal.aborted) return;
  if (error.code !== "NOT_CONFIGURED") return showError(place, error, { signal, retry });
  showEmpty(place, "The Worker counts nothing.", "Bind METRICS_STORE to the Durable Object class Metrics, as wrangler.toml of the project does, and deploy again.");
}

/** Draws the charts again when the colors of the system change, and removes them when the view is left. */
function followColors({ charts, signal }) {
  const all = (work) => () => [...charts.values()].forEach(work);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all((chart) => chart.redraw()), { signal });
  signal.addEventListener("abort", all((chart) => chart.remove()));
}

/** Loads the styles that only this view needs. The drawings read their colors from them. */
function loadStyles() {
  return Promise.all(["/console/vendor/uplot.css", "/console/charts/charts.css"].map((href) => new Promise((resolve) => {
    if (document.querySelector(`link[href="${href}"]`)) return resolve();
    document.head.append(element("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
  })));
}
