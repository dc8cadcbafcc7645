// What the tests of deleted users share: users with connections, and what is left of them.

import assert from "node:assert/strict";
import { after } from "node:test";

import { eventually, introduce, listAll, refusal, sessionOf, startGateway } from "./harness.mjs";
import { inLedgerOf } from "./ledgers.mjs";

export const DONE = "The user has been deleted";
export const RETURN = "https://app.example/linked";

/** A gateway that keeps all events, and what can be asked of it and its emulated OFAuth. */
export async function startUsers() {
  const gateway = await startGateway({ faults: true, vars: { EVENT_KEEP: "*", APP_RETURN_URL: RETURN } });
  after(() => gateway.close());
  const { emulator } = gateway;
  let count = 0;
  return { gateway, emulator, newUser, path, asked, assertGone, countOfHub, everythingShown };

  /** A user with a connection of each status, and nothing else yet. */
  async function newUser(statuses, user = `user_${(count += 1)}_zQ`) {
    const number = (count += 1);
    const ids = statuses.map((_, index) => `conn_${number}of${index}Xy`);
    const handles = await Promise.all(ids.map((id, index) => introduce(gateway, id, { user, status: statuses[index] })));
    return { user, ids, handles };
  }

  function path(user) {
    const escaped = encodeURIComponent(user);
    return `/edge/users/${escaped === "." || escaped === ".." ? escaped.replaceAll(".", "%2E") : escaped}`;
  }

  /** What OFAuth was asked to do to a connection, and said. */
  function asked(id) {
    const about = emulator.requests.filter((seen) => seen.path === `/v2/account/connections/${id}`);
    return about.map(({ method, status }) => [method, status]);
  }

  /** By any name, in any view and any store; without a user, only the connections. */
  async function assertGone(user, ids, handles) {
    for (const name of [...ids, ...handles]) {
      for (const under of ["", "/events", "/health"]) {
        const answer = await gateway.call("GET", `/edge/connections/${name}${under}`);
        assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], `${name}${under}`);
      }
    }
    const kv = await gateway.kv();
    await eventually(async () => {
      for (const handle of handles) assert.equal(await kv.get(`conn:${handle}`), null);
      if (user !== undefined) assert.equal(await countOfHub(user), 0);
    });
    for (const handle of handles) assert.equal(deliveriesOf(handle), 0, "the ledger keeps no delivery");
  }

  async function countOfHub(user) {
    const { list } = (await gateway.call("GET", `/edge/connections?clientReferenceId=${encodeURIComponent(user)}`)).json();
    assert.deepEqual((await sessionOf(gateway, { sub: user })("GET", "/edge/connections")).json().list.length, list.length);
    return list.length;
  }

  function deliveriesOf(handle) {
    const select = "SELECT count(*) AS count FROM deliveries";
    return inLedgerOf(gateway.folder, handle, (ledger) => ledger.prepare(select).get().count);
  }

  /** All that servers can read of connections and kept events, as text. */
  async function everythingShown() {
    const connections = await listAll(gateway);
    const pages = [];
    for (let cursor; ; ) {
      const page = (await gateway.call("GET", `/edge/events?limit=100${cursor ? `&cursor=${cursor}` : ""}`)).json();
      pages.push(page.list);
      if (!(cursor = page.cursor)) return JSON.stringify([connections, pages]);
    }
  }
}
