// What one caller can cause: 1. equal changes at once are one change at OFAuth, with one answer for all, 2. a change that
// changes nothing leaves no trace, 3. what the gateway learns itself does not displace OFAuth's webhooks.

import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { introduce, refusal, sessionOf, startGateway } from "./harness.mjs";
import { inLedgerOf } from "./ledgers.mjs";

const USER = "user_456";

const gateway = await startGateway();
after(() => gateway.close());
const { emulator } = gateway;
afterEach(() => emulator.heal());

const session = sessionOf(gateway, { sub: USER, permissions: ["connections:write", "profile:read"] });
let count = 0;

for (const [what, method, under] of [["deletes", "DELETE", ""], ["invalidations", "POST", "/invalidate"]]) {
  test(`a hundred ${what} at the same time are one at OFAuth, and all are answered`, async () => {
    const { id, handle } = await newConnection();
    emulator.fault({ kind: "slow", ms: 500, match: { path: `/v2/account/connections/${id}${under}` } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => session(method, `/edge/connections/${handle}${under}`)));
    for (const answer of answers) {
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json(), answers[0].json());
    }
    assert.equal(askedAbout(id).length, 1);
  });

  test(`${what} that OFAuth refuses are refused to all who wait, once at OFAuth`, async () => {
    const { id, handle } = await newConnection();
    emulator.fault({ kind: "status", code: 403, delayMs: 500, match: { path: `/v2/account/connections/${id}${under}` } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => session(method, `/edge/connections/${handle}${under}`)));
    for (const answer of answers) {
      assert.deepEqual([answer.status, answer.text], [answers[0].status, answers[0].text]);
      assert.equal(answer.headers["x-ofauth-edge-action"], answers[0].headers["x-ofauth-edge-action"]);
      assert.deepEqual(refusal(answer), [403, "FORBIDDEN"], "with OFAuth's request id in the header too");
      assert.equal(answer.headers["x-ofauth-edge"], "upstream", "it is OFAuth's answer, also to those who share it");
    }
    assert.equal(askedAbout(id).length, 1);
    emulator.heal();
    assert.equal((await session(method, `/edge/connections/${handle}${under}`)).status, 200, "a later one is made");
  });

  test(`all who wait for ${what} that OFAuth puts off learn for how long`, async () => {
    const { id, handle } = await newConnection();
    const match = { path: `/v2/account/connections/${id}${under}` };
    emulator.fault({ kind: "limit", retryAfter: 7, delayMs: 500, match });
    const answers = await Promise.all(Array.from({ length: 20 }, () => session(method, `/edge/connections/${handle}${under}`)));
    for (const { status, headers } of answers) assert.deepEqual([status, headers["retry-after"]], [429, "7"]);
    assert.equal(askedAbout(id).length, 1);
  });
}

test("servers and sessions share no answer, because a server's has OFAuth's id", async () => {
  const { id, handle } = await newConnection();
  emulator.fault({ kind: "slow", ms: 500, match: { path: `/v2/account/connections/${id}/invalidate` } });
  const path = `/edge/connections/${handle}/invalidate`;
  const [server, page] = await Promise.all([gateway.call("POST", path), session("POST", path)]);
  assert.ok(server.text.includes(id));
  assert.ok(!page.text.includes(id) && page.text.includes(handle));
});

test("an invalidation that changes nothing leaves no trace", async () => {
  const { handle } = await newConnection();
  for (let repeats = 0; repeats < 10; repeats += 1) {
    assert.equal((await session("POST", `/edge/connections/${handle}/invalidate`)).status, 200);
  }
  const types = (await timeline(handle)).map(({ type }) => type);
  assert.deepEqual(types, ["edge.invalidated", "connection.created"]);
});

test("what the gateway learns itself does not displace webhooks, and neither kind grows without end", async (t) => {
  const first = await startGateway();
  const handle = await introduce(first, "conn_displaced");
  await first.close({ keep: true });
  inLedgerOf(first.folder, handle, (ledger) => {
    const insert = ledger.prepare("INSERT INTO deliveries VALUES (?, ?, ?, ?, 'applied', NULL)");
    for (let own = 0; own < 1_500; own += 1) insert.run(`req_${own}`, Date.now(), Date.now(), "edge.invalidated");
  });
  const second = await startGateway({ folder: first.folder, vars: first.vars });
  t.after(() => second.close());
  const deliver = (id) => second.deliver(connectionEvent("connection.updated", { id: "conn_displaced", permissions: [id] }));
  for (let event = 0; event < 64; event += 1) assert.equal((await deliver(`event-${event}`)).status, 200);
  const stored = await timeline(handle, second);
  const own = stored.filter(({ type }) => type.startsWith("edge."));
  assert.equal(stored.filter(({ type }) => type === "connection.created").length, 1, "the first webhook is still there");
  assert.equal(stored.length - own.length, 65);
  assert.ok(own.length > 100 && own.length <= 192, `${own.length} of its own`);
});

test("another user's handle is refused before anything is asked", async () => {
  const { id, handle } = await newConnection("user_else");
  assert.deepEqual(refusal(await session("DELETE", `/edge/connections/${handle}`)), [404, "CONNECTION_NOT_FOUND"]);
  assert.deepEqual(askedAbout(id), []);
});

async function newConnection(user = USER) {
  const id = `conn_amplified_${(count += 1)}`;
  emulator.connections.put({ id, clientReferenceId: user });
  return { id, handle: await introduce(gateway, id, { user }) };
}

function askedAbout(id) {
  return emulator.requests.filter(({ path }) => path.includes(id));
}

async function timeline(handle, from = gateway) {
  const all = [];
  for (let cursor; ; ) {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = (await from.call("GET", `/edge/connections/${handle}/events?limit=100${query}`)).json();
    all.push(...page.list);
    if (!page.cursor) return all;
    cursor = page.cursor;
  }
}
