// The Inspector's texts against the types that the Rust sources write: 1. each cause has advice, 2. each code of a webhook is explained.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { adviceFor } from "../../www/console/views/inspector-advice.mjs";
import { CODES } from "../../www/console/views/inspector-codes.mjs";

const types = readFileSync(new URL("../../pkg-template/generated.d.ts", import.meta.url), "utf8");

function valuesOf(name) {
  const [, union] = types.split(`export type ${name} =`);
  return [...union.split(";\n\n")[0].matchAll(/^ {2}\| "(\w+)"/gm)].map(([, value]) => value);
}

test("each cause of a signature that does not verify has advice", () => {
  const causes = valuesOf("Cause").filter((cause) => cause !== "none");
  assert.ok(causes.length > 30);
  for (const cause of causes) assert.ok(adviceFor(cause).length > 0, cause);
  assert.deepEqual(adviceFor("constructor"), [], "a cause of a newer version");
});

test("each code with which a webhook is refused is explained", () => {
  for (const name of ["SignatureErrorCode", "EventErrorCode"]) {
    const codes = valuesOf(name);
    assert.ok(codes.length > 1);
    for (const code of codes) assert.ok(Object.hasOwn(CODES, code), code);
  }
  const others = Object.keys(CODES).filter((code) => ![...valuesOf("SignatureErrorCode"), ...valuesOf("EventErrorCode")].includes(code));
  for (const code of others) assert.ok(valuesOf("EdgeErrorCode").includes(code), code);
});
