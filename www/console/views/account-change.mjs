// Says that a connection is with another OnlyFans account than before, and how a server accepts that. The console's token may not.

import { codeBlock, copyButton, element } from "../dom.mjs";
import { timeOf } from "../format.mjs";
import { quote } from "../shell.mjs";

/** Nothing if the account did not change, or a server has accepted the change. */
export function accountChange({ handle, platformUserId, accountChangedAt }) {
  if (!accountChangedAt) return "";
  const command = curl(handle, platformUserId ?? "");
  return element("section", { class: "notice", "aria-labelledby": "account-change" },
    element("h2", { id: "account-change" }, "Another OnlyFans account"),
    element("p", {},
      "The user linked another account than before, ", timeOf(accountChangedAt), ". The timeline has both OnlyFans user ids, in ",
      element("code", {}, "edge.connection.account_changed"), ". With ", element("code", {}, "REFUSE_CHANGED_ACCOUNT"),
      ", calls on the connection are refused until a server accepts the account:"),
    codeBlock("The call that accepts the account", command),
    copyButton(command, "Copy the call"),
  );
}

function curl(handle, platformUserId) {
  const url = `${location.origin}/edge/connections/${encodeURIComponent(handle)}/accept-account?platformUserId=${encodeURIComponent(platformUserId)}`;
  return `curl -X POST ${quote(url)} -H "Authorization: Bearer $GATEWAY_KEY"`;
}
