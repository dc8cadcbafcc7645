// Headers that a proxy or a client sends twice: 1. with the same value they are one value, 2. with different values they are
// refused as before.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { introduce, refusal, SECRETS, startGateway, tokenOf } from "./harness.mjs";

const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: "https://app.example" } });
after(() => gateway.close());
const { emulator } = gateway;
const handle = await introduce(gateway, "conn_doubled");
beforeEach(() => emulator.clear());

/** Every header on lines of its own, `times` times. */
const repeated = (headers, times) => Object.entries(headers).flatMap((pair) => Array(times).fill(pair).flat());

test("credentials, the connection and the origin may be repeated", async () => {
  const session = { authorization: `Bearer ${tokenOf({ permissions: ["profile:read"] })}` };
  const callers = [
    { apikey: SECRETS.GATEWAY_KEY },
    { authorization: `Bearer ${SECRETS.GATEWAY_KEY}` },
    { ...session, origin: "https://app.example" },
  ];
  for (const caller of callers) {
    for (const times of [1, 2, 3]) {
      const headers = repeated({ host: "gateway.example", ...caller, "x-connection-id": handle }, times).slice(2 * (times - 1));
      const answer = await gateway.send("GET", "/v2/access/self", { headers });
      assert.equal(answer.status, 200, `${times} times: ${answer.text}`);
      assert.equal(answer.headers["access-control-allow-origin"], caller.origin);
      assert.equal(emulator.requests.at(-1).headers["x-connection-id"], "conn_doubled");
    }
  }
});

test("a webhook's signature may be repeated, in both schemes", async () => {
  const body = Buffer.from(JSON.stringify(connectionEvent("connection.updated", { id: "conn_doubled" })));
  const secrets = { ofauth: SECRETS.OFAUTH_WEBHOOK_SECRET, svix: SECRETS.SVIX_WEBHOOK_SECRET };
  for (const [scheme, secret] of Object.entries(secrets)) {
    const signature = sign({ scheme, secret, id: "msg_doubled", body });
    const headers = ["host", "gateway.example", "content-length", String(body.length), ...repeated(signature, 2)];
    const answer = await gateway.send("POST", "/webhooks/ofauth", { headers, body });
    assert.equal(answer.status, 200, `${scheme}: ${answer.text}`);
  }
});

test("repeated headers with different values are refused", async () => {
  const own = ["host", "gateway.example", "apikey", SECRETS.GATEWAY_KEY];
  const other = `acct_${"0".repeat(32)}`;
  const two = ["x-connection-id", handle, "x-connection-id", other];
  assert.deepEqual(refusal(await gateway.send("GET", "/v2/access/self", { headers: [...own, ...two] })), [400, "BAD_REQUEST"]);
  const keys = [...own, "apikey", "another", "x-connection-id", handle];
  assert.deepEqual(refusal(await gateway.send("GET", "/v2/access/self", { headers: keys })), [401, "CREDENTIALS_INVALID"]);
  const body = Buffer.from('{"type":"x"}');
  const signed = (timestamp) => Object.entries(sign({ scheme: "ofauth", secret: SECRETS.OFAUTH_WEBHOOK_SECRET, timestamp, body })).flat();
  const now = Math.floor(Date.now() / 1000);
  const headers = ["host", "gateway.example", "content-length", String(body.length), ...signed(now), ...signed(now - 1)];
  assert.deepEqual(refusal(await gateway.send("POST", "/webhooks/ofauth", { headers, body })), [401, "MALFORMED_HEADER"]);
  assert.deepEqual(emulator.requests, []);
});
