// GET /edge/connections/{handle or id}/health: 1. what the record says already is not asked again, 2. what else there is to
// say, a call on the connection shows, 3. how long to wait after a 429, 4. OFAuth's trouble is not the connection's, 5. what
// the call showed is learned, 6. whose connection it is, and what nobody is told.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { consoleOf, introduce, refusal, sessionOf, startGateway } from "./harness.mjs";

const SELF = "/v2/access/self";

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
const { emulator } = gateway;
let count = 0;

describe("with all in order", { concurrency: true }, () => {
  test("OFAuth is not asked about a connection whose record already tells its health", async () => {
    const verdicts = [
      ["expired", "relink"],
      ["failed", "relink"],
      ["missing", "relink"],
      ["revoked", "relink"],
      ["disconnected", "relink"],
      ["pending", "waiting"],
      ["awaiting_2fa", "waiting"],
      ["error", "unstable"],
    ];
    const check = async ([status, verdict]) => {
      const { id, handle } = await link(status);
      emulator.connections.put({ id, status: "active" });
      for (const call of [gateway.call, sessionOf(gateway, {}), await consoleOf(gateway)]) {
        const answer = await call("GET", path(handle));
        assert.deepEqual([answer.status, answer.json()], [200, { verdict, status }], status);
        assert.equal(answer.headers["x-ofauth-edge"], "gateway");
      }
      assert.deepEqual(asked(id), [], status);
      assert.equal((await recordOf(id)).status, status, "and a wrong mark stays");
    };
    await Promise.all(verdicts.map(check));
  });

  test("an active connection is healthy if OFAuth answers who it is", async () => {
    for (const status of ["active", "something_new"]) {
      const { id, handle } = await link(status);
      emulator.connections.put({ id, status: "active" });
      for (const name of [handle, id]) {
        const answer = await gateway.call("GET", path(name));
        assert.deepEqual([answer.status, answer.json()], [200, { verdict: "healthy", status }]);
      }
      assert.deepEqual(asked(id), [["GET", SELF], ["GET", SELF]]);
      assert.equal((await recordOf(id)).status, status);
      assert.equal((await gateway.call("HEAD", path(handle))).status, 200);
    }
  });

  test("a connection with a dead session must be linked again, and is marked as expired", async () => {
    const deaths = [
      { kind: "refuse", type: "SESSION_EXPIRED" },
      { kind: "refuse", type: "SESSION_EXPIRED", hint: false, variant: "lower" },
      { kind: "refuse", type: "SESSION_NOT_PROVIDED", variant: "code" },
      { kind: "refuse", type: "FORBIDDEN", actionRequired: "relink_connection", variant: "snake" },
      { kind: "unauthenticatedSelf" },
    ];
    const check = async (rule) => {
      const { id, handle } = await link();
      fault(id, { ...rule, times: 1 });
      const answer = await gateway.call("GET", path(handle));
      const shown = JSON.stringify(rule);
      assert.deepEqual([answer.status, answer.json()], [200, { verdict: "relink", status: "expired" }], shown);
      assert.equal((await recordOf(id)).status, "expired", shown);
      assert.equal((await seenBy(handle)).status, "expired", shown);
      assert.deepEqual((await gateway.call("GET", path(handle))).json(), { verdict: "relink", status: "expired" });
      assert.equal(asked(id).length, 1, `and it is asked no more: ${shown}`);
    };
    await Promise.all(deaths.map(check));
  });

  test("after a 429 the answer says how long to wait, as OFAuth does in any place, else a minute", async () => {
    const limits = [
      [{ retryAfter: 7, rateLimitRetryAfter: 8, bodyRetryAfter: 9 }, 7],
      [{ rateLimitRetryAfter: 8, bodyRetryAfter: 9 }, 8],
      [{ bodyRetryAfter: 9 }, 9],
      [{}, 60],
      [{ retryAfter: 86_400 }, 86_400],
      [{ retryAfter: 1 }, 1, 3],
    ];
    const check = async ([wait, retryAfter, tries = 1]) => {
      const { id, handle } = await link();
      fault(id, { kind: "limit", ...wait });
      const answer = await gateway.call("GET", path(handle));
      const shown = JSON.stringify(wait);
      assert.deepEqual(answer.json(), { verdict: "rate_limited", status: "active", retryAfter }, shown);
      assert.equal(answer.status, 200);
      assert.equal(asked(id).length, tries, shown);
      assert.equal((await recordOf(id)).status, "active", "a limit is no fault of the connection's");
    };
    await Promise.all(limits.map(check));
  });

  test("a failure of OFAuth is upstream_down, within the deadline, and marks no connection", async () => {
    const troubles = [
      [{ kind: "status", code: 502 }, 3],
      [{ kind: "status", code: 503, body: "html" }, 3],
      [{ kind: "status", code: 502, body: "empty" }, 3],
      [{ kind: "status", code: 500 }, 1],
      [{ kind: "status", code: 500, body: "html" }, 1],
      [{ kind: "drop" }, 3],
      [{ kind: "slow", ms: 30_000 }, 1],
      [{ kind: "redirect", to: "http://127.0.0.1:9/" }, 1],
      [{ kind: "refuse", type: "RULES_OUTDATED" }, 3],
    ];
    const check = async ([rule, tries]) => {
      const { id, handle } = await link();
      fault(id, rule);
      const answer = await gateway.call("GET", path(handle));
      const shown = JSON.stringify(rule);
      assert.deepEqual([answer.status, answer.json()], [200, { verdict: "upstream_down", status: "active" }], shown);
      assert.equal(asked(id).length, tries, shown);
      assert.ok(answer.ms < 12_000, `${shown}: ${answer.ms} ms`);
      assert.equal((await recordOf(id)).status, "active", shown);
    };
    await Promise.all(troubles.map(check));
  });

  test("a single 502 is repeated, and a wrong API key is a matter for the operator", async () => {
    const { id, handle } = await link();
    fault(id, { kind: "status", code: 502, times: 1 });
    assert.deepEqual((await gateway.call("GET", path(handle))).json(), { verdict: "healthy", status: "active" });
    fault(id, { kind: "refuse", type: "UNAUTHORIZED", times: 1 });
    assert.deepEqual((await gateway.call("GET", path(handle))).json(), { verdict: "operator_error", status: "active" });
    assert.equal((await recordOf(id)).status, "active");
  });

  test("a call that is refused for another reason is unstable, and changes no record", async () => {
    const refusals = [{ kind: "refuse", type: "FORBIDDEN" }, { kind: "status", code: 404 }, { kind: "status", code: 400 }];
    const check = async (rule) => {
      const { id, handle } = await link();
      fault(id, rule);
      assert.deepEqual((await gateway.call("GET", path(handle))).json(), { verdict: "unstable", status: "active" });
      assert.equal((await recordOf(id)).status, "active");
    };
    await Promise.all(refusals.map(check));
  });
});

test("the verdict is given even if the ledger cannot store it", async () => {
  const { id, handle } = await link();
  fault(id, { kind: "refuse", type: "SESSION_EXPIRED" });
  await gateway.fail({ ledger: "fail" });
  const session = await sessionOf(gateway, {})("GET", path(handle));
  assert.deepEqual([session.status, session.json().verdict], [200, "relink"]);
  assert.deepEqual(refusal(await gateway.call("GET", path(handle))), [503, "STORAGE_UNAVAILABLE"]);
  await gateway.fail({});
});

test("a session asks about its own connections only, by handle, and no answer shows an id", async () => {
  const { id, handle } = await link();
  const others = await link("active", "user_other");
  const session = sessionOf(gateway, {});
  const own = await session("GET", path(handle));
  assert.deepEqual([own.status, own.json().verdict], [200, "healthy"], "no permission is asked for");
  const before = emulator.requests.length;
  for (const name of [id, others.handle, others.id, `acct_${"0".repeat(32)}`, "conn_nobody"]) {
    assert.deepEqual(refusal(await session("GET", path(name))), [404, "CONNECTION_NOT_FOUND"], name);
  }
  assert.deepEqual(refusal(await gateway.call("GET", path("conn_nobody"))), [404, "CONNECTION_NOT_FOUND"]);
  assert.deepEqual(refusal(await gateway.send("GET", path(handle))), [401, "CREDENTIALS_MISSING"]);
  assert.equal(emulator.requests.length, before);
  assert.ok(!own.text.includes("conn_") && !JSON.stringify(own.headers).includes("conn_"));
});

async function link(status = "active", user = "user_456") {
  count += 1;
  const id = `conn_health${String(count).padStart(3, "0")}`;
  return { id, handle: await introduce(gateway, id, { user, status }) };
}

function fault(id, rule) {
  emulator.fault({ ...rule, match: { connection: id } });
}

function path(name) {
  return `/edge/connections/${name}/health`;
}

function asked(id) {
  const about = emulator.requests.filter(({ headers }) => headers["x-connection-id"] === id);
  return about.map(({ method, path: target }) => [method, target]);
}

async function recordOf(id) {
  return (await gateway.call("GET", `/edge/connections/${id}`)).json();
}

async function seenBy(handle) {
  return (await sessionOf(gateway, {})("GET", `/edge/connections/${handle}`)).json();
}
