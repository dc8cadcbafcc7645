// How a user links an account again. The console makes no tokens, so it shows the call that a server makes.

import { codeBlock, copyButton, element } from "../dom.mjs";
import { quote } from "../shell.mjs";

export function relink({ status, handle, clientReferenceId }) {
  if (status === "disconnected") return "";
  const section = (...content) => element("section", { "aria-labelledby": "relink" }, element("h2", { id: "relink" }, "Link again"), ...content);
  if (!clientReferenceId) return section(element("p", {}, "This connection belongs to no user of yours, so nobody can link it again through the Worker."));
  const command = curl(handle, clientReferenceId);
  return section(
    element("p", {},
      "A server asks for a page of OFAuth's, and sends the user's browser there. The connection keeps its handle. Without ",
      element("code", {}, "APP_RETURN_URL"), ", add a ", element("code", {}, "redirectUrl"), " of your app."),
    codeBlock("The call of a server", command),
    copyButton(command, "Copy the call"),
  );
}

function curl(connectionId, clientReferenceId) {
  const body = JSON.stringify({ mode: "private", clientReferenceId, connectionId });
  return `curl -X POST ${quote(`${location.origin}/v2/link/init`)} -H "Authorization: Bearer $GATEWAY_KEY" \\\n  -d ${quote(body)}`;
}
