// The errors of the package. A fault of the sender or of a secret is a WebhookVerificationError. A mistake in the caller's code
// is a TypeError.

const BRAND = Symbol.for("ofauth-edge.WebhookVerificationError");

// The HTTP status to answer with. A secret that cannot be used is the operator's fault, and OFAuth should try again later. The
// body of a request that is 400 is authentic, or cannot be judged. All other errors mean that the request is not authentic.
const STATUSES = { INVALID_SECRET: 500, INVALID_BODY: 400, INVALID_JSON: 400, INVALID_EVENT: 400, BODY_TOO_LARGE: 413 };
const UNAUTHENTIC = 401;

export class WebhookVerificationError extends Error {
  constructor(code, message, options) {
    // structuredClone drops all members of an error except its message and its stack, so the message has the code too.
    super(`${code}: ${message}`, options);
    this.code = code;
    // Frameworks read one or the other: Express and Koa `status`, Fastify and h3 `statusCode`.
    this.status = this.statusCode = STATUSES[code] ?? UNAUTHENTIC;
  }

  toJSON() {
    const { name, code, status, message } = this;
    return { name, code, status, message };
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
