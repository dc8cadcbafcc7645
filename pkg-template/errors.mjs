// What can go wrong: a sender's or a secret's fault is a WebhookVerificationError, the caller's own is a TypeError.

const BRAND = Symbol.for("ofauth-edge.WebhookVerificationError");

export class WebhookVerificationError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }

  // The package may be loaded more than once (import, require, slim), each time with a class of its own.
  static [Symbol.hasInstance](value) {
    // A subclass is a class like others.
    if (!Object.hasOwn(this.prototype, BRAND)) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && value[BRAND] === true;
  }
}
Object.defineProperty(WebhookVerificationError.prototype, BRAND, { value: true });
Object.defineProperty(WebhookVerificationError.prototype, "name", {
  value: "WebhookVerificationError",
  writable: true,
  configurable: true,
});

// `argument` has a wrong type or value; `wanted` says what to pass.
export function misuse(argument, wanted, cause) {
  const message = `ofauth-edge: ${argument} must be ${wanted}`;
  return cause === undefined ? new TypeError(message) : new TypeError(message, { cause });
}

// The caller's own getters may throw; what they throw must not look like ours.
export function reading(argument, read) {
  try {
    return read();
  } catch (cause) {
    throw unreadable(argument, cause);
  }
}

export function unreadable(argument, cause) {
  return new TypeError(`ofauth-edge: reading ${argument} threw an exception`, { cause });
}
