// Alerts of causes that really happen, one after the other: sessions expire, the app refuses an event for good, OFAuth refuses the
// API key, a pass stops, signatures fail. Each is heard once, and once when it is over. What would take an hour has happened an
// hour ago: see `ageMetrics`.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connectionEvent } from "../emulator/events.mjs";
import { FORWARD_SECRET, startApp } from "./forwarding.mjs";
import { eventually, introduce, startGateway } from "./harness.mjs";
import { ageMetrics, askMetrics } from "./metrics.mjs";

const TEXTS = {
  expirations: /4 sessions expired/,
  parked: /1 forwards were parked/,
  api_key: /refuses the API key/,
  reconciliation: /reconciliation has stopped/,
  signatures: /no webhook was accepted/,
};
const HANDED_OVER = { within: 20_000, every: 300 };

test("each cause is heard once, and once when it is over", { timeout: 240_000 }, async (t) => {
  const heard = [];
  const receiver = await startApp(t);
  receiver.answer = ({ body }) => {
    heard.push(JSON.parse(body).text);
    return {};
  };
  const app = await startApp(t);
  app.answer = ({ body }) => (body.includes("conn_gone") ? { status: 410 } : {});
  const vars = { ALERT_URL: receiver.url, ALERT_EXPIRATIONS_PER_HOUR: "3", FORWARD_URL: app.url, FORWARD_SECRET };
  let gateway = await startGateway({ watched: true, vars });
  after(() => gateway.close());

  let watches = 0;
  const watch = () => askMetrics(gateway, `watch/${Math.floor(Date.now() / 60_000) + (watches++ % 4)}`);
  /** Watches until these texts were heard, and hears no others. */
  const hears = async (causes, textOf) => {
    await watch();
    await eventually(() => heard.length >= causes.length);
    await watch();
    await sleep(300);
    assert.equal(heard.length, causes.length, heard.join("\n"));
    for (const cause of causes) assert.equal(heard.filter(textOf(cause)).length, 1, `${cause}: ${heard}`);
    heard.splice(0);
  };
  const begins = (...causes) => hears(causes, (cause) => (text) => TEXTS[cause].test(text));
  const ends = (...causes) => hears(causes, (cause) => (text) => text === `ofauth-edge: over: ${cause}.`);
  const counted = (check) => eventually(async () => check((await gateway.call("GET", "/edge/metrics?minutes=5")).json().total), HANDED_OVER);
  /** The same gateway, after these minutes. */
  const later = async (minutes) => {
    const { folder, emulator } = gateway;
    const saved = emulator.connections.save();
    await gateway.close({ keep: true });
    ageMetrics(folder, minutes);
    gateway = await startGateway({ watched: true, vars, folder });
    gateway.emulator.connections.restore(saved);
  };

  const handle = await introduce(gateway, "conn_gone");
  for (const id of ["conn_1", "conn_2", "conn_3", "conn_4"]) {
    await introduce(gateway, id);
    await gateway.deliver(connectionEvent("connection.expired", { id, clientReferenceId: "user_456" }));
  }
  await counted((total) => total.session_expired?.webhook === 4 && total.forward?.parked === 1);
  await begins("expirations", "parked");
  await later(61);
  await ends("expirations", "parked");

  const refuse = () => gateway.deliver(connectionEvent("connection.updated", { id: "conn_1" }), { secret: "whsec_wrong" });
  for (let count = 0; count < 3; count += 1) await refuse();
  await counted((total) => total.webhook_rejected?.SIGNATURE_MISMATCH === 3);
  await later(11);
  for (let count = 0; count < 2; count += 1) await refuse();
  gateway.emulator.fault({ kind: "refuse", type: "UNAUTHORIZED" });
  const access = () => gateway.call("GET", "/v2/access/self", { headers: { "x-connection-id": handle } });
  assert.equal((await access()).status, 401);
  assert.equal((await gateway.reconcile()).stopped, "refused");
  await counted((total) => total.webhook_rejected?.SIGNATURE_MISMATCH === 2 && total.api_key_refused && total.reconciliation?.stopped === 1);
  await begins("api_key", "reconciliation", "signatures");

  await later(5);
  assert.equal((await gateway.deliver(connectionEvent("connection.updated", { id: "conn_1" }))).status, 200);
  assert.equal((await access()).status, 200);
  assert.equal((await gateway.reconcile()).stopped, null);
  await counted((total) => total.webhook_accepted && total.upstream?.["2xx"] && total.reconciliation?.done === 1);
  await ends("api_key", "reconciliation", "signatures");
});
