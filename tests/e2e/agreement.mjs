// Whether all that shows connections shows the same: KV, the users' hubs, and the ledgers.

import assert from "node:assert/strict";

import { handleOf, historyOf, metadataOf } from "./fold.mjs";
import { listAll, sessionOf } from "./harness.mjs";
import { inLedgerOf } from "./ledgers.mjs";

/** @typedef {import("./harness.mjs").Gateway} Gateway */

/** The ledgers have exactly these records. */
export async function assertLedgers(gateway, records) {
  const answers = await Promise.all(records.map(({ handle }) => gateway.call("GET", `/edge/connections/${handle}`)));
  assert.deepEqual(answers.map((answer) => answer.json()), records);
}

/** KV has exactly these records, in the keys' metadata and in the values. */
export async function assertKv(gateway, records) {
  const kv = await gateway.kv();
  const sorted = records.toSorted(byHandle);
  // First past the gateway, so that nothing that was asked for can have repaired it.
  const { keys } = await kv.list({ prefix: "conn:" });
  const inClear = keys.map(({ name, metadata: { summary: _, ...rest } }) => [name, rest]);
  assert.deepEqual(inClear, sorted.map((record) => [`conn:${record.handle}`, metadataOf(record)]));
  assert.deepEqual(await listAll(gateway), sorted);
  // A list reads the values of keys whose metadata have no summary.
  for (const [name, metadata] of inClear) await kv.put(name, await kv.get(name, "arrayBuffer"), { metadata });
  assert.deepEqual(await listAll(gateway), sorted);
}

/** The hub of each of the users has exactly their records, for servers and for pages. */
export async function assertHubs(gateway, records, users) {
  for (const user of users) {
    const own = records.filter(({ clientReferenceId }) => clientReferenceId === user).sort(byNewest);
    assert.deepEqual(await listAll(gateway, `&clientReferenceId=${encodeURIComponent(user)}`), own, user);
    const answer = await sessionOf(gateway, { sub: user })("GET", "/edge/connections?limit=100");
    assert.deepEqual(answer.json().list, own.map((record) => ({ ...record, id: record.handle })), user);
  }
}

/** All of a connection's timeline, newest first. Empty if its ledger is. */
export async function timelineOf(gateway, id) {
  const list = [];
  for (let cursor; ; ) {
    const query = `limit=7${cursor ? `&cursor=${cursor}` : ""}`;
    const page = await gateway.call("GET", `/edge/connections/${handleOf(id)}/events?${query}`);
    if (page.status === 404 && !cursor) return [];
    assert.equal(page.status, 200, page.text);
    list.push(...page.json().list);
    cursor = page.json().cursor;
    if (!cursor) return list;
  }
}

/**
 * The timeline is the one that fold.mjs makes of deliveries that come in the order of the timeline.
 * @param {Map<string, {fact: import("./fold.mjs").Fact, body: string}>} sent   the deliveries by their ids
 * @returns {Promise<{entries: object[], made: object | undefined}>}
 *   entries: those of OFAuth's deliveries, oldest first; made: the record, if there are any
 */
export async function assertTimeline(gateway, id, sent) {
  const timeline = (await timelineOf(gateway, id)).toReversed().map(({ receivedAt: _, ...rest }) => rest);
  const entries = timeline.filter(({ type }) => !type.startsWith("edge."));
  assert.deepEqual(entries.filter((entry) => !sent.has(entry.id)), [], id);
  const { record, timeline: made } = historyOf(id, entries.map((entry) => sent.get(entry.id)));
  assert.deepEqual(timeline, made, id);
  return { entries, made: record };
}

/** The version of a record, which grows with each change. */
export function versionOf({ folder }, handle) {
  return inLedgerOf(folder, handle, (ledger) => ledger.prepare("SELECT version FROM ledger").get().version);
}

function byHandle(a, b) {
  return a.handle < b.handle ? -1 : 1;
}

function byNewest(a, b) {
  return a.updatedAt === b.updatedAt ? byHandle(a, b) : a.updatedAt < b.updatedAt ? 1 : -1;
}
