// What `make run` prints when the Worker is ready: the demo app, and commands to try. With the emulator the commands begin with a
// webhook about a connection that the emulator knows. With the real OFAuth nothing is made up: they begin with its API key, and
// the connection comes from Link.

import { keyWithRight } from "../pkg-template/cli/env-file.mjs";

/** The connection that the emulator has at its first start, and that the first command reports. */
export const DEMO = Object.freeze({
  clientReferenceId: "user_1",
  id: "conn_demo",
  status: "active",
  permissions: ["profile:read"],
  userData: { id: "1", name: "Demo", username: "demo", avatar: null },
});

/**
 * @param {{demo: string, gateway: string, emulator: string | null, vars: Record<string, string>}} run   demo, gateway and
 *   emulator: their origins; vars: of .dev.vars
 * @returns {string}
 */
export function instructions({ demo, gateway, emulator, vars }) {
  const bearer = `-H ${shellQuote(`Authorization: Bearer ${keyWithRight(vars.GATEWAY_KEY, "sessions")}`)}`;
  const steps = emulator ? emulatedSteps(gateway, bearer) : realSteps(gateway, bearer);
  return `
Demo app  ${demo}${emulator ? `\nControl   ${emulator}/control` : ""}
Worker    ${gateway}
Console   ${gateway}/console/  (sign in with GATEWAY_KEY of .dev.vars)
${emulator ? `Emulator  ${emulator}` : `OFAuth    ${vars.OFAUTH_API_URL} (from .dev.vars; nothing is emulated)`}

${emulator ? FIRST_STEPS : FIRST_STEPS_OF_OFAUTH.replace("{gateway}", gateway)}
Paste into another terminal, in this folder:

${steps.map(({ title, commands }, index) => `${index + 1}. ${title}\n${commands}`).join("\n\n")}
${emulator ? "" : WEBHOOKS_OF_OFAUTH.replace("{gateway}", gateway)}
Ctrl-C stops all of them.
`;
}

const FIRST_STEPS = `Open the demo app and link jane@creator.sandbox.com with the password good-password. On the control page you can expire,
disconnect and disturb what you have linked.
`;

const FIRST_STEPS_OF_OFAUTH = `Register {gateway}/link/callback at OFAuth. Then open the demo app and link an account.
`;

function emulatedSteps(gateway, bearer) {
  const { clientReferenceId, ...connection } = DEMO;
  const data = JSON.stringify({ clientReferenceId, connection });
  const body = `body='{"type":"connection.created","timestamp":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","data":${data}}'`;
  const signature = '"OFAuth-Signature: $(printf %s "$body" | node tests/emulator/sign.mjs)"';
  return [
    {
      title: "Send a signed webhook, as OFAuth does, that reports a new connection",
      commands: `${body}; curl -sS ${gateway}/webhooks/ofauth -H ${signature} ${JSON_BODY} --data-binary "$body"; echo`,
    },
    {
      title: "List the connections that the Worker knows",
      commands: `curl -sS ${gateway}/edge/connections ${bearer}; echo`,
    },
    {
      title: "Call the Access API on that connection",
      commands: `curl -sS ${gateway}/v2/access/self ${bearer} -H 'x-connection-id: ${DEMO.id}'; echo`,
    },
    {
      title: "Start Link and print the page to open in a browser, as the demo app does",
      commands: link(gateway, bearer),
    },
  ];
}

function realSteps(gateway, bearer) {
  return [
    {
      title: "Ask OFAuth whose API key it is (UNAUTHORIZED: OFAUTH_API_KEY in .dev.vars is wrong)",
      commands: `curl -sS ${gateway}/v2/account/whoami ${bearer}; echo`,
    },
    {
      title: "Start Link for a user and print the page to open in a browser, as the demo app does",
      commands: link(gateway, bearer),
    },
    {
      title: "List that user's connections, after Link",
      commands: `curl -sS '${gateway}/edge/connections?clientReferenceId=user_1' ${bearer}; echo`,
    },
    {
      title: "Call the Access API as a page of that user does",
      commands: `${token(gateway, bearer, "user_1", "profile:read")}
curl -sS ${gateway}/v2/access/self -H "Authorization: Bearer $token"; echo`,
    },
  ];
}

const WEBHOOKS_OF_OFAUTH = `
OFAuth's webhooks do not reach this computer. To get them, open a tunnel to {gateway}, give OFAuth the tunnel's
address with /webhooks/ofauth behind it, and set OFAUTH_WEBHOOK_SECRET in .dev.vars to OFAuth's secret.
`;

/** Commands that start Link for the user "user_1" and print the page to open. */
export function link(gateway, bearer) {
  return `${token(gateway, bearer, DEMO.clientReferenceId, "connections:link")}
curl -sS -X POST ${gateway}/v2/link/init -H "Authorization: Bearer $token" ${JSON_BODY} -d '{}' | ${extract("url")}; echo`;
}

function token(gateway, bearer, user, permission) {
  const session = JSON.stringify({ clientReferenceId: user, permissions: [permission] });
  return `token=$(curl -sS ${gateway}/edge/sessions ${bearer} ${JSON_BODY} -d '${session}' | ${extract("token")})`;
}

const JSON_BODY = "-H 'Content-Type: application/json'";

// Prints an answer without this member, such as an error, as it is.
function extract(name) {
  return `sed 's/.*"${name}": *"\\([^"]*\\)".*/\\1/'`;
}

function shellQuote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
