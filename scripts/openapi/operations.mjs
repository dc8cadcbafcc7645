// What only people can say about the routes of the Worker itself. scripts/openapi/build.mjs adds what the sources say: the status of
// each error, the headers, and the routes of OFAuth's Access API.
//
// `callers` are those who may call, `permission` is what a page's token must permit. `errors` are the codes of the Worker's own
// errors. Those of the credentials and of the configuration are added to all routes that need them. `upstream` says what an answer
// of OFAuth is that the Worker passes back.

import { CONNECTION_OPERATIONS } from "./connection-operations.mjs";
import { cursor, limit, query, SEALED, STORED } from "./operation-parts.mjs";

export const OPERATIONS = [
  ...CONNECTION_OPERATIONS,
  {
    method: "GET",
    path: "/edge/events",
    id: "listEvents",
    tag: "Events",
    callers: ["server", "console"],
    summary: "Lists stored events",
    description: "Events that are not connection events, the newest first. The list may be a minute late. A page of it also ends after 4 MiB of bodies.",
    parameters: [limit, cursor],
    answers: { 200: { schema: "StoredEventPage", description: "A page of events." } },
    errors: ["BAD_REQUEST", ...STORED],
  },
  {
    method: "GET",
    path: "/edge/deliveries",
    id: "listForwards",
    tag: "Events",
    callers: ["server", "console"],
    summary: "Lists forwarded events that your app has not taken",
    description: "Those that your app did not take at the first attempt, and has not taken since. The one that failed last for the first time comes first.",
    parameters: [query("state", "`pending` events are sent again, `parked` ones are not.", { enum: ["pending", "parked"], default: "parked" }), limit, cursor],
    answers: { 200: { schema: "ForwardPage", description: "A page of forwarded events." } },
    errors: ["BAD_REQUEST", ...STORED],
  },
  {
    method: "POST",
    path: "/edge/deliveries/{id}/replay",
    id: "replayForward",
    tag: "Events",
    callers: ["server", "console"],
    summary: "Sends a forwarded event to your app once more",
    description: "Under the same id, with a fresh signature. The answer comes before the event is sent.",
    parameters: [{ name: "id", in: "path", required: true, description: "The `id` of the event, percent-encoded.", schema: { type: "string" } }],
    answers: {
      202: { schema: "Done", description: "The event is sent again.", example: { success: true, message: "The event is sent again" } },
    },
    errors: ["BAD_REQUEST", "DELIVERY_NOT_FOUND", ...SEALED],
  },
  {
    method: "GET",
    path: "/edge/metrics",
    id: "getMetrics",
    tag: "Monitoring",
    callers: ["server", "console"],
    summary: "Shows what was counted in each minute",
    description: "The names and codes are in docs/monitoring.md. It needs the binding METRICS_STORE.",
    parameters: [query("minutes", "How many minutes to show.", { type: "integer", minimum: 1, maximum: 1440, default: 60 })],
    answers: { 200: { schema: "Metrics", description: "The counts." } },
    errors: ["BAD_REQUEST", ...STORED],
  },
  {
    method: "GET",
    path: "/edge/status",
    id: "getStatus",
    tag: "Monitoring",
    callers: ["server", "console"],
    summary: "Says whether everything is all right",
    description: "The lines are in docs/monitoring.md.",
    answers: { 200: { schema: "Status", description: "The status." } },
    errors: STORED,
  },
  {
    method: "POST",
    path: "/edge/sessions",
    id: "createSession",
    tag: "Sessions",
    callers: ["server"],
    summary: "Makes a session token or a console token",
    description: "A session token stands for one user and is for a page. The body has at most 8 KiB.",
    body: {
      schema: "SessionRequest",
      required: true,
      examples: {
        session: { clientReferenceId: "user_1", permissions: ["profile:read", "connections:link"], expiresIn: 900 },
        console: { console: true },
      },
    },
    answers: { 201: { schema: "SessionToken", description: "The token." } },
    errors: ["BAD_REQUEST", "BODY_TOO_LARGE"],
  },
  {
    method: "DELETE",
    path: "/edge/users/{clientReferenceId}",
    id: "deleteUser",
    tag: "Users",
    callers: ["server"],
    summary: "Deletes a user",
    description: "Deletes the user's connections at OFAuth and the user's data here. The answer comes after 10 s at the latest; the deletion goes on. The call may be repeated.",
    parameters: [
      {
        name: "clientReferenceId",
        in: "path",
        required: true,
        description: "Your own id of the user, percent-encoded, at most 4096 bytes.",
        schema: { type: "string" },
        example: "user_1",
      },
    ],
    answers: {
      200: { schema: "UserDeleted", description: "All is deleted.", example: { success: true, message: "The user has been deleted", deleted: 1 } },
      202: { schema: "UserDeletionRunning", description: "The deletion goes on. Send the request again.", example: { done: 130, remaining: 270 } },
    },
    incomplete: "UserDeletionIncomplete",
    errors: ["BAD_REQUEST", "UPSTREAM_UNREACHABLE", ...SEALED],
  },
  {
    method: "POST",
    path: "/v2/link/init",
    id: "startLink",
    tag: "Link",
    callers: ["server", "page"],
    permission: "connections:link",
    summary: "Starts Link",
    description: "A page gets the address of a page of OFAuth and sends the user there. A server gets OFAuth's own answer. The body has at most 64 KiB.",
    body: { schema: "LinkRequest", required: false, examples: { page: { redirectUrl: "https://app.example/linked" } } },
    answers: {
      200: {
        schema: "HostedLink",
        description: "For a page: where to send the user.",
        example: { mode: "hosted", url: "https://link.example/cs_1", expiresAt: "2026-11-28T08:22:25.389Z" },
      },
    },
    upstream: "OFAuth's answer to a server's call, and its refusal of a page's call.",
    errors: ["BAD_REQUEST", "BODY_TOO_LARGE", "CONNECTION_NOT_FOUND", "UPSTREAM_UNREACHABLE", ...SEALED],
  },
  {
    method: "GET",
    path: "/link/callback",
    id: "finishLink",
    tag: "Link",
    callers: [],
    summary: "Brings the user back from Link",
    description:
      "OFAuth sends the user's browser here, and the Worker sends it on to your page with `status` in the query: `success`, `pending`, `cancelled`, `error` or `unknown`. Nothing in the query is believed until it is confirmed. It takes no HEAD.",
    parameters: [
      query("status", "OFAuth's word for how Link has ended."),
      query("connection_id", "The connection that was linked."),
      query("client_reference_id", "Your own id of the user."),
      query("step", "Where the user has left Link."),
      query("error_code", "Why Link has failed."),
    ],
    answers: {
      303: { description: "To your page.", headers: { Location: "Your page, with the result in its query.", "Referrer-Policy": "Always `no-referrer`." } },
      204: { description: "A browser has fetched the page in advance." },
    },
    errors: ["BAD_REQUEST", ...SEALED],
  },
  {
    method: "POST",
    path: "/webhooks/ofauth",
    id: "receiveWebhook",
    tag: "Webhooks",
    callers: [],
    summary: "Receives a webhook of OFAuth",
    description:
      "The signature is the credential: `OFAuth-Signature`, or the three headers of Standard Webhooks, which may also begin with `webhook-`. The answer 200 comes after the event is stored. The body has at most 1 MiB. Slashes before, between and after the two words make no difference.",
    parameters: [
      signature("OFAuth-Signature", "`t=<unix seconds>,v1=<hex HMAC-SHA256>`"),
      signature("svix-id", "OFAuth's id of the message."),
      signature("svix-timestamp", "Unix seconds."),
      signature("svix-signature", "`v1,<base64 HMAC-SHA256>`"),
    ],
    body: { schema: "WebhookEvent", required: true },
    answers: { 200: { schema: "WebhookAnswer", description: "The event is stored, or is not one to store.", example: { outcome: "applied" } } },
    errors: ["BAD_REQUEST", "BODY_TOO_LARGE", "OVERLOADED", ...SEALED],
    signatureErrors: true,
  },
  {
    method: "GET",
    path: "/healthz",
    id: "getConfiguration",
    tag: "Operation",
    callers: [],
    summary: "Tells whether the Worker is configured",
    description: "It checks the form of the settings, and calls neither OFAuth nor the storage.",
    answers: {
      200: { schema: "Configured", description: "The configuration is complete.", example: { ok: true } },
      503: { schema: "NotConfigured", description: "It is not.", example: { ok: false, problems: ["INDEX_KEY is missing"] } },
    },
    errors: [],
  },
];

/** The files of www/ that have an address for people or programs. Cloudflare serves them, and the Worker those of the console. */
export const FILES = [
  { path: "/console/", id: "getConsole", type: "text/html", summary: "The console, a page for the people who run the Worker. CONSOLE=off removes it" },
  { path: "/privacy", id: "getPrivacyPage", type: "text/html", summary: "A page for your users: which data the app sees, and how they disconnect" },
  { path: "/reference", id: "getReference", type: "text/html", summary: "This reference as a page" },
  { path: "/openapi.json", id: "getDocument", type: "application/json", summary: "This reference as OpenAPI 3.1" },
];

/** The routes of OFAuth that only servers may call. A `{path}` may have slashes. */
export const SERVER_ROUTES = [
  { path: "/v2/account/{path}", methods: "any", id: "Account", summary: "OFAuth's account, its connections and their settings" },
  { path: "/v2/connections", methods: "any", id: "OldConnections", summary: "The same as /v2/account/connections, in OFAuth's older documents" },
  { path: "/v2/connections/{path}", methods: "any", id: "OldConnection", summary: "The same as /v2/account/connections/{path}" },
  { path: "/v2/dynamic-rules", methods: "any", id: "DynamicRules", summary: "OFAuth's dynamic rules" },
  { path: "/v2/dynamic-rules/{path}", methods: "any", id: "DynamicRule", summary: "OFAuth's dynamic rules" },
  { path: "/v2/vault/{path}", methods: "any", id: "Vault", summary: "OFAuth's Vault" },
  { path: "/v2/vault-plus/{path}", methods: "any", id: "VaultPlus", summary: "OFAuth's Vault+" },
  { path: "/v2/link/{clientSecret}", methods: ["GET", "DELETE"], id: "LinkSession", summary: "A Link session: reads it, or cancels it" },
];

function signature(name, description) {
  return { name, in: "header", description, schema: { type: "string", maxLength: 8192 } };
}
