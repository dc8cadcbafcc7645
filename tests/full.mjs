// `make test-all` sets TESTS=all. Then the tests that take a minute or more of a machine run too, and others run with more cases.

import { test } from "node:test";

export const isFull = process.env.TESTS === "all";

/** A test that only `make test-all` runs. */
export const slowTest = isFull ? test : () => {};
