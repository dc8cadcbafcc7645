// What can be done about a connection: check it, invalidate it, delete it. The last two are asked about first.

import { button, element } from "../dom.mjs";
import { showError } from "../states.mjs";
import { nameOf } from "../statuses.mjs";

const VERDICTS = {
  healthy: "A call worked. The connection is fine.",
  relink: "The user must link the account again.",
  waiting: "The user has not finished linking.",
  unstable: "OFAuth has a problem with the connection. It may work again later.",
  rate_limited: "OFAuth refused the call because there were too many. Whether the connection works is not known.",
  upstream_down: "OFAuth did not answer, or its answer was not usable.",
  operator_error: "OFAuth refused the Worker's API key. Compare OFAUTH_API_KEY with OFAuth's.",
};

/**
 * @param {object} record
 * @param {{path: string, api: object, signal: AbortSignal, result: HTMLElement, load: () => Promise<void>}} context   result: where to
 *   say what came of an action; load: reads the connection again
 */
export function actions(record, { path, api, signal, result, load }) {
  const run = async (work) => {
    result.replaceChildren("Asking the Worker");
    try {
      result.replaceChildren(await work());
      await load();
    } catch (error) {
      showError(result, error, { signal });
    }
  };
  const check = () => run(async () => {
    const { verdict, retryAfter } = await api.get(`${path}/health`, { signal });
    const wait = retryAfter ? ` OFAuth asks to wait ${retryAfter} s.` : "";
    return `${Object.hasOwn(VERDICTS, verdict) ? VERDICTS[verdict] : verdict}${wait}`;
  });
  const name = nameOf(record);
  const invalidate = () => confirm(INVALIDATE(name), () => run(async () => (await api.post(`${path}/invalidate`), "The connection is invalidated.")));
  const remove = () => confirm(DELETE(name), () => run(async () => (await api.delete(path), "The connection is deleted.")));
  const isGone = record.status === "disconnected";
  return element("section", { "aria-labelledby": "actions" },
    element("h2", { id: "actions" }, "Actions"),
    element("div", { class: "buttons" },
      button("Check health", check),
      !isGone && button("Invalidate", invalidate),
      !isGone && button("Delete", remove, { class: "danger" }),
    ),
    result,
  );
}

const INVALIDATE = (name) => ({
  question: `Invalidate the connection of ${name}?`,
  effect: "It becomes expired at OFAuth and here. The user must link the account again, and then keeps the same handle.",
  yes: "Invalidate",
});

const DELETE = (name) => ({
  question: `Delete the connection of ${name}?`,
  effect: "OFAuth deletes it, and it becomes disconnected here. This is final: the user can only link the account anew.",
  yes: "Delete",
});

/** Asks before something is done that cannot be undone. */
function confirm({ question, effect, yes }, work) {
  const asked = document.activeElement;
  const close = () => dialog.close();
  const dialog = element("dialog", { "aria-labelledby": "question", onclose: () => (dialog.remove(), asked?.focus()) },
    element("h2", { id: "question" }, question),
    element("p", {}, effect),
    element("div", { class: "buttons" },
      button("Keep it", close),
      button(yes, () => (close(), work()), { class: "danger" }),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}
