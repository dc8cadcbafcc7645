// The reconciler, a Durable Object. There is one, named `reconciler`.
//
// | path | answer |
// |---|---|
// | `tick` | nothing. Starts a pass, unless one runs. The cron trigger sends it: see entry.js |
// | `state` | the state as JSON: see docs/reconciliation.md |
//
// Its alarm does the pass in slices. Each makes fewer than 50 requests, as many as the free plan allows per invocation
// (https://developers.cloudflare.com/workers/platform/limits/), and ends with its writes, which are one commit. A slice that was
// interrupted is done again: facts that come twice change nothing.
//
// 1. KNOWN: the metadata of the connections in KV are copied.
// 2. LIST: OFAuth's list is read page by page. An item that disagrees with what is known becomes a fact, which its ledger stores.
//    So does an item that is not known.
// 3. MISSING: connections that two complete passes missed get the status `missing`.
// 4. CLEANUP: connections that have been expired for CLEANUP_EXPIRED_AFTER_DAYS are deleted at OFAuth, which is asked first whether
//    they are still expired.
// 5. RESEAL: after a change of STORAGE_KEY, each ledger and its user's hub are woken to encrypt what they have under the newest key,
//    until a complete walk finds nothing under another one.
//
// A pass stops if the API key is refused or is of another environment than the connections, and before step 3 if too many
// connections are absent. Step 5 follows all the same.

import {
  absentAfter,
  add,
  addKeyCount,
  addPage,
  clearKeyCounts,
  clearPass,
  countListed,
  createTables,
  dispute,
  expiredAfter,
  knownAfter,
  knownOf,
  noteAbsent,
  readState,
  refreshKnown,
  restartAbsence,
  set,
  takeKeyCounts,
} from "./store.js";

const [IDLE, KNOWN, LIST, MISSING, CLEANUP, RESEAL] = [0, 1, 2, 3, 4, 5];
const MAX_REQUESTS = 48;
const KEYS_PER_SLICE = 200;
/** Each makes at most two requests. */
const MARKS_PER_SLICE = 20;
/** Each is done by its ledger. */
const DELETIONS_PER_SLICE = 40;
/** Each is woken with its user's hub. */
const LEDGERS_PER_SLICE = 20;
/** How many connections are looked at to see from which environment they are. */
const SAMPLE = 40;
/** The wait after a slice that failed, in ms. It doubles with each failure in a row. */
const MIN_RETRY = 2_000;
/** After so many failures in a row the pass is given up. The next tick starts another one. */
const MAX_FAILURES = 8;
/** How soon the alarm rings again if the object stops during a slice, in ms. */
const GUARD = 10_000;
/** Handles are lower-case, so this comes after all of them. */
const END = "~";

/** What `reconcile_inspect` returns about a connection or the API key, as bits. */
const [LIVE, SANDBOX, DUE] = [1, 2, 4];

/** The class of the object. `wasm` has the functions of decisions.rs. */
export const reconcilerClass = (wasm) =>
  class {
    constructor({ storage }, env) {
      this.storage = storage;
      this.pass = { wasm, env, sql: storage.sql };
    }

    async answer(path) {
      const { sql } = this.pass;
      if (path === "state") return JSON.stringify(readState(sql));
      const alarm = await this.storage.getAlarm();
      createTables(sql);
      if (!readState(sql).step) start(sql);
      // A pass whose alarm was lost goes on.
      if (alarm === null) this.storage.setAlarm(Date.now());
      return "";
    }

    async alarm() {
      const { sql } = this.pass;
      createTables(sql);
      // Before the slice, so that the next one comes whatever becomes of this one.
      this.storage.setAlarm(Date.now() + GUARD);
      const state = readState(sql);
      let wait;
      try {
        wait = await STEPS[state.step]?.(this.pass, state);
        if (state.failures) set(sql, { failures: 0 });
      } catch (error) {
        wait = fail(this.pass, state, error);
      }
      if (wait === undefined) this.storage.deleteAlarm();
      else this.storage.setAlarm(Date.now() + wait);
    }
  };

/** What a slice of each step does. Answers how long to wait before the next one, in ms; nothing if the pass is over. */
const STEPS = { [KNOWN]: refresh, [LIST]: readPage, [MISSING]: markMissing, [CLEANUP]: cleanUp, [RESEAL]: reseal };

function start(sql) {
  set(sql, { step: KNOWN, startedAt: Date.now(), place: "", cursor: null, failures: 0 });
  set(sql, { imported: 0, repaired: 0, missing: 0, cleaned: 0, unreadable: 0 });
  sql.exec("DELETE FROM pages");
}

function fail(pass, { step, failures }, error) {
  if (failures >= MAX_FAILURES) {
    // First, because re-sealing cannot begin while the configuration is incomplete. It may fail as often as the pass.
    set(pass.sql, { step: IDLE, failures: 0 });
    const wait = stop(pass, "failed", error);
    return step === RESEAL ? end(pass) : wait;
  }
  log(error);
  return go(pass, { failures: failures + 1 }, MIN_RETRY << failures);
}

/** Ends the comparison with OFAuth's list. What it has repaired stays repaired. */
function stop(pass, cause, detail = "") {
  log(`stopped: ${cause}${detail && `: ${detail}`}`);
  set(pass.sql, { stopped: cause, stoppedAt: Date.now() });
  pass.wasm.reconcile_count(pass.env, "stopped");
  return startResealing(pass);
}

function end({ sql }) {
  set(sql, { step: IDLE });
}

/** Notes where the pass is. Answers the wait. */
function go({ sql }, place, wait = 0) {
  set(sql, place);
  return wait;
}

async function refresh(pass, { place, cursor, environment }) {
  const listed = await pass.env.CONNECTIONS.list({ prefix: "conn:", limit: KEYS_PER_SLICE, cursor: cursor ?? undefined });
  const batch = listed.keys.map(({ name, metadata }) => [name.slice("conn:".length), metadata]);
  const last = batch.at(-1)?.[0] ?? place;
  refreshKnown(pass.sql, batch, place, listed.list_complete ? END : last, elsewhereTest(pass));
  if (!listed.list_complete) return go(pass, { place: last, cursor: listed.cursor });
  const own = ownEnvironment(pass, environment);
  if (!own) return stop(pass, "other_environment");
  return go(pass, { step: LIST, offset: 0, place: "", cursor: null, environment: own });
}

/** The test whether a connection is of another environment than the API key, by the metadata of its key in KV. */
function elsewhereTest({ wasm, env }) {
  const own = wasm.reconcile_inspect(env, "", "");
  return (handle, meta) => {
    const environment = own && wasm.reconcile_inspect(env, handle, JSON.stringify(meta ?? null)) & (LIVE | SANDBOX);
    return environment && environment !== own;
  };
}

/**
 * The environment of the API key, `live` or `sandbox`, or the one noted if the key does not tell. Nothing if the connections are of
 * another one: that of the first pass, or that of which most webhooks about some of them were.
 */
function ownEnvironment({ wasm, env, sql }, noted = "unknown") {
  const key = wasm.reconcile_inspect(env, "", "");
  if (!key) return noted;
  const sample = knownAfter(sql, "", SAMPLE);
  let agreeing = 0;
  for (const { handle, meta } of sample) {
    const environment = wasm.reconcile_inspect(env, handle, meta ?? "") & (LIVE | SANDBOX);
    if (environment) agreeing += environment === key ? 1 : -1;
  }
  const own = key === LIVE ? "live" : "sandbox";
  return agreeing >= 0 && (noted === own || noted === "unknown" || sample.length === 0) ? own : "";
}

/**
 * 1. The page is requested. If OFAuth refuses, the pass stops; if OFAuth is busy, the page is requested later.
 * 2. Each item is compared with the known connection. A difference is sent to its ledger as a fact.
 * 3. The page is stored. After the last one the absent connections are known.
 */
async function readPage(pass, { offset, startedAt }) {
  const { wasm, env, sql } = pass;
  // 1.
  const [wait, more, ...items] = await wasm.reconcile_list(env, offset);
  if (wait < 0) return stop(pass, "refused", more);
  if (more === undefined) return wait;
  // 2.
  const handles = [];
  let requests = 1;
  for (let place = 0; place < items.length && requests + 2 <= MAX_REQUESTS; place += 2) {
    const [handle, item] = items.slice(place, place + 2);
    const { meta, wasDisputed } = knownOf(sql, handle, startedAt);
    const isInMeta = !meta || hasSummary(meta);
    const known = isInMeta ? (meta ?? "") : await ask(env.LEDGER, handle, "record");
    const message = wasm.reconcile_message(env, handle, known, item, wasDisputed, startedAt);
    if (message) {
      await enter(pass, handle, message, meta ? "repaired" : "imported");
      dispute(sql, handle, startedAt);
    }
    requests += (isInMeta ? 0 : 1) + (message ? 1 : 0);
    handles.push(handle);
  }
  // 3.
  const isNew = addPage(sql, offset, handles);
  if (items.length === 0 || (!more && handles.length * 2 === items.length)) return finishList(pass, startedAt);
  if (!isNew) return stop(pass, "list_repeats");
  return go(pass, { offset: wasm.reconcile_next_offset(offset, handles.length) }, wait);
}

function finishList(pass, startedAt) {
  const { listed, absent, expected } = countListed(pass.sql);
  set(pass.sql, { listed, absent });
  if (pass.wasm.reconcile_is_implausible(absent, expected)) {
    return stop(pass, "too_many_missing", `OFAuth lists ${absent} of ${expected} connections no more`);
  }
  noteAbsent(pass.sql, startedAt);
  return go(pass, { step: MISSING, place: "" });
}

async function markMissing(pass, { place, startedAt }) {
  const { wasm, env, sql } = pass;
  const absent = absentAfter(sql, place, startedAt, MARKS_PER_SLICE);
  for (const { handle, meta, since } of absent) {
    const known = hasSummary(meta) ? meta : await ask(env.LEDGER, handle, "record");
    const message = wasm.reconcile_message(env, handle, known, "", since, startedAt);
    if (message) await enter(pass, handle, message, "missing");
    else if (message === undefined) restartAbsence(sql, handle, startedAt);
  }
  return go(pass, absent.length > 0 ? { place: absent.at(-1).handle } : { step: CLEANUP, place: "" });
}

/** The places are handles, not offsets in a list that shrinks. So none is skipped. */
async function cleanUp(pass, { place, startedAt }) {
  const { wasm, env, sql } = pass;
  const expired = expiredAfter(sql, place, KEYS_PER_SLICE);
  let due = 0;
  for (const { handle, meta } of expired) {
    if (hasSummary(meta) && !(wasm.reconcile_inspect(env, handle, meta) & DUE)) continue;
    if (due === DELETIONS_PER_SLICE) return go(pass, { place });
    due += 1;
    await enter(pass, handle, "", "cleaned", "clean-up");
    place = handle;
  }
  return expired.length > 0 ? go(pass, { place: expired.at(-1).handle }) : complete(pass, startedAt);
}

function complete(pass, startedAt) {
  clearPass(pass.sql, startedAt);
  set(pass.sql, { completedAt: Date.now(), stopped: null });
  add(pass.sql, "passes");
  // Not awaited: an await would end the commit, and no pass waits for the metrics.
  pass.wasm.reconcile_count(pass.env, "done");
  return startResealing(pass);
}

function startResealing(pass) {
  if (readState(pass.sql).sealedUnder === pass.wasm.reconcile_key_id(pass.env)) return end(pass);
  clearKeyCounts(pass.sql);
  return go(pass, { step: RESEAL, place: "" });
}

/** Wakes some ledgers and their hubs. One that fails is counted, and woken again in the next pass. */
async function reseal(pass, { place }) {
  const { wasm, env, sql } = pass;
  const newest = wasm.reconcile_key_id(env);
  const known = knownAfter(sql, place, LEDGERS_PER_SLICE);
  for (const { handle, meta } of known) {
    const { reference: hub, summary } = JSON.parse(meta ?? "{}");
    const inKv = summary && keyId(Array.from(atob(summary.slice(0, 8)), (byte) => byte.charCodeAt(0)));
    if (inKv) addKeyCount(sql, inKv, 1);
    await addKeyCounts(sql, ask(env.LEDGER, handle, "reseal", inKv && inKv !== newest ? "kv" : ""));
    if (hub) await addKeyCounts(sql, ask(env.HUB, hub, "", JSON.stringify([hub, { Reseal: handle }])));
  }
  if (known.length > 0) return go(pass, { place: known.at(-1).handle });
  // They are encrypted anew when newer ones arrive.
  const rules = await env.CONNECTIONS.get("rules", "arrayBuffer");
  if (rules) addKeyCount(sql, keyId(new Uint8Array(rules)), 1);
  set(sql, { keysCountedAt: Date.now() });
  if (takeKeyCounts(sql).every((id) => id === newest)) set(sql, { sealedUnder: newest });
  return end(pass);
}

/** Adds the counts by key id that an object answers. */
async function addKeyCounts(sql, answer) {
  const counts = await answer.then(JSON.parse).catch((error) => {
    log(error);
    return { failed: 1 };
  });
  for (const [id, count] of Object.entries(counts)) addKeyCount(sql, id, count);
}

/** Enters a fact into its ledger, and counts it if it changed the record. */
async function enter({ env, sql }, handle, message, count, path = "enter") {
  const outcome = await ask(env.LEDGER, handle, path, message);
  if (outcome === '"applied"') add(sql, count);
  // The ledger lacks the key of its record.
  else if (!outcome.startsWith('"')) add(sql, "unreadable");
}

/** Calls an object, as platform/object.rs does. */
async function ask(namespace, name, path, message = "") {
  const object = namespace.getByName(name);
  try {
    return await object.answer(path, message);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // During a roll-out it may run an older build.
    const answer = await object.fetch(`https://object/${path}`, { method: "POST", body: message });
    if (!answer.ok) throw error;
    return answer.text();
  }
}

/** Whether the metadata of a key have the record. If it does not fit there, the ledger has it. */
function hasSummary(meta) {
  return JSON.parse(meta ?? "null")?.summary !== undefined;
}

/** The id of the key under which a value is encrypted, by its first bytes: see core/storage/seal.rs. */
function keyId(sealed) {
  return Array.from(sealed.slice(1, 5), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function log(error) {
  console.log(JSON.stringify({ level: "error", what: "reconcile", error: String(error) }));
}
