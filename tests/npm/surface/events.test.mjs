// Events: what `verifyWebhook` makes of an authentic body. 1. the envelopes, 2. what is known, 3. ids as exact strings,
// 4. all else as JSON.parse gives it, 5. what is no JSON, and no event.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AT, codeOf, ofauth, SECRET, signedOfauth, signedSvix } from "./signed.mjs";

const { verifySignature, verifyWebhook, Webhook } = ofauth;

const eventOf = (body, headers = signedOfauth(body)) => verifyWebhook(body, headers, SECRET, AT);
const code = (body) => codeOf(() => eventOf(body));
const connection = (fields, type = "connection.updated") => ({ type, data: { connection: { id: "conn_1", ...fields } } });

test("an event in the current envelope has type, timestamp and data", () => {
  const body = { type: "connection.created", timestamp: "2026-01-01T00:00:00Z", data: { connection: { id: "conn_1" } } };
  assert.deepEqual(eventOf(JSON.stringify(body)), { known: true, ...body });
});

test("an event in the SDK's envelope gets the current one, with live and without a timestamp", () => {
  const data = { connection: { id: "conn_1" } };
  for (const live of [true, false]) {
    const event = eventOf(JSON.stringify({ eventType: "connection.created", live, data }));
    assert.deepEqual(event, { known: true, type: "connection.created", timestamp: null, data, live });
  }
});

test("an envelope that does not say whether it is live has no such key", () => {
  assert.ok(!("live" in eventOf('{"type":"x"}')));
  assert.ok(!("live" in eventOf('{"type":"x","live":null}')));
});

test("of type and eventType, type counts, unless it is null", () => {
  assert.equal(eventOf('{"type":"a","eventType":"b"}').type, "a");
  assert.equal(eventOf('{"type":null,"eventType":"b"}').type, "b");
});

test("a body without data is an event without data", () => {
  assert.equal(eventOf('{"type":"x"}').data, undefined);
});

test("a timestamp is a string or null, and a number becomes the text that the body has", () => {
  for (const [written, timestamp] of [
    ['"2026"', "2026"],
    ["1700000000123", "1700000000123"],
    ["12345678901234567890123", "12345678901234567890123"],
    ["1.50", "1.50"],
    ["null", null],
    ['""', null],
    ["{}", null],
    ["true", null],
  ]) {
    assert.equal(eventOf(`{"type":"x","timestamp":${written}}`).timestamp, timestamp, written);
  }
});

const REALTIME = [
  "of.websocket.event.received",
  "realtime.chat_message.received",
  "realtime.chat_typing.updated",
  "realtime.system_messages.updated",
];

test("realtime events are known, whatever their data is", () => {
  for (const type of REALTIME) {
    for (const data of [{ connection: { id: "c" }, json: { typing: { id: 1 } } }, {}, null, undefined, [], "x"]) {
      const event = eventOf(JSON.stringify({ type, data }));
      assert.deepEqual([event.known, event.type, event.data], [true, type, data]);
    }
  }
});

const UNSAFE = "9007199254740993";
const PAYLOAD = `{"api2_chat_message":{"id":${UNSAFE},"queueId":-98765432109876543210,"price":0.1234567890123456789,"count":9007199254740991,"big":1e300,` +
  `"text":"\\"${UNSAFE}\\" ${UNSAFE}","list":[${UNSAFE},{"${UNSAFE}":${UNSAFE}}]}}`;
const realtime = (options, body = `{"type":"of.websocket.event.received","data":{"json":${PAYLOAD}}}`) =>
  verifyWebhook(body, signedOfauth(body), SECRET, { ...AT, ...options }).data.json.api2_chat_message;

for (const [largeIntegers, exact] of [
  ["bigint", (text) => BigInt(text)],
  ["string", (text) => text],
]) {
  test(`integers past 2 ** 53 are exact with largeIntegers: ${largeIntegers}, and nothing else changes`, () => {
    const plain = realtime({});
    const id = exact(UNSAFE);
    const expected = { ...plain, id, queueId: exact("-98765432109876543210"), list: [id, { [UNSAFE]: id }] };
    assert.deepEqual(realtime({ largeIntegers }), expected);
    assert.equal(plain.id, 9007199254740992);
  });

  test(`largeIntegers: ${largeIntegers} applies to a Webhook and to bytes, and ids of connections stay strings`, () => {
    const body = `{"type":"connection.created","data":{"connection":{"id":${UNSAFE}},"count":${UNSAFE}}}`;
    const webhook = new Webhook(SECRET, { ...AT, largeIntegers });
    const { data } = webhook.verify(Buffer.from(body), signedOfauth(body));
    assert.deepEqual(data, { connection: { id: UNSAFE }, count: exact(UNSAFE) });
  });
}

test("a string that is long does not stop largeIntegers", () => {
  const text = '\\"x'.repeat(3_000_000);
  const body = `{"type":"a","data":["${text}",${UNSAFE}]}`;
  assert.equal(verifyWebhook(body, signedOfauth(body), SECRET, { ...AT, largeIntegers: "string" }).data[1], UNSAFE);
});

test("any other largeIntegers is a TypeError that names it", () => {
  for (const largeIntegers of ["number", true, null]) {
    assert.throws(() => realtime({ largeIntegers }), { name: "TypeError", message: /options\.largeIntegers must be "bigint" or "string"/ });
  }
});

test("connection and rules events are known, others are not", () => {
  const known = ["created", "updated", "expired", "disconnected"].map((word) => `connection.${word}`);
  for (const type of [...known, "rules.updated", "rules.update"]) {
    assert.equal(eventOf(JSON.stringify(connection({}, type))).known, true, type);
  }
  for (const type of ["connection.deleted", "Connection.created", "connection.created ", "realtime.x", "realtime.chat_message", "of.websocket"]) {
    assert.equal(eventOf(JSON.stringify(connection({}, type))).known, false, type);
  }
});

const BIG = "98765432109876543210";
for (const [place, write] of [
  ["connection.id", (id) => `{"connection":{"id":${id}}}`],
  ["clientReferenceId", (id) => `{"clientReferenceId":${id},"connection":{"id":"c"}}`],
  ["connection.clientReferenceId", (id) => `{"connection":{"id":"c","clientReferenceId":${id}}}`],
  ["connection.platformUserId", (id) => `{"connection":{"id":"c","platformUserId":${id}}}`],
  ["connection.userData.id", (id) => `{"connection":{"id":"c","userData":{"id":${id}}}}`],
  ["connection.userData.userId", (id) => `{"connection":{"id":"c","userData":{"userId":${id}}}}`],
]) {
  test(`${place} is an exact string, however the body writes it`, () => {
    for (const id of [BIG, "123", "9007199254740993", "1e3"]) {
      for (const written of [id, `"${id}"`]) {
        const { data } = eventOf(`{"type":"connection.created","data":${write(written)}}`);
        assert.equal(place.split(".").reduce((value, key) => value[key], data), id, written);
      }
    }
  });
}

test("a number that core does not name as an id stays a number", () => {
  const { data } = eventOf('{"type":"connection.created","data":{"count":7,"connection":{"id":1,"userData":{"id":2,"fans":3}}}}');
  assert.deepEqual(data, { count: 7, connection: { id: "1", userData: { id: "2", fans: 3 } } });
});

test("ids in the data of an unknown event stay as they came", () => {
  const { data } = eventOf('{"type":"realtime.message","data":{"connection":{"id":"c"},"json":{"typing":{"id":562630475}}}}');
  assert.equal(data.json.typing.id, 562630475);
});

test("all other data is as JSON.parse gives it", () => {
  const extra = [{ deep: [1.5, "é\u2028", false, null] }];
  const fields = { status: "odd", permissions: null, extra, "": 0, userData: { avatar: null } };
  const body = connection(fields);
  assert.deepEqual(eventOf(JSON.stringify(body)).data, body.data);
});

test("__proto__ and similar keys are keys like any other, and reach no prototype", () => {
  const body = '{"type":"connection.created","__proto__":{"type":"x"},"constructor":1,"data":{"__proto__":{"polluted":true},' +
    '"connection":{"id":7,"__proto__":{"status":"x"},"toString":"y"}}}';
  const { type, data } = eventOf(body);
  assert.equal(type, "connection.created");
  assert.deepEqual(Object.keys(data), ["__proto__", "connection"]);
  assert.equal(Object.getPrototypeOf(data), Object.prototype);
  assert.equal(data.connection.id, "7");
  assert.equal(data.connection.status, undefined);
  assert.equal({}.polluted, undefined);
});

test("a __proto__ does not take the place of data, connection or userData", () => {
  assert.equal(code('{"__proto__":{"type":"x"}}'), "INVALID_EVENT");
  assert.equal(code('{"type":"connection.created","__proto__":{"data":{"connection":{"id":"c"}}}}'), "INVALID_EVENT");
  assert.equal(code('{"type":"connection.created","data":{"__proto__":{"connection":{"id":"c"}}}}'), "INVALID_EVENT");
});

test("a key that the package reads is INVALID_EVENT if it occurs twice, however it is written", () => {
  for (const body of [
    '{"type":"a","type":"b"}',
    '{"type":"a","\\u0074ype":"a"}',
    '{"eventType":"a","eventType":"b"}',
    '{"type":"a","timestamp":"1","timestamp":"1"}',
    '{"type":"a","data":{},"data":{}}',
    '{"type":"a","live":true,"live":false}',
    '{"type":"connection.created","data":{"connection":{"id":"a"},"connection":{"id":"b"}}}',
    '{"type":"connection.created","data":{"connection":{"id":"a","\\u0069d":"b"}}}',
    '{"type":"connection.created","data":{"connection":{"id":"a","userData":{"id":1,"id":2}}}}',
    '{"type":"connection.created","data":{"connection":{"id":"a","status":"active","status":"expired"}}}',
  ]) {
    assert.equal(code(body), "INVALID_EVENT", body);
  }
});

test("any other key may occur twice, and the last one counts, as in JSON.parse", () => {
  assert.equal(eventOf('{"type":"a","data":{"x":1,"x":2}}').data.x, 2);
});

test("one leading byte order mark is dropped, from a string and from bytes", () => {
  for (const mark of ["\ufeff", "\ufeff\ufeff"]) {
    const body = `${mark}{"type":"a"}`;
    const expected = mark.length === 1 ? "ok" : "INVALID_JSON";
    assert.equal(code(body), expected);
    assert.equal(code(Buffer.from(body)), expected);
  }
});

test("a body that is not JSON in UTF-8 is INVALID_JSON, and its signature still verifies", () => {
  const texts = ["", " ", "{", '{"type":"a"', '{"type":"a"}}', "{'type':'a'}", '{"type":"a",}', "undefined", "NaN", "01", '"\n"', "\0"];
  for (const body of [...texts, Uint8Array.from([0x22, 0xff, 0x22]), Buffer.from('{"type":"\xe9"}', "latin1")]) {
    assert.equal(code(body), "INVALID_JSON", String(body));
    assert.equal(verifySignature(body, signedOfauth(body), SECRET, AT).scheme, "ofauth");
  }
});

test("JSON that is no event is INVALID_EVENT", () => {
  for (const body of [
    ...["null", "1", '"x"', "true", "[]", "{}", '[{"type":"a"}]'],
    ...['{"type":1}', '{"type":""}', '{"type":null}', '{"type":"a\\u0000b"}', '{"type":["a"]}', '{"Type":"a"}'],
    JSON.stringify({ type: "x".repeat(129) }),
    '{"type":"\\ud800"}',
    '{"type":"connection.created"}',
    '{"type":"connection.created","data":[]}',
    '{"type":"connection.created","data":{"connection":"conn_1"}}',
    '{"type":"connection.created","data":{"connection":{}}}',
  ]) {
    assert.equal(code(body), "INVALID_EVENT", body);
  }
});

test("a connection id that cannot be a header's value is INVALID_EVENT", () => {
  for (const id of ["", "a,b", "a b", "é", "a\n", "c".repeat(257), null, {}, true]) {
    assert.equal(code(JSON.stringify(connection({ id }))), "INVALID_EVENT", JSON.stringify(id));
  }
});

test("JSON nested a million deep is judged like any other", () => {
  const deep = "[".repeat(1_000_000) + "]".repeat(1_000_000);
  assert.equal(code(`{"type":"a","data":${deep}}`), "ok");
  assert.equal(code(deep), "INVALID_EVENT");
  assert.equal(code(deep.slice(1)), "INVALID_JSON");
  assert.equal(code('{"type":"a"}'), "ok", "nor does it disturb the next");
});

test("escapes in types and ids are decoded", () => {
  const event = eventOf('{"\\u0074ype":"connection\\u002ecreated","data":{"connection":{"\\u0069d":"conn\\u005f1"}}}');
  assert.deepEqual([event.known, event.type, event.data.connection.id], [true, "connection.created", "conn_1"]);
});

test("both schemes and a Webhook give the same event", () => {
  const body = JSON.stringify(connection({ status: "active" }));
  const expected = eventOf(body);
  assert.deepEqual(eventOf(body, signedSvix(body)), expected);
  assert.deepEqual(new Webhook(SECRET, AT).verify(body, signedSvix(body)), expected);
});

test("each call gives an event of its own", () => {
  const body = JSON.stringify(connection({}));
  eventOf(body).data.connection.id = "changed";
  assert.equal(eventOf(body).data.connection.id, "conn_1");
});
