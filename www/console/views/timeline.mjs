// What a connection went through: webhooks, and what the Worker noticed itself, the newest first.

import { showBody } from "../bodies.mjs";
import { button, element, lazyDetails } from "../dom.mjs";
import { exactTimeOf, timeOf } from "../format.mjs";
import { showError } from "../states.mjs";

const OUTCOMES = {
  applied: ["good", "It changed the connection."],
  stale: ["off", "It changed nothing: a newer event was there before it, or the data had been deleted."],
};

/**
 * @param {{path: string, api: object, signal: AbortSignal}} context   path: of the connection
 * @returns {{element: HTMLElement, refresh: () => Promise<void>}}   refresh: reads what is new
 */
export function openTimeline({ path, api, signal }) {
  const list = element("ol", { class: "timeline", role: "list" });
  const end = element("div");
  const known = new Set();
  let cursor;
  let isFirst = true;
  const read = (query) => api.get(`${path}/events`, { query, signal });
  const take = (events, place) => {
    const fresh = events.filter(({ id }) => !known.has(id));
    for (const { id } of fresh) known.add(id);
    list[place](...fresh.map(showEvent));
  };
  const showEnd = () => {
    const empty = known.size === 0 && element("p", {}, "Nothing is stored about this connection. Webhooks about it appear here for 30 days.");
    end.replaceChildren(...[empty, cursor && button("Show older", more)].filter(Boolean));
  };
  const more = async () => {
    try {
      const page = await read({ cursor });
      cursor = page.cursor;
      take(page.list, "append");
      showEnd();
    } catch (error) {
      showError(end, error, { signal, retry: more });
    }
  };
  const refresh = async () => {
    try {
      const page = await read({});
      if (isFirst) cursor = page.cursor;
      isFirst = false;
      take(page.list, "prepend");
      showEnd();
    } catch (error) {
      showError(end, error, { signal, retry: refresh });
    }
  };
  const section = element("section", { "aria-labelledby": "timeline" }, element("h2", { id: "timeline" }, "Timeline"), list, end);
  return { element: section, refresh };
}

function showEvent({ type, outcome, receivedAt, stamp, actor, encoding, body }) {
  const [look, meaning] = Object.hasOwn(OUTCOMES, outcome) ? OUTCOMES[outcome] : ["unknown", ""];
  const summary = element("summary", {},
    element("code", {}, type ?? "not an event"),
    element("span", { class: `badge ${look}` }, outcome),
    element("span", { class: "soft" }, timeOf(receivedAt), actor ? ` by ${nameActor(actor)}` : ""),
  );
  return element("li", {}, lazyDetails(summary, () => [
    element("p", { class: "soft" }, meaning, " It arrived on ", exactTimeOf(receivedAt), " and is of ", exactTimeOf(stamp), "."),
    showBody({ type, encoding, body }, "There is no body: the Worker noticed this itself, or the body is not stored any more."),
  ]));
}

function nameActor(actor) {
  if (actor.startsWith("key:")) return `the gateway key ${actor.slice(4)}`;
  return { session: "the user's page", console: "the console", gateway: "the Worker itself" }[actor] ?? actor;
}
