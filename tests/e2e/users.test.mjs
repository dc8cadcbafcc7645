// DELETE /edge/users/{clientReferenceId}: 1. servers only, 2. the user's connections are gone at OFAuth and here, with all
// that was kept of them, 3. what comes late is acknowledged and not kept, 4. nobody else loses anything, 5. it may be
// repeated, and goes on where it was stopped, 6. references of all kinds. With storage failing, and several at once:
// users-faults.test.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { accountOf } from "../emulator/account.mjs";
import { connectionEvent, realtimeEvent, rulesEvent, sdkEvent } from "../emulator/events.mjs";
import { slowTest } from "../full.mjs";
import { consoleOf, introduce, refusal, sessionOf } from "./harness.mjs";
import { leaksIn } from "./leaks.mjs";
import { DONE, RETURN, startUsers } from "./users.mjs";

const { gateway, emulator, newUser, path, asked, assertGone, countOfHub, everythingShown } = await startUsers();
/** Made early, because a change waits a second for the put before it. */
const early = await newUser(["active"]);

describe("with all in order", { concurrency: true }, () => {
  test("only a server may delete a user, and only with DELETE", async () => {
    const { user, ids } = await newUser(["active"]);
    const sessions = [{ sub: user }, { sub: user, permissions: ["connections:write", "access:any"] }];
    const callers = [...sessions.map((claims) => sessionOf(gateway, claims)), await consoleOf(gateway)];
    for (const call of callers) assert.deepEqual(refusal(await call("DELETE", path(user))), [403, "PERMISSION_DENIED"]);
    assert.deepEqual(refusal(await gateway.send("DELETE", path(user))), [401, "CREDENTIALS_MISSING"]);
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH"]) {
      const answer = await gateway.call(method, path(user));
      assert.deepEqual([answer.status, answer.headers.allow], [405, "DELETE"], method);
    }
    const more = [`${path(user)}/`, `${path(user)}/connections`];
    for (const rest of ["/edge/users", "/edge/users/", `/edge/users//${user}`, ...more]) {
      assert.deepEqual(refusal(await gateway.call("DELETE", rest)), [404, "ROUTE_NOT_FOUND"], rest);
    }
    assert.deepEqual(asked(ids[0]), []);
    assert.equal((await gateway.call("GET", `/edge/connections/${ids[0]}`)).json().status, "active");
  });

  test("nothing of a deleted user is left at OFAuth, in KV, hub and ledger, and among kept events", async () => {
    const { user, ids, handles } = await newUser(["active", "expired", "awaiting_2fa", "disconnected"]);
    const kept = [
      realtimeEvent("chatMessage", { id: ids[0], clientReferenceId: user }),
      realtimeEvent("typing", { id: ids[1], clientReferenceId: user, type: "realtime.typing" }),
      { type: "odd.user", data: { clientReferenceId: user, name: accountOf(ids[0]).name } },
      { type: "connection.archived", data: { clientReferenceId: user, connection: { id: ids[0] } } },
      { type: "connection.updated", data: { clientReferenceId: user, connection: { id: `${ids[0]},` } } },
    ];
    for (const event of kept) assert.equal((await gateway.deliver(event)).outcome, "kept", JSON.stringify(event));
    const others = await gateway.deliver(realtimeEvent("chatMessage", { id: "conn_x", clientReferenceId: `${user}x` }));
    assert.equal(others.outcome, "kept");
    const people = ids.slice(0, 3).flatMap((id) => [accountOf(id).username, String(accountOf(id).id)]);
    const own = [user, ...ids, ...handles, ...people];
    const before = await everythingShown();
    for (const word of own) assert.ok(before.includes(word), word);

    const answer = await gateway.call("DELETE", path(user));
    assert.deepEqual([answer.status, answer.json()], [200, { success: true, message: DONE, deleted: 4 }]);
    assert.equal(answer.headers["x-ofauth-edge"], "gateway");
    const once = [["DELETE", 200]];
    assert.deepEqual(ids.map(asked), [once, once, once, []], "what is gone already is not deleted again");
    assert.ok(ids.every((id) => !emulator.connections.get(id)));
    await assertGone(user, ids, handles);
    const shown = (await everythingShown()).replaceAll(`${user}x`, "");
    assert.deepEqual(leaksIn(shown, own), []);
    const { list } = (await gateway.call("GET", "/edge/events?limit=100")).json();
    assert.ok(list.some(({ body }) => body.includes(`${user}x`)), "another's stay");
  });

  test("a Link session under way is deleted, and its callback says nothing and asks OFAuth nothing", async () => {
    const come = (user, id) => {
      const query = new URLSearchParams({ status: "success", connection_id: id, client_reference_id: user });
      return gateway.send("GET", `/link/callback?${query}`);
    };
    const { user, ids } = await newUser(["active"]);
    const other = await newUser(["active"]);
    for (const clientReferenceId of [user, other.user]) {
      const body = JSON.stringify({ clientReferenceId, redirectUrl: RETURN, connectionId: null });
      const headers = { "content-type": "application/json" };
      assert.equal((await gateway.call("POST", "/v2/link/init", { headers, body })).status, 200);
    }
    assert.equal((await gateway.call("DELETE", path(user))).status, 200);
    const [gone, there] = [await come(user, ids[0]), await come(other.user, other.ids[0])];
    assert.deepEqual([gone.status, new URL(gone.headers.location).searchParams.get("status")], [303, "unknown"]);
    assert.deepEqual([there.status, new URL(there.headers.location).searchParams.get("status")], [303, "success"]);
  });

  test("late webhooks about a deleted connection are acknowledged, and bring back neither it nor its user", async () => {
    const { user, ids, handles } = await newUser(["active", "expired"]);
    assert.equal((await gateway.call("DELETE", path(user))).json().deleted, 2);
    await assertGone(user, ids, handles);
    const tell = async (event) => {
      const answer = await gateway.deliver(event);
      assert.deepEqual([answer.status, answer.outcome], [200, "stale"], JSON.stringify(event));
    };
    for (const id of ids) {
      for (const type of ["created", "updated", "expired", "disconnected"]) {
        for (const timestamp of [new Date().toISOString(), new Date(Date.now() + 60_000).toISOString()]) {
          await tell(connectionEvent(`connection.${type}`, { id, clientReferenceId: user, timestamp, status: "active" }));
          await tell(connectionEvent(`connection.${type}`, { id, clientReferenceId: `${user}_next`, timestamp }));
        }
        await tell(sdkEvent(`connection.${type}`, { id, clientReferenceId: user }));
      }
    }
    await assertGone(user, ids, handles);
    assert.equal(await countOfHub(`${user}_next`), 0, "nor another user's");
    for (const id of ids) {
      emulator.connections.put({ id });
      const access = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
      assert.equal(access.status, 200, "an id that is not known goes up");
      for (const [method, under] of [["POST", "/invalidate"], ["DELETE", ""]]) {
        assert.equal((await gateway.call(method, `/edge/connections/${id}${under}`)).status, 200);
        assert.equal((await gateway.call("GET", `/edge/connections/${id}`)).status, 404);
      }
    }
    await assertGone(user, ids, handles);
  });

  test("other users keep all they have, also one with a similar reference, and one who had the connection before", async () => {
    const { user, ids } = await newUser(["active", "active"]);
    const names = [`${user}2`, user.toUpperCase(), ` ${user}`, `${user} `, user.slice(0, -1), `${user}/x`];
    const others = names.map((name, index) => [name, `conn_neighbour_${index}`]);
    for (const [name, id] of others) {
      await introduce(gateway, id, { user: name });
      await gateway.deliver(realtimeEvent("typing", { id, clientReferenceId: name }));
    }
    const [moved, heir] = [ids[1], `${user}_heir`];
    await gateway.deliver(connectionEvent("connection.updated", { id: moved, clientReferenceId: heir }));
    const look = async () => {
      const records = [...others, [heir, moved]].map(([, id]) => gateway.call("GET", `/edge/connections/${id}`));
      const lists = [...others, [heir]].map(([sub]) => sessionOf(gateway, { sub })("GET", "/edge/connections"));
      const { list } = (await gateway.call("GET", "/edge/events?limit=100")).json();
      const events = list.filter(({ body }) => others.some(([, id]) => body.includes(id)));
      const shown = (await Promise.all([...records, ...lists])).map((answer) => answer.json());
      assert.equal(events.length, others.length);
      return [...shown, events];
    };
    const before = await look();
    assert.equal((await gateway.call("DELETE", path(user))).json().deleted, 1);
    assert.deepEqual(await look(), before);
    assert.deepEqual(asked(moved), []);
  });

  test("a deletion may be repeated, and an unknown user counts as deleted", async () => {
    const { user, ids, handles } = await newUser(["active"]);
    for (const deleted of [1, 0, 0]) {
      const answer = await gateway.call("DELETE", path(user));
      assert.deepEqual([answer.status, answer.json()], [200, { success: true, message: DONE, deleted }]);
    }
    assert.equal(asked(ids[0]).length, 1);
    await assertGone(user, ids, handles);
    const nobody = await gateway.call("DELETE", path("user_nobody"));
    assert.deepEqual(nobody.json(), { success: true, message: DONE, deleted: 0 });
  });

  test("if OFAuth refuses one of several connections, the others are deleted, it is named, and repeated it succeeds", async () => {
    const check = async ([rule, status, type]) => {
      const { user, ids, handles } = await newUser(["active", "active", "active"]);
      const [stuck] = ids.slice(1);
      emulator.fault({ ...rule, times: 1, match: { method: "DELETE", path: `/v2/account/connections/${stuck}` } });
      const failed = await gateway.call("DELETE", path(user));
      const shown = `${JSON.stringify(rule)}: ${failed.text}`;
      assert.equal(failed.status, status, shown);
      if (type) assert.equal(failed.json().type, type, shown);
      const { deleted, failed: named, requestId, ...body } = failed.json();
      assert.deepEqual([body.message, body.code], [body.error, body.type], "OFAuth's SDKs read only these two");
      assert.deepEqual([deleted, named, requestId], [2, [handles[1]], failed.headers["x-request-id"]], shown);
      await assertGone(undefined, [ids[0], ids[2]], [handles[0], handles[2]]);
      const left = (await gateway.call("GET", `/edge/connections?clientReferenceId=${user}`)).json().list;
      assert.ok(left.some(({ id, status: is }) => id === stuck && is === "active"), shown);
      const done = await gateway.call("DELETE", path(user));
      assert.deepEqual([done.status, done.json().deleted], [200, left.length], shown);
      assert.deepEqual(ids.map((id) => asked(id).length).toSorted(), [1, 1, 2], shown);
      await assertGone(user, ids, handles);
    };
    await Promise.all([
      [{ kind: "status", code: 500 }, 500, "UNKNOWN_ERROR"],
      [{ kind: "status", code: 502, body: "html" }, 502],
      [{ kind: "limit", retryAfter: 1 }, 429, "RATE_LIMIT_EXCEEDED"],
      [{ kind: "refuse", type: "UNAUTHORIZED" }, 401, "UNAUTHORIZED"],
      [{ kind: "drop" }, 502, "UPSTREAM_UNREACHABLE"],
    ].map(check));
  });

  test("a connection that OFAuth does not know any more does not stop the deletion", async () => {
    const { user, ids, handles } = await newUser(["active", "active"]);
    emulator.connections.remove(ids[0]);
    assert.equal((await gateway.call("DELETE", path(user))).json().deleted, 2);
    await assertGone(user, ids, handles);
  });

  test("references with any characters are decoded once, and what is no reference is refused", async () => {
    const bytes = ["a?b#c", "\\", "'\"<>", "a\nb\u0000", "+", "x".repeat(4_096)];
    const odd = ["a/b", "a b", "é 🎉", "%2F", "a%2Fb", "..", ".", ...bytes];
    const check = async (user) => {
      const [mine] = (await newUser(["active"], user)).ids;
      const answer = await gateway.call("DELETE", path(user));
      assert.deepEqual([answer.status, answer.json().deleted], [200, 1], user);
      assert.equal((await gateway.call("GET", `/edge/connections/${mine}`)).status, 404, user);
    };
    await Promise.all(odd.map(check));
    for (const none of ["%ff", "%C3", "x".repeat(4_097)]) {
      assert.deepEqual(refusal(await gateway.call("DELETE", `/edge/users/${none}`)), [400, "BAD_REQUEST"], none);
    }
  });
});

slowTest("the user's events are found among more than one page of KV's list", async () => {
  const { user, ids } = early;
  const kv = await gateway.kv();
  const timestamp = "2020-01-01T00:00:00.000Z";
  await gateway.deliver(realtimeEvent("typing", { id: ids[0], clientReferenceId: user, timestamp }));
  const oldest = (await kv.list({ prefix: "event:" })).keys.at(-1);
  const { value, metadata } = await kv.getWithMetadata(oldest.name, "arrayBuffer");
  const others = { ...metadata, reference: "another's", handle: "another" };
  const newer = Array.from({ length: 1_000 }, (_, index) => `event:8000000000000:copy${index}`);
  await Promise.all(newer.map((key) => kv.put(key, value, { metadata: others })));
  assert.equal((await kv.list({ prefix: "event:" })).list_complete, false);
  assert.equal((await gateway.call("DELETE", path(user))).status, 200);
  assert.equal(await kv.get(oldest.name), null);
  assert.equal((await kv.list({ prefix: "event:8000000000000:" })).keys.length, 1_000, "and nobody else's");
});

assert.equal((await gateway.deliver(rulesEvent())).outcome, "kept");
