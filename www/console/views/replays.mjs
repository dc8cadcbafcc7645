// Sends a forwarded event again, and says what came of it: the Worker answers before it sends the event.

import { element } from "../dom.mjs";
import { showError } from "../states.mjs";

const PATH = "/edge/deliveries";
const MOST_PER_PAGE = 100;
/** When to look what the app has answered, in ms after the replay. The app has 10 s. */
const LOOKS_MS = [700, 1_500, 3_000, 6_000, 11_500];
const ANSWERS = {
  timeout: "none within 10 s",
  network_error: "none, because your app could not be reached",
  too_large: "none, because the event is too large for the queue",
  storage_key_missing: "none, because STORAGE_KEY lacks the key of the event",
};

/** What the app answered last, in words. */
export function answerOf(lastAnswer) {
  return Object.hasOwn(ANSWERS, lastAnswer) ? ANSWERS[lastAnswer] : lastAnswer;
}

/**
 * @param {{api: object, signal: AbortSignal, onNews: () => void}} context   onNews: is called when the list has changed
 * @returns {{messages: HTMLElement, send: (item: object) => Promise<void>}}
 */
export function replays({ api, signal, onNews }) {
  const messages = element("div", { role: "status" });
  const places = new Map();
  const placeOf = (id) => {
    const place = places.get(id) ?? element("div");
    places.set(id, place);
    messages.prepend(place);
    return place;
  };
  const send = async (item) => {
    const { id, type } = item;
    const place = placeOf(id);
    const say = (...words) => place.replaceChildren(element("p", { class: "notice" }, element("code", {}, type || "not an event"), " ", ...words));
    try {
      say("is sent to your app.");
      await api.post(`${PATH}/${encodeURIComponent(id)}/replay`, { signal });
      say(await outcomeOf(item, api, signal));
      onNews();
    } catch (error) {
      showError(place, error, { signal });
    }
  };
  return { messages, send };
}

async function outcomeOf(item, api, signal) {
  let waited = 0;
  for (const at of LOOKS_MS) {
    await new Promise((resolve) => setTimeout(resolve, at - waited));
    waited = at;
    const { found, isCertain } = await find(item.id, api, signal);
    if (!found && isCertain) return "was taken by your app.";
    if (found && found.tries > item.tries) {
      const next = found.state === "parked" ? "It is given up." : "It is sent again by itself.";
      return `failed again. The last answer was ${answerOf(found.lastAnswer)}. ${next}`;
    }
  }
  return "was sent. What your app answered is not known yet.";
}

/** Looks for an event in both lists. A list that is longer than a page does not tell that the event is gone. */
async function find(id, api, signal) {
  const pages = await Promise.all(["parked", "pending"].map((state) => api.get(PATH, { query: { state, limit: MOST_PER_PAGE }, signal })));
  const found = pages.flatMap(({ list }) => list).find((one) => one.id === id);
  return { found, isCertain: pages.every(({ cursor }) => cursor === undefined) };
}
