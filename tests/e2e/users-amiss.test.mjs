// DELETE /edge/users/{clientReferenceId} where not everybody knows of everything: 1. a connection that the hub has not heard
// of, 2. one that no webhook told of, 3. kept events that name the connection only.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { realtimeEvent } from "../emulator/events.mjs";
import { introduce, sessionOf, startGateway } from "./harness.mjs";

const gateway = await startGateway({ faults: true, vars: { EVENT_KEEP: "*" } });
after(() => gateway.close());
const { emulator } = gateway;

test("a deletion includes a connection that the user's hub has not heard of yet", async () => {
  await gateway.fail({ hub: "fail" });
  await introduce(gateway, "conn_unheard_by_hub", { user: "user_u" });
  await gateway.fail({});
  const answer = await gateway.call("DELETE", "/edge/users/user_u");
  assert.equal(answer.status, 200, answer.text);
  await sleep(3_000); // the projector would try again after 2 s
  const { list } = (await sessionOf(gateway, { sub: "user_u" })("GET", "/edge/connections")).json();
  assert.deepEqual(list, [], "it does not come back");
});

test("a deletion includes a connection that only OFAuth's list has", async () => {
  emulator.connections.put({ id: "conn_only_there", clientReferenceId: "user_there" });
  const answer = await gateway.call("DELETE", "/edge/users/user_there");
  assert.equal(answer.status, 200, answer.text);
  assert.equal(emulator.connections.get("conn_only_there"), undefined, answer.text);
});

test("a deletion includes events about the user's connection that do not name the user", async () => {
  await introduce(gateway, "conn_of_v", { user: "user_v" });
  await gateway.deliver(realtimeEvent("chatMessage", { id: "conn_of_v", clientReferenceId: undefined }));
  await gateway.deliver(realtimeEvent("chatMessage", { id: "conn_of_v", clientReferenceId: null }));
  assert.equal((await gateway.call("DELETE", "/edge/users/user_v")).status, 200);
  const shown = (await gateway.call("GET", "/edge/events?limit=100")).text;
  assert.equal(shown.split("conn_of_v").length - 1, 0, "occurrences left");
});
