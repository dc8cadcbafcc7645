// <ofauth-connect>: a button with which a user links an account, and a status line. Both change by themselves when the connection
// changes. It starts Link in the same tab or in a window of its own: OFAuth's page and the gateway bring the user back.

import { createClient } from "./client.js";
import { applyStyle } from "./element/style.mjs";
import { chooseBest, nameOf, stateOf, TEXTS } from "./element/states.mjs";
import { openWindow, readEnd, reportEnd } from "./element/window.mjs";

const NAME = "ofauth-connect";
/** Attributes that say which connection is shown and how it is read. A change of one begins anew. */
const SOURCES = ["gateway", "connection"];
const TEXT_ATTRIBUTES = Object.keys(TEXTS).flatMap((state) => [`label-${state}`, `status-${state}`]);
/** Properties that a page may have set before the element was defined. */
const PROPERTIES = ["gateway", "returnUrl", "connection", "popup", "token", "client"];
/**
 * Milliseconds after which the user may press the button again: because the browser has not left the page, or because an account that
 * was linked in a window has not appeared.
 */
const LINK_TIMEOUT = 10_000;
/** Milliseconds until the first read is made again, if it failed for a passing reason. */
const READ_INTERVAL = 5_000;
/** How often to look whether the user has closed Link's window, in milliseconds. There is no event for it. */
const WINDOW_INTERVAL = 500;

/** On a server there are no elements. The module can be imported all the same. */
const Base = globalThis.HTMLElement ?? class {};

export class OfauthConnect extends Base {
  static observedAttributes = [...SOURCES, ...TEXT_ATTRIBUTES];

  #token;
  #givenClient;
  #client;
  #button;
  #label;
  #status;
  /** Stops everything that runs. Undefined while nothing does. */
  #stop;
  #timer;
  /** The window that Link has, if it is not the page's own. */
  #window;
  /** The query of the page until it has been read for `linkend`, then empty. */
  #query;
  #isQueued = false;
  #records = new Map();
  #hasRead = false;
  #isLinking = false;
  /** What failed: `read` or `link`. */
  #failed;

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: "open", delegatesFocus: true });
    applyStyle(shadow);
    this.#button = append(shadow, "button", { part: "button", type: "button", "aria-describedby": "status" });
    append(this.#button, "span", { part: "icon", "aria-hidden": "true" });
    this.#label = append(this.#button, "span", { part: "label" });
    this.#status = append(shadow, "span", { part: "status", id: "status", role: "status", "aria-live": "polite" });
    this.#button.addEventListener("click", () => this.startLink());
  }

  get token() {
    return this.#token;
  }
  set token(token) {
    this.#token = token;
    this.#begin();
  }
  get client() {
    return this.#givenClient;
  }
  set client(client) {
    this.#givenClient = client;
    this.#begin();
  }
  get gateway() {
    return this.getAttribute("gateway");
  }
  set gateway(url) {
    setAttribute(this, "gateway", url);
  }
  get returnUrl() {
    return this.getAttribute("return-url");
  }
  set returnUrl(url) {
    setAttribute(this, "return-url", url);
  }
  get connection() {
    return this.getAttribute("connection");
  }
  set connection(handle) {
    setAttribute(this, "connection", handle);
  }
  get popup() {
    return this.hasAttribute("popup");
  }
  set popup(isPopup) {
    this.toggleAttribute("popup", isPopup);
  }

  get state() {
    if (this.#isLinking) return "connecting";
    if (this.#failed) return "error";
    return this.#hasRead ? stateOf(this.#shown()) : "loading";
  }

  connectedCallback() {
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#query ??= location.search;
    reportEnd();
    this.#begin();
  }

  disconnectedCallback() {
    this.#stopAll();
  }

  attributeChangedCallback(name) {
    if (SOURCES.includes(name)) this.#begin();
    else if (this.isConnected) this.#render();
  }

  /** Does what a press of the button does. With a handle, it links that connection again, and with null another account. */
  async startLink(handle) {
    if (this.#failed === "read") return this.#begin();
    if (this.#isLinking) return this.#window?.focus();
    const { signal } = this.#stop ?? {};
    const shown = this.#shown();
    if (!signal || !this.#hasRead || (handle === undefined && stateOf(shown) === "active")) return;
    const session = {};
    try {
      if (handle !== undefined) session.connectionId = handle;
      else if (stateOf(shown) === "relink") session.connectionId = shown.handle;
      if (this.returnUrl) session.redirectUrl = new URL(this.returnUrl, document.baseURI).href;
    } catch {
      return this.#fail("link", wrongArgument("return-url: pass the URL of a page"));
    }
    if (!this.#dispatch("connect", session, true) || signal.aborted) return;
    this.#failed = undefined;
    this.#isLinking = true;
    // Before the first `await`: after it, a browser blocks the window.
    const popup = (this.#window = this.popup ? openWindow() : null);
    this.#render();
    const { data, error } = await this.#client.link.init(session, { signal });
    const url = /^https?:/.test(data?.url) && data.url;
    if (signal.aborted || !url) popup?.close();
    if (signal.aborted) return;
    if (error) return this.#fail("link", error);
    if (!url) {
      const fault = wrongArgument("the answer has no page for the user");
      return this.#fail("link", { ...fault, type: "server_error", code: "INVALID_ANSWER" });
    }
    if (popup) this.#timer = setInterval(() => popup.closed && this.#endLink(), WINDOW_INTERVAL);
    else this.#timer = setTimeout(() => this.#endLink(), LINK_TIMEOUT);
    (popup ?? globalThis).location.href = url;
  }

  /** Stops what runs and begins anew, once the page has set all that it sets now. */
  #begin() {
    this.#stopAll();
    if (!this.#isQueued) queueMicrotask(() => this.#start());
    this.#isQueued = true;
  }

  #start() {
    this.#isQueued = false;
    if (!this.isConnected) return;
    if (!this.#givenClient && !(this.gateway && this.#token)) return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    addEventListener("message", (event) => this.#receive(event), { signal });
    // A page that comes back from the browser's cache, after the back button, goes on as if it was new.
    addEventListener("pageshow", ({ persisted }) => persisted && this.#begin(), { signal });
    try {
      this.#client = this.#givenClient ?? createClient({ baseUrl: this.gateway, token: this.#token });
    } catch (error) {
      return this.#fail("read", wrongArgument(error.message));
    }
    this.#findConnection(signal);
    this.#follow(signal);
    const end = readEnd(this.#query);
    this.#query = "";
    if (end) this.#dispatch("linkend", end);
  }

  /** Takes the message of {@link reportEnd} from Link's window. */
  #receive({ data, origin, source }) {
    // Before the data are read: any frame or window may send anything.
    if (!this.#window || source !== this.#window || origin !== location.origin) return;
    const end = readEnd(data);
    if (!end) return;
    source.close();
    this.#window = undefined;
    clearTimeout(this.#timer);
    // The account comes by `live`, a moment later.
    if (this.#isLinking && ["success", "pending"].includes(end.status)) {
      this.#timer = setTimeout(() => this.#endLink(), LINK_TIMEOUT);
      this.#render();
    } else this.#endLink();
    this.#dispatch("linkend", end);
  }

  /** Finds out whether there is a connection, because `live` yields nothing if there is none. */
  async #findConnection(signal) {
    const { connections } = this.#client.link;
    const handle = this.connection;
    const { data, error } = await (handle ? connections.getById(handle, { signal }) : connections.getAll({ limit: 1 }, { signal }));
    if (signal.aborted) return;
    if (error && error.type !== "not_found") {
      this.#fail("read", error);
      if (!["retry", "refresh_token"].includes(error.action)) return;
      const timer = setTimeout(() => this.#findConnection(signal), READ_INTERVAL);
      return signal.addEventListener("abort", () => clearTimeout(timer));
    }
    if (this.#failed === "read") this.#failed = undefined;
    if (error || data.list?.length === 0) this.#hasRead = true;
    this.#render();
  }

  async #follow(signal) {
    for await (const { data, error } of this.#client.link.connections.live({}, { signal })) {
      if (signal.aborted) return;
      if (error) return this.#fail("read", error);
      if (this.connection && this.connection !== data.handle) continue;
      this.#records.set(data.handle, data);
      this.#hasRead = true;
      this.#failed = undefined;
      if (stateOf(this.#shown()) === "active") this.#endLink();
      this.#render();
      this.#dispatch("connection", data);
    }
  }

  #stopAll() {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#records.clear();
    this.#hasRead = false;
    this.#failed = undefined;
    this.#endLink();
  }

  #endLink() {
    clearTimeout(this.#timer);
    this.#isLinking = false;
    if (this.isConnected) this.#render();
  }

  #fail(what, error) {
    if (this.#failed === "read") return;
    this.#failed = what;
    this.#endLink();
    this.#dispatch("error", error);
  }

  #shown() {
    return chooseBest([...this.#records.values()]);
  }

  #render() {
    const { state } = this;
    const [label, status] = TEXTS[state];
    const shown = this.#shown();
    // While Link has a window, a press brings the window to the front.
    const isBusy = (this.#isLinking && !this.#window) || state === "loading";
    setText(this.#label, this.getAttribute(`label-${state}`) ?? label);
    setText(this.#status, (this.getAttribute(`status-${state}`) ?? status).replaceAll("{name}", () => (shown ? nameOf(shown) : "")));
    this.#button.setAttribute("aria-busy", isBusy);
    this.#button.setAttribute("aria-disabled", isBusy || state === "active");
    this.setAttribute("state", state);
  }

  /** Dispatches an event. Returns false if the page has cancelled it. */
  #dispatch(type, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(type, { detail, cancelable }));
  }
}

function append(parent, name, attributes) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return parent.appendChild(element);
}

function setAttribute(element, name, value) {
  if (value === undefined || value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** The same text again would be read aloud again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function wrongArgument(message) {
  return { type: "bad_request", code: "INVALID_ARGUMENT", message, status: 0, action: "give_up" };
}

if (globalThis.customElements && !customElements.get(NAME)) customElements.define(NAME, OfauthConnect);
