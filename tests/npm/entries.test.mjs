// Each entry of the built package verifies what another one signed. `make npm` first.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const wasm = readFileSync(new URL("../../pkg/ofauth_edge.wasm", import.meta.url));
const body = '{"type":"connection.expired","timestamp":"2024-01-15T12:00:00Z","data":{"connection":{"id":"conn_abc123"}}}';
const secret = "whsec_test_secret";

const entries = {
  import: await import("../../pkg/index.js"),
  require: require("../../pkg/index.cjs"),
  "slim, imported": await import("../../pkg/slim.js"),
  "slim, required": require("../../pkg/slim.cjs"),
};

test("slim asks for its wasm", () => {
  assert.throws(() => entries["slim, required"].verifyWebhook(body, {}, secret), /call await init\(\) or initSync\(module\) first/);
});

for (const [name, entry] of Object.entries(entries)) {
  test(`${name} verifies what import signed, and is understood by it`, async () => {
    await entry.init?.(wasm);
    const headers = entries.import.signWebhook(body, secret);
    const event = entry.verifyWebhook(body, headers, secret);
    assert.deepEqual([event.known, event.type, event.data.connection.id], [true, "connection.expired", "conn_abc123"]);
    assert.throws(() => entry.verifyWebhook(`${body} `, headers, secret), (error) =>
      error instanceof entries.import.WebhookVerificationError && error.code === "SIGNATURE_MISMATCH");
  });
}
