// Calls to a gateway with its gateway key, and what its refusals mean.

import { required } from "./arguments.mjs";
import { keyWithRight } from "./env-file.mjs";
import { Failure, UsageError } from "./errors.mjs";
import { isLoopback, readUrl, send, Unreachable } from "./http.mjs";
import { clean } from "./output.mjs";

/** The options of commands that call a gateway. */
export const GATEWAY_OPTIONS = {
  url: { type: "string", value: "url", help: "The gateway, such as https://gateway.example. Or set GATEWAY_URL" },
  key: { type: "string", value: "key", help: "A gateway key. Better set GATEWAY_KEY: other users of this machine can see options" },
};

/** A failure that may pass by itself. `retryAfter` is in seconds. */
export class PassingFailure extends Failure {
  constructor(message, retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

export class Gateway {
  /** The origin of the gateway. */
  origin;
  #key;
  #signal;
  #hasAnswered = false;
  /** How far this machine's clock is ahead of the gateway's, in seconds. The gateway's clock has whole seconds. */
  clockSkew = 0;

  /**
   * @param {string} origin
   * @param {string} key
   * @param {AbortSignal} [signal]
   */
  constructor(origin, key, signal) {
    this.origin = origin;
    this.#key = key;
    this.#signal = signal;
  }

  /** Whether the gateway runs on this machine. */
  get isLocal() {
    return isLoopback(new URL(this.origin));
  }

  /**
   * Reads one of the gateway's routes.
   * @param {string} path
   * @returns {Promise<any>} the JSON of its answer
   * @throws {PassingFailure | Failure}
   */
  async read(path) {
    const headers = { authorization: `Bearer ${this.#key}` };
    const answer = await send("GET", new URL(path, this.origin), { headers, signal: this.#signal }).catch((error) => {
      throw error instanceof Unreachable ? new PassingFailure(error.message) : error;
    });
    const body = parse(answer.text);
    if (answer.status === 200 && typeof body === "object" && body !== null) {
      this.#hasAnswered = true;
      this.clockSkew = clockSkew(answer);
      return body;
    }
    throw this.#failure(answer, body);
  }

  #failure({ status, headers }, body) {
    const code = clean(body?.type ?? "", 40);
    const said = `HTTP ${status}${code && ` ${code}`}${body?.error ? `: ${clean(body.error)}` : ""}`;
    if (status === 401) {
      return new Failure("The gateway does not accept the key", "It must be an item of the gateway's GATEWAY_KEY. Is it the key of this gateway?");
    }
    if (status === 403) return new Failure(`The gateway refuses the key (${said})`, "Only a gateway key may do this, not a session token");
    if (code === "NOT_CONFIGURED") return new PassingFailure(`The gateway is not configured. ${this.origin}/healthz names what is missing`);
    if (status === 429 || status >= 500) return new PassingFailure(`The gateway answers ${said}`, secondsOf(headers["retry-after"]));
    const isGateway = headers["x-ofauth-edge"] !== undefined;
    if (isGateway && status === 400) return new Failure(`The gateway answers ${said}`);
    // A gateway may be replaced while it is being followed. At the first call, it is more likely that the URL is wrong.
    if (this.#hasAnswered) return new PassingFailure(`The gateway answers ${said}`);
    if (isGateway && code === "CONNECTION_NOT_FOUND") return new Failure("The gateway knows no connection with this handle");
    if (status >= 300 && status < 400) return new Failure(`The URL redirects to ${clean(headers.location)}. Use that one`);
    return new Failure(`This is no ofauth-edge gateway, or one without this route: ${said}`, `Is ${this.origin} the address of the Worker?`);
  }
}

/**
 * @param {Record<string, any>} values
 * @param {NodeJS.ProcessEnv} env
 * @param {AbortSignal} [signal]
 */
export function gatewayOf(values, env, signal) {
  const url = gatewayUrl(values, env);
  if (!isSafeForKeys(url)) throw new UsageError("--url must begin with https://, because the key is sent there");
  const key = gatewayKey(values, env);
  if (key === undefined) required({}, "key", "<gateway key>", env, "GATEWAY_KEY");
  return new Gateway(url.origin, key, signal);
}

/** The newest gateway key that may read, or undefined if there is none. */
export function gatewayKey(values, env) {
  const key = keyWithRight(values.key ?? env.GATEWAY_KEY ?? "", "read") || undefined;
  // Anything else cannot stand in a header.
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError("The gateway key has a character that no key has. Was it copied with a space or a line break?");
}

/** The URL of the gateway. */
export function gatewayUrl(values, env) {
  const url = readUrl(required(values, "url", "https://gateway.example", env, "GATEWAY_URL"), "--url");
  if (url.pathname !== "/" || url.search) throw new UsageError(`--url is the gateway's address without a path: ${url.origin}`);
  return url;
}

/** Whether a key may be sent to a URL: nobody on the way can read it. */
export function isSafeForKeys(url) {
  return url.protocol === "https:" || isLoopback(url);
}

/** How far this machine's clock is ahead of the one that answered, in whole seconds. 0 if that does not tell its time. */
export function clockSkew({ headers: { date } }) {
  const theirs = Date.parse(date ?? "");
  return Number.isNaN(theirs) ? 0 : Math.trunc((Date.now() - theirs) / 1_000);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The seconds of a Retry-After header, at most ten minutes; undefined if it names a date. */
function secondsOf(text) {
  return /^\d{1,9}$/.test(text ?? "") ? Math.min(Number(text), 600) : undefined;
}
