// Generated from the Rust sources by src/typescript.rs: UPDATE_TYPES=1 cargo test --lib

import type { ConnectionStatus } from "./client.js";

/**
 * A signature scheme.
 */
export type Scheme = "ofauth" | "svix";

/**
 * What a verified signature says, as `verifySignature` of the npm package returns it.
 */
export type Verified = { 
/**
 * The scheme of the signature.
 */
scheme: Scheme, 
/**
 * When the body was signed, in unix seconds.
 */
timestamp: number, 
/**
 * The index of the secret that matched, in the list of that scheme.
 */
secretIndex: number, 
/**
 * The SHA-256 of the raw body, in lower-case hex.
 */
digest: string, };

/**
 * A connection as callers see it. A field is null while nothing has told its value.
 *
 * Instants that the gateway computes are ISO 8601 in UTC, with milliseconds. Instants that OFAuth names stay as OFAuth
 * wrote them.
 */
export type Record = { 
/**
 * OFAuth's connection id. Callers that may not see it get the handle here.
 */
id: string, 
/**
 * The gateway's name for the connection. It opens nothing at OFAuth, so it is safe in URLs, logs and pages.
 */
handle: string, 
/**
 * The status as OFAuth wrote it, or `unknown`, or `missing`.
 */
status: ConnectionStatus, 
/**
 * What gave the connection its status. Null if nothing has, or if an older version of the gateway stored it.
 */
statusReason: StatusReason | null, 
/**
 * The app's own id of the user.
 */
clientReferenceId: string | null, 
/**
 * The OnlyFans user id. It is a string, because it may have more digits than a number can hold.
 */
platformUserId: string | null, 
/**
 * When `platformUserId` became another one, until a gateway key accepts that. Null if it did not.
 */
accountChangedAt: string | null, 
/**
 * The permissions that the user granted.
 */
permissions: Array<string>, 
/**
 * The OnlyFans profile, if any part of it is known.
 */
userData: UserData | null, 
/**
 * The profile in the shape of the older SDK.
 */
metadata: Metadata, 
/**
 * When the connection was created.
 */
createdAt: string | null, 
/**
 * The newest instant at which any field took its value.
 */
updatedAt: string, 
/**
 * Since when the connection is expired. Null while it is not.
 */
expiredAt: string | null, 
/**
 * When the connection will expire, if OFAuth said so.
 */
expiresAt: string | null, 
/**
 * When OFAuth last used the connection, if its list said so.
 */
lastCheckedAt: string | null, 
/**
 * Whether the connection was imported instead of linked, if OFAuth said so.
 */
imported: boolean | null, 
/**
 * True in production and false in the sandbox, if OFAuth said so.
 */
live: boolean | null, };

/**
 * The fact that gave a connection its status.
 */
export type StatusReason = { 
/**
 * The type of the webhook, such as `connection.expired`. It begins with `edge.` if the gateway learned it itself.
 */
type: string, 
/**
 * When it was so.
 */
at: string, };

/**
 * The OnlyFans profile (OFAuth documentation, Connection Events: connection.created).
 */
export type UserData = { id: string | null, name: string | null, username: string | null, avatar: string | null, };

/**
 * The OnlyFans profile in the shape of the older SDK (OFAuth documentation, SDK: Connections module).
 */
export type Metadata = { username: string | null, displayName: string | null, lastActivity: string | null, };

/**
 * One page of connections.
 */
export type ConnectionPage = { 
/**
 * The connections of one user come newest change first. Other lists have no useful order.
 */
list: Array<Record>, 
/**
 * How many connections match in all. Null if there are more than 1000, or if the gateway does not know.
 */
total: number | null, 
/**
 * Whether there is a next page.
 */
hasMore: boolean, 
/**
 * Pass it to get the next page. A list of one user's connections has no cursor.
 */
cursor?: string, };

/**
 * How the gateway handled a webhook. This is the `outcome` in its answer, `{"outcome":"applied"}`.
 */
export type Outcome = "applied" | "stale" | "duplicate" | "kept" | "ignored";

/**
 * Whether a connection works and, if not, why.
 */
export type Health = "healthy" | "relink" | "waiting" | "unstable" | "rate_limited" | "upstream_down" | "operator_error";

/**
 * What a client should do about an error. The header `x-ofauth-edge-action` carries it.
 */
export type Verdict = "relink" | "operator" | "refresh_token" | "retry" | "give_up";

/** Why a request or a secret is refused. */
export type SignatureErrorCode =
  /** A secret is empty, has white space at an end, or is not base64 (svix); or there is none, or more than 5. */
  | "INVALID_SECRET"
  /** There are no signature headers of a scheme that has a secret. */
  | "MISSING_HEADERS"
  /** A header has no timestamp or two, has over 8,192 bytes, or was given more than once; or `svix-id` is empty. */
  | "MALFORMED_HEADER"
  /** The timestamp is not a decimal number of unix seconds. */
  | "INVALID_TIMESTAMP"
  /** The header contains no well-formed signature. */
  | "NO_VALID_SIGNATURES"
  /** The timestamp is further in the past than the tolerance. */
  | "TIMESTAMP_TOO_OLD"
  /** The timestamp is further in the future than the tolerance. */
  | "TIMESTAMP_TOO_NEW"
  /** No signature matches this body with any of the secrets. */
  | "SIGNATURE_MISMATCH";

/** Why an authentic body is refused. */
export type EventErrorCode =
  /** The signature is right, but the body is not JSON in UTF-8. */
  | "INVALID_JSON"
  /** The signature is right and the body is JSON, but not an event. */
  | "INVALID_EVENT";

/** Why the gateway itself refuses a call. */
export type EdgeErrorCode =
  /** The call carries no credential. */
  | "CREDENTIALS_MISSING"
  /** The credential is neither a gateway key nor a valid session token. */
  | "CREDENTIALS_INVALID"
  /** The session token has expired. */
  | "TOKEN_EXPIRED"
  /** The token or the gateway key does not permit it, or the route is for others. */
  | "PERMISSION_DENIED"
  /** A page sent a gateway key, or its origin is not in `ALLOWED_ORIGINS`. */
  | "ORIGIN_DENIED"
  /** The user has several connections, and the call does not name one. */
  | "CONNECTION_AMBIGUOUS"
  /** The connection does not exist, is disconnected, or belongs to another user. */
  | "CONNECTION_NOT_FOUND"
  /** The connection's account is another one than before, and nobody has accepted it. */
  | "ACCOUNT_CHANGED"
  /** No forwarded event of that id waits or is parked, or its body was deleted. */
  | "DELIVERY_NOT_FOUND"
  /** There is no route at this path. */
  | "ROUTE_NOT_FOUND"
  /** The route does not allow this method. */
  | "METHOD_NOT_ALLOWED"
  /** The request is malformed. The message says what is wrong. */
  | "BAD_REQUEST"
  /** The body is longer than the limit of its route. */
  | "BODY_TOO_LARGE"
  /** The route only opens WebSockets, and the call asks for none. */
  | "UPGRADE_REQUIRED"
  /** The user has as many WebSockets open as a user may have. */
  | "TOO_MANY_SOCKETS"
  /** The configuration is incomplete, or an optional binding is missing. */
  | "NOT_CONFIGURED"
  /** The storage of the gateway did not answer. */
  | "STORAGE_UNAVAILABLE"
  /** What is stored about the connection is sealed under a key that `STORAGE_KEY` lacks. */
  | "STORAGE_KEY_MISSING"
  /** Too many large bodies are being read. */
  | "OVERLOADED"
  /** WebSockets are not proxied. */
  | "NOT_IMPLEMENTED"
  /** OFAuth did not answer. */
  | "UPSTREAM_UNREACHABLE";

/**
 * Why a webhook does not verify, or that it does.
 */
export type Diagnosis = { 
/**
 * Whether the webhook verifies.
 */
ok: boolean, 
/**
 * The cause; `none` if the webhook verifies.
 */
cause: Cause, 
/**
 * The cause as a sentence, and what to do about it.
 */
message: string, 
/**
 * The facts that prove the cause, and others that help to find it.
 */
evidence: Evidence, };

/** The reason why a request does not verify. */
export type Cause =
  /** The signature is good. */
  | "none"
  /** Either the secret is wrong or the body was changed; a signature cannot tell which. Compare the secret with the dashboard's. Verify the raw bytes. */
  | "unknown"
  /** A signature header is missing; svix needs three. Pass them as received. */
  | "missing_headers"
  /** The request is signed under the other scheme. Give a secret for it. */
  | "wrong_scheme_header"
  /** A signature header is malformed. Pass it as received. */
  | "malformed_header"
  /** Headers of both svix sets are mixed. Pass them as received. */
  | "mixed_header_families"
  /** The sender signed another message id. Pass it as received. */
  | "wrong_svix_id"
  /** The timestamp is not plain decimal unix seconds. */
  | "invalid_timestamp"
  /** No v1 signature is well-formed: 64 hex digits, or for svix base64 of 32 bytes. */
  | "no_valid_signatures"
  /** A secret cannot be used. Copy it anew from the dashboard. */
  | "invalid_secret"
  /** A secret starts or ends with white space. Trim it. */
  | "secret_white_space"
  /** A secret has quotes around it or a written-out \n. Remove them. */
  | "secret_quoted"
  /** The sender decoded the secret. Under ofauth the key is its text, whsec_ included. */
  | "secret_decoded"
  /** The sender did not decode the secret. Under svix the key is the base64 after whsec_. */
  | "secret_not_decoded"
  /** The sender left whsec_ off the secret. Under ofauth the key is its text, whsec_ included. */
  | "secret_prefix_removed"
  /** The sender's secret begins with whsec_. Copy all of it. */
  | "secret_prefix_added"
  /** The secret is given for the other scheme. Swap them. */
  | "other_scheme_secret"
  /** The sender used milliseconds for the timestamp. Use unix seconds. */
  | "milliseconds"
  /** The sender joined timestamp and body with a comma. Use a dot. */
  | "comma_for_dot"
  /** The sender signed the body alone. The timestamp and a dot come before it. */
  | "body_without_timestamp"
  /** The signature is base64. Under ofauth it is hex. */
  | "base64_for_hex"
  /** The signature is hex. Under svix it is base64. */
  | "hex_for_base64"
  /** The signature is good, but out of tolerance: a clock is wrong, or it came late or twice. */
  | "clock_skew"
  /** The body ends in a line break that was not signed. Verify the raw bytes. */
  | "trailing_newline_added"
  /** The body lost the line break at its end. Verify the raw bytes. */
  | "trailing_newline_removed"
  /** Line breaks in the body became CRLF. Verify the raw bytes. */
  | "newlines_to_crlf"
  /** Line breaks in the body became LF. Verify the raw bytes. */
  | "newlines_to_lf"
  /** The body has white space that was not signed. Verify the raw bytes. */
  | "outer_white_space_added"
  /** The body lost the space at its end. Verify the raw bytes. */
  | "outer_white_space_removed"
  /** The body begins with a byte order mark that was not signed. Verify the raw bytes. */
  | "bom_added"
  /** The body lost its byte order mark. Verify the raw bytes. */
  | "bom_removed"
  /** The body is still base64. Decode it first. */
  | "body_base64"
  /** The body was decoded as Latin-1. Verify the raw bytes. */
  | "body_latin1"
  /** The body is gzip. Undo the Content-Encoding first. */
  | "body_gzip"
  /** The body is empty: it was read before, or no parser keeps it. */
  | "body_empty"
  /** The body is a parsed object that was made a string. Verify the raw bytes. */
  | "body_object_string"
  /** The keys of the JSON were sorted. Verify the raw bytes. */
  | "json_keys_reordered"
  /** The JSON was pretty-printed after it was signed. Verify the raw bytes. */
  | "json_pretty_printed"
  /** The JSON was written again after it was signed. Verify the raw bytes. */
  | "json_reserialised";

/**
 * The facts behind a diagnosis. None of them helps to forge a signature. A fact that is unknown is left out.
 */
export type Evidence = { 
/**
 * Whether a MAC matches once the cause is undone. Otherwise the form of a header or a secret proves the cause, or
 * nothing does.
 */
macMatches: boolean, 
/**
 * The length of the body that was received, in bytes.
 */
bodyBytes: number, 
/**
 * The code of the verifier's error, if there is one.
 */
code?: SignatureErrorCode, 
/**
 * The scheme of the headers that were checked.
 */
scheme?: Scheme, 
/**
 * The list that holds the secret that matters. Left out if both schemes use the same list.
 */
secretList?: Scheme, 
/**
 * The position of that secret in its list, from 0.
 */
secretIndex?: number, 
/**
 * The header that is missing in a set of three.
 */
missingHeader?: string, 
/**
 * The current time minus the timestamp, in seconds. It is positive if the timestamp is in the past.
 */
skewSeconds?: number, 
/**
 * The length of the body that was signed, in bytes, if that is a different body.
 */
signedBytes?: number, 
/**
 * The position of the first byte in which the two bodies differ, from 0.
 */
offset?: number, 
/**
 * The white space in the JSON that was signed.
 */
layout?: JsonLayout, 
/**
 * The escapes in the JSON that was signed.
 */
escapes?: JsonEscapes, };

/** The white space in a JSON text. */
export type JsonLayout = "compact" | "spaced" | "indent_2" | "indent_4" | "indent_tab";

/** The escapes in a JSON text. */
export type JsonEscapes = "kept" | "none" | "ascii" | "ascii_and_slash" | "slash";
