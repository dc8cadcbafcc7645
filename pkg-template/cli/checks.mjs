// The checks of `doctor`, in the order of OFAuth's integration checklist. A check that asks about a secret never repeats it.

import { clockSkew } from "./gateway.mjs";
import { isLoopback } from "./http.mjs";
import { clean } from "./output.mjs";
import { CONNECTION_CHECKS } from "./checks-connections.mjs";
import { bearer, failedWith, json, refused } from "./checks-answers.mjs";
import { WEBHOOK_CHECKS } from "./checks-webhooks.mjs";

/**
 * @typedef {object} CheckContext
 * @property {URL} url
 * @property {string | undefined} key
 * @property {{scheme: "ofauth" | "svix", secret: string} | undefined} signer
 * @property {string[]} origins
 * @property {boolean} link
 * @property {Record<string, any>} answers   what earlier checks have learnt
 * @property {(method: string, path: string, options?: object) => Promise<import("./http.mjs").Answer>} call
 */

/**
 * @typedef {object} Check
 * @property {string} id         for programs
 * @property {string} section
 * @property {string} title
 * @property {boolean} [needsKey]
 * @property {"manual"} [status]   nobody but the reader can answer it
 * @property {string | ((context: CheckContext) => string)} [detail]   of a manual one
 * @property {(context: CheckContext) => Promise<{status: "ok" | "warn" | "fail" | "skip", detail?: string, fix?: string}>} [run]
 */

const DEPLOYMENT = "The deployment";
const KEYS = "Keys and sessions";
const PAGES = "Pages";
const YOURS = "For you to check";

const NO_SUCH_KEY = "made-up-key-0123456789abcdef0123456789";

/** @type {Check[]} */
const DEPLOYMENT_CHECKS = [
  {
    id: "https",
    section: DEPLOYMENT,
    title: "The address is https",
    async run({ url }) {
      if (url.protocol === "https:") return { status: "ok" };
      if (isLoopback(url)) return { status: "skip", detail: "it runs on this machine" };
      return { status: "fail", detail: "keys would go over the network in the clear" };
    },
  },
  {
    id: "health",
    section: DEPLOYMENT,
    title: "/healthz says that the configuration is complete",
    async run(context) {
      const answer = await context.call("GET", "/healthz").catch((error) => {
        context.answers.blocked = "the gateway was not reached";
        throw error;
      });
      context.answers.health = answer;
      const body = json(answer);
      if (answer.status === 200 && body?.ok === true) return { status: "ok" };
      context.answers.blocked = "the gateway does not work yet";
      if (Array.isArray(body?.problems)) {
        const detail = body.problems.map((one) => clean(one)).join("; ");
        return { status: "fail", detail, fix: "Correct the settings in .deploy/<environment>.env, and run make deploy again. See docs/configuration.md" };
      }
      return { status: "fail", detail: `HTTP ${answer.status}, and no answer of an ofauth-edge gateway`, fix: "Is this the address of the Worker?" };
    },
  },
  {
    id: "warnings",
    section: DEPLOYMENT,
    title: "/healthz has no warnings",
    async run({ answers }) {
      const { warnings = [] } = json(answers.health) ?? {};
      return warnings.length === 0 ? { status: "ok" } : { status: "warn", detail: warnings.map((one) => clean(one)).join("; ") };
    },
  },
  {
    id: "clock",
    section: DEPLOYMENT,
    title: "The clocks of this machine and of the gateway agree",
    async run({ answers }) {
      if (answers.health.headers.date === undefined) return { status: "skip", detail: "the gateway does not tell its time" };
      const skew = clockSkew(answers.health);
      if (Math.abs(skew) < 30) return { status: "ok" };
      const fix = "Signatures and tokens that this machine makes may be refused. Set its clock";
      return { status: "warn", detail: `${Math.abs(skew)} s apart`, fix };
    },
  },
];

const REFUSED_BY_OFAUTH = "OFAuth refuses OFAUTH_API_KEY. Compare it with the dashboard's, and look for a space or a line break";

/** @type {Check[]} */
const KEY_CHECKS = [
  {
    id: "no-key",
    section: KEYS,
    title: "A call without a key is refused",
    run: async ({ call }) => refused(await call("GET", "/edge/connections"), 401, ["CREDENTIALS_MISSING"]),
  },
  {
    id: "wrong-key",
    section: KEYS,
    title: "A made-up key is refused",
    async run({ call }) {
      return refused(await call("GET", "/edge/connections", { headers: bearer(NO_SUCH_KEY) }), 401, ["CREDENTIALS_INVALID"]);
    },
  },
  {
    id: "whoami",
    section: KEYS,
    title: "OFAuth accepts the gateway's API key",
    needsKey: true,
    async run({ call, key }) {
      const answer = await call("GET", "/v2/account/whoami", { headers: bearer(key) });
      const { name, id, permissions } = json(answer) ?? {};
      if (answer.status === 200) {
        return { status: "ok", detail: `${clean(name ?? id, 60)}${permissions ? `, ${permissions.length} permissions` : ""}` };
      }
      if (![401, 403].includes(answer.status)) return failedWith(answer);
      const isGateways = answer.headers["x-ofauth-edge"] === "gateway";
      return failedWith(answer, isGateways ? "The key of this check must be an item of the gateway's GATEWAY_KEY" : REFUSED_BY_OFAUTH);
    },
  },
  {
    id: "sessions",
    section: KEYS,
    title: "A session token can be made, and it sees only its own user",
    needsKey: true,
    run: checkSession,
  },
  {
    id: "foreign-page",
    section: KEYS,
    title: "A page of another site cannot use the gateway key",
    needsKey: true,
    async run({ call, key }) {
      const headers = { ...bearer(key), origin: "https://doctor.invalid" };
      return refused(await call("GET", "/edge/connections", { headers }), 403, ["ORIGIN_DENIED"]);
    },
  },
];

async function checkSession({ call, key }) {
  const user = `doctor-${Date.now()}`;
  const headers = { ...bearer(key), "content-type": "application/json" };
  const made = await call("POST", "/edge/sessions", { headers, body: JSON.stringify({ clientReferenceId: user, expiresIn: 60 }) });
  const { token } = json(made) ?? {};
  if (made.status !== 201 || typeof token !== "string") return failedWith(made);
  const list = await call("GET", "/edge/connections", { headers: bearer(token) });
  if (list.status !== 200) return failedWith(list, "The gateway refuses a token that it has just made");
  if (json(list)?.list?.length !== 0) return { status: "fail", detail: "a new user sees connections of others" };
  const events = await call("GET", "/edge/events", { headers: bearer(token) });
  return refused(events, 403, ["PERMISSION_DENIED"]);
}

/** @type {Check[]} */
const PAGE_CHECKS = [
  {
    id: "cors-refused",
    section: PAGES,
    title: "A page of an unknown site is refused",
    run: async ({ call }) => refused(await preflight(call, "https://doctor.invalid"), 403, ["ORIGIN_DENIED"]),
  },
  {
    id: "cors-allowed",
    section: PAGES,
    title: "Your pages are allowed",
    async run({ call, origins }) {
      if (origins.length === 0) return { status: "skip", detail: "needs --origin https://app.example" };
      const denied = [];
      for (const origin of origins) {
        const answer = await preflight(call, origin);
        if (answer.status >= 300 || answer.headers["access-control-allow-origin"] !== origin) denied.push(origin);
      }
      if (denied.length === 0) return { status: "ok", detail: origins.join(", ") };
      return { status: "fail", detail: `not allowed: ${denied.join(", ")}`, fix: "Add the origin to ALLOWED_ORIGINS in .deploy/<environment>.env, and run make deploy again" };
    },
  },
  {
    id: "privacy",
    section: PAGES,
    title: "/privacy tells your users why, which data, and how to disconnect",
    async run({ call }) {
      const { status, text } = await call("GET", "/privacy");
      if (status !== 200) return { status: "skip", detail: "the gateway serves no such page" };
      const open = new Set(text.match(/\[\[[^\]]+\]\]/g) ?? []).size;
      if (open === 0) return { status: "ok" };
      return { status: "warn", detail: `${open} of its facts are not filled in`, fix: "Fill in www/privacy.html, and deploy" };
    },
  },
];

/** @type {Check[]} */
const MANUAL_CHECKS = [
  ["key-production", "Before you go live: OFAUTH_API_KEY is the production key", environmentOf],
  ["redirect-uri", "OFAuth's dashboard has the redirect URI of the gateway", ({ url }) => `${url.origin}/link/callback`],
  ["data-access", "OFAuth's dashboard grants the data permissions that your app needs", undefined],
  ["link-by-hand", "You have linked a Sandbox account once through your app", "too many logins of a real account look suspicious to OnlyFans"],
  ["relink", "Your app sends a user through Link again", "on SESSION_EXPIRED, connection.expired and actionRequired relink_connection"],
  ["rate-limits", "Your app waits as long as Retry-After says, and tries again after a network error", "the package's client does both"],
  ["monitoring", "Alerts exist for webhook failures, rate limits, expiries and errors", "ALERT_URL gets those of the gateway: see docs/monitoring.md"],
].map(([id, title, detail]) => ({ id, section: YOURS, title, status: "manual", detail }));

/** OFAuth has one address for both environments, and the key decides. */
function environmentOf({ answers: { active } }) {
  if (typeof active?.live === "boolean") return `a connection here is of ${active.live ? "production" : "the sandbox"}`;
  return "OFAuth's environment is that of the key";
}

/** @type {Check[]} */
export const CHECKS = [...DEPLOYMENT_CHECKS, ...KEY_CHECKS, ...WEBHOOK_CHECKS, ...CONNECTION_CHECKS, ...PAGE_CHECKS, ...MANUAL_CHECKS];

function preflight(call, origin) {
  const headers = { origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization" };
  return call("OPTIONS", "/edge/connections", { headers });
}
