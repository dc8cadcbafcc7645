// What `make deploy` asks and prints.

import { link } from "./dev-steps.mjs";

/** The environments of wrangler.toml, and how OFAuth's API keys for them begin. */
export const ENVIRONMENTS = Object.freeze({
  sandbox: { keyPrefix: "sk_sandbox_" },
  production: { keyPrefix: "sk_live_" },
});

/** Settings that Cloudflare keeps as secrets. All others are variables, except DOMAIN. */
export const SECRETS = Object.freeze([
  "OFAUTH_API_KEY",
  "OFAUTH_WEBHOOK_SECRET",
  "SVIX_WEBHOOK_SECRET",
  "GATEWAY_KEY",
  "SESSION_SECRET",
  "STORAGE_KEY",
  "INDEX_KEY",
  "FORWARD_SECRET",
  "ALERT_URL",
]);

/** How to replace a secret that is not made here. The file is that of the environment. */
export const REPLACEMENTS = Object.freeze({
  OFAUTH_API_KEY: "get a new one from OFAuth, and write it into the file in the place of the old one",
  OFAUTH_WEBHOOK_SECRET: "get a new one from OFAuth, and write it into the file in front of the old one, with a comma between them",
  SVIX_WEBHOOK_SECRET: "get a new one from OFAuth, and write it into the file in front of the old one, with a comma between them",
  FORWARD_SECRET: "let your app accept a new one too, and write it into the file in front of the old one, with a comma between them",
  ALERT_URL: "make a new one where you read the alerts, and write it into the file in the place of the old one",
});

/** What only the owner knows. One of the names must be in the settings file; its value may be empty unless it is required. */
export const QUESTIONS = Object.freeze([
  { names: ["OFAUTH_API_KEY"], required: true, question: "The API key of this environment, from OFAuth's dashboard (Developers > API Keys)." },
  {
    names: ["OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET"],
    required: true,
    question:
      "The secret with which OFAuth signs webhooks for this environment, from OFAuth's dashboard. " +
      "If your webhooks have svix headers, press Ctrl-C and write it into the file as SVIX_WEBHOOK_SECRET.",
  },
  {
    names: ["ALLOWED_ORIGINS"],
    required: false,
    question: "The origins of your pages that call the Worker, such as https://app.example, with commas between them. Empty if only servers call it.",
  },
  {
    names: ["APP_RETURN_URL"],
    required: false,
    question: "The page of your app to which users return after Link, such as https://app.example/linked. Empty if each call names one.",
  },
]);

/**
 * What to do after an upload.
 * @param {{environment: string, address: string, account: string}} deployment   account: OFAuth's answer about the API key
 */
export function afterUpload({ environment, address, account }) {
  const bearer = '-H "Authorization: Bearer $key"';
  return `
The Worker runs: ${address}
OFAuth knows its API key: ${account}

Register these addresses in OFAuth's dashboard:
  Webhook URL   ${address}/webhooks/ofauth
  Redirect URI  ${address}/link/callback

Then test it. These commands print a page on which you link ${environment === "sandbox" ? "a sandbox account" : "an account"}:

key=$(sed -n 's/^GATEWAY_KEY="\\([^":,]*:[^":,]*:\\)*\\([^",]*\\).*/\\2/p' .deploy/${environment}.env)
${link(address, bearer)}

Afterwards this one lists the connection. Its "live" tells the environment of the account:

curl -sS ${address}/edge/connections ${bearer}; echo

npx wrangler tail --env ${environment} follows the log.
`;
}
