// What an answer shows of its connection: 1. a success lifts a wrong mark, and nothing else does, 2. what /self says of
// itself, 3. the call's start is what counts, 4. the record is what counts, not what KV says of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually } from "./harness.mjs";
import { access, isListed, LIMIT, link, PATH, recordOf, SELF, startBoth, statusOf, tell } from "./shown.mjs";

const RELINK = "relink_connection";

const { gateway, emulator, upstream, told } = await startBoth();

test("a success lifts a wrong expired, for every view", async () => {
  for (const request of [{}, { method: "HEAD" }, { path: SELF }]) {
    const { id, reference } = await link(gateway);
    await tell(gateway, "expired", id, reference);
    await eventually(() => isListed(gateway, id, "limit=100&status=expired"));
    assert.equal((await access(gateway, id, request)).status, 200);
    assert.deepEqual(await statusOf(gateway, id), ["active", null], JSON.stringify(request));
    await eventually(() => isListed(gateway, id, `status=active&clientReferenceId=${reference}`));
    await eventually(() => isListed(gateway, id, "limit=100&status=active"));
  }
});

test("an error, a redirect or an answer that never came lifts nothing", async () => {
  const { id, reference } = await link(gateway);
  await tell(gateway, "expired", id, reference);
  const { updatedAt } = await recordOf(gateway, id);
  const codes = [400, 404, 429, 500].map((code) => ({ kind: "status", code }));
  const types = ["SESSION_EXPIRED", "UNAUTHORIZED", "RULES_OUTDATED"].map((type) => ({ kind: "refuse", type }));
  for (const rule of [...codes, ...types, { kind: "redirect", to: "/" }, { kind: "drop" }]) {
    emulator.heal();
    emulator.fault(rule);
    await access(gateway, id, { method: "POST" });
    const record = await recordOf(gateway, id);
    assert.deepEqual([record.status, record.updatedAt], ["expired", updatedAt], JSON.stringify(rule));
  }
});

test("/self over 64 KB passes whole, and says nothing of the connection", async () => {
  const { id } = await link(told);
  const body = JSON.stringify({ isAuth: false, pad: "x".repeat(20 * LIMIT) });
  for (const chunked of [false, true]) {
    upstream.say({ status: 200, body, chunked });
    const answer = await access(told, id, { path: SELF });
    assert.ok(answer.text === body, `${answer.body.length} bytes`);
    assert.equal((await recordOf(told, id)).status, "active");
  }
});

test("/self with isAuth false counts as expired, passes unchanged, and lifts nothing", async () => {
  const { id } = await link(gateway);
  emulator.fault({ kind: "unauthenticatedSelf" });
  for (const time of ["first", "second"]) {
    const answer = await access(gateway, id, { path: SELF });
    assert.deepEqual([answer.status, answer.text], [200, '{"isAuth":false}'], time);
    assert.equal(answer.headers["x-ofauth-edge-action"], undefined);
    assert.equal((await recordOf(gateway, id)).status, "expired", time);
  }
  emulator.heal();
  assert.equal((await access(gateway, id, { path: `${SELF}?x=1` })).json().isAuth, true);
  assert.equal((await recordOf(gateway, id)).status, "active");
});

test("/self that is asked for its headers alone says nothing, since it answers 200 for a dead session too", async () => {
  const { id, reference } = await link(gateway);
  await tell(gateway, "expired", id, reference);
  await eventually(() => isListed(gateway, id, "limit=100&status=expired"));
  const { status } = await access(gateway, id, { method: "HEAD", path: SELF });
  assert.ok(status === 200 || status === 404, `${status}`);
  assert.equal((await recordOf(gateway, id)).status, "expired");
});

test("a success under the raw proxy lifts nothing, since OnlyFans answers some calls without a session", async () => {
  const { id, reference } = await link(told);
  await tell(told, "expired", id, reference);
  const { updatedAt } = await recordOf(told, id);
  for (const path of ["/v2/access/proxy/api2/v2/init", "/v2/access/%70roxy/self", "/v2/access/PROXY/x", "/v2/access/proxy"]) {
    upstream.say({ status: 200, body: '{"isAuth":true}' });
    assert.equal((await access(told, id, { path })).status, 200);
    const record = await recordOf(told, id);
    assert.deepEqual([record.status, record.updatedAt], ["expired", updatedAt], path);
  }
});

test("/self in another spelling, which some servers accept, is /self", async () => {
  const { id, reference } = await link(told);
  await tell(told, "expired", id, reference);
  for (const path of ["/v2/access/Self", "/v2/access/self/", "/v2/access/self;x=1"]) {
    for (const body of ['{"isAuth":false}', "no JSON"]) {
      upstream.say({ status: 200, body });
      assert.equal((await access(told, id, { path })).status, 200);
      assert.equal((await recordOf(told, id)).status, "expired", `${path} ${body}`);
    }
  }
});

test("isAuth false means something on /self alone, and only in so many words", async () => {
  const { id } = await link(told);
  const odd = ['{"isAuth":"false"}', '{"isAuth":null}', '{"a":{"isAuth":false}}', "{}", "", "no JSON"];
  for (const [path, body] of [[PATH, '{"isAuth":false}'], ...odd.map((body) => [SELF, body])]) {
    upstream.say({ status: 200, body });
    const answer = await access(told, id, { path });
    assert.deepEqual([answer.status, answer.text], [200, body]);
    assert.equal((await recordOf(told, id)).status, "active", `${path} ${body}`);
  }
});

test("a refusal of a call that started before a reconnect changes nothing; one of a later call does", async () => {
  for (const known of ["active", "expired"]) {
    const { id, reference } = await link(told);
    if (known === "expired") await tell(told, "expired", id, reference);
    const held = upstream.hold({ status: 401, body: '{"type":"SESSION_EXPIRED"}' });
    const answered = access(told, id);
    await held.asked;
    await tell(told, "updated", id, reference);
    held.release();
    const answer = await answered;
    assert.deepEqual([answer.status, answer.json().actionRequired], [401, RELINK]);
    assert.deepEqual(await statusOf(told, id), ["active", null], known);
    upstream.say({ status: 401, body: '{"type":"SESSION_EXPIRED"}' });
    await eventually(async () => {
      await access(told, id); // KV may still say expired
      return (await recordOf(told, id)).status === "expired";
    });
  }
});

test("a success of a call that started before the connection expired lifts nothing", async () => {
  for (const known of ["active", "expired"]) {
    const { id, reference } = await link(told);
    if (known === "expired") await tell(told, "expired", id, reference);
    const held = upstream.hold({ status: 200, body: "{}" });
    const answered = access(told, id);
    await held.asked;
    await tell(told, "expired", id, reference);
    held.release();
    assert.equal((await answered).status, 200);
    assert.equal((await recordOf(told, id)).status, "expired", known);
  }
});

test("disconnected is never lifted, nor made expired, by a call that was under way", async () => {
  for (const known of ["active", "expired"]) {
    for (const reply of [{ status: 200, body: "{}" }, { status: 401, body: '{"type":"SESSION_EXPIRED"}' }]) {
      const { id, reference } = await link(told);
      if (known === "expired") await tell(told, "expired", id, reference);
      const held = upstream.hold(reply);
      const answered = access(told, id);
      await held.asked;
      await tell(told, "disconnected", id, reference);
      held.release();
      assert.equal((await answered).status, reply.status);
      assert.equal((await recordOf(told, id)).status, "disconnected", `${known}, ${reply.status}`);
      await eventually(() => isListed(told, id, "limit=100&status=disconnected"));
      const asked = upstream.count();
      assert.equal((await access(told, id)).status, 404);
      assert.equal(upstream.count(), asked);
    }
  }
});

test("what counts is the record, not what KV still says of it", async () => {
  const { id, reference, handle } = await link(gateway);
  await tell(gateway, "expired", id, reference);
  await eventually(() => isListed(gateway, id, "limit=100&status=expired"));
  await gateway.fail({ read: "stale" });
  try {
    await tell(gateway, "updated", id, reference);
    assert.equal((await recordOf(gateway, id)).status, "active");
    emulator.fault({ kind: "refuse", type: "SESSION_EXPIRED", times: 1 });
    assert.equal((await access(gateway, handle)).status, 401);
    assert.equal((await recordOf(gateway, id)).status, "expired", "KV said expired, and it was so again");
  } finally {
    await gateway.fail({});
  }
});
