// A connection ended or invalidated from here: 1. servers name it by handle or id, the console and sessions by handle, and
// only a server is told an id, 2. a session needs the permission and sees its own only, 3. a delete may be repeated and is
// final, 4. what OFAuth refuses passes back and marks nothing, 5. an id that nobody here knows, 6. what is invalidated is
// expired at once, 7. methods and spellings. With storage failing, and several at once: manage-faults.test.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { consoleOf, eventually, introduce, listAll, open, refusal, sessionOf } from "./harness.mjs";
import { startManaged, USER, WRITE } from "./managed.mjs";

const { gateway, emulator, link, newLink, recordOf, seenBy, recorded, asked } = await startManaged(32);

describe("with all in order", { concurrency: true }, () => {
  for (const [what, method, under, status, words] of [
    ["deleted", "DELETE", "", "disconnected", "has been successfully deleted"],
    ["invalidated", "POST", "/invalidate", "expired", "has been invalidated"],
  ]) {
    test(`a connection is ${what} by handle and by id, by servers, sessions and the console`, async () => {
      const console = await consoleOf(gateway);
      const check = async ([caller, call, byId]) => {
        const { id, handle } = link();
        const answer = await call(method, `/edge/connections/${byId ? id : handle}${under}`);
        const named = call === gateway.call ? id : handle;
        const expected = { success: true, message: `Connection ${named} ${words}` };
        assert.deepEqual([answer.status, answer.json()], [200, expected], caller);
        assert.equal(answer.headers["x-ofauth-edge"], "gateway", caller);
        assert.deepEqual(asked(id), [[method, `/v2/account/connections/${id}${under}`]], caller);
        const [{ bodyLength, headers }] = recorded(id);
        assert.deepEqual([bodyLength, "x-connection-id" in headers], [0, false], caller);
        assert.equal((await recordOf(id)).status, status, caller);
        assert.equal((await seenBy(USER, handle)).status, status, `${caller}: in the hub, at once`);
        await eventually(async () => {
          const listed = (await listAll(gateway)).find((record) => record.id === id);
          assert.equal(listed.status, status, `${caller}: in KV, soon`);
        });
      };
      const callers = [
        ["a server by id", gateway.call, true],
        ["a server by handle", gateway.call, false],
        ["a session", sessionOf(gateway, { permissions: WRITE }), false],
        ["the console", console, false],
      ];
      await Promise.all(callers.map(check));
    });

    test(`for a session without the permission, or of another user, no connection is ${what}`, async () => {
      const { id, handle } = link();
      const [theirs, others] = [link(), await newLink("user_other")];
      const path = (name) => `/edge/connections/${name}${under}`;
      const near = ["access:any", "connections:link", "connections:read", "connections:*"];
      for (const permissions of [undefined, [], ...near.map((one) => [one])]) {
        for (const name of [handle, id, others.handle, `conn_nobody_${what}`]) {
          const answer = await sessionOf(gateway, { permissions })(method, path(name));
          assert.deepEqual(refusal(answer), [403, "PERMISSION_DENIED"], `${permissions}, ${name}`);
        }
      }
      const session = sessionOf(gateway, { permissions: WRITE });
      const bound = sessionOf(gateway, { permissions: WRITE, connection: theirs.handle });
      const nobody = [`conn_nobody_${what}`, `acct_${"0".repeat(32)}`, handle.toUpperCase()];
      const strangers = [id, others.handle, others.id, ...nobody];
      const tries = [...strangers.map((name) => [session, name]), [bound, handle]];
      for (const [call, name] of tries) {
        const answer = await call(method, path(name));
        assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], name);
        assert.equal(answer.json().actionRequired, "relink_connection");
        assert.ok(!answer.text.includes("conn_"), answer.text);
      }
      const console = await consoleOf(gateway);
      for (const name of [id, `conn_nobody_${what}`]) {
        assert.deepEqual(refusal(await console(method, path(name))), [404, "CONNECTION_NOT_FOUND"], "the console by id");
      }
      assert.deepEqual(refusal(await gateway.send(method, path(handle))), [401, "CREDENTIALS_MISSING"]);
      for (const one of [id, theirs.id, others.id]) assert.equal((await recordOf(one)).status, "active");
      for (const one of [id, theirs.id, others.id, `conn_nobody_${what}`]) assert.deepEqual(asked(one), []);
    });

    test(`a redirect passes back to a server, to nobody else, and nothing is ${what}`, async () => {
      const { id, handle } = link();
      for (const [call, expected] of [[gateway.call, 302], [sessionOf(gateway, { permissions: WRITE }), 502]]) {
        emulator.fault({ kind: "redirect", to: "http://127.0.0.1:9/", times: 1, match: { path: `/v2/account/connections/${id}` } });
        const { status, headers } = await call(method, `/edge/connections/${handle}${under}`);
        assert.deepEqual([status, "location" in headers], [expected, expected === 302]);
      }
      assert.equal((await recordOf(id)).status, "active");
    });

    test(`a call that OFAuth does not grant passes back, and nothing is ${what}`, async () => {
      const { id, handle } = link();
      const session = sessionOf(gateway, { permissions: WRITE });
      for (const [rule, status, type, verdict] of [
        [{ kind: "status", code: 500 }, 500, "UNKNOWN_ERROR", "retry"],
        [{ kind: "status", code: 502 }, 502, "PROXY_ERROR", "retry"],
        [{ kind: "status", code: 503, body: "html" }, 503, undefined, "retry"],
        [{ kind: "status", code: 502, body: "empty" }, 502, undefined, "retry"],
        [{ kind: "status", code: 403 }, 403, "FORBIDDEN", "give_up"],
        [{ kind: "refuse", type: "UNAUTHORIZED" }, 401, "UNAUTHORIZED", "operator"],
        [{ kind: "refuse", type: "RULES_OUTDATED" }, 401, "RULES_OUTDATED", "retry"],
        [{ kind: "limit", retryAfter: 1 }, 429, "RATE_LIMIT_EXCEEDED", "retry"],
        [{ kind: "drop" }, 502, "UPSTREAM_UNREACHABLE", "retry"],
      ]) {
        for (const call of [gateway.call, session]) {
          const before = asked(id).length;
          emulator.fault({ ...rule, times: 1, match: { path: `/v2/account/connections/${id}` } });
          const answer = await call(method, `/edge/connections/${handle}${under}`);
          const shown = `${JSON.stringify(rule)}: ${answer.text}`;
          assert.equal(answer.status, status, shown);
          if (type) assert.equal(answer.json().type, type, shown);
          assert.equal(answer.headers["x-ofauth-edge-action"], verdict, shown);
          assert.equal(answer.headers["x-ofauth-edge"], rule.kind === "drop" ? "gateway" : "upstream", shown);
          assert.ok(call === gateway.call || !answer.text.includes(id), shown);
          assert.equal(asked(id).length, before + 1, `it is sent exactly once: ${shown}`);
          assert.equal((await recordOf(id)).status, "active", shown);
          assert.equal((await seenBy(USER, handle)).status, "active", shown);
        }
      }
    });
  }

  test("a delete may be repeated, and succeeds if OFAuth does not know the connection any more", async () => {
    const { id, handle } = link();
    const session = sessionOf(gateway, { permissions: WRITE });
    for (const [call, name] of [[gateway.call, id], [session, handle], [gateway.call, handle]]) {
      const answer = await call("DELETE", `/edge/connections/${name}`);
      assert.deepEqual([answer.status, answer.json().success], [200, true], answer.text);
      assert.equal((await recordOf(id)).status, "disconnected");
    }
    const gone = link();
    emulator.connections.remove(gone.id);
    const answer = await session("DELETE", `/edge/connections/${gone.handle}`);
    assert.deepEqual([answer.status, answer.json().success], [200, true], "gone at OFAuth before");
    assert.equal((await recordOf(gone.id)).status, "disconnected");
  });

  test("a delete is final: no webhook, no answer under way and no import brings the connection back", async () => {
    const { id, handle } = await newLink(USER, "expired");
    emulator.connections.put({ id, status: "active" });
    emulator.fault({ kind: "slowBody", ms: 500, times: 1, match: { path: "/v2/access/self", connection: id } });
    const underWay = gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
    const began = ({ path, headers }) => path === "/v2/access/self" && headers["x-connection-id"] === id;
    await eventually(() => emulator.requests.some(began), { every: 5 });
    assert.equal((await gateway.call("DELETE", `/edge/connections/${handle}`)).status, 200);
    assert.equal((await underWay).status, 200);

    const timestamp = new Date(Date.now() + 5_000).toISOString();
    const tell = async (type) => {
      const late = connectionEvent(`connection.${type}`, { id, clientReferenceId: USER, status: "active", timestamp });
      assert.equal((await gateway.deliver(late)).status, 200, type);
    };
    await Promise.all(["created", "updated", "expired"].map(tell));
    emulator.connections.put({ id, imported: true, userData: { id: "77" } });
    const body = JSON.stringify({ cookie: `auth_id=77; sess=sess-${id}; fp=1`, userAgent: "Agent" });
    const headers = { "content-type": "application/json" };
    const imported = await gateway.call("PATCH", `/v2/account/connections/import/${id}`, { headers, body });
    assert.equal(imported.status, 200, imported.text);

    assert.equal((await recordOf(id)).status, "disconnected");
    assert.equal((await seenBy(USER, handle)).status, "disconnected");
    const session = sessionOf(gateway, { permissions: ["profile:read"] });
    for (const [call, name] of [[gateway.call, id], [gateway.call, handle], [session, handle]]) {
      await eventually(async () => {
        const answer = await call("GET", "/v2/access/self", { headers: { "x-connection-id": name } });
        assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], name);
      });
    }
  });

  test("an unknown id is passed to OFAuth, and kept only if OFAuth has deleted it", async () => {
    for (const [method, under] of [["DELETE", ""], ["POST", "/invalidate"]]) {
      const answer = await gateway.call(method, `/edge/connections/conn_unheard${under}`);
      assert.equal(answer.status, 404, answer.text);
      if (method === "DELETE") assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"]);
      assert.ok(!answer.text.includes("conn_unheard"), answer.text);
    }
    emulator.fault({ kind: "status", code: 502, times: 1, match: { path: "/v2/account/connections/conn_unheard" } });
    assert.equal((await gateway.call("DELETE", "/edge/connections/conn_unheard")).status, 502);
    assert.equal((await gateway.call("GET", "/edge/connections/conn_unheard")).status, 404);
    assert.ok((await listAll(gateway)).every(({ id }) => id !== "conn_unheard"));

    emulator.connections.put({ id: "conn_only_there" });
    const answer = await gateway.call("DELETE", "/edge/connections/conn_only_there");
    assert.deepEqual([answer.status, answer.json().success], [200, true], answer.text);
    assert.equal((await recordOf("conn_only_there")).status, "disconnected");
    const late = connectionEvent("connection.updated", { id: "conn_only_there", clientReferenceId: USER });
    await gateway.deliver(late);
    assert.equal((await recordOf("conn_only_there")).status, "disconnected");
  });

  test("an unknown handle is not found, and OFAuth is not asked", async () => {
    const bytes = ["%ff", "conn_a%2Cb", "conn_a%20b", "conn_%00", "conn_a%7fb"];
    const names = [`acct_${"0".repeat(32)}`, ...bytes, "x".repeat(5_000)];
    for (const name of names) {
      for (const [method, under] of [["DELETE", ""], ["POST", "/invalidate"], ["GET", "/health"], ["GET", "/events"]]) {
        const answer = await gateway.call(method, `/edge/connections/${name}${under}`);
        assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], `${method} ${name}${under}`);
      }
      assert.deepEqual(asked(name), [], name);
    }
  });

  for (const [method, base, under, status] of [
    ["DELETE", "/edge/connections", "", "disconnected"],
    ["POST", "/edge/connections", "/invalidate", "expired"],
    ["DELETE", "/v2/account/connections", "", "disconnected"],
    ["POST", "/v2/account/connections", "/invalidate", "expired"],
  ]) {
    test(`a caller that goes away half-way does not stop what OFAuth has begun: ${method} ${base}`, async () => {
      const { id, handle } = link();
      emulator.fault({ kind: "slow", ms: 600, times: 1, match: { path: `/v2/account/connections/${id}${under}` } });
      const leaving = open(gateway.port, method, `${base}/${handle}${under}`, { apikey: gateway.vars.GATEWAY_KEY });
      leaving.on("error", () => {}).end();
      await eventually(() => asked(id).length === 1, { every: 5 });
      leaving.socket.resetAndDestroy();
      await eventually(async () => assert.equal((await recordOf(id)).status, status), { within: 5_000 });
    });
  }

  test("an invalidated connection can be linked again, and is active then", async () => {
    const { id, handle } = link();
    assert.equal((await gateway.call("POST", `/edge/connections/${handle}/invalidate`)).status, 200);
    const { status, expiredAt, updatedAt } = await recordOf(id);
    assert.deepEqual([status, expiredAt], ["expired", updatedAt]);
    assert.equal((await gateway.call("POST", `/edge/connections/${handle}/invalidate`)).status, 200, "again");
    await sleep(5);
    await gateway.deliver(connectionEvent("connection.updated", { id, clientReferenceId: USER }));
    assert.equal((await recordOf(id)).status, "active");
  });

  test("an invalidation does not make a disconnected connection expired", async () => {
    const { id, handle } = link();
    assert.equal((await gateway.call("DELETE", `/edge/connections/${handle}`)).status, 200);
    emulator.connections.put({ id, status: "active" });
    await gateway.call("POST", `/edge/connections/${handle}/invalidate`);
    assert.equal((await recordOf(id)).status, "disconnected");
  });

  test("other methods are a 405 that names the right ones", async () => {
    const { id, handle } = link();
    for (const name of [handle, id]) {
      for (const [under, allow, methods] of [
        ["", "GET, HEAD, DELETE", ["PUT", "POST", "PATCH"]],
        ["/invalidate", "POST", ["GET", "HEAD", "PUT", "DELETE", "PATCH"]],
        ["/health", "GET, HEAD", ["POST", "PUT", "DELETE"]],
        ["/events", "GET, HEAD", ["POST", "PUT", "DELETE"]],
      ]) {
        for (const method of methods) {
          const answer = await gateway.call(method, `/edge/connections/${name}${under}`);
          assert.deepEqual([answer.status, answer.headers.allow], [405, allow], `${method} ${under}`);
          if (method !== "HEAD") assert.deepEqual(refusal(answer), [405, "METHOD_NOT_ALLOWED"]);
        }
      }
    }
    assert.deepEqual(asked(id), []);
    assert.equal((await recordOf(id)).status, "active");
  });

  test("a segment is decoded once, and a path with an empty segment or one too many is no route", async () => {
    const { id } = link();
    for (const rest of ["", "/", `${id}/`, `/${id}`]) {
      assert.deepEqual(refusal(await gateway.call("DELETE", `/edge/connections/${rest}`)), [404, "ROUTE_NOT_FOUND"], rest);
    }
    for (const twice of [id.replace("_", "%255F"), `%2563onn${id.slice(4)}`]) {
      assert.deepEqual(refusal(await gateway.call("DELETE", `/edge/connections/${twice}`)), [404, "CONNECTION_NOT_FOUND"]);
    }
    assert.equal((await recordOf(id)).status, "active");
    assert.equal((await gateway.call("DELETE", `/edge/connections/${id.replace("_", "%5F")}`)).status, 200);
    assert.equal((await recordOf(id)).status, "disconnected");
    assert.ok(asked(id).some(([, path]) => path === `/v2/account/connections/${id}`));
  });

  test("an id with special characters goes to OFAuth escaped", async () => {
    const id = "conn:a=b&c+d'e";
    const handle = await introduce(gateway, id);
    assert.equal((await gateway.call("DELETE", `/edge/connections/${handle}`)).status, 200);
    const paths = asked(encodeURIComponent("conn:a=b&c+d")).map(([, path]) => decodeURIComponent(path));
    assert.deepEqual(paths, [`/v2/account/connections/${id}`]);
    assert.equal((await recordOf(id)).status, "disconnected");
  });
});
