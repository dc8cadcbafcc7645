// What nobody has signed costs no storage access: 1. a webhook with a wrong signature, 2. a call with a wrong credential, with
// one that lacks the permission or the right, or without any, 3. a route that does not exist. Afterwards the metrics get one
// batch of all that was counted.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { eventually, introduce, SECRETS, tokenOf, startGateway, unixNow } from "./harness.mjs";

const READER = "reader-key-0123456789-0123456789-0123456";
const gateway = await startGateway({ faults: true, vars: { GATEWAY_KEY: `${SECRETS.GATEWAY_KEY},reader:read:${READER}` } });
after(() => gateway.close());

const handle = await introduce(gateway, "conn_guarded");
const ROUTES = [
  ["GET", "/v2/access/self"],
  ["POST", "/v2/access/posts"],
  ["GET", "/v2/account/connections"],
  ["POST", "/v2/link/init"],
  ["GET", "/v2/link/cs_1"],
  ["POST", "/edge/sessions"],
  ["GET", "/edge/connections"],
  ["GET", `/edge/connections/${handle}`],
  ["DELETE", `/edge/connections/${handle}`],
  ["POST", `/edge/connections/${handle}/invalidate`],
  ["GET", `/edge/connections/${handle}/health`],
  ["GET", `/edge/connections/${handle}/events`],
  ["DELETE", "/edge/users/user_456"],
  ["GET", "/edge/events"],
  ["GET", "/edge/metrics"],
  ["GET", "/edge/status"],
];
const WRONG = {
  none: undefined,
  "a wrong key": "gk_wrong_00112233445566778899aabbccddeeff",
  "a key with its name": `reader:read:${READER}`,
  "a token of another secret": tokenOf({}, { secret: "another-session-secret-0123456789-0123" }),
  "an expired token": tokenOf({ iat: unixNow() - 7_200, exp: unixNow() - 3_600 }),
  "a token without alg": `${Buffer.from('{"alg":"none"}').toString("base64url")}.${tokenOf().split(".")[1]}.`,
  "a token of another site's": tokenOf({ aud: "else" }),
};

/** What `work` costs, once the gateway has settled and the batch of the metrics has gone. */
async function costOf(work) {
  await eventually(async () => {
    await gateway.accesses();
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    assert.deepEqual(await gateway.accesses(), {});
  }, { within: 60_000 });
  await work();
  return gateway.accesses();
}

test("a call that is refused for its signature or credential asks no storage", { timeout: 120_000 }, async () => {
  const cost = await costOf(async () => {
    const event = connectionEvent("connection.expired", { id: "conn_guarded", clientReferenceId: "user_456" });
    const wrong = { ofauth: "whsec_wrong", svix: `whsec_${Buffer.from("wrong").toString("base64")}` };
    for (const [scheme, secret] of Object.entries(wrong)) {
      assert.equal((await gateway.deliver(event, { scheme, secret, id: "msg_1" })).status, 401);
      assert.equal((await gateway.deliver(event, { scheme, id: "msg_1", timestamp: unixNow() - 3_600 })).status, 401);
    }
    assert.equal((await gateway.send("POST", "/webhooks/ofauth", { body: "{}" })).status, 401);
    for (const [what, apikey] of Object.entries(WRONG)) {
      for (const [method, target] of ROUTES) {
        const headers = { ...(apikey && { apikey }), "x-connection-id": handle };
        const { status } = await gateway.send(method, target, { headers });
        assert.equal(status, 401, `${what}: ${method} ${target}`);
      }
    }
    assert.equal((await gateway.call("GET", "/edge/connections", { headers: { origin: "https://evil.example" } })).status, 403);
    assert.equal((await gateway.call("GET", "/edge/none")).status, 404);
  });
  assert.deepEqual(cost, {});
  await eventually(async () => assert.deepEqual(await gateway.accesses(), { metrics: 1 }), { within: 15_000, every: 15_000 / 2 });
});

test("a call that its token or key does not permit asks no storage", { timeout: 120_000 }, async () => {
  const cost = await costOf(async () => {
    const page = { apikey: tokenOf() };
    const denied = [
      [page, "GET", "/v2/access/subscribers"],
      [page, "DELETE", `/edge/connections/${handle}`],
      [page, "POST", `/edge/connections/${handle}/invalidate`],
      [page, "GET", "/edge/events"],
      [page, "GET", "/edge/metrics"],
      [page, "GET", "/edge/status"],
      [page, "DELETE", "/edge/users/user_456"],
      [page, "GET", "/v2/account/connections"],
      [{ apikey: READER }, "GET", "/v2/access/self"],
      [{ apikey: READER }, "DELETE", `/edge/connections/${handle}`],
      [{ apikey: READER }, "POST", "/v2/link/init"],
      [{ apikey: READER }, "POST", "/edge/sessions"],
    ];
    for (const [headers, method, target] of denied) {
      const { status } = await gateway.send(method, target, { headers: { ...headers, "x-connection-id": handle }, body: method === "POST" ? "{}" : undefined });
      assert.equal(status, 403, `${method} ${target}`);
    }
  });
  assert.deepEqual(cost, {});
});
