// The errors of the package. A fault of the sender or of a secret is a WebhookVerificationError. A mistake in the caller's code
// is a TypeError.

const BRAND = Symbol.for("ofauth-edge.WebhookVerificationError");

export class WebhookVerificationError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }

  // The package may be loaded several times (by import, by require, as slim). Each copy has its own class, so instanceof
  // checks the brand that all of them share.
  static [Symbol.hasInstance](value) {
    // The prototype of a subclass has no brand. A subclass uses the ordinary check.
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

// The error for an argument of a wrong type or value. `expected` says what to pass.
export function argumentError(argument, expected, cause) {
  const message = `ofauth-edge: ${argument} must be ${expected}`;
  return cause === undefined ? new TypeError(message) : new TypeError(message, { cause });
}

// Calls `read`, which reads from the caller's object. If a getter or a proxy of that object throws, throws a TypeError with that
// exception as its cause.
export function readFromCaller(argument, read) {
  try {
    return read();
  } catch (cause) {
    throw getterError(argument, cause);
  }
}

// The error for a getter of the caller's object that throws.
export function getterError(argument, cause) {
  return new TypeError(`ofauth-edge: reading ${argument} threw an exception`, { cause });
}
