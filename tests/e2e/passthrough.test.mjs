// What servers do to connections by OFAuth's own routes reaches the ledger: 1. delete and invalidate, if OFAuth granted
// them, 2. imports, new and renewed, 3. and nothing else does. 4. With the ledger failing. 5. The raw session of an import
// passes through and is nowhere afterwards.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { eventually, introduce, listAll, refusal, sessionOf, startGateway } from "./harness.mjs";
import { leaksIn, leaksOf } from "./leaks.mjs";

const USER = "user_456";
const OURS = "/v2/account/connections";
const OLD = "/v2/connections";

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
const { emulator } = gateway;
let count = 0;
/** What each raw session was made of, and every answer to an import. */
const secrets = [];
const answers = [];

describe("with all in order", { concurrency: true }, () => {
  for (const [what, method, under, status] of [
    ["deleted", "DELETE", "", "disconnected"],
    ["invalidated", "POST", "/invalidate", "expired"],
  ]) {
    test(`a connection that is ${what} by OFAuth's own route changes at once in the hub, and soon in KV`, async () => {
      const check = async ([base, by]) => {
        const { id, handle } = await link();
        const answer = await gateway.call(method, `${base}/${by === "id" ? id : handle}${under}?a=b`);
        const words = what === "deleted" ? "has been successfully deleted" : "has been invalidated";
        assert.deepEqual(answer.json(), { success: true, message: `Connection ${id} ${words}` }, "OFAuth's own answer");
        assert.equal(answer.headers["x-ofauth-edge"], "upstream");
        assert.equal((await recordOf(id)).status, status, `${base} by ${by}`);
        assert.equal((await seenBy(USER, handle)).status, status);
        await eventually(async () => assert.equal((await listed(id)).status, status));
        const { list } = (await gateway.call("GET", `/edge/connections/${id}/events`)).json();
        assert.equal(list[0].type, `edge.${what}`);
      };
      await Promise.all([[OURS, "id"], [OURS, "handle"], [OLD, "id"], [OLD, "handle"]].map(check));
    });

    test(`a connection stays as it was if OFAuth does not let it be ${what}`, async () => {
      const { id, handle } = await link();
      for (const rule of [
        { kind: "status", code: 500 },
        { kind: "status", code: 502, body: "html" },
        { kind: "refuse", type: "UNAUTHORIZED" },
        { kind: "limit", retryAfter: 1 },
        { kind: "redirect", to: "http://127.0.0.1:9/" },
        { kind: "drop" },
      ]) {
        emulator.fault({ ...rule, times: 1, match: { path: `${OURS}/${id}` } });
        const answer = await gateway.call(method, `${OURS}/${handle}${under}`);
        assert.ok(answer.status >= 300, answer.text);
        assert.equal((await recordOf(id)).status, "active", JSON.stringify(rule));
      }
      assert.equal((await listed(id)).status, "active");
    });
  }

  test("a delete of a connection that OFAuth does not know any more counts, unless the gateway does not know it either", async () => {
    const { id, handle } = await link();
    emulator.connections.remove(id);
    const answer = await gateway.call("DELETE", `${OURS}/${handle}`);
    assert.deepEqual([answer.status, answer.json().type], [404, "RESOURCE_NOT_FOUND"], "OFAuth's own answer");
    assert.equal((await recordOf(id)).status, "disconnected");
    for (const [method, under] of [["DELETE", ""], ["POST", "/invalidate"]]) {
      const nobody = await gateway.call(method, `${OURS}/conn_unheard${under}`);
      assert.deepEqual([nobody.status, nobody.json().type], [404, "RESOURCE_NOT_FOUND"]);
      assert.equal((await gateway.call("GET", "/edge/connections/conn_unheard")).status, 404);
    }
    const other = await link();
    emulator.connections.remove(other.id);
    assert.equal((await gateway.call("POST", `${OURS}/${other.id}/invalidate`)).status, 404);
    assert.equal((await recordOf(other.id)).status, "active", "an invalidate of nothing tells nothing");
  });

  test("an id is the same in whatever way its path is escaped", async () => {
    const { id } = await link();
    assert.equal((await gateway.call("DELETE", `${OURS}/${id.replace("_", "%5F")}`)).status, 200);
    assert.equal((await recordOf(id)).status, "disconnected");
  });

  test("other calls on a connection change nothing about it", async () => {
    const { id, handle } = await link();
    const before = await recordOf(id);
    for (const [method, under] of [
      ["GET", "/settings"],
      ["PATCH", "/settings"],
      ["PUT", ""],
      ["POST", ""],
      ["GET", "/invalidate"],
      ["DELETE", "/invalidate"],
      ["DELETE", "/"],
      ["POST", "/invalidate/"],
      ["DELETE", "/settings"],
    ]) {
      await gateway.call(method, `${OURS}/${handle}${under}`, { body: method === "PATCH" ? "{}" : undefined });
      assert.deepEqual(await recordOf(id), before, `${method} ${under}`);
    }
  });

  test("an imported connection is seen by its user at once", async () => {
    const { answer, item } = await importOf({ clientReferenceId: "user_imported", permissions: ["posts:read", "x:y"] });
    assert.equal(answer.status, 200, answer.text);
    const record = await recordOf(item.id);
    assert.equal(record.status, "active");
    assert.equal(record.imported, true);
    assert.equal(record.clientReferenceId, "user_imported");
    assert.deepEqual(record.permissions, ["posts:read", "x:y"]);
    assert.deepEqual(record.userData, item.userData);
    assert.equal(record.createdAt, item.createdAt);
    assert.match(item.lastCheckedAt, /^\d{4}-/);
    assert.deepEqual([record.lastCheckedAt, record.metadata.lastActivity], [item.lastCheckedAt, item.lastCheckedAt]);
    const { list } = (await sessionOf(gateway, { sub: "user_imported" })("GET", "/edge/connections")).json();
    assert.deepEqual(list.map(({ handle }) => handle), [record.handle]);
    const [{ type, outcome, body }] = (await gateway.call("GET", `/edge/connections/${item.id}/events`)).json().list;
    assert.deepEqual([type, outcome, body], ["edge.imported", "applied", ""]);
    await eventually(async () => assert.ok(await listed(item.id)));
  });

  test("an import without a user or permissions stores those that OFAuth answers", async () => {
    const { item } = await importOf({});
    const { clientReferenceId, permissions, imported } = await recordOf(item.id);
    assert.deepEqual([clientReferenceId, permissions, imported], [null, item.permissions, true]);
  });

  test("an import that is renewed by id or handle makes the connection active again", async () => {
    const check = async (by) => {
      const { item, session } = await importOf({ clientReferenceId: `user_before_${by}` });
      const { handle } = await recordOf(item.id);
      await sleep(5);
      assert.equal((await gateway.call("POST", `${OURS}/${item.id}/invalidate`)).status, 200);
      assert.equal((await recordOf(item.id)).status, "expired");
      await sleep(5);
      const body = { ...session, clientReferenceId: `user_after_${by}`, permissions: ["chats:read"] };
      const path = `${by === "old" ? OLD : OURS}/import/${by === "handle" ? handle : item.id}`;
      const answer = await sendImport("PATCH", path, body);
      assert.deepEqual([answer.status, answer.json().id], [200, item.id], answer.text);
      const { status, clientReferenceId, permissions } = await recordOf(item.id);
      assert.deepEqual([status, clientReferenceId, permissions], ["active", `user_after_${by}`, ["chats:read"]]);
      const seen = async (sub) => (await sessionOf(gateway, { sub })("GET", "/edge/connections")).json().list.length;
      assert.deepEqual([await seen(`user_before_${by}`), await seen(`user_after_${by}`)], [0, 1]);
    };
    await Promise.all(["id", "handle", "old"].map(check));
  });

  test("a duplicate and another user's session are 409, a wrong one is 400, and nothing is stored", async () => {
    const { item, session } = await importOf({ clientReferenceId: "user_first" });
    const before = await recordOf(item.id);
    const twice = await sendImport("POST", `${OURS}/import`, { ...session, clientReferenceId: "user_second" });
    assert.deepEqual([twice.status, twice.json().type], [409, "CONFLICT"], twice.text);
    const others = await sendImport("PATCH", `${OURS}/import/${item.id}`, rawSession());
    assert.deepEqual([others.status, others.json().type], [409, "CONFLICT"], others.text);
    assert.equal(others.headers["x-ofauth-edge-action"], "give_up");
    const bad = await sendImport("POST", `${OURS}/import`, { ...rawSession(), permissions: "all" });
    assert.equal(bad.status, 400, bad.text);
    assert.deepEqual(await recordOf(item.id), before);
    const { list } = (await sessionOf(gateway, { sub: "user_second" })("GET", "/edge/connections")).json();
    assert.deepEqual(list, []);
  });
});

test("a delete is 503 if the ledger fails after OFAuth's, and repeated it succeeds", async () => {
  for (const [method, under, status] of [["DELETE", "", "disconnected"], ["POST", "/invalidate", "expired"]]) {
    const { id, handle } = await link();
    await gateway.fail({ ledger: "fail" });
    const failed = await gateway.call(method, `${OURS}/${id}${under}`);
    assert.deepEqual([...refusal(failed), failed.headers["retry-after"]], [503, "STORAGE_UNAVAILABLE", "2"]);
    const asked = () => emulator.requests.filter(({ path }) => path.includes(id)).length;
    assert.equal(asked(), 1);
    assert.deepEqual(refusal(await gateway.call(method, `${OURS}/${handle}${under}`)), [503, "STORAGE_UNAVAILABLE"]);
    assert.equal(asked(), 1, "whose handle cannot be looked up");
    const again = await gateway.call(method, `${OURS}/${id}${under}`);
    assert.deepEqual(refusal(again), [503, "STORAGE_UNAVAILABLE"], "also where OFAuth says 404");
    await gateway.fail({});
    const done = await gateway.call(method, `${OURS}/${id}${under}`);
    assert.equal(done.status, method === "DELETE" ? 404 : 200, done.text);
    assert.equal((await recordOf(id)).status, status);
  }
});

test("an import succeeds while the ledger fails, because its webhook will come", async () => {
  await gateway.fail({ ledger: "fail" });
  const { answer, item } = await importOf({ clientReferenceId: USER });
  assert.equal(answer.status, 200, answer.text);
  await gateway.fail({});
  assert.equal((await gateway.call("GET", `/edge/connections/${item.id}`)).status, 404);
  await introduce(gateway, item.id);
  assert.equal((await recordOf(item.id)).clientReferenceId, USER);
});

test("the raw session of an import reaches OFAuth, and is in no log line, no file and no answer of the gateway", async () => {
  assert.ok(secrets.length > 10 && answers.length > 5);
  for (const secret of secrets) {
    assert.ok(emulator.requests.some(({ bodyText }) => bodyText?.includes(secret)), "it went up");
  }
  assert.ok(leaksOf(gateway, ["edge.imported"]).length > 0, "what is there is found");
  assert.deepEqual(leaksOf(gateway, secrets), []);
  const views = ["/edge/connections?limit=100", "/edge/events?limit=100"].map((path) => gateway.call("GET", path));
  const own = (await listAll(gateway)).map(({ id }) => gateway.call("GET", `/edge/connections/${id}/events?limit=100`));
  for (const { text, headers } of [...answers, ...(await Promise.all([...views, ...own]))]) {
    assert.deepEqual(leaksIn(text + JSON.stringify(headers), secrets), []);
  }
});

async function link(user = USER) {
  count += 1;
  const id = `conn_passed${String(count).padStart(3, "0")}`;
  return { id, handle: await introduce(gateway, id, { user }) };
}

function rawSession() {
  count += 1;
  const [sess, userAgent] = [`sEss-raw-${count}-9f3kQz`, `Agent-raw-${count} (X11; é "quoted")`];
  secrets.push(sess, `fpRaw${count}x7Lm`, `Agent-raw-${count}`);
  return { cookie: `auth_id=${900_000 + count}; sess=${sess}; fp=fpRaw${count}x7Lm`, userAgent };
}

async function sendImport(method, path, session) {
  const headers = { "content-type": "application/json" };
  const answer = await gateway.call(method, path, { headers, body: JSON.stringify(session) });
  answers.push(answer);
  return answer;
}

async function importOf(fields) {
  const session = rawSession();
  const answer = await sendImport("POST", `${OURS}/import`, { ...session, ...fields });
  return { answer, session, item: answer.json() };
}

async function recordOf(id) {
  const answer = await gateway.call("GET", `/edge/connections/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

async function listed(id) {
  return (await listAll(gateway)).find((record) => record.id === id);
}

async function seenBy(sub, handle) {
  return (await sessionOf(gateway, { sub })("GET", `/edge/connections/${handle}`)).json();
}
