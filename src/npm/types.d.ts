export * from "./client.js";

/** The raw body, exactly as it was received: not parsed, not re-serialised. At most 16 MiB. */
export type Body = string | Uint8Array | ArrayBuffer;

/**
 * A request's headers: a `Headers` object, a request that has one, or a record such as Node's or Express's `req.headers`.
 * Names are compared without regard to case; a Map is asked for lower-case ones. An array of one value is that value.
 */
export type HeadersLike =
  | { get(name: string): string | null | undefined }
  | { readonly headers: { get(name: string): string | null | undefined } }
  | { readonly [name: string]: string | readonly string[] | undefined };

/**
 * The signing secrets, newest first, at most 5 of a scheme. A string or an array serves both schemes: the header that is
 * present picks one. Never put a secret into code that a browser loads.
 */
export type Secrets =
  | string
  | readonly string[]
  | { ofauth?: string | readonly string[] | undefined; svix?: string | readonly string[] | undefined };

/** How to judge the time of a signature. */
export interface VerifyOptions {
  /** How far the signature's time may lie from now, in whole seconds, in both directions. Default 300. */
  tolerance?: number | undefined;
  /** The time to judge by, in whole unix seconds or as a Date. Default: the clock. */
  now?: number | Date | undefined;
}

/** `ofauth`: the `OFAuth-Signature` header. `svix`: `svix-*` or `webhook-*`, as in Standard Webhooks. */
export type Scheme = "ofauth" | "svix";

/** What is known of an authentic body. */
export interface Verified {
  /** The scheme that was judged. */
  scheme: Scheme;
  /** When it was signed, in unix seconds. */
  timestamp: number;
  /** Which secret matched, counted from 0 in the list of that scheme. */
  secretIndex: number;
  /** SHA-256 of the raw body, in lower-case hex. */
  digest: string;
}

/** Why a request was refused, or a secret. */
export type WebhookErrorCode =
  /** No signature header of a scheme that has a secret. */
  | "MISSING_HEADERS"
  /** A header without a timestamp or with two, too long (over 8,192 bytes), or given more than once. */
  | "MALFORMED_HEADER"
  /** No well-formed signature in the header. */
  | "NO_VALID_SIGNATURES"
  /** A timestamp that is not plain decimal unix seconds. */
  | "INVALID_TIMESTAMP"
  /** Signed longer ago than the tolerance. */
  | "TIMESTAMP_TOO_OLD"
  /** Signed further ahead than the tolerance. */
  | "TIMESTAMP_TOO_NEW"
  /** No signature matches these bytes under any of the secrets. */
  | "SIGNATURE_MISMATCH"
  /** A secret that cannot be used: empty, with outer white space, not base64 under svix, or none, or more than 5. */
  | "INVALID_SECRET"
  /** The body is a string with half of a surrogate pair: it was never bytes. */
  | "INVALID_BODY"
  /** The body is over 16 MiB. */
  | "BODY_TOO_LARGE"
  /** Authentic, but not JSON in UTF-8. */
  | "INVALID_JSON"
  /** Authentic JSON, but no event. */
  | "INVALID_EVENT";

/** What a sender or a secret can cause. A mistake in the call itself is a TypeError. */
export class WebhookVerificationError extends Error {
  constructor(code: WebhookErrorCode, message: string, options?: { cause?: unknown });
  readonly name: "WebhookVerificationError";
  /** Stable, and the same in OFAuth's gateway. */
  readonly code: WebhookErrorCode;
  /** True for the errors of every copy of this package, however it was loaded. */
  static [Symbol.hasInstance](value: unknown): value is WebhookVerificationError;
}

/**
 * Judges headers, time and signature, in this order, and nothing of what the body says.
 *
 * @throws {WebhookVerificationError} If the request is not authentic, or a secret is unusable.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function verifySignature(body: Body, headers: HeadersLike, secrets: Secrets, options?: VerifyOptions): Verified;

/**
 * Judges the signature, then reads the event.
 *
 * @throws {WebhookVerificationError} If the request is not authentic, a secret is unusable, or the body is no event.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function verifyWebhook(body: Body, headers: HeadersLike, secrets: Secrets, options?: VerifyOptions): WebhookEvent;

/** {@link verifyWebhook} with the secrets given once. */
export class Webhook {
  /** @throws {TypeError} If an argument has a wrong type or value. */
  constructor(secrets: Secrets, options?: VerifyOptions);
  /** As {@link verifyWebhook}. */
  verify(body: Body, headers: HeadersLike): WebhookEvent;
}

/**
 * Says why a request does not verify, or that it does. Names a cause only if recomputing the signature under it matches or
 * the header's form proves it. For developers: the answer is not meant for the sender.
 *
 * @throws {WebhookVerificationError} INVALID_BODY or BODY_TOO_LARGE.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function explainSignature(body: Body, headers: HeadersLike, secrets: Secrets, options?: VerifyOptions): Diagnosis;

/** What is wrong with a request. */
export interface Diagnosis {
  /** Whether it verifies. */
  ok: boolean;
  /** What is wrong, in one word. */
  cause: Cause;
  /** The same for a person, with what to do. */
  message: string;
  /** What the cause is known by. */
  evidence: Evidence;
}

/** What is wrong with a request, in one word. */
export type Cause =
  /** Nothing: it verifies. */
  | "none"
  /** Neither a form nor a MAC proves anything. */
  | "unknown"
  /** No headers of a scheme, or not all of them. */
  | "missing_headers"
  /** Headers only of the scheme that has no secret. */
  | "wrong_scheme_header"
  /** No timestamp or two, an empty id, or a header that is too long. */
  | "malformed_header"
  /** A timestamp that is no plain number. */
  | "invalid_timestamp"
  /** No signature of a form that is known. */
  | "no_valid_signatures"
  /** A secret that is unusable. */
  | "invalid_secret"
  /** A secret with white space at an end. */
  | "secret_white_space"
  /** ofauth, signed with the decoded secret. */
  | "secret_decoded"
  /** svix, signed with the secret's text. */
  | "secret_not_decoded"
  /** ofauth, signed without the whsec_ that the secret has. */
  | "secret_prefix_removed"
  /** ofauth, signed with a whsec_ that the secret lacks. */
  | "secret_prefix_added"
  /** Signed with a secret that is given for the other scheme. */
  | "other_scheme_secret"
  /** A timestamp in milliseconds, in the header or in what was signed. */
  | "milliseconds"
  /** Signed over {t},{body}. */
  | "comma_for_dot"
  /** Signed over the body alone. */
  | "body_without_timestamp"
  /** ofauth with a signature in base64. */
  | "base64_for_hex"
  /** svix with a signature in hex. */
  | "hex_for_base64"
  /** Right, but out of tolerance. */
  | "clock_skew"
  /** A line break follows what was signed. */
  | "trailing_newline_added"
  /** What was signed ended in a line break. */
  | "trailing_newline_removed"
  /** LF was signed, CRLF is here. */
  | "newlines_to_crlf"
  /** CRLF was signed, LF is here. */
  | "newlines_to_lf"
  /** A byte order mark precedes what was signed. */
  | "bom_added"
  /** What was signed began with a byte order mark. */
  | "bom_removed"
  /** JSON on one line was signed, JSON on several is here. */
  | "json_pretty_printed"
  /** The same JSON was signed, written by another serialiser. */
  | "json_reserialised";

/** What a cause is known by. */
export interface Evidence {
  /** Whether the signature matches, the cause being undone; else the form alone proves it, or nothing does. */
  macMatches: boolean;
  /** Length of the body that was given, in bytes. */
  bodyBytes: number;
  /** The verifier's code, if it refuses. */
  code?: WebhookErrorCode;
  /** The scheme of the headers that were judged. */
  scheme?: Scheme;
  /** The list that the secret in question stands in; absent if secrets serve both. */
  secretList?: Scheme;
  /** Its place in that list, from 0. */
  secretIndex?: number;
  /** The header that is absent from a set of three. */
  missingHeader?: string;
  /** Now less the timestamp, in seconds. */
  skewSeconds?: number;
  /** Length of the body that was signed, in bytes, if it is another. */
  signedBytes?: number;
  /** Where the two bodies first differ, in bytes from 0. */
  offset?: number;
  /** White space in the JSON that was signed. */
  layout?: "compact" | "spaced" | "indent_2" | "indent_4" | "indent_tab";
  /** Escapes in the JSON that was signed. */
  escapes?: "kept" | "none" | "ascii" | "ascii_and_slash";
}

/** How to sign. */
export type SignOptions =
  | { scheme?: "ofauth" | undefined; timestamp?: number | Date | undefined; id?: string | undefined }
  | { scheme: "svix"; timestamp?: number | Date | undefined; id: string };

/**
 * The headers of a body signed as OFAuth signs it, for tests. Under svix the message's id is wanted.
 *
 * @throws {WebhookVerificationError} INVALID_SECRET, INVALID_BODY or BODY_TOO_LARGE.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function signWebhook(body: Body, secret: string, options?: SignOptions): Record<string, string>;

/** An event. `known` says whether `type` is one of the types that this package knows; then `data` has its shape. */
export type WebhookEvent =
  | ConnectionCreated
  | ConnectionUpdated
  | ConnectionExpired
  | ConnectionDisconnected
  | RulesUpdated
  | RulesUpdate
  | UnknownEvent;

/** Any other event, a realtime one say. */
export interface UnknownEvent {
  known: false;
  type: string;
  /** As it came, a number as it is written; null if the body has none. */
  timestamp: string | null;
  data: unknown;
  /** True for production, false for the sandbox; only some envelopes say so. */
  live?: boolean;
}

interface Known<Type extends string, Data> {
  known: true;
  type: Type;
  /** As it came, a number as it is written; null if the body has none. */
  timestamp: string | null;
  data: Data;
  /** True for production, false for the sandbox; only some envelopes say so. */
  live?: boolean;
}

/** A user linked an account. */
export interface ConnectionCreated extends Known<"connection.created", ConnectionData> {}
/** Details changed, or the user linked again. */
export interface ConnectionUpdated extends Known<"connection.updated", ConnectionData> {}
/** The session ended; linking again brings the same connection back. */
export interface ConnectionExpired extends Known<"connection.expired", ConnectionData> {}
/** The connection is gone for good. */
export interface ConnectionDisconnected extends Known<"connection.disconnected", ConnectionData> {}
/** The dynamic rules changed. OFAuth does not document the shape of `data`. */
export interface RulesUpdated extends Known<"rules.updated", unknown> {}
/** The older name of `rules.updated`. */
export interface RulesUpdate extends Known<"rules.update", unknown> {}

/** What a connection event says. All but the connection's id is as it came, in OFAuth's documented shape. */
export interface ConnectionData {
  /** Your own user id, given when the user linked. */
  clientReferenceId?: string | null;
  connection: ConnectionBody;
}

/** A connection, as an event describes it. `expired` and `disconnected` have neither permissions nor userData. */
export interface ConnectionBody {
  /** Opens the account: treat it as a credential, never log it, never hand it to a browser. */
  id: string;
  /** An open set: active, expired, disconnected, pending, awaiting_2fa and others. */
  status?: string | null;
  permissions?: string[] | null;
  clientReferenceId?: string | null;
  platformUserId?: string | null;
  userData?: ConnectionUser | null;
  createdAt?: string | null;
  expiresAt?: string | null;
  imported?: boolean | null;
}

/** The account's user. Ids are opaque strings, however the body writes them. */
export interface ConnectionUser {
  id?: string | null;
  /** In the SDK's envelope, for `id`. */
  userId?: string | null;
  name?: string | null;
  username?: string | null;
  avatar?: string | null;
}
