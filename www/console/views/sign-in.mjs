// Exchanges a gateway key for a console token. The field is emptied before anything else happens.

import { element, linkTo } from "../dom.mjs";
import { signIn } from "../session.mjs";
import { errorBox } from "../states.mjs";

export const title = "Sign in";

export function render(root, { notice }) {
  const field = element("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "key-help" });
  const submit = element("button", { type: "submit", class: "primary" }, "Sign in");
  const result = element("div", {}, notice && element("p", { class: "notice", role: "status" }, notice));
  const form = element("form", { onsubmit: (event) => send(event, { field, submit, result }) },
    element("label", { for: "key" }, "Gateway key"),
    field,
    element("p", { id: "key-help", class: "soft" },
      "One of the keys in GATEWAY_KEY, with the rights sessions, read and manage. It is sent once to this Worker and not kept. You stay signed in for an hour at most, in this tab only."),
    submit,
  );
  root.append(
    element("section", { class: "narrow" },
      element("h1", {}, "Sign in"),
      element("p", { class: "lead" },
        "This is the console of ofauth-edge, the gateway between your app and OFAuth: it shows the people who run it which OnlyFans accounts are connected, which webhooks came, and what needs attention."),
      result,
      form,
      element("p", { class: "beside" }, "A webhook is refused? The ", linkTo("/inspector", {}, "Inspector"), " finds out why, without a key."),
    ),
  );
}

async function send(event, { field, submit, result }) {
  event.preventDefault();
  const key = field.value.trim();
  field.value = "";
  submit.disabled = true;
  try {
    await signIn(key);
  } catch (error) {
    submit.disabled = false;
    result.replaceChildren(errorBox(error));
    field.focus();
  }
}
