import type { Diagnosis, EventErrorCode, SignatureErrorCode, Verified } from "./generated.js";

export * from "./client.js";
export type { Cause, Diagnosis, EventErrorCode, Evidence, JsonEscapes, JsonLayout, Scheme, SignatureErrorCode, Verified } from "./generated.js";

/** The raw body, exactly as it was received. Do not parse it and do not serialise it again. At most 16 MiB. */
export type Body = string | Uint8Array | ArrayBuffer;

/**
 * A request's headers: a `Headers` object, a `Map`, or an object such as `req.headers` of Node. Or the request itself: a `Request`,
 * the request of Node, Express, Koa or Fastify, the context of Koa, the context or the request of Hono, or an event of AWS
 * Lambda. The case of names does not matter. An array may hold one value.
 */
export type HeadersLike =
  | HeaderValues
  | { readonly headers?: HeaderValues | undefined; readonly multiValueHeaders?: HeaderValues | undefined }
  | { readonly raw: { readonly headers: HeaderValues } }
  | { readonly req: { readonly raw: { readonly headers: HeaderValues } } };

/** Headers by name. */
export type HeaderValues =
  | { get(name: string): string | null | undefined }
  | { readonly [name: string]: string | readonly string[] | undefined };

/**
 * The webhook secrets, newest first, at most 5 for each scheme. A string or an array serves both schemes: the scheme of the
 * request's headers is used. Never put a secret into code that a browser loads.
 */
export type Secrets =
  | string
  | readonly string[]
  | { ofauth?: string | readonly string[] | undefined; svix?: string | readonly string[] | undefined };

/** Options for the check of the timestamp, and for the event. */
export interface VerifyOptions {
  /** How far the timestamp may be in the past or in the future, in whole seconds. Default 300. */
  tolerance?: number | undefined;
  /** The current time, in whole unix seconds or as a Date. Default: the clock's time. */
  now?: number | Date | undefined;
  /**
   * What becomes of integers in the event that a number does not hold exactly: a bigint, or a string of their digits. Default: the
   * nearest number, as with JSON.parse. The ids in connection events are always exact strings.
   */
  largeIntegers?: "bigint" | "string" | undefined;
}

/** Why a request, a secret or a body was refused. */
export type WebhookErrorCode =
  | SignatureErrorCode
  | EventErrorCode
  /** The body is a string with half of a surrogate pair. It cannot be the text of the bytes that were received. */
  | "INVALID_BODY"
  /** The body is larger than 16 MiB, or than `maxBytes`. */
  | "BODY_TOO_LARGE";

/** An error that the sender or a secret has caused. A mistake in the call itself is a TypeError. */
export class WebhookVerificationError extends Error {
  /** The message of the error is `{code}: {message}`. */
  constructor(code: WebhookErrorCode, message: string, options?: { cause?: unknown });
  readonly name: "WebhookVerificationError";
  /**
   * The HTTP status to answer with. 401: the request is not authentic. 400: its body cannot be read, or is no event. 413: its body
   * is too large. 500: a secret cannot be used; OFAuth will try again.
   */
  readonly status: 400 | 401 | 413 | 500;
  /** The same as `status`. Some frameworks read this name. */
  readonly statusCode: 400 | 401 | 413 | 500;
  toJSON(): { name: string; code: WebhookErrorCode; status: number; message: string };
  /** The code does not change between versions, and the ofauth-edge gateway uses the same codes. */
  readonly code: WebhookErrorCode;
  /** `instanceof` is true for errors of every copy of this package, however it was loaded. */
  static [Symbol.hasInstance](value: unknown): value is WebhookVerificationError;
}

/**
 * Verifies the signature of a body. Checks the headers, the timestamp and the signature, in this order. The body may contain
 * anything.
 *
 * @throws {WebhookVerificationError} If the request is not authentic, or if a secret cannot be used.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function verifySignature(body: Body, headers: HeadersLike, secrets: Secrets, options?: VerifyOptions): Verified;

/**
 * Verifies the signature of a body, then reads the event in it.
 *
 * @throws {WebhookVerificationError} If the request is not authentic, if a secret cannot be used, or if the body is not an event.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function verifyWebhook(body: Body, headers: HeadersLike, secrets: Secrets, options?: VerifyOptions): WebhookEvent;

/** Options of {@link verifyRequest}. */
export interface RequestOptions extends VerifyOptions {
  /** The most bytes to read of the body. Default 1 MiB; at most 16 MiB. */
  maxBytes?: number | undefined;
}

/** The part of a Fetch `Request` that {@link verifyRequest} uses. */
export interface RequestLike {
  readonly headers: { get(name: string): string | null };
  readonly body?: unknown;
  readonly bodyUsed?: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Reads the body of a Fetch `Request` once, verifies it, and reads the event in it. Use it with Next.js, Hono, Bun, Deno and
 * Workers.
 *
 * @throws {WebhookVerificationError} As {@link verifyWebhook} does, and BODY_TOO_LARGE for a body over `maxBytes`.
 * @throws {TypeError} If an argument has a wrong type or value, or if the body was read already.
 */
export function verifyRequest(request: RequestLike, secrets: Secrets, options?: RequestOptions): Promise<WebhookEvent>;

/** A verifier that holds the secrets, so that they are given only once. */
export class Webhook {
  /** @throws {TypeError} If an argument has a wrong type or value. */
  constructor(secrets: Secrets, options?: VerifyOptions);
  /** Does the same as {@link verifyWebhook}. It may be taken from the object: `const { verify } = webhook`. */
  verify(this: void, body: Body, headers: HeadersLike): WebhookEvent;
  /** Does the same as {@link signWebhook}, with the newest secret of the scheme. */
  sign(this: void, body: Body, options?: SignOptions): Record<string, string>;
}

/**
 * Explains why a request does not verify. It names a cause only if there is proof: the signature matches when the cause is undone,
 * or the form of a header or a secret shows it. Use it during development, because it may take seconds. Do not send the
 * diagnosis to the sender.
 *
 * @throws {WebhookVerificationError} INVALID_BODY or BODY_TOO_LARGE.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function explainSignature(body: Body, headers: HeadersLike, secrets: Secrets, options?: VerifyOptions): Diagnosis;

/** Options of {@link signWebhook}. Times are whole unix seconds or a Date. */
export type SignOptions =
  | { scheme?: "ofauth" | undefined; timestamp?: number | Date | undefined; id?: string | undefined }
  | { scheme: "svix"; timestamp?: number | Date | undefined; id: string; prefix?: "svix" | "webhook" | undefined };

/**
 * Signs a body as OFAuth does, for tests, and returns the signature headers. The svix scheme needs the id of the message.
 * Its headers are named `svix-*`, or `webhook-*` with `prefix: "webhook"`.
 *
 * @throws {WebhookVerificationError} INVALID_SECRET, INVALID_BODY or BODY_TOO_LARGE.
 * @throws {TypeError} If an argument has a wrong type or value.
 */
export function signWebhook(body: Body, secret: string, options?: SignOptions): Record<string, string>;

/** An event. `switch (event.type)` narrows it, and so does `known`. A type that is misspelt does not compile. */
export type WebhookEvent = KnownEvent | UnknownEvent;

/** An event whose type this package knows. `data` has the shape of that type. */
export type KnownEvent =
  | ConnectionCreated
  | ConnectionUpdated
  | ConnectionExpired
  | ConnectionDisconnected
  | RulesUpdated
  | RulesUpdate
  | WebsocketEventReceived
  | ChatMessageReceived
  | ChatTypingUpdated
  | SystemMessagesUpdated;

/** The type of a known event, such as `"connection.created"`. */
export type EventType = KnownEvent["type"];

/** The event of a type: `EventOf<"connection.created">` is {@link ConnectionCreated}. */
export type EventOf<Type extends EventType> = Extract<KnownEvent, { type: Type }>;

/** The type of an event that is not known: any string. No literal is of this type, so `switch` tells it from the known types. */
declare enum UnknownType {
  any = "",
}

/** An event of any other type. */
export interface UnknownEvent {
  known: false;
  /** A string. */
  type: UnknownType;
  /** As in the body, a number as its text; null if the body has none. */
  timestamp: string | null;
  data: unknown;
  /** True for production, false for the sandbox. Absent if the body does not say. */
  live?: boolean;
}

interface Known<Type extends string, Data> {
  known: true;
  type: Type;
  /** As in the body, a number as its text; null if the body has none. */
  timestamp: string | null;
  data: Data;
  /** True for production, false for the sandbox. Absent if the body does not say. */
  live?: boolean;
}

/** A user has linked an account. */
export interface ConnectionCreated extends Known<"connection.created", ConnectionData> {}
/** Details of the connection have changed, or the user has linked again. */
export interface ConnectionUpdated extends Known<"connection.updated", ConnectionData> {}
/** The session has ended. If the user links again, the same connection becomes active again. */
export interface ConnectionExpired extends Known<"connection.expired", ConnectionData> {}
/** The connection was removed forever. */
export interface ConnectionDisconnected extends Known<"connection.disconnected", ConnectionData> {}
/** The dynamic rules have changed. OFAuth does not document the shape of `data`. */
export interface RulesUpdated extends Known<"rules.updated", unknown> {}
/** The older name of `rules.updated`. */
export interface RulesUpdate extends Known<"rules.update", unknown> {}

/** A message of OnlyFans' websocket, as it came. OFAuth sends it for each message, beside the translated events. */
export interface WebsocketEventReceived extends Known<"of.websocket.event.received", WebsocketData> {}
/** A chat message has arrived. */
export interface ChatMessageReceived extends Known<"realtime.chat_message.received", RealtimeData> {}
/** Somebody types in a chat. */
export interface ChatTypingUpdated extends Known<"realtime.chat_typing.updated", RealtimeData> {}
/** The system messages have changed. */
export interface SystemMessagesUpdated extends Known<"realtime.system_messages.updated", RealtimeData> {}

/** The data of a realtime event. None of it is checked, so every member may be missing. OFAuth may add others. */
export interface RealtimeData {
  connection?: RealtimeConnection;
  environment?: "live" | "test" | "sandbox" | (string & {});
  /** The translated message. */
  eventBody?: unknown;
  [member: string]: unknown;
}

/** The connection of a realtime event. */
export interface RealtimeConnection {
  /** A credential: it gives access to the account. Never log it and never send it to a browser. */
  id?: string;
  /** Your own id for the user, which you gave when the user linked. */
  clientReferenceId?: string | null;
  [member: string]: unknown;
}

/** The data of `of.websocket.event.received`. */
export interface WebsocketData extends RealtimeData {
  /** When OFAuth received the message, in ISO 8601. */
  receivedAt?: string;
  messageType?: string;
  /** Whether OFAuth cut the message off. */
  truncated?: boolean;
  json?: WebsocketMessage;
  /** The message as text. */
  rawText?: string | null;
  /** The bytes of the message, in base64. */
  rawBase64?: string | null;
}

/**
 * A message of OnlyFans' websocket. The member that is there tells its kind: `if (json.typing)`. An object without further members
 * here is not documented.
 */
export interface WebsocketMessage {
  typing?: { id?: RealtimeId; [member: string]: unknown };
  stories?: JsonObject[];
  api2_chat_message?: ChatMessage;
  /** The counts of the inbox come together. */
  chat_messages?: number;
  count_priority_chat?: number;
  unread_tips?: number;
  hasSystemNotifications?: boolean;
  messages?: number | JsonObject[] | JsonObject;
  new_message?: JsonObject;
  chat_message_like?: string | JsonObject;
  chat_message_unlike?: JsonObject;
  toasts?: JsonObject[];
  post_fundraising_updated?: JsonObject;
  post_published?: JsonObject;
  [member: string]: unknown;
}

/** A chat message on OnlyFans. */
export interface ChatMessage {
  id?: RealtimeId;
  queueId?: RealtimeId | null;
  responseType?: string;
  /** The message as HTML. */
  text?: string | null;
  price?: number;
  isFree?: boolean;
  isTip?: boolean;
  isNew?: boolean;
  isOpened?: boolean;
  isFromQueue?: boolean;
  isMediaReady?: boolean;
  mediaCount?: number;
  createdAt?: string;
  changedAt?: string;
  cancelSeconds?: number | null;
  fromUser?: ChatUser;
  media?: JsonObject[];
  previews?: JsonObject[];
  [member: string]: unknown;
}

/** The user who wrote a chat message. */
export interface ChatUser {
  id?: RealtimeId;
  name?: string | null;
  username?: string | null;
  isVerified?: boolean | null;
  lastSeen?: string | null;
  [member: string]: unknown;
}

/** A JSON object whose members are not documented. */
export interface JsonObject {
  [member: string]: unknown;
}

/**
 * An id in a realtime event: a number. From 2 ** 53 on a number is not exact. Then it is a bigint or a string if you ask for it with
 * {@link VerifyOptions.largeIntegers}. Use `String(id)`.
 */
export type RealtimeId = number | bigint | string;

/** The data of a connection event. Only the connection's id is checked. The rest is as OFAuth sent it, in its documented shape. */
export interface ConnectionData {
  /** Your own id for the user, which you gave when the user linked. */
  clientReferenceId?: string | null;
  connection: ConnectionBody;
}

/** A connection in an event. In `expired` and `disconnected` events it has no permissions and no userData. */
export interface ConnectionBody {
  /** A credential: it gives access to the account. Never log it and never send it to a browser. */
  id: string;
  /** `active`, `expired`, `disconnected`, `pending`, `awaiting_2fa`, or another value that OFAuth may add. */
  status?: string | null;
  permissions?: string[] | null;
  clientReferenceId?: string | null;
  platformUserId?: string | null;
  userData?: ConnectionUser | null;
  createdAt?: string | null;
  expiresAt?: string | null;
  imported?: boolean | null;
}

/** The account's user. The ids are always strings, even if the body has numbers. */
export interface ConnectionUser {
  id?: string | null;
  /** Used instead of `id` in the envelope of OFAuth's SDK. */
  userId?: string | null;
  name?: string | null;
  username?: string | null;
  avatar?: string | null;
}
