// `make test-all` sets TESTS=all. Then the slowest tests run too, and others run with more cases.

import { test } from "node:test";

export const isFull = process.env.TESTS === "all";

/** A test that only `make test-all` runs. */
export const slowTest = isFull ? test : () => {};
