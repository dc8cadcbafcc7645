// GET /edge/connections/{handle or id}/events: 1. what was delivered, newest first, byte for byte for a server, 2. with what
// came of it, and what the gateway learned itself, 3. in pages, whose cursors are this list's only, 4. without ids for the
// console and without bodies for a session, 5. whose connection it is, and what is kept of nobody.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent, sdkEvent } from "../emulator/events.mjs";
import { consoleOf, introduce, refusal, sessionOf, startGateway } from "./harness.mjs";

const USER = "user_456";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const gateway = await startGateway();
after(() => gateway.close());
const { emulator } = gateway;
let count = 0;

describe("timelines", { concurrency: true }, () => {
  test("a timeline has every delivery once, newest first, with its bytes, its times and its outcome", async () => {
    const id = newId();
    const at = (minute) => new Date(Date.UTC(2026, 4, 6, 7, minute)).toISOString();
    const event = (type, minute, fields = {}) => {
      const all = { id, clientReferenceId: USER, timestamp: at(minute), ...fields };
      return JSON.stringify(connectionEvent(`connection.${type}`, all));
    };
    const spaced = `\ufeff \t\r\n${event("updated", 5, { status: "pending" }).replace("pending", "pend\\u0069ng")}\n\n`;
    const odd = event("updated", 6, { userData: { name: "é 🎉 \u2028 <b>" } });
    const sent = [
      [event("created", 3), "applied", "connection.created"],
      [event("expired", 4), "applied", "connection.expired"],
      [event("updated", 1), "stale", "connection.updated"],
      [spaced, "applied", "connection.updated"],
      [odd, "applied", "connection.updated"],
      [event("created", 0), "stale", "connection.created"],
    ];
    const begun = Date.now();
    for (const [body, outcome] of sent) {
      assert.equal((await gateway.deliver(body)).outcome, outcome, body);
      assert.equal((await gateway.deliver(body)).outcome, "duplicate");
    }
    const { list, ...rest } = await timelineOf(gateway.call, id);
    assert.deepEqual(rest, {}, "no cursor on the last page");
    assert.deepEqual(list.map(({ body }) => body), sent.map(([body]) => body).toReversed());
    assert.deepEqual(list.map(({ outcome }) => outcome), sent.map(([, outcome]) => outcome).toReversed());
    assert.deepEqual(list.map(({ type }) => type), sent.map(([, , type]) => type).toReversed());
    assert.deepEqual(list.map(({ stamp }) => stamp), [at(0), at(6), at(5), at(1), at(4), at(3)]);
    for (const { id: delivery, receivedAt, encoding, body, ...others } of list) {
      assert.equal(delivery, createHash("sha256").update(body).digest("hex"));
      assert.match(receivedAt, ISO);
      assert.ok(Date.parse(receivedAt) >= begun - 1_000 && Date.parse(receivedAt) <= Date.now() + 1_000, receivedAt);
      assert.equal(encoding, "utf8");
      assert.deepEqual(Object.keys(others).sort(), ["outcome", "stamp", "type"]);
    }
  });

  test("a svix delivery has its own id, and a delivery without a timestamp has that of its signature", async () => {
    const id = newId();
    const body = JSON.stringify(sdkEvent("connection.created", { id, clientReferenceId: USER }));
    const timestamp = Math.floor(Date.now() / 1000) - 20;
    assert.equal((await gateway.deliver(body, { scheme: "svix", id: "msg_Timeline1", timestamp })).outcome, "applied");
    const [{ id: delivery, stamp }, ...rest] = (await timelineOf(gateway.call, id)).list;
    assert.deepEqual([delivery, Date.parse(stamp), rest], ["msg_Timeline1", timestamp * 1_000, []]);
  });

  test("a timeline has what the gateway learned itself as edge.*, without a body", async () => {
    const id = newId();
    const handle = await introduce(gateway, id);
    await sleep(5);
    emulator.fault({ kind: "refuse", type: "SESSION_EXPIRED", times: 1, match: { connection: id } });
    const access = () => gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
    assert.equal((await access()).status, 401);
    await sleep(5);
    assert.equal((await access()).status, 200);
    await sleep(5);
    assert.equal((await gateway.call("POST", `/edge/connections/${id}/invalidate`)).status, 200);
    const gone = await gateway.call("DELETE", `/edge/connections/${handle}`);
    assert.equal(gone.status, 200);
    const { list } = await timelineOf(gateway.call, handle);
    const types = ["edge.deleted", "edge.invalidated", "edge.active", "edge.expired", "connection.created"];
    assert.deepEqual(list.map(({ type }) => type), types);
    assert.deepEqual(list.map(({ outcome }) => outcome), types.map(() => "applied"));
    assert.deepEqual(list.slice(0, 4).map(({ body }) => body), ["", "", "", ""]);
    assert.equal(list[0].id, gone.headers["x-request-id"], "named as the request that did it");
  });

  test("pages follow each other without a gap, also when more is delivered meanwhile", async () => {
    const id = newId();
    const tell = (minute) => {
      const timestamp = new Date(Date.UTC(2026, 4, 6, 7, minute)).toISOString();
      return gateway.deliver(connectionEvent("connection.updated", { id, clientReferenceId: USER, timestamp }));
    };
    await tell(0);
    await Promise.all(Array.from({ length: 6 }, (_, index) => tell(index + 1)));
    const all = (await timelineOf(gateway.call, id)).list;
    assert.equal(all.length, 7);
    for (const limit of [1, 2, 3, 6, 7]) {
      const seen = [];
      for (let cursor; ; ) {
        const page = await timelineOf(gateway.call, id, `?limit=${limit}${cursor ? `&cursor=${cursor}` : ""}`);
        seen.push(...page.list);
        cursor = page.cursor;
        assert.equal(page.list.length, cursor ? limit : ((all.length - 1) % limit) + 1);
        if (!cursor) break;
      }
      assert.deepEqual(seen, all, `limit ${limit}`);
    }
    const { cursor, list: first } = await timelineOf(gateway.call, id, "?limit=2");
    await tell(30);
    const second = await timelineOf(gateway.call, id, `?limit=100&cursor=${cursor}`);
    assert.deepEqual([...first, ...second.list], all);
  });

  test("a page of long bodies ends with the body that exceeds 4 MiB, and the next page begins there", async () => {
    const id = newId();
    const sent = [];
    for (let minute = 0; minute < 6; minute += 1) {
      const timestamp = new Date(Date.UTC(2026, 4, 6, 7, minute)).toISOString();
      const userData = { name: `${minute}`.padEnd(900_000, "x") };
      sent.unshift(JSON.stringify(connectionEvent("connection.updated", { id, timestamp, userData })));
    }
    await Promise.all(sent.map((body) => gateway.deliver(body)));
    const first = await timelineOf(gateway.call, id, "?limit=100");
    const second = await timelineOf(gateway.call, id, `?limit=100&cursor=${first.cursor}`);
    assert.deepEqual([first.list.length, second.list.length, second.cursor], [5, 1, undefined]);
    const seen = [...first.list, ...second.list].map(({ body }) => body);
    assert.ok(sent.toSorted().every((body, index) => body === seen.toSorted()[index]));
  });

  test("a cursor of another connection, of another list, or an invented one is refused, and so is a wrong query", async () => {
    const [one, two] = [newId(), newId()];
    for (const id of [one, two]) {
      await introduce(gateway, id);
      await gateway.deliver(connectionEvent("connection.updated", { id, clientReferenceId: USER }));
    }
    for (const type of ["odd.a", "odd.b"]) await gateway.deliver({ type, data: {} });
    const { cursor } = await timelineOf(gateway.call, one, "?limit=1");
    const events = (await gateway.call("GET", "/edge/events?limit=1")).json().cursor;
    const connections = (await gateway.call("GET", "/edge/connections?limit=1")).json().cursor;
    assert.ok(cursor && events && connections);
    const other = cursor.at(9) === "A" ? "B" : "A";
    const changed = [`${cursor.slice(0, 9)}${other}${cursor.slice(10)}`, cursor.slice(0, -2), `${cursor}A`];
    const tampered = [...changed, "x", "", "%ff", "0"];
    const path = (id, query) => `/edge/connections/${id}/events?${query}`;
    const queries = [
      ...[...tampered, events, connections].map((foreign) => [one, `cursor=${foreign}`]),
      [two, `cursor=${cursor}`],
      [one, `cursor=${cursor}&cursor=${cursor}`],
      ...["limit=0", "limit=101", "limit=x", "limit=", "offset=1", "type=connection.created"].map((query) => [one, query]),
    ];
    for (const [id, query] of queries) {
      assert.deepEqual(refusal(await gateway.call("GET", path(id, query))), [400, "BAD_REQUEST"], query);
    }
    const lent = await gateway.call("GET", `/edge/events?cursor=${cursor}`);
    assert.deepEqual(refusal(lent), [400, "BAD_REQUEST"], "and it is no cursor of kept events");
    assert.equal((await timelineOf(gateway.call, one, `?cursor=${cursor}`)).list.length, 1);
  });

  test("the console sees bodies with handles in the place of ids, a session sees no bodies, and neither sees an id", async () => {
    const id = newId();
    const handle = await introduce(gateway, id);
    const other = newId();
    const nested = connectionEvent("connection.updated", { id, clientReferenceId: USER, userData: { name: `I am ${id}` } });
    const escaped = JSON.stringify({ ...nested, of: other, [id]: [id] }).replaceAll("conn_", "conn\\u005f");
    for (const event of [nested, escaped]) assert.equal((await gateway.deliver(event)).status, 200);
    const server = await timelineOf(gateway.call, id);
    assert.ok(server.list[0].body.includes("conn\\u005f"));

    const answer = await (await consoleOf(gateway))("GET", `/edge/connections/${handle}/events`);
    const console = answer.json();
    assert.deepEqual(console.list.map(({ type }) => type), server.list.map(({ type }) => type));
    for (const { body } of console.list) {
      assert.ok(JSON.stringify(JSON.parse(body)).includes(handle), body);
      for (const shown of [body, JSON.stringify(JSON.parse(body))]) assert.ok(!shown.includes(id), shown);
    }

    const own = await sessionOf(gateway, {})("GET", `/edge/connections/${handle}/events?limit=2`);
    assert.equal(own.status, 200, own.text);
    const { list, cursor } = own.json();
    assert.deepEqual(list, server.list.slice(0, 2).map(({ body: _body, encoding: _encoding, ...rest }) => rest));
    const next = await sessionOf(gateway, {})("GET", `/edge/connections/${handle}/events?cursor=${cursor}`);
    assert.deepEqual(next.json().list.length, 1);
    for (const seen of [own, next]) {
      assert.doesNotMatch(seen.text + JSON.stringify(seen.headers), /conn(_|\\u005f)/);
    }
  });

  test("a session sees the timelines of its own connections only, by handle", async () => {
    const id = newId();
    const handle = await introduce(gateway, id, { user: "user_other" });
    for (const name of [id, handle, "conn_nobody", `acct_${"0".repeat(32)}`]) {
      const answer = await sessionOf(gateway, {})("GET", `/edge/connections/${name}/events`);
      assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], name);
    }
    const own = sessionOf(gateway, { sub: "user_other" });
    assert.equal((await own("GET", `/edge/connections/${handle}/events`)).json().list.length, 1);
    assert.deepEqual(refusal(await own("GET", `/edge/connections/${id}/events`)), [404, "CONNECTION_NOT_FOUND"], "by id");
    for (const [call, name] of [[gateway.call, "conn_nobody"], [await consoleOf(gateway), id]]) {
      const answer = await call("GET", `/edge/connections/${name}/events`);
      assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], name);
    }
    assert.equal((await gateway.call("HEAD", `/edge/connections/${handle}/events`)).status, 200);
  });

  test("after a connection moved to another user, only that user sees its past", async () => {
    const id = newId();
    const handle = await introduce(gateway, id, { user: "user_before" });
    await sleep(5);
    await gateway.deliver(connectionEvent("connection.updated", { id, clientReferenceId: "user_after" }));
    const seen = (sub) => sessionOf(gateway, { sub })("GET", `/edge/connections/${handle}/events`);
    assert.deepEqual(refusal(await seen("user_before")), [404, "CONNECTION_NOT_FOUND"]);
    const after = await seen("user_after");
    assert.equal(after.json().list.length, 2);
    assert.ok(!after.text.includes("user_before"), after.text);
  });
});

async function timelineOf(call, name, query = "") {
  const answer = await call("GET", `/edge/connections/${name}/events${query}`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers["x-ofauth-edge"], "gateway");
  return answer.json();
}

function newId() {
  count += 1;
  return `conn_Timeline${String(count).padStart(3, "0")}`;
}
