/** Where the gateway is, and how to call it. */
export type ClientOptions = ClientBase & (TokenCredential | KeyCredential);

/** What every client needs. */
export interface ClientBase {
  /** The gateway's URL, `https://…`; a path in it is kept in front of every route. */
  baseUrl: string | { readonly href: string };
  /** Called in place of the platform's own `fetch`, with a URL and its options. */
  fetch?: FetchLike | undefined;
  /** How a call is repeated; `false`: not at all. */
  retry?: RetryOptions | false | undefined;
}

/** A session token, for a page or an app: it opens what is one user's. */
export interface TokenCredential {
  /**
   * The token, or a function that fetches one from your backend. The function is called at the first call, and once more
   * when the gateway says that the token has expired; calls at the same time share what it gives.
   */
  token: string | (() => string | Promise<string>);
  apiKey?: undefined;
}

/** The gateway key, for servers: it opens everything. */
export interface KeyCredential {
  apiKey: string;
  /** Allows a key where there is a `window`, and so where everybody can read it. */
  dangerouslyAllowBrowser?: boolean | undefined;
  token?: undefined;
}

/**
 * Only a 429, and for GET, HEAD, OPTIONS, PUT and DELETE a network error, are tried again: of a POST or PATCH it is not
 * known whether it arrived. The gateway itself repeats what else is worth it.
 */
export interface RetryOptions {
  /** Tries in all, 1 to 10. Default 3. */
  tries?: number | undefined;
  /** The longest wait a 429 may ask for, in seconds, 0 to 3600; one that asks for more is answered at once. Default 30. */
  maxWait?: number | undefined;
}

/** What came of a call: `if (error)` tells. */
export type Result<T> = { data: T; error: undefined } | { data: undefined; error: ApiError };

/** Why there is no data. */
export interface ApiError {
  /** By the HTTP status; the last three where there was no answer. */
  type:
    | "bad_request"
    | "unauthorized"
    | "forbidden"
    | "not_found"
    | "conflict"
    | "too_many_requests"
    | "server_error"
    | "network_error"
    | "timeout"
    | "aborted";
  /**
   * OFAuth's or the gateway's type, such as `SESSION_EXPIRED`; `HTTP_502` if the answer names none. The client's own:
   * `NETWORK_ERROR`, `TIMEOUT`, `ABORTED`, `TOKEN_UNAVAILABLE` (the token function failed), `INVALID_ARGUMENT` (nothing
   * was sent), `INVALID_ANSWER` (not a gateway's), `REDIRECTED` (redirects are not followed).
   */
  code: string;
  /** For people. */
  message: string;
  /** The HTTP status; 0 where there is none. */
  status: number;
  /** Names the request in the gateway's log, or OFAuth's. */
  requestId?: string | undefined;
  /**
   * What to do: `relink` send the user through Link again, `operator` alarm whoever runs the gateway, `refresh_token`
   * get a new session token, `retry` try again later, `give_up` nothing will change by trying again.
   */
  action: "relink" | "operator" | "refresh_token" | "retry" | "give_up";
  /** Seconds to wait before another try; always there on a 429. */
  retryAfter?: number | undefined;
}

/** The last argument of every method. */
export interface CallOptions {
  /** Ends the call: `aborted`, or `timeout` if it is one of `AbortSignal.timeout()`. */
  signal?: Signal | null | undefined;
  /** Milliseconds the call may take in all, with its tries and waits. Default 60000; `Infinity` for no limit. */
  timeout?: number | undefined;
}

/** Names a connection. */
export interface Authentication {
  /** A handle; a server may give OFAuth's id too. */
  connectionId: string;
}

/** The connection that a call is made on. */
export interface Authenticated {
  /** A session may leave it out if its user has only one connection to mean. */
  authentication?: Authentication | undefined;
}

/** OFAuth's statuses, and others to come. Only `active` is usable. */
export type ConnectionStatus =
  | "pending"
  | "active"
  | "awaiting_2fa"
  | "expired"
  | "failed"
  | "error"
  | "disconnected"
  | "revoked"
  | "missing"
  | "unknown"
  | (string & {});

/** A linked account. Times are ISO 8601. */
export interface Connection {
  /** OFAuth's id for a gateway key, the handle for a session: either goes wherever an id is asked. */
  id: string;
  /** The name under which to speak of it in URLs, logs and pages. */
  handle: string;
  status: ConnectionStatus;
  /** Your own id of the user. */
  clientReferenceId: string | null;
  /** The OnlyFans user id. A string: it may have more digits than a number holds. */
  platformUserId: string | null;
  permissions: string[];
  userData: { id: string | null; name: string | null; username: string | null; avatar: string | null } | null;
  metadata: { username: string | null; displayName: string | null };
  createdAt: string | null;
  updatedAt: string;
  /** Since when it is expired, if it is. */
  expiredAt: string | null;
  /** When it will expire, if OFAuth said so. */
  expiresAt: string | null;
  imported: boolean | null;
  /** Whether it is of production, not of the sandbox. */
  live: boolean | null;
}

/** Which connections: those that fit all that is given. */
export interface ConnectionFilter {
  status?: ConnectionStatus | undefined;
  /** A number from 2 ** 53 on is not exact any more: pass such an id as a string. */
  platformUserId?: number | string | undefined;
  /** A session sees its own user's only. */
  clientReferenceId?: string | undefined;
  /** Connections in a page, 1 to 100. Default 20, with `iterate` 100. */
  limit?: number | undefined;
}

/** A page of them. */
export interface ConnectionQuery extends ConnectionFilter {
  /** How many to leave out, 0 to 1000. */
  offset?: number | undefined;
  /** Where an earlier page with the same filter said the next one begins; without offset. */
  cursor?: string | undefined;
}

export interface ConnectionPage {
  list: Connection[];
  /** Connections in all; null beyond 1000. */
  total: number | null;
  hasMore: boolean;
  cursor?: string | undefined;
}

/** Who is to be linked, and where the user's browser goes afterwards. */
export interface LinkOptions {
  /** Your own id of the user. That of a session is always its own. */
  clientReferenceId?: string | undefined;
  /** A page of yours. */
  redirectUrl?: string | undefined;
  /**
   * The connection to link again, by handle or id. Without it, the user's only expired one is meant, if none is active;
   * null asks for a new one.
   */
  connectionId?: string | null | undefined;
  clientAppId?: string | undefined;
  geolocation?: { country: string; state?: string | undefined; city?: string | undefined } | undefined;
}

/** Where to send the user, or, for a server whose account is set up so, the secret of a page of its own. */
export type LinkSession =
  | { mode?: "hosted" | undefined; url: string; expiresAt?: string | undefined; clientSecret?: undefined }
  | { mode: "whitelabel"; clientSecret: string; expiresAt?: string | undefined; url?: undefined };

/** How a connection is. */
export interface ConnectionHealth {
  /**
   * `healthy` a call went through; `relink` the user has to link again; `waiting` the user is still linking; `unstable`
   * trouble that may pass; `rate_limited` too many calls, so it cannot be told; `upstream_down` OFAuth does not answer;
   * `operator_error` the gateway's key is wrong.
   */
  verdict: "healthy" | "relink" | "waiting" | "unstable" | "rate_limited" | "upstream_down" | "operator_error";
  status: ConnectionStatus;
  /** Seconds, with `rate_limited`. */
  retryAfter?: number | undefined;
}

/** Done. */
export interface Done {
  success: boolean;
  message: string;
}

/** A session token to be made: one user's, or the console's. */
export type SessionOptions =
  | {
      clientReferenceId: string;
      /** OFAuth's, such as `profile:read`; the gateway's `connections:link` and `connections:write`; `access:any`. */
      permissions?: readonly string[] | undefined;
      /** The only handle it opens. */
      connection?: string | undefined;
      /** Seconds, 60 to 86400. Default 3600. */
      expiresIn?: number | undefined;
    }
  | { console: true; expiresIn?: number | undefined };

export interface SessionToken {
  token: string;
  /** ISO 8601. */
  expiresAt: string;
}

/** The organisation behind the gateway's OFAuth key. */
export interface Account {
  id: string;
  name: string;
  permissions: string[];
}

/** An OnlyFans profile; the rest of it is as OFAuth sends it. */
export interface Profile {
  id: number | string;
  name: string;
  username: string;
  avatar?: string | null | undefined;
  [field: string]: unknown;
}

/** The connected account. */
export interface Me extends Profile {
  /** False if the session at OnlyFans is dead; then there is little else. */
  isAuth?: boolean | undefined;
}

export interface SubscriberQuery {
  /** At most 20. */
  limit?: number | undefined;
  offset?: number | undefined;
}

export interface SubscriberPage {
  list: Profile[];
  hasMore: boolean;
}

/** No method throws or rejects: what goes wrong is the `error` of its Result. */
export interface Client {
  link: {
    /** Begins linking an account: send the user to the `url`. A session needs `connections:link`. */
    init(session?: LinkOptions, options?: CallOptions): Promise<Result<LinkSession>>;
    connections: {
      /** A page: a user's connections the newest change first, others in no order that means anything. */
      getAll(query?: ConnectionQuery, options?: CallOptions): Promise<Result<ConnectionPage>>;
      /**
       * All of them, page by page, none missed whatever is done to those that came before. Each comes as a Result; one
       * with an error is the last.
       */
      iterate(filter?: ConnectionFilter, options?: CallOptions): AsyncGenerator<Result<Connection>, void, undefined>;
      /**
       * All of them, then each again whenever it has changed, until `signal` is aborted. The list is read every `interval`
       * milliseconds (at least 1000, default 5000). A look that fails and may succeed later is passed over; a Result with
       * any other error is the last.
       */
      live(
        filter?: ConnectionFilter,
        options?: CallOptions & { interval?: number | undefined },
      ): AsyncGenerator<Result<Connection>, void, undefined>;
      /** One, by handle; a server may give OFAuth's id too, here and below. */
      getById(connectionId: string, options?: CallOptions): Promise<Result<Connection>>;
      /** Removes it for good, here and at OFAuth. May be repeated. A session needs `connections:write`. */
      delete(connectionId: string, options?: CallOptions): Promise<Result<Done>>;
      /** Marks it expired: the user has to link it again. A session needs `connections:write`. */
      invalidate(connectionId: string, options?: CallOptions): Promise<Result<Done>>;
      /** How it is: by what is known, else by a call on it. */
      health(connectionId: string, options?: CallOptions): Promise<Result<ConnectionHealth>>;
    };
  };
  sessions: {
    /** Makes a session token. Servers only. */
    create(session: SessionOptions, options?: CallOptions): Promise<Result<SessionToken>>;
  };
  account: {
    /** Whose the gateway's OFAuth key is. Servers only. */
    whoami(options?: CallOptions): Promise<Result<Account>>;
  };
  self: {
    /** The connected account's profile. A session needs `profile:read`. */
    getMe(options?: CallOptions & Authenticated): Promise<Result<Me>>;
  };
  subscribers: {
    /** A page of the account's subscribers. A session needs `subscribers:read`. */
    list(options?: SubscriberQuery & CallOptions & Authenticated): Promise<Result<SubscriberPage>>;
  };
  /**
   * Any call of the Access API.
   *
   * The answer is read to its end: JSON as what it says, other text as a string, anything else as a Blob, nothing as
   * undefined. A body that is a stream is sent only once. A credential among the headers is not sent, nor is anything
   * sent anywhere but to the gateway.
   *
   * @param path begins with `/v2/access/`, query included; what is put into it must be percent-encoded
   */
  access<T = unknown>(path: string, init?: AccessInit): Promise<Result<T>>;
}

/** The options of the platform's `fetch`, and the client's own. */
export type AccessInit = Omit<FetchInit, "signal" | "redirect"> & CallOptions & Authenticated;

/** What the compiler knows as the options of `fetch`; where it knows none, the least. */
export type FetchInit = typeof globalThis extends { fetch: (input: string, init?: infer Init) => unknown }
  ? NonNullable<Init>
  : { method?: string; headers?: Record<string, string>; body?: string | Uint8Array };

/** Something like the platform's `fetch`. */
export type FetchLike = (url: string, init: any) => Promise<ResponseLike>;

/** What the client needs of a `Response`. */
export interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
  blob(): Promise<unknown>;
}

/** An `AbortSignal`, whatever the compiler knows of them. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * A client of the gateway.
 *
 * @throws {TypeError} If an option is wrong, both or neither of `token` and `apiKey` are given, or an `apiKey` in a page.
 */
export function createClient(options: ClientOptions): Client;
