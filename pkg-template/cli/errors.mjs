// The two ways in which a command ends early.

/** A mistake in the command line, exit code 2. */
export class UsageError extends Error {}

/** A call or a check that failed, exit code 1. `hint` says what to do. */
export class Failure extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}
