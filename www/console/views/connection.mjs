// One connection: its record, what it went through, and what can be done about it.

import { copyButton, definitions, element, linkTo, replaceContent } from "../dom.mjs";
import { timeOf } from "../format.mjs";
import { keepFresh } from "../keep-fresh.mjs";
import { showError, showLoading } from "../states.mjs";
import { meaningOf, nameOf, statusBadge } from "../statuses.mjs";
import { accountChange } from "./account-change.mjs";
import { actions } from "./connection-actions.mjs";
import { relink } from "./relink.mjs";
import { openTimeline } from "./timeline.mjs";

export const title = "Connection";

const EVERY_MS = 5_000;

export async function render(root, { params, api, signal }) {
  const path = `/edge/connections/${encodeURIComponent(params.handle)}`;
  const [place, timelinePlace, relinkPlace] = [element("div"), element("div"), element("div")];
  // It outlives the record that an action changes.
  const result = element("div", { role: "status" });
  const timeline = openTimeline({ path, api, signal });
  root.append(element("p", {}, linkTo("/connections", {}, "All connections")), place, timelinePlace, relinkPlace);
  showLoading(place, "Reading the connection", title);
  let shown = "";
  const load = async () => {
    const record = await api.get(path, { signal });
    if (JSON.stringify(record) === shown) return;
    shown = JSON.stringify(record);
    const content = show(record, { path, api, signal, result, load });
    // While calls work, nobody needs to link again, and the timeline matters more.
    const isLater = record.status === "active";
    replaceContent(place, ...content, isLater ? "" : relink(record));
    relinkPlace.replaceChildren(isLater ? relink(record) : "");
    timelinePlace.replaceChildren(timeline.element);
    await timeline.refresh();
  };
  const first = () => load().catch((error) => showError(place, error, { signal, retry: first, heading: title }));
  await first();
  keepFresh(load, { every: EVERY_MS, signal });
}

function show(record, context) {
  const { status, statusReason, handle, clientReferenceId, platformUserId, metadata, live } = record;
  return [
    element("h1", {}, nameOf(record)),
    element("p", {}, statusBadge(status), " ", meaningOf(status)),
    accountChange(record),
    definitions([
      ["Your user", clientReferenceId && linkTo("/connections", { q: clientReferenceId }, clientReferenceId)],
      ["OnlyFans name", metadata?.username && `@${metadata.username}`],
      ["OnlyFans user", platformUserId],
      ["Environment", live === null ? null : live ? "production" : "sandbox"],
      ["Permissions", record.permissions?.join(", ")],
      ["Status given by", statusReason && element("span", {}, element("code", {}, statusReason.type), ", ", timeOf(statusReason.at))],
      ["Created", timeOf(record.createdAt)],
      ["Last change", timeOf(record.updatedAt)],
      ["Expired", timeOf(record.expiredAt)],
      ["Expires", timeOf(record.expiresAt)],
      ["Last used at OFAuth", timeOf(record.lastCheckedAt)],
      ["Origin", record.imported ? "imported session" : null],
      ["Handle", element("span", {}, element("code", {}, handle), " ", copyButton(handle)), "wide"],
    ]),
    actions(record, context),
  ];
}
