// A connection that has just moved to another user, of which the old user's hub has not heard yet (it was down when the
// webhook came): what is final must ask the ledger, which knows.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { introduce, sessionOf, startGateway } from "./harness.mjs";

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
const { emulator } = gateway;

async function moved(id) {
  const handle = await introduce(gateway, id, { user: `${id}_old` });
  await gateway.fail({ hub: "fail" });
  const event = connectionEvent("connection.updated", { id, clientReferenceId: `${id}_new` });
  assert.equal((await gateway.deliver(event)).outcome, "applied");
  await gateway.fail({});
  emulator.clear();
  return handle;
}

test("a session of the old user does not delete a connection that has moved", async () => {
  const handle = await moved("conn_m1");
  const session = sessionOf(gateway, { sub: "conn_m1_old", permissions: ["connections:write"] });
  const answer = await session("DELETE", `/edge/connections/${handle}`);
  const { status } = (await gateway.call("GET", "/edge/connections/conn_m1")).json();
  assert.deepEqual([answer.status, status, emulator.requests.length], [404, "active", 0]);
});

test("a deletion of the old user does not delete a connection that has moved, at OFAuth or here", async () => {
  await moved("conn_m2");
  const answer = await gateway.call("DELETE", "/edge/users/conn_m2_old");
  const record = await gateway.call("GET", "/edge/connections/conn_m2");
  const deleted = emulator.requests.filter(({ method }) => method !== "GET");
  assert.deepEqual([record.status, deleted], [200, []], answer.text);
});
