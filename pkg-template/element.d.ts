import type { ApiError, Client, Connection, LinkOptions } from "./client.js";

/**
 * What `<ofauth-connect>` shows. `loading`: nothing is known yet. `disconnected`: the user has no connection. `connecting`: Link is
 * starting, or the user has not finished it. `active`: the connection can be used. `relink`: the user must link it again. `error`:
 * reading the connections or starting Link has failed.
 */
export type ConnectState = "loading" | "disconnected" | "connecting" | "active" | "relink" | "error";

/**
 * How Link has ended: what the gateway adds to the query of the page after Link. Anybody can open that page with any query, so use it
 * only for what you say to the user. The event `connection` tells which account is linked.
 */
export interface LinkEnd {
  /**
   * `success`: the account is linked. `pending`: it probably is. `cancelled`: the user has left Link. `error`: Link has failed.
   * `unknown`: the gateway knows of no such Link.
   */
  status: "success" | "pending" | "cancelled" | "error" | "unknown";
  /** Where the user has left Link, if OFAuth says it. */
  step?: string | undefined;
  /** Why Link has failed, if OFAuth says it. */
  error_code?: string | undefined;
}

/** The events of `<ofauth-connect>`. They do not bubble. */
export interface OfauthConnectEventMap {
  /** Link is about to start, with these options. `preventDefault()` stops it. */
  connect: CustomEvent<Pick<LinkOptions, "redirectUrl"> & { connectionId?: string | null }>;
  /** A connection, once at the start and then each time it changes. */
  connection: CustomEvent<Connection>;
  /** Link has ended: the query of the page says so, or that of the page in Link's window. */
  linkend: CustomEvent<LinkEnd>;
  /** Reading the connections or starting Link has failed. */
  error: CustomEvent<ApiError>;
}

/**
 * The element `<ofauth-connect>`: a button with which a user links an account, and a status line. Both change by themselves. Importing
 * the module defines the element, unless the platform has none or the name is taken.
 */
export class OfauthConnect extends HTMLElement {
  /** The gateway's URL. Attribute `gateway`. */
  gateway: string | null;
  /** The session token, or a function that fetches one. It needs the permission `connections:link`. */
  token: string | (() => string | Promise<string>) | undefined;
  /** A client to use instead of `gateway` and `token`. */
  client: Client | undefined;
  /**
   * The page for the user after Link, as a URL that may be relative. Attribute `return-url`. Default: the gateway's `APP_RETURN_URL`.
   */
  returnUrl: string | null;
  /** The handle of the only connection to show. Attribute `connection`. Without it, the user's best one is shown. */
  connection: string | null;
  /**
   * Whether Link gets a window of its own, so that the page stays. Attribute `popup`. The window closes when it comes to a page of
   * the same origin with this element. If the browser blocks the window, Link takes the tab.
   */
  popup: boolean;
  /** What is shown. Attribute `state`, which the element sets. */
  readonly state: ConnectState;
  /**
   * Does what a press of the button does: starts Link, or reads again after that has failed. While Link has a window, it brings the
   * window to the front. Nothing while busy or active.
   *
   * With an argument it starts Link also if the element shows an active connection. A handle links that connection again, null links
   * another account.
   */
  startLink(connectionId?: string | null): Promise<void>;

  addEventListener<K extends keyof OfauthConnectEventMap>(
    type: K,
    listener: (this: OfauthConnect, event: OfauthConnectEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof OfauthConnectEventMap>(
    type: K,
    listener: (this: OfauthConnect, event: OfauthConnectEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "ofauth-connect": OfauthConnect;
  }
}
