// What the tests of OFAuth's samples share: the clients of a server and of a page, and connections.

import assert from "node:assert/strict";
import { after, beforeEach } from "node:test";

import { createClient } from "../../pkg-template/client.mjs";
import { accountOf } from "../emulator/account.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { startGateway } from "./harness.mjs";

export const ADA = "user_ada";
export const GRANTED = Object.freeze(["profile:read", "subscribers:read", "connections:write"]);

/** A gateway with an active and an expired connection of Ada's. `sdk` is a server's client, `page` Ada's. */
export async function startSamples() {
  const gateway = await startGateway();
  after(() => gateway.close());
  const { emulator } = gateway;
  const baseUrl = `http://127.0.0.1:${gateway.port}`;
  const sdk = createClient({ baseUrl, apiKey: gateway.vars.GATEWAY_KEY });
  beforeEach(() => {
    emulator.heal();
    emulator.clear();
  });
  const page = pageOf(GRANTED);
  await link("conn_Ada1", { clientReferenceId: ADA });
  await link("conn_Ada2", { clientReferenceId: ADA, status: "expired" });
  return { emulator, baseUrl, sdk, page, pageOf, link, handleOf };

  /** A page's client: its token function asks the user's backend, which asks the gateway. */
  function pageOf(permissions, clientReferenceId = ADA) {
    const token = async () => {
      const { data, error } = await sdk.sessions.create({ clientReferenceId, permissions });
      if (error) throw new Error(error.message);
      return data.token;
    };
    return createClient({ baseUrl, token });
  }

  /** A connection that OFAuth and the gateway know. */
  async function link(id, fields = {}) {
    const type = fields.status === "expired" ? "connection.expired" : "connection.created";
    const event = connectionEvent(type, { id, userData: { ...accountOf(id), id: userOf(id) }, ...fields });
    emulator.connections.learn(event);
    assert.equal((await gateway.deliver(event)).status, 200);
  }

  async function handleOf(id) {
    return (await sdk.link.connections.getById(id)).data.handle;
  }
}

export function userOf(id) {
  return String(accountOf(id).id);
}
