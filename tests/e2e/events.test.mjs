// Events that are not about a connection: 1. kept and read back byte for byte, 2. their names and times, 3. newest first,
// page by page, 4. which types are kept, 5. rules, 6. who may read them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { REALTIME_JSON, realtimeEvent, rulesEvent } from "../emulator/events.mjs";
import { eventually, refusal, startGateway, unixNow } from "./harness.mjs";

const START = Date.parse("2026-03-04T05:06:07.089Z");

const gateway = await startGateway();
after(() => gateway.close());

test("a kept body reads back byte for byte, whatever is in it", async () => {
  const bodies = [
    '{"type":"a.plain"}',
    '  {\r\n\t"type" : "b.spaced",\n"b": 1.0, "a": 1e3, "big": 12345678901234567890, "z": {}\n}\r\n ',
    '{"type":"c.escapes","text":"\\u00e9\\/\\ud83d\\ude00 é 😀 <\\u0000>"}',
    '\ufeff{"type":"d.byte-order-mark"}',
    '{"type":"e.twice","same":1,"same":2}',
    '{"type":"f.half","text":"\\ud83d"}',
    "not JSON at all",
    "[1, 2]",
    "",
    '{"type":"connection.created","data":"but no connection"}',
    `{"type":"g.long","text":"${"é".repeat(200_000)}"}`,
  ];
  for (const [index, body] of bodies.entries()) {
    const answer = await gateway.deliver(body, { scheme: "svix", id: `msg_bytes_${index}` });
    assert.deepEqual([answer.status, answer.outcome], [200, "kept"], body.slice(0, 80));
  }
  for (const [index, body] of bodies.entries()) {
    const { encoding, body: read } = await kept(gateway, `msg_bytes_${index}`);
    assert.equal(encoding, "utf8");
    assert.ok(read === body, `${JSON.stringify(read.slice(0, 80))} is not ${JSON.stringify(body.slice(0, 80))}`);
  }
});

test("a body that is not UTF-8 reads back in base64, byte for byte", async () => {
  const bodies = [Buffer.from([0, 255, 254, 10, 13, 0]), Buffer.from('{"type":"latin","text":"\xe9"}', "latin1")];
  bodies.push(Buffer.from(Array.from({ length: 65_536 }, (_, index) => index % 251 ^ (index >> 8))));
  for (const [index, body] of bodies.entries()) {
    const answer = await gateway.deliver(body, { scheme: "svix", id: `msg_binary_${index}` });
    assert.deepEqual([answer.status, answer.outcome], [200, "kept"]);
    const { encoding, body: read, type } = await kept(gateway, `msg_binary_${index}`);
    assert.deepEqual([encoding, type], ["base64", null]);
    assert.deepEqual(Buffer.from(read, "base64"), body);
  }
});

test("a kept event has its delivery's id, the body's time, and the time at which it came", async () => {
  const dated = `{"type":"named.dated","timestamp":"2026-03-04T06:06:07.089+01:00"}`;
  const undated = '{"eventType":"named.undated","live":true}';
  const signed = unixNow() - 30;
  const before = Date.now();
  await gateway.deliver(dated);
  await gateway.deliver(dated, { timestamp: signed });
  await gateway.deliver(undated, { timestamp: signed });
  await gateway.deliver(dated, { scheme: "svix", id: "msg_named.1-A" });
  const items = (await allKept(gateway)).filter(({ type }) => type?.startsWith("named."));
  for (const { receivedAt } of items) {
    const at = Date.parse(receivedAt);
    assert.ok(at >= before && at <= Date.now() && receivedAt === new Date(at).toISOString(), receivedAt);
  }
  const stamp = new Date(START).toISOString();
  const facts = items.map(({ id, type, stamp, body }) => ({ id, type, stamp, body }));
  const signedAt = new Date(signed * 1000).toISOString();
  const expected = [
    { id: sha256(dated), type: "named.dated", stamp, body: dated },
    { id: sha256(`${signed}.${undated}`), type: "named.undated", stamp: signedAt, body: undated },
    { id: "msg_named.1-A", type: "named.dated", stamp, body: dated },
  ];
  assert.deepEqual(sortedById(facts), sortedById(expected));
});

test("a kept event expires after EVENT_TTL_SECONDS", async () => {
  await gateway.deliver({ type: "mortal" }, { scheme: "svix", id: "msg_mortal" });
  const { keys } = await (await gateway.kv()).list({ prefix: "event:" });
  const { expiration } = keys.find(({ name }) => name.endsWith(":msg_mortal"));
  const life = expiration - unixNow();
  const ttl = Number(gateway.vars.EVENT_TTL_SECONDS);
  assert.ok(Math.abs(life - ttl) <= 30, `${life} s, not ${ttl} s`);
});

test("events are listed newest first, and following the cursor shows each once", async (t) => {
  const own = await startGateway();
  t.after(() => own.close());
  const minutes = Array.from({ length: 45 }, (_, index) => (index * 17) % 45);
  const send = (minute) => own.deliver({ type: `page.${minute}`, timestamp: at(minute) });
  await Promise.all(minutes.map(send));
  const wanted = minutes.toSorted((a, b) => b - a).map((minute) => `page.${minute}`);

  for (const limit of [1, 7, 20, 44, 45, 100]) {
    const pages = await pagesOf(own, `limit=${limit}`);
    assert.deepEqual(pages.flat().map(({ type }) => type), wanted);
    assert.ok(pages.slice(0, -1).every(({ length }) => length === limit), `pages of ${limit}`);
  }
  assert.equal((await own.call("GET", "/edge/events")).json().list.length, 20);
});

test("events of unknown types are kept, and realtime events are counted and not kept", async () => {
  const outcome = async (event) => (await gateway.deliver(event)).outcome;
  assert.equal(await outcome({ type: "invoice.paid", data: {} }), "kept");
  assert.equal(await outcome({ type: "realtime" }), "kept");
  assert.equal(await outcome({ type: "connection.archived", data: { connection: { id: "conn_archived" } } }), "kept");
  for (const kind of Object.keys(REALTIME_JSON)) assert.equal(await outcome(realtimeEvent(kind)), "ignored", kind);
  assert.equal(await outcome(realtimeEvent("typing", { type: "realtime.message.created" })), "ignored");
  const types = (await allKept(gateway)).map(({ type }) => type);
  assert.ok(["invoice.paid", "realtime", "connection.archived"].every((type) => types.includes(type)));
  assert.ok(!types.some((type) => /^(realtime\.|of\.websocket\.)/.test(type)));
  assert.equal((await gateway.call("GET", "/edge/connections/conn_archived")).status, 404);
});

test('EVENT_KEEP="*" keeps realtime events too, and a list keeps what it names', async (t) => {
  const greedy = await startGateway({ vars: { EVENT_KEEP: "*" } });
  t.after(() => greedy.close());
  const event = JSON.stringify(realtimeEvent("chatMessage"));
  assert.equal((await greedy.deliver(event)).outcome, "kept");
  assert.equal((await allKept(greedy))[0].body, event);

  const choosy = await startGateway({ vars: { EVENT_KEEP: "rules.*,invoice.paid,!rules.update" } });
  t.after(() => choosy.close());
  const outcomes = [];
  for (const type of ["rules.updated", "invoice.paid", "invoice.paid.twice", "rules.update", "other"]) {
    outcomes.push((await choosy.deliver({ type, data: {} })).outcome);
  }
  outcomes.push((await choosy.deliver("no event")).outcome);
  assert.deepEqual(outcomes, ["kept", "kept", "ignored", "ignored", "ignored", "ignored"]);
});

test("rules are kept as an event and as the newest rules, which older ones never replace", async () => {
  const kv = await gateway.kv();
  const deliver = async (minute, fields) =>
    (await gateway.deliver(rulesEvent({ timestamp: at(minute), ...fields }))).outcome;

  assert.equal(await deliver(1, { revision: "rev-1" }), "kept");
  await eventually(async () => assert.equal(await revision(), "rev-1"));
  assert.equal(await deliver(3, { revision: "rev-3", type: "rules.update" }), "kept");
  await eventually(async () => assert.equal(await revision(), "rev-3"));
  const newest = await kv.get("rules", "arrayBuffer");
  assert.equal(await deliver(2, { revision: "rev-2" }), "kept");
  assert.equal(await revision(), "rev-3");
  assert.deepEqual(await kv.get("rules", "arrayBuffer"), newest);

  const found = (await allKept(gateway)).filter(({ type }) => type?.startsWith("rules."));
  assert.deepEqual(found.map(({ body }) => JSON.parse(body).data.revision), ["rev-3", "rev-2", "rev-1"]);
});

test("rules are kept whatever the name of their revision", async () => {
  const long = ["r".repeat(5_000), "é".repeat(300), '"'.repeat(256), "\u0001".repeat(256)];
  const odd = [undefined, null, "", 7, 2 ** 53, { id: 1 }, ["a"]];
  for (const [index, revision] of [...odd, ...long].entries()) {
    const timestamp = at(100 + index);
    const answer = await gateway.deliver(rulesEvent({ timestamp, revision }));
    assert.deepEqual([answer.status, answer.outcome], [200, "kept"], JSON.stringify(revision)?.slice(0, 40));
  }
});

test("only gateway keys list events, and an unknown query is refused", async () => {
  assert.deepEqual(refusal(await gateway.send("GET", "/edge/events")), [401, "CREDENTIALS_MISSING"]);
  const wrong = { headers: { apikey: "x".repeat(40) } };
  assert.deepEqual(refusal(await gateway.send("GET", "/edge/events", wrong)), [401, "CREDENTIALS_INVALID"]);

  const { cursor } = (await gateway.call("GET", "/edge/events?limit=1")).json();
  const limits = ["limit=0", "limit=101", "limit=-1", "limit=1.5", "limit=ten", "limit=", "limit=1&limit=2"];
  const cursors = ["cursor=", "cursor=made-up", `cursor=${cursor}x`, `cursor=${cursor}&cursor=${cursor}`];
  for (const query of [...limits, ...cursors, "offset=1", "type=a"]) {
    assert.deepEqual(refusal(await gateway.call("GET", `/edge/events?${query}`)), [400, "BAD_REQUEST"], query);
  }
  const elsewhere = await gateway.call("GET", `/edge/connections?cursor=${cursor}`);
  assert.deepEqual(refusal(elsewhere), [400, "BAD_REQUEST"], "a cursor of another list");

  const posted = await gateway.call("POST", "/edge/events");
  assert.deepEqual(refusal(posted), [405, "METHOD_NOT_ALLOWED"]);
  assert.equal(posted.headers.allow, "GET, HEAD");
  const head = await gateway.call("HEAD", "/edge/events");
  assert.deepEqual([head.status, head.body.length], [200, 0]);
});

async function revision() {
  return (await (await gateway.kv()).getWithMetadata("rules", "arrayBuffer")).metadata?.revision;
}

async function kept(from, id) {
  const item = (await allKept(from)).find((event) => event.id === id);
  assert.ok(item, `${id} was not kept`);
  return item;
}

async function allKept(from) {
  return (await pagesOf(from, "limit=100")).flat();
}

async function pagesOf(from, query) {
  const pages = [];
  for (let cursor; ; ) {
    const answer = await from.call("GET", `/edge/events?${query}${cursor ? `&cursor=${cursor}` : ""}`);
    assert.equal(answer.status, 200, answer.text);
    const page = answer.json();
    pages.push(page.list);
    cursor = page.cursor;
    if (!cursor) return pages;
  }
}

function sortedById(items) {
  return items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

function at(minute) {
  return new Date(START + minute * 60_000).toISOString();
}

test("a page of long bodies ends early, and its cursor leads to the rest", async (t) => {
  const own = await startGateway();
  t.after(() => own.close());
  const COUNT = 7;
  const text = "x".repeat(1_000_000);
  for (let n = 0; n < COUNT; n++) assert.equal((await own.deliver({ type: "kept.long", n, text })).outcome, "kept");
  const seen = [];
  let pages = 0;
  for (let cursor = ""; cursor !== undefined; pages++) {
    const page = (await own.call("GET", `/edge/events?limit=100${cursor && `&cursor=${cursor}`}`)).json();
    seen.push(...page.list.map(({ body }) => JSON.parse(body).n));
    cursor = page.cursor;
  }
  assert.deepEqual(seen.sort(), [...Array(COUNT).keys()]);
  assert.ok(pages > 1, `${pages} page`);
});
