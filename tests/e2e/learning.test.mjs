// What an answer shows of its connection: 1. a success lifts a wrong mark, and nothing else does, 2. what /self says of
// itself, 3. the call's start is what counts, 4. the record is what counts, not what KV says of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually } from "./harness.mjs";
import { access, isListed, LIMIT, link, PATH, recordOf, SELF, startBoth, statusOf, tell } from "./shown.mjs";

const RELINK = "relink_connection";

const { gateway, emulator, upstream, told } = await startBoth();

test("a successful call makes a wrongly expired connection active again, in every view", async () => {
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

test("an error, a redirect or a missing answer makes no connection active", async () => {
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

test("an answer of /self over 64 KB passes whole, and changes no record", async () => {
  const { id } = await link(told);
  const body = JSON.stringify({ isAuth: false, pad: "x".repeat(20 * LIMIT) });
  for (const chunked of [false, true]) {
    upstream.say({ status: 200, body, chunked });
    const answer = await access(told, id, { path: SELF });
    assert.ok(answer.text === body, `${answer.body.length} bytes`);
    assert.equal((await recordOf(told, id)).status, "active");
  }
});

test("an answer of /self with isAuth false passes unchanged, and marks the connection as expired", async () => {
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

test("a HEAD of /self changes no record, because it answers 200 for a dead session too", async () => {
  const { id, reference } = await link(gateway);
  await tell(gateway, "expired", id, reference);
  await eventually(() => isListed(gateway, id, "limit=100&status=expired"));
  const { status } = await access(gateway, id, { method: "HEAD", path: SELF });
  assert.ok(status === 200 || status === 404, `${status}`);
  assert.equal((await recordOf(gateway, id)).status, "expired");
});

test("a success under the raw proxy changes no record, because OnlyFans answers some calls without a session", async () => {
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

test("another spelling of /self, which some servers accept, is /self too", async () => {
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

test("isAuth counts on /self alone, and only if it is false", async () => {
  const { id } = await link(told);
  const odd = ['{"isAuth":"false"}', '{"isAuth":null}', '{"a":{"isAuth":false}}', "{}", "", "no JSON"];
  for (const [path, body] of [[PATH, '{"isAuth":false}'], ...odd.map((body) => [SELF, body])]) {
    upstream.say({ status: 200, body });
    const answer = await access(told, id, { path });
    assert.deepEqual([answer.status, answer.text], [200, body]);
    assert.equal((await recordOf(told, id)).status, "active", `${path} ${body}`);
  }
});

test("a refusal counts only if its call started after the last reconnect", async () => {
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

test("a success counts only if its call started after the connection expired", async () => {
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

test("a call that was under way does not change a disconnected connection", async () => {
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

test("a call is compared with the record, not with an old copy in KV", async () => {
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
