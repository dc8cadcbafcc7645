import type { ConnectionPage, EdgeErrorCode, Health, Record as ConnectionRecord, Verdict } from "./generated.js";

export type { ConnectionPage, EdgeErrorCode, Health, Metadata, Outcome, StatusReason, UserData, Verdict } from "./generated.js";

/** The options of {@link createClient}. */
export type ClientOptions = ClientBase & (TokenCredential | KeyCredential);

/** The options that do not depend on the credential. */
export interface ClientBase {
  /** The gateway's URL, `https://…`. If it has a path, every route begins with that path. */
  baseUrl: string | { readonly href: string };
  /** A function to call instead of the platform's `fetch`, with the same arguments: a URL and options. */
  fetch?: FetchLike | undefined;
  /** How to retry a call. `false` turns retries off. */
  retry?: RetryOptions | false | undefined;
  /** Options of `fetch` for every call. See {@link CallOptions.fetchOptions}. */
  fetchOptions?: FetchOptions | undefined;
}

/** A session token, for a page or an app. It gives access to the data of one user. */
export interface TokenCredential {
  /**
   * The token, or a function that fetches one from your backend. The function is called at the first call, and again when
   * the gateway says that the token has expired. Simultaneous calls share one token.
   */
  token: string | (() => string | Promise<string>);
  apiKey?: undefined;
}

/** The gateway key, for servers. It gives access to everything. */
export interface KeyCredential {
  apiKey: string;
  /** Allows the key where a `window` exists. In a page, everybody can read the key. */
  dangerouslyAllowBrowser?: boolean | undefined;
  token?: undefined;
}

/**
 * How to retry a call. The client retries after a 429, and after a network error unless the method is POST or PATCH: such a call
 * may have arrived. Other failures are retried by the gateway itself, if that can help.
 */
export interface RetryOptions {
  /** How often a call is tried in all, from 1 to 10. Default 3. */
  tries?: number | undefined;
  /** The longest wait after a 429, in seconds, from 0 to 3600. If a 429 asks for more, the call fails at once. Default 30. */
  maxWait?: number | undefined;
}

/** The result of a call: either data or an error. Check with `if (error)`. */
export type Result<T> = { data: T; error: undefined } | { data: undefined; error: ApiError };

/** The codes of the client itself. */
export type ClientErrorCode =
  | ("NETWORK_ERROR" | "TIMEOUT" | "ABORTED" | "TOKEN_UNAVAILABLE")
  | ("INVALID_ARGUMENT" | "INVALID_ANSWER" | "REDIRECTED" | "USER_DELETED" | "UNEXPECTED");

/** Why a call failed. */
export interface ApiError {
  /** The kind of error. It depends on the HTTP status. The last three mean that there was no answer. */
  type:
    | ("bad_request" | "unauthorized" | "forbidden" | "not_found" | "conflict" | "too_many_requests" | "server_error")
    | ("network_error" | "timeout" | "aborted");
  /**
   * The error's `type` in the answer of OFAuth or the gateway, such as `SESSION_EXPIRED`. An answer without one gets a code
   * from its status, such as `HTTP_502`. The client's own codes are `NETWORK_ERROR`, `TIMEOUT`, `ABORTED`,
   * `TOKEN_UNAVAILABLE` (the token function failed), `INVALID_ARGUMENT` (nothing was sent), `INVALID_ANSWER` (the answer is
   * not from a gateway), `REDIRECTED` (the answer is a redirect, and redirects are not followed), `USER_DELETED` (only from `live`:
   * the user was deleted) and `UNEXPECTED` (the client failed: the platform lacks something).
   */
  code: EdgeErrorCode | ClientErrorCode | (string & {});
  /** A description for people. */
  message: string;
  /** The HTTP status, or 0 if there was no answer. */
  status: number;
  /** The id of the request in the log of the gateway or of OFAuth. */
  requestId?: string | undefined;
  /**
   * What to do. `relink`: send the user through Link again. `operator`: inform the operator of the gateway.
   * `refresh_token`: get a new session token. `retry`: try again later. `give_up`: do not try again, it would not help.
   */
  action: Verdict;
  /** Seconds to wait before the next try. Always set for a 429. */
  retryAfter?: number | undefined;
}

/** Options of the platform's `fetch`. */
export interface FetchOptions {
  readonly [option: string]: unknown;
}

/** Options of every call, passed in the last argument of a method. */
export interface CallOptions {
  /** Stops the call. The error is `aborted`, or `timeout` if the signal comes from `AbortSignal.timeout()`. */
  signal?: Signal | null | undefined;
  /** Milliseconds for the whole call, including retries and waits. Default 60000; `Infinity` means no limit. */
  timeout?: number | undefined;
  /**
   * Options of `fetch` for this call, such as `{ keepalive: true }` or Next.js's `{ next: { revalidate: 60 } }`. Without `cache` and
   * `next`, the client says `cache: "no-store"`. It sets `method`, `body`, `redirect` and `signal` itself.
   */
  fetchOptions?: FetchOptions | undefined;
}

/** The connection to use for a call. */
export interface Authentication {
  /** The connection's handle. A server may also pass OFAuth's id. */
  connectionId: string;
}

/** Options of a call of the Access API. */
export interface Authenticated {
  /** A session may leave it out if its user has exactly one active connection, or exactly one that is not disconnected. */
  authentication?: Authentication | undefined;
}

/** The status of a connection. OFAuth may add others. Only an `active` connection can be used. */
export type ConnectionStatus =
  | ("pending" | "active" | "awaiting_2fa" | "expired" | "failed" | "error" | "disconnected" | "revoked" | "missing" | "unknown")
  | (string & {});

/** A linked account. Times are in ISO 8601. `id` is OFAuth's id if you use a gateway key, the handle if you use a session. */
export type Connection = ConnectionRecord;

/** Selects connections. A connection must match all members that are set. */
export interface ConnectionFilter {
  status?: ConnectionStatus | undefined;
  /** Pass an id of 2 ** 53 or more as a string: such a number is not exact. */
  platformUserId?: number | string | undefined;
  /** Your own id for the user. A session sees only the connections of its own user. */
  clientReferenceId?: string | undefined;
  /** The number of connections in a page, from 1 to 100. Default 20; 100 with `iterate`. */
  limit?: number | undefined;
}

/** Selects one page of connections. */
export interface ConnectionQuery extends ConnectionFilter {
  /** How many connections to skip, from 0 to 1000. */
  offset?: number | undefined;
  /** The `cursor` of the page before, which had the same filter. Do not combine it with `offset`. */
  cursor?: string | undefined;
}

/** The user to link, and the page that the user's browser returns to. */
export interface LinkOptions {
  /** Your own id for the user. A session always uses the id of its own user. */
  clientReferenceId?: string | undefined;
  /** A page of your app. */
  redirectUrl?: string | undefined;
  /**
   * The connection to link again, by handle or id. Without it, the user's expired connection is linked again if there is exactly
   * one and none is active. `null` asks for a new connection.
   */
  connectionId?: string | null | undefined;
  clientAppId?: string | undefined;
  geolocation?: { country: string; state?: string | undefined; city?: string | undefined } | undefined;
}

/** A started Link. Send the user to `url`. A server in OFAuth's whitelabel mode gets a `clientSecret` for its own page. */
export type LinkSession =
  | { mode?: "hosted" | undefined; url: string; expiresAt?: string | undefined; clientSecret?: undefined }
  | { mode: "whitelabel"; clientSecret: string; expiresAt?: string | undefined; url?: undefined };

/** The health of a connection. */
export interface ConnectionHealth {
  /**
   * `healthy`: a call succeeded. `relink`: the user must link again. `waiting`: the user has not finished linking.
   * `unstable`: there is a fault that may go away. `rate_limited`: unknown, because there were too many calls.
   * `upstream_down`: OFAuth does not answer. `operator_error`: the gateway's OFAuth key is wrong.
   */
  verdict: Health;
  status: ConnectionStatus;
  /** Seconds to wait before you ask again. Only with `rate_limited`. */
  retryAfter?: number | undefined;
}

/** The answer of a call that changes a connection. */
export interface Done {
  success: boolean;
  message: string;
}

/** The session token to create: for one user, or for the console. */
export type SessionOptions =
  | {
      clientReferenceId: string;
      /** OFAuth's, such as `profile:read`, and the gateway's: `connections:link`, `connections:write`, `access:any`. */
      permissions?: readonly string[] | undefined;
      /** A handle. The token gives access to this connection only. */
      connection?: string | undefined;
      /** The lifetime in seconds, from 60 to 86400. Default 3600. */
      expiresIn?: number | undefined;
    }
  | { console: true; expiresIn?: number | undefined };

/** A session token. */
export interface SessionToken {
  token: string;
  /** When the token expires, in ISO 8601. */
  expiresAt: string;
}

/** The organisation that owns the gateway's OFAuth key. */
export interface Account {
  id: string;
  name: string;
  permissions: string[];
}

/** An OnlyFans profile. It has further members, which OFAuth documents. */
export interface Profile {
  id: number | string;
  name: string;
  username: string;
  avatar?: string | null | undefined;
  [field: string]: unknown;
}

/** The profile of the connected account. */
export interface Me extends Profile {
  /** False if the OnlyFans session has ended. Then most other members are missing. */
  isAuth?: boolean | undefined;
}

/** Selects one page of subscribers. */
export interface SubscriberQuery {
  /** The number of subscribers in a page, at most 20. */
  limit?: number | undefined;
  /** How many subscribers to skip. */
  offset?: number | undefined;
}

/** One page of subscribers. */
export interface SubscriberPage {
  list: Profile[];
  hasMore: boolean;
}

/** A client of the gateway. No method throws or rejects: a failure is the `error` of its Result. */
export interface Client {
  link: {
    /** Starts Link: send the user to the `url` of the result. A session needs the permission `connections:link`. */
    init(session?: LinkOptions, options?: CallOptions): Promise<Result<LinkSession>>;
    connections: {
      /** Gets one page. The connections of one user come newest change first; other lists have no useful order. */
      getAll(query?: ConnectionQuery, options?: CallOptions): Promise<Result<ConnectionPage>>;
      /**
       * Yields all connections, page by page, each as a Result. A Result with an error is the last. None is missed, even if you
       * delete or change connections during the iteration.
       */
      iterate(filter?: ConnectionFilter, options?: CallOptions): AsyncGenerator<Result<Connection>, void, undefined>;
      /**
       * Yields all connections, and then each one again when it changes, until `signal` is aborted. A connection that is no longer
       * the user's comes once more, with the status `disconnected`. If a read fails but may succeed later, nothing is yielded for it.
       * A Result with any other error is the last.
       *
       * With a session token, the client hears of changes through a WebSocket. While there is none, and with a gateway key, it reads
       * the list every `interval` milliseconds (at least 1000, default 5000).
       */
      live(
        filter?: ConnectionFilter,
        options?: CallOptions & { interval?: number | undefined },
      ): AsyncGenerator<Result<Connection>, void, undefined>;
      /** Gets one connection by its handle. A server may also pass OFAuth's id, here and in the methods below. */
      getById(connectionId: string, options?: CallOptions): Promise<Result<Connection>>;
      /** Deletes the connection forever, at the gateway and at OFAuth. May be repeated. A session needs `connections:write`. */
      delete(connectionId: string, options?: CallOptions): Promise<Result<Done>>;
      /** Marks the connection as expired: the user must link it again. A session needs `connections:write`. */
      invalidate(connectionId: string, options?: CallOptions): Promise<Result<Done>>;
      /** Checks the health of the connection. The gateway calls OFAuth, unless the status already gives the answer. */
      health(connectionId: string, options?: CallOptions): Promise<Result<ConnectionHealth>>;
    };
  };
  sessions: {
    /** Creates a session token. For servers only. */
    create(session: SessionOptions, options?: CallOptions): Promise<Result<SessionToken>>;
  };
  account: {
    /** Gets the owner of the gateway's OFAuth key. For servers only. */
    whoami(options?: CallOptions): Promise<Result<Account>>;
  };
  self: {
    /** Gets the profile of the connected account. A session needs `profile:read`. */
    getMe(options?: CallOptions & Authenticated): Promise<Result<Me>>;
  };
  subscribers: {
    /** Gets one page of the account's subscribers. A session needs `subscribers:read`. */
    list(options?: SubscriberQuery & CallOptions & Authenticated): Promise<Result<SubscriberPage>>;
  };
  /**
   * Makes any call of the Access API.
   *
   * The data depends on the answer: the parsed value for JSON, a string for other text, undefined for an empty body, a Blob for
   * anything else. A call whose body is a stream is not retried. The headers `apikey` and `authorization` are not sent: the
   * client sends its own credential.
   *
   * @param path The path and the query. It begins with `/v2/access/`. Percent-encode the values that you insert.
   */
  access<T = unknown>(path: string, init?: AccessInit): Promise<Result<T>>;
}

/** The options of the platform's `fetch` and those of the client. */
export type AccessInit = Omit<FetchInit, "signal" | "redirect"> & CallOptions & Authenticated;

/** The options of `fetch`, as far as the compiler knows them. */
export type FetchInit = typeof globalThis extends { fetch: (input: string, init?: infer Init) => unknown }
  ? NonNullable<Init>
  : { method?: string; headers?: Record<string, string>; body?: string | Uint8Array };

/** A function like the platform's `fetch`. */
export type FetchLike = (url: string, init: any) => Promise<ResponseLike>;

/** The part of a `Response` that the client uses. */
export interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
  blob(): Promise<unknown>;
}

/** An `AbortSignal`. It is declared here because not every platform's types have one. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Creates a client of the gateway.
 *
 * @throws {TypeError} If an option is wrong, if both or neither of `token` and `apiKey` are given, or if `apiKey` is given in a
 * page.
 */
export function createClient(options: ClientOptions): Client;
