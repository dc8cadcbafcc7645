// Alerts: 1. each cause is heard once, again after an hour, and once when it is over, 2. a restart repeats none, 3. one that
// was not heard is sent again, 4. the alarm watches by itself.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { slowTest } from "../full.mjs";
import { eventually, introduce, startGateway } from "./harness.mjs";
import { addCounts, askMetrics } from "./metrics.mjs";

const heard = [];
let answerWith = 200;
const receiver = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  assert.equal(request.headers["content-type"], "application/json");
  if (answerWith === 200) heard.push(JSON.parse(body).text);
  response.writeHead(answerWith).end();
});
await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const vars = { ALERT_URL: `http://127.0.0.1:${receiver.address().port}/services/T0/B0/secret`, ALERT_EXPIRATIONS_PER_HOUR: "3" };
let gateway = await startGateway({ watched: true, vars });
after(async () => {
  await gateway.close();
  receiver.close();
});
beforeEach(() => heard.splice(0));

// Days apart, so that no test sees what another one counted.
let day = 30_000_000;
const nextDay = () => (day += 1_440);
/** What is told in this minute. */
async function watch(minute) {
  heard.splice(0);
  await askMetrics(gateway, `watch/${minute}`);
  return [...heard];
}

const CAUSES = [
  ["expirations", "session_expired webhook 4", "other thing 1", /^ofauth-edge: 4 sessions expired in the last hour/, 61],
  ["parked", "forward parked 2", "other thing 1", /^ofauth-edge: 2 forwards were parked/, 61],
  ["api_key", "api_key_refused UNAUTHORIZED 1", "upstream 2xx 1", /OFAuth refuses the API key/, 1],
  ["reconciliation", "reconciliation stopped 1", "reconciliation done 1", /the reconciliation has stopped/, 1],
];
for (const [cause, bad, good, text, pause] of CAUSES) {
  test(`${cause}: heard once, again after an hour, and once when it is over`, async () => {
    const minute = nextDay();
    assert.deepEqual(await watch(minute - 1), []);
    await addCounts(gateway, minute, `${bad}\n`, 1);
    const [first, ...others] = await watch(minute);
    assert.match(first, text);
    assert.deepEqual(others, []);
    assert.deepEqual(await watch(minute + 1), []);
    await addCounts(gateway, minute + 59, `${bad}\n`, 2);
    assert.deepEqual(await watch(minute + 59), []);
    const [again] = await watch(minute + 60);
    assert.match(again, text);
    await addCounts(gateway, minute + 60 + pause, `${good}\n`, 3);
    assert.deepEqual(await watch(minute + 60 + pause), [`ofauth-edge: over: ${cause}.`]);
    assert.deepEqual(await watch(minute + 61 + pause), []);
  });
}

test("signatures: heard after ten minutes without one that verifies, and once when one does", async () => {
  const minute = nextDay();
  const refuse = (at) => addCounts(gateway, minute + at, "webhook_rejected SIGNATURE_MISMATCH 2\n", at % 4);
  await addCounts(gateway, minute, "webhook_accepted applied 1\n");
  for (const at of [1, 5, 10]) await refuse(at);
  assert.deepEqual(await watch(minute + 10), []);
  await refuse(11);
  assert.match((await watch(minute + 11))[0], /no webhook was accepted/);
  await refuse(12);
  assert.deepEqual(await watch(minute + 12), []);
  await addCounts(gateway, minute + 13, "webhook_accepted applied 1\n", 3);
  assert.deepEqual(await watch(minute + 13), ["ofauth-edge: over: signatures."]);
  for (const at of [14, 25]) await addCounts(gateway, minute + at, "webhook_rejected BODY_TOO_LARGE 9\n");
  assert.deepEqual(await watch(minute + 25), [], "what is no fault of a signature does not count");
  const probe = (at) => addCounts(gateway, minute + at, "webhook_rejected MISSING_HEADERS 1\n");
  for (const at of [30, 42, 43, 44]) await probe(at);
  assert.deepEqual(await watch(minute + 44), [], "fewer than five are no trouble");
  await probe(45);
  assert.match((await watch(minute + 45))[0], /no webhook was accepted/);
});

test("a restart repeats nothing, also after a crash", async () => {
  const minute = nextDay();
  await addCounts(gateway, minute, "forward parked 1\n", 2);
  assert.equal((await watch(minute)).length, 1);
  await gateway.kill();
  gateway = await startGateway({ watched: true, vars, folder: gateway.folder });
  assert.deepEqual(await watch(minute + 1), []);
  assert.deepEqual(await watch(minute + 61), ["ofauth-edge: over: parked."]);
});

test("an alert that was not heard is sent again, and the log does not show where to", async () => {
  const minute = nextDay();
  await addCounts(gateway, minute, "forward parked 1\n");
  answerWith = 500;
  assert.deepEqual(await watch(minute), []);
  answerWith = 200;
  assert.equal((await watch(minute + 1)).length, 1);
  answerWith = 302;
  assert.deepEqual(await watch(minute + 70), []);
  answerWith = 200;
  assert.deepEqual(await watch(minute + 71), ["ofauth-edge: over: parked."]);
  const errors = gateway.logs.filter((line) => line.includes('"what":"alert"'));
  assert.equal(errors.length, 2, gateway.logs.join("\n"));
  assert.ok(errors.every((line) => !line.includes("127.0.0.1") && !line.includes("secret")), errors.join());
});

test("a watch at the same time tells nothing twice", async () => {
  const minute = nextDay();
  await addCounts(gateway, minute, "forward parked 1\n");
  await Promise.all([0, 1, 2, 3].map((later) => askMetrics(gateway, `watch/${minute + later}`)));
  assert.equal(heard.length, 1, heard.join());
  await watch(minute + 70);
});

slowTest("the alarm watches by itself: real expirations are heard, a minute later if nobody listened", { timeout: 220_000 }, async (t) => {
  // Its alarm would tell of the days above.
  await gateway.close();
  const fresh = await startGateway({ vars });
  t.after(() => fresh.close());
  for (let count = 0; count < 4; count += 1) {
    await introduce(fresh, `conn_${count}`);
    await fresh.deliver(connectionEvent("connection.expired", { id: `conn_${count}`, clientReferenceId: "user_456" }));
  }
  answerWith = 500;
  const failures = () => fresh.logs.filter((line) => line.includes('"what":"alert"')).length;
  await eventually(() => failures() === 1, { within: 100_000, every: 1_000 });
  answerWith = 200;
  await eventually(() => assert.match(heard.join(), /4 sessions expired/), { within: 100_000, every: 1_000 });
  await sleep(1_000);
  assert.equal(heard.length, 1, heard.join());
});
