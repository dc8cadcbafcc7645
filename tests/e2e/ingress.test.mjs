// The way in when things go wrong: 1. bodies up to the limit and beyond, 2. methods, 3. the ledger fails, 4. KV fails, is
// slow, or shows the past, 5. many updates in no time, 6. a restart in between, 7. a webhook URL with a slash too many, 8. ids
// that no path can carry, and empty ones.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent, rulesEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { eventually, listAll, open, refusal, startGateway } from "./harness.mjs";

const MIB = 1024 * 1024;

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
afterEach(() => gateway.fail({}));

test("a body of 1 MiB passes, and one of a byte more is refused, with and without a content-length", async () => {
  const most = Buffer.alloc(MIB, "x");
  const over = Buffer.alloc(MIB + 1, "x");
  assert.equal((await gateway.deliver(most)).outcome, "kept");
  assert.deepEqual(refusal(await gateway.deliver(over)), [413, "BODY_TOO_LARGE"]);
  for (const [body, status] of [[most, 200], [over, 413]]) {
    const headers = { ...sign({ secret: gateway.vars.OFAUTH_WEBHOOK_SECRET, body }), "transfer-encoding": "chunked" };
    assert.equal((await gateway.send("POST", "/webhooks/ofauth", { headers, body })).status, status);
  }
});

test("a content-length over 1 MiB is refused before any of the body is sent", async () => {
  for (const length of [MIB + 1, 2 ** 31, 2 ** 53]) {
    const started = Date.now();
    const request = open(gateway.port, "POST", "/webhooks/ofauth", { ...signedHeaders(), "content-length": length });
    request.flushHeaders();
    const [response] = await once(request, "response");
    assert.equal(response.statusCode, 413);
    assert.ok(Date.now() - started < 1_000, `${Date.now() - started} ms`);
    request.on("error", () => {}).destroy();
  }
});

test("a body without a length or an end is refused soon after its first 1 MiB, while it is still coming", async () => {
  const request = open(gateway.port, "POST", "/webhooks/ofauth", { ...signedHeaders(), "transfer-encoding": "chunked" });
  request.on("error", () => {}).setMaxListeners(0);
  let response;
  const answered = once(request, "response").then(([incoming]) => (response = incoming.resume()));
  const chunk = Buffer.alloc(65_536, "x");
  let sent = 0;
  for (; !response && sent < 64 * MIB; sent += chunk.length) {
    if (!request.write(chunk)) await Promise.race([once(request, "drain"), answered]);
    await sleep(5);
  }
  assert.equal(response?.statusCode, 413);
  assert.ok(sent > MIB && sent <= 8 * MIB, `${sent} bytes were sent before the answer`);
  request.destroy();
});

test("a body that never ends is given up after 10 s, and small ones are read meanwhile", async () => {
  const slow = Array.from({ length: 80 }, (_, index) => {
    const length = index % 2 ? MIB : 1_000;
    const request = open(gateway.port, "POST", "/webhooks/ofauth", { ...signedHeaders(), "content-length": length });
    request.on("error", () => {}).write(Buffer.alloc(length - 1, "x"));
    return { started: Date.now(), request, length };
  });
  // The budget for large bodies is 32 MiB: of the 40 slow ones, 8 are refused. The others fill it until they are given up.
  await eventually(() => slow.filter(({ request }) => request.res).length >= 8);
  const large = await gateway.deliver(Buffer.alloc(MIB, "y"));
  assert.deepEqual(refusal(large), [503, "OVERLOADED"]);
  assert.equal((await gateway.deliver(connectionEvent("connection.created", { id: "conn_meanwhile" }))).outcome, "applied");
  assert.ok(Number(large.headers["retry-after"]) > 0);
  for (const { request, started, length } of slow) {
    const [response] = request.res ? [request.res] : await once(request, "response");
    assert.ok([400, 503].includes(response.statusCode), `${response.statusCode}`);
    if (length < MIB) assert.equal(response.statusCode, 400);
    assert.ok(Date.now() - started < 14_000);
    request.destroy();
  }
  assert.equal((await gateway.deliver(Buffer.alloc(MIB, "y"))).outcome, "kept");
});

test("a stale signature is refused without waiting for the body", async () => {
  const old = sign({ secret: gateway.vars.OFAUTH_WEBHOOK_SECRET, timestamp: 1_700_000_000, body: "" });
  const request = open(gateway.port, "POST", "/webhooks/ofauth", { ...old, "content-length": 1_000 });
  request.flushHeaders();
  const [response] = await once(request, "response");
  assert.equal(response.statusCode, 401);
  request.on("error", () => {}).destroy();
});

test("any method but POST is a 405 that names POST", async () => {
  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const answer = await gateway.send(method, "/webhooks/ofauth");
    assert.deepEqual([answer.status, answer.headers.allow], [405, "POST"], method);
    if (method !== "HEAD") assert.deepEqual(refusal(answer), [405, "METHOD_NOT_ALLOWED"]);
  }
});

test("a delivery gets 503 while the ledger fails, and is applied when it comes again later", async () => {
  for (const [index, type] of ["created", "updated", "expired", "disconnected"].entries()) {
    const event = connectionEvent(`connection.${type}`, { id: `conn_ledger_${index}` });
    await gateway.fail({ ledger: "fail" });
    for (let tries = 0; tries < 3; tries += 1) assertRetryLater(await gateway.deliver(event));
    await gateway.fail({});
    assert.equal((await gateway.deliver(event)).outcome, "applied");
    assert.equal((await gateway.deliver(event)).outcome, "duplicate");
  }
});

test("a delivery gets 503 if the ledger's answer is lost, and is a duplicate when it comes again", async () => {
  const event = connectionEvent("connection.created", { id: "conn_lost" });
  await gateway.fail({ ledger: "lost" });
  assertRetryLater(await gateway.deliver(event));
  await gateway.fail({});
  assert.equal((await gateway.deliver(event)).outcome, "duplicate");
  await listed("conn_lost", "active");
});

test("a delivery gets 200 while KV fails, and KV catches up without another webhook", async () => {
  await gateway.fail({ put: "fail" });
  const ids = ["conn_kv_0", "conn_kv_1", "conn_kv_2"];
  for (const id of ids) {
    assert.equal((await gateway.deliver(connectionEvent("connection.created", { id }))).outcome, "applied");
    const found = await gateway.call("GET", `/edge/connections/${id}`);
    assert.equal(found.json().status, "active", "the ledger knows it at once");
  }
  await gateway.deliver(connectionEvent("connection.expired", { id: ids[2] }));
  const tried = (await gateway.puts()).length;
  await eventually(async () => (await gateway.puts()).length > tried); // the alarm tries, and fails
  assert.ok(!(await listAll(gateway)).some(({ id }) => ids.includes(id)));
  await gateway.fail({});
  await Promise.all([listed(ids[0], "active"), listed(ids[1], "active"), listed(ids[2], "expired")]);
});

test("a slow KV does not keep OFAuth waiting", async () => {
  await gateway.fail({ put: "slow" });
  const event = connectionEvent("connection.created", { id: "conn_slow" });
  const first = await gateway.deliver(event);
  const second = await gateway.deliver(connectionEvent("connection.expired", { id: "conn_slow" }));
  const copy = await gateway.deliver(event);
  assert.deepEqual([first, second, copy].map(({ outcome }) => outcome), ["applied", "applied", "duplicate"]);
  for (const { ms } of [first, second, copy]) assert.ok(ms < 1_500, `${ms} ms`);
  assert.equal((await putsOf("conn_slow")).length, 1, "one put on the way at once");
  await gateway.fail({});
  await listed("conn_slow", "expired");
});

test("a connection that KV does not show yet is found in its ledger", async () => {
  const id = "conn_not_yet";
  await gateway.fail({ read: "stale" });
  await gateway.deliver(connectionEvent("connection.created", { id }));
  const { handle } = (await gateway.call("GET", `/edge/connections/${id}`)).json();
  assert.ok(!(await listAll(gateway)).some((record) => record.handle === handle));
  gateway.emulator.clear();
  for (const name of [id, handle]) {
    const answer = await gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": name } });
    assert.equal(answer.status, 200, name);
  }
  assert.deepEqual(gateway.emulator.requests.map(({ headers }) => headers["x-connection-id"]), [id, id]);
});

test("60 quick updates of one connection are a few puts, a second apart, and the last one wins", async () => {
  const id = "conn_busy";
  const start = Date.now() - 120_000;
  const update = (index) => {
    const timestamp = new Date(start + index).toISOString();
    return connectionEvent("connection.updated", { id, timestamp, permissions: [`p${index}`] });
  };
  const waves = Array.from({ length: 6 }, (_, wave) => Array.from({ length: 10 }, (_, index) => wave * 10 + index));
  const began = Date.now();
  await Promise.all(
    waves.map(async (wave, delay) => {
      await sleep(delay * 300);
      const outcomes = await Promise.all(wave.map((index) => gateway.deliver(update(index))));
      assert.ok(outcomes.every(({ status }) => status === 200));
    }),
  );
  const shown = await eventually(async () => {
    const record = (await listAll(gateway)).find((record) => record.id === id);
    assert.deepEqual(record?.permissions, ["p59"]);
    return record;
  });
  assert.deepEqual((await gateway.call("GET", `/edge/connections/${id}`)).json(), shown);

  const puts = await putsOf(id);
  const seconds = (Date.now() - began) / 1_000;
  assert.ok(puts.length <= Math.ceil(seconds) + 1, `${puts.length} puts in ${seconds} s`);
  const gaps = puts.slice(1).map(({ at }, index) => at - puts[index].at);
  assert.ok(gaps.every((gap) => gap >= 950), `ms between puts: ${gaps}`);
});

test("an event that is to be kept gets 503 while KV fails, and is kept when it comes again", async () => {
  for (const event of [{ type: "invoice.paid" }, rulesEvent()]) {
    const id = `msg_${event.type}`;
    await gateway.fail({ put: "fail" });
    assertRetryLater(await gateway.deliver(event, { scheme: "svix", id }));
    await gateway.fail({});
    assert.equal((await gateway.deliver(event, { scheme: "svix", id })).outcome, "kept");
    const { list } = (await gateway.call("GET", "/edge/events?limit=100")).json();
    assert.equal(list.filter((item) => item.id === id).length, 1);
  }
});

test("older rules do not replace newer ones that KV does not show yet", async () => {
  const kv = await gateway.kv();
  const deliver = async (revision, ahead) => {
    const timestamp = new Date(Date.now() + ahead * 1_000).toISOString();
    assert.equal((await gateway.deliver(rulesEvent({ timestamp, revision }))).outcome, "kept");
  };
  await gateway.fail({ read: "stale" });
  await deliver("newest", 60);
  await deliver("older", 30);
  await gateway.fail({});
  const shown = async () => (await kv.getWithMetadata("rules", "arrayBuffer")).metadata.revision;
  await eventually(async () => assert.equal(await shown(), "newest"), { within: 3_000 });
});

test("a put that KV does not answer is given up, and if it lands after a newer one, the newest is put again", async () => {
  const event = (type) => connectionEvent(type, { id: "conn_hung" });
  await gateway.fail({ put: "hang" });
  assert.equal((await gateway.deliver(event("connection.created"))).outcome, "applied");
  const { handle } = (await gateway.call("GET", "/edge/connections/conn_hung")).json();
  const shown = async () => (await listAll(gateway)).find(({ id }) => id === "conn_hung")?.status;
  const given = () => assert.ok(gateway.logs.some((line) => line.includes("KV did not answer")));
  await eventually(async () => given(), { within: 45_000 });

  await gateway.fail({}); // and in three seconds the old put lands
  assert.equal((await gateway.deliver(event("connection.expired"))).outcome, "applied");
  await eventually(async () => assert.equal(await shown(), "expired"), { within: 2_500 });
  const puts = async () => (await gateway.puts()).filter(({ key }) => key === `conn:${handle}`).length;
  const before = await puts();
  await eventually(async () => assert.ok((await puts()) > before));
  await eventually(async () => assert.equal(await shown(), "expired"));
});

test("while KV fails lists are 503, and calls work, because the ledger knows the connection too", async () => {
  const { handle } = (await gateway.call("GET", "/edge/connections/conn_busy")).json();
  const access = () => gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": handle } });
  await gateway.fail({ read: "fail" });
  for (const path of ["/edge/connections", "/edge/events"]) assertRetryLater(await gateway.call("GET", path));
  assert.equal((await access()).status, 200);
  await gateway.fail({ read: "fail", ledger: "fail" });
  assertRetryLater(await access());
  assertRetryLater(await gateway.call("GET", `/edge/connections/${handle}`));
});

test("a delivery that was answered with 200 survives a restart, and then reaches KV by itself", async (t) => {
  const first = await startGateway({ faults: true });
  t.after(() => first.close());
  await first.fail({ put: "fail" });
  const events = ["created", "expired"].map((type) => connectionEvent(`connection.${type}`, { id: "conn_restart" }));
  for (const event of events) assert.equal((await first.deliver(event)).status, 200);
  await first.close({ keep: true });

  const second = await startGateway({ faults: true, folder: first.folder });
  t.after(() => second.close());
  await eventually(async () => assert.equal((await listAll(second))[0]?.status, "expired"), { within: 20_000 });
  for (const event of events) assert.equal((await second.deliver(event)).outcome, "duplicate");
});

function assertRetryLater(answer) {
  assert.deepEqual(refusal(answer), [503, "STORAGE_UNAVAILABLE"]);
  assert.match(answer.headers["retry-after"], /^\d+$/);
}

async function listed(id, status) {
  const check = async () => assert.equal((await listAll(gateway)).find((record) => record.id === id)?.status, status, id);
  await eventually(check, { within: 20_000 });
}

async function putsOf(id) {
  const { handle } = (await gateway.call("GET", `/edge/connections/${id}`)).json();
  return (await gateway.puts()).filter(({ key }) => key === `conn:${handle}`);
}

/** In time, so that the body is what is judged; the MAC is of something else. */
function signedHeaders() {
  return sign({ secret: gateway.vars.OFAUTH_WEBHOOK_SECRET, body: "something else" });
}

test("a webhook URL with a slash too many reaches the webhook", async () => {
  for (const [index, target] of ["/webhooks/ofauth/", "//webhooks/ofauth", "/webhooks//ofauth//"].entries()) {
    const body = JSON.stringify(connectionEvent("connection.created", { id: `conn_slash${index}`, clientReferenceId: "user_1" }));
    const headers = sign({ secret: gateway.vars.OFAUTH_WEBHOOK_SECRET, body });
    const answer = await gateway.send("POST", target, { headers, body });
    assert.deepEqual([answer.status, answer.json()], [200, { outcome: "applied" }], target);
    assert.equal((await gateway.send("GET", target)).headers.allow, "POST", target);
  }
});

test("an event whose connection id no path can carry is kept as an event, and makes no connection", async () => {
  for (const id of ["conn/slash", "conn%2e", 'conn"\\x', ".."]) {
    const told = await gateway.deliver(connectionEvent("connection.created", { id, clientReferenceId: "user_odd" }));
    assert.deepEqual([told.status, told.outcome], [200, "kept"], id);
  }
  assert.equal((await gateway.call("GET", "/edge/connections?clientReferenceId=user_odd")).json().total, 0);
  assert.equal((await gateway.call("DELETE", "/edge/users/user_odd")).status, 200);
});

test("an empty clientReferenceId does not take a connection from its user", async () => {
  await gateway.deliver(connectionEvent("connection.created", { id: "conn_owned", clientReferenceId: "user_owner" }));
  const told = await gateway.deliver(connectionEvent("connection.updated", { id: "conn_owned", clientReferenceId: "" }));
  assert.equal(told.outcome, "applied");
  assert.equal((await gateway.call("GET", "/edge/connections/conn_owned")).json().clientReferenceId, "user_owner");
  assert.equal((await gateway.call("GET", "/edge/connections?clientReferenceId=user_owner")).json().total, 1);
});
