// The schemas that are written by hand: bodies that no type of the npm package has. `STRUCTS` names the Rust struct of each, and
// tests/scripts/openapi.test.mjs compares the fields.

import { membersOf, schemasOf } from "./types.mjs";

export const refTo = (name) => ({ $ref: `#/components/schemas/${name}` });

/** An object whose members are all there, except those named in `optional`. */
const object = (description, properties, optional = []) => ({
  type: "object",
  description,
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const text = (description, more) => ({ type: "string", description, ...more });
const boolean = (description, more) => ({ type: "boolean", description, ...more });
const integer = (description, more) => ({ type: "integer", description, ...more });
const list = (items, description) => ({ type: "array", description, items });
const instant = (description) => text(`${description} ISO 8601 in UTC.`);
const instantOrNull = (description) => ({ type: ["string", "null"], description: `${description} ISO 8601 in UTC.` });
const cursor = text("Pass it as `cursor` to get the next page. It is absent on the last page.");

const ERROR = {
  error: text("What is wrong, for people. It may change."),
  message: text("The same as `error`."),
  type: text("What is wrong, for programs. It stays."),
  code: text("The same as `type`."),
  requestId: text("Names the request. The Worker's log line has it too."),
};
const ENCODING = text("How `body` stands for the raw bytes: as text, or as base64 if they are not UTF-8.", { enum: ["utf8", "base64"] });
const STORED_BODY = text("The raw body. The console sees handles instead of connection ids, and an empty text instead of base64.");
const COUNTS = {
  type: "object",
  description: "How often each thing happened, by name and code.",
  additionalProperties: { type: "object", additionalProperties: { type: "integer" } },
};
const HANDLE = "acct_0635f7239bbba1dd908a651d100012e6";

/** The schema of the handle of a connection. */
const handle = text("The Worker's name for a connection: `acct_` and 32 hexadecimal digits.", { pattern: "^acct_[0-9a-f]{32}$", examples: [HANDLE] });

/** The codes of a webhook's signature that the Worker answers. It checks its own secrets before it serves anything. */
const signatureCodes = membersOf("SignatureErrorCode").map(({ member }) => member).filter((code) => code !== "INVALID_SECRET");

/** All schemas of the document, by name. */
export function buildSchemas() {
  return {
    ConnectionStatus: text("OFAuth's word for the state of a connection. The set is open. `missing` and `unknown` are the Worker's own.", {
      examples: ["active", "expired", "disconnected", "pending", "awaiting_2fa", "failed", "error", "revoked", "missing", "unknown"],
    }),
    Handle: handle,
    ...schemasOf(["ConnectionPage", "Outcome", "Health", "Verdict", "EdgeErrorCode"]),
    ...ERRORS_AND_WEBHOOKS,
    ...TOKENS_AND_CHANGES,
    ...LISTS_AND_COUNTS,
    ...LINK_AND_LIVE,
    ...CONFIGURATION,
  };
}

const ERRORS_AND_WEBHOOKS = {
  SignatureErrorCode: { type: "string", description: "Why the signature of a webhook is refused.", enum: signatureCodes },
  Error: object("An error of the Worker, in the form of OFAuth's errors.", {
    ...ERROR,
    actionRequired: text("What the user must do.", { enum: ["relink_connection"] }),
  }, ["actionRequired"]),
  UpstreamError: { type: "object", description: "An error of OFAuth. It usually has `error`, `type`, `requestId` and perhaps `actionRequired`." },
  WebhookEvent: {
    type: "object",
    description: "A webhook of OFAuth. An authentic body of another form is accepted and stored too.",
    properties: {
      type: text("Such as `connection.created`. Older webhooks call it `eventType`."),
      timestamp: text("When it happened."),
      data: { description: "What happened. Its form depends on the type." },
    },
  },
  WebhookAnswer: object("What became of a webhook.", { outcome: refTo("Outcome") }),
};

const TOKENS_AND_CHANGES = {
  SessionRequest: sessionRequest(),
  SessionToken: object("A token and the end of its life.", {
    token: text("A JSON Web Token. Send it as `Authorization: Bearer` or as `apikey`."),
    expiresAt: instant("When the token expires."),
  }),
  ConnectionHealth: object("Whether a connection works.", {
    verdict: refTo("Health"),
    status: refTo("ConnectionStatus"),
    retryAfter: integer("How long to wait before the next question, in seconds, if OFAuth asks to wait."),
  }, ["retryAfter"]),
  Done: object("A change that was made.", { success: boolean("Always true.", { const: true }), message: text("What was done, for people.") }),
  UserDeleted: object("The user and the user's data are deleted.", {
    success: boolean("Always true.", { const: true }),
    message: text("What was done, for people."),
    deleted: integer("How many connections were deleted."),
  }),
  UserDeletionRunning: object("The deletion goes on. Send the request again until the answer is not 202.", {
    done: integer("How many connections are deleted."),
    remaining: integer("How many are left."),
  }),
  UserDeletionIncomplete: object("OFAuth refused to delete some connections. Send the request again.", {
    ...ERROR,
    deleted: integer("How many connections were deleted."),
    failed: list(refTo("Handle"), "The handles of those that were not deleted."),
  }),
};

const LISTS_AND_COUNTS = {
  Delivery: object("A webhook about a connection, or a change that the Worker noticed itself. A page gets neither `encoding` nor `body`.", {
    id: text("Names the delivery: OFAuth's message id, or the SHA-256 of what was signed."),
    type: text("The event's type. It begins with `edge.` if the Worker noticed the change itself."),
    receivedAt: instant("When it came."),
    stamp: instant("The time that decided which event is newer."),
    outcome: text("Whether it changed the record.", { enum: ["applied", "stale"] }),
    actor: text("Who caused a change that the Worker noticed itself: `key:` and the name of a gateway key, of which a page sees `key`, or `session`, `console` or `gateway`."),
    encoding: ENCODING,
    body: STORED_BODY,
  }, ["actor", "encoding", "body"]),
  DeliveryPage: object("A page of deliveries, the newest first.", { list: list(refTo("Delivery"), "The deliveries."), cursor }, ["cursor"]),
  Forward: object("A forwarded event that your app has not taken.", {
    id: text("The value of `x-ofauth-edge-digest`."),
    type: text("The event's type. Empty if the body is not an event."),
    handle: { anyOf: [refTo("Handle"), { type: "null" }], description: "Null if the event is not about a connection." },
    state: text("Whether it is sent again.", { enum: ["pending", "parked"] }),
    tries: integer("How often it was sent."),
    unanswered: integer("How many of the tries got no answer."),
    refused: integer("How many got an answer that is not 2xx."),
    lastAnswer: text("An HTTP status, or `timeout`, `network_error`, `queue_error`, `storage_key_missing` or `too_large`."),
    firstTriedAt: instantOrNull("When the first try ended."),
    nextTryAt: instantOrNull("When it is sent again. Null if it is parked."),
    parkedAt: instantOrNull("When it was given up."),
  }),
  ForwardPage: object("A page of forwarded events.", { list: list(refTo("Forward"), "The events."), cursor }, ["cursor"]),
  Metrics: object("What was counted.", {
    list: list(object("A minute in which something was counted.", { minute: instant("When it began."), counts: COUNTS }), "The minutes, the newest first."),
    total: COUNTS,
  }),
  Status: object("Whether everything is all right.", {
    ok: boolean("False if that of a line is."),
    lines: list(object("One thing that can be right or wrong.", {
      name: text("Names it."),
      ok: { type: ["boolean", "null"], description: "Null if it is not known." },
      value: { description: "What is known of it." },
      hint: text("What to do if `ok` is false."),
    }), "The lines."),
  }),
  StoredEvent: object("A stored event that is not about a connection's state.", {
    id: text("Names the delivery: OFAuth's message id, or the SHA-256 of what was signed."),
    type: { type: ["string", "null"], description: "The event's type. Null if the body is not an event." },
    receivedAt: instant("When it came."),
    stamp: instant("The time of the event, or of its signature if the event has none."),
    encoding: ENCODING,
    body: STORED_BODY,
  }),
  StoredEventPage: object("A page of stored events, the newest first.", { list: list(refTo("StoredEvent"), "The events."), cursor }, ["cursor"]),
};

const LINK_AND_LIVE = {
  HostedLink: object("The page of OFAuth on which the user links an account.", {
    mode: text("Always `hosted`.", { const: "hosted" }),
    url: text("Send the user's browser there."),
    expiresAt: text("When the Link session ends, as OFAuth wrote it."),
  }, ["expiresAt"]),
  LinkRequest: linkRequest(),
  LiveChange: object("A change of a connection, as a frame of the WebSocket.", {
    seq: integer("The number of the change among those of the user. It grows, with gaps."),
    handle: refTo("Handle"),
    status: { anyOf: [refTo("ConnectionStatus"), { type: "null" }], description: "Null if the connection does not belong to the user any more." },
    updatedAt: instant("When the record changed last."),
  }),
  LiveResync: object("The first frame if the Worker cannot tell what the page has missed: read the list of connections anew.", {
    resync: boolean("Always true.", { const: true }),
    seq: integer("The number of the newest change."),
  }),
};

const CONFIGURATION = {
  Configured: object("The configuration is complete.", {
    ok: boolean("Always true.", { const: true }),
    warnings: list(text("One of them."), "The items of ALLOWED_ORIGINS or EVENT_KEEP that are ignored."),
  }, ["warnings"]),
  NotConfigured: object("The configuration is not complete.", {
    ok: boolean("Always false.", { const: false }),
    problems: list(text("One of them. It names a setting and never shows a value."), "All problems."),
  }),
};

function sessionRequest() {
  return {
    type: "object",
    description: "Asks for a token of one user, or for a console token with `console`.",
    properties: {
      clientReferenceId: text("Your own id of the user, 1 to 256 bytes.", { minLength: 1, maxLength: 256 }),
      permissions: list(text("Such as `profile:read`."), "What the token permits: permissions of OFAuth, `connections:link`, `connections:write` and `access:any`."),
      connection: { ...refTo("Handle"), description: "The token then opens this connection only." },
      expiresIn: integer("The life of the token, in seconds.", { minimum: 60, maximum: 86400, default: 3600 }),
      console: boolean("True for a console token, which lives for at most an hour."),
    },
    additionalProperties: false,
  };
}

function linkRequest() {
  const orNull = (schema) => ({ ...schema, type: [schema.type, "null"] });
  return {
    type: "object",
    description: "Other members are ignored for a page, and passed to OFAuth for a server.",
    properties: {
      redirectUrl: orNull(text("Your page for the user after Link. The default is APP_RETURN_URL.")),
      connectionId: orNull(text("The handle of the connection to link again. Null links a new account. A server may also send a connection id.")),
      clientReferenceId: orNull(text("Your own id of the user. Only a server may choose it.")),
      mode: text("`private` if the browser of a server's Link is to come back through the Worker."),
      clientAppId: { description: "Passed to OFAuth." },
      geolocation: { description: "Passed to OFAuth." },
    },
  };
}

/** The Rust struct behind each schema: its file, its name, and fields that are on other schemas only. */
export const STRUCTS = {
  Error: ["src/worker/http/response.rs", "ErrorBody"],
  SessionRequest: ["src/core/gateway/session.rs", "SessionRequest"],
  SessionToken: ["src/worker/routes/sessions.rs", "SessionBody"],
  ConnectionHealth: ["src/worker/routes/manage.rs", "HealthBody"],
  Done: ["src/worker/http/reply.rs", "Done", ["deleted"]],
  UserDeleted: ["src/worker/http/reply.rs", "Done"],
  UserDeletionRunning: ["src/worker/routes/users.rs", "Pending"],
  UserDeletionIncomplete: ["src/worker/routes/users.rs", "Incomplete"],
  Delivery: ["src/worker/ledger/entry.rs", "Delivered"],
  DeliveryPage: ["src/worker/routes/manage.rs", "Timeline"],
  Forward: ["src/core/gateway/deliveries.rs", "DeliveryItem"],
  StoredEvent: ["src/worker/routes/events.rs", "StoredEvent"],
  StoredEventPage: ["src/worker/routes/events.rs", "EventList"],
  HostedLink: ["src/core/gateway/link.rs", "HostedLink"],
  WebhookAnswer: ["src/worker/http/reply.rs", "Accepted"],
  Configured: ["src/worker/http/reply.rs", "HealthzBody", ["problems"]],
  NotConfigured: ["src/worker/http/reply.rs", "HealthzBody", ["warnings"]],
};
