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
//
// 4. CLEANUP: connections that have been expired for CLEANUP_EXPIRED_AFTER_DAYS are deleted at OFAuth, which is asked first whether
//    they are still expired.
// 5. RESEAL: after a change of STORAGE_KEY, each ledger and its user's hub are woken to encrypt what they have under the newest key, until
//    a complete walk finds nothing under another one.
//
// A pass stops if the API key is refused or is of another environment than the connections, and before step 3 if too many
// connections are absent. Step 5 follows all the same.

import { Store } from "./store.js";

const [IDLE, KNOWN, LIST, MISSING, CLEANUP, RESEAL] = [0, 1, 2, 3, 4, 5];
const MAX_REQUESTS = 48;
const KEYS_PER_SLICE = 200;
/** Each makes at most two requests. */
const MARKS_PER_SLICE = 20;
/** Each makes at most five requests. */
const DELETIONS_PER_SLICE = 9;
/** And as many of their hubs. */
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

/** The class of the object. `wasm` has the functions of decisions.rs. */
export const reconcilerClass = (wasm) =>
  class {
    constructor(ctx, env) {
      this.env = env;
      this.storage = ctx.storage;
      this.store = new Store(ctx.storage.sql);
    }

    async answer(path) {
      if (path === "state") return JSON.stringify(this.store.state());
      const alarm = await this.storage.getAlarm();
      this.store.createTables();
      if (!this.store.state().step) this.start();
      // A pass whose alarm was lost goes on.
      if (alarm === null) this.storage.setAlarm(Date.now());
      return "";
    }

    async alarm() {
      this.store.createTables();
      // Before the slice, so that the next one comes whatever becomes of this one.
      this.storage.setAlarm(Date.now() + GUARD);
      const state = this.store.state();
      let wait;
      try {
        wait = await this.slice(state);
        this.store.set({ failures: 0 });
      } catch (error) {
        wait = this.fail(state.failures ?? 0, error);
      }
      if (wait === undefined) this.storage.deleteAlarm();
      else this.storage.setAlarm(Date.now() + wait);
    }

    start() {
      this.store.set({ step: KNOWN, startedAt: Date.now(), place: "", cursor: null, failures: 0 });
      this.store.set({ imported: 0, repaired: 0, missing: 0, cleaned: 0, unreadable: 0 });
      this.store.rows("DELETE FROM pages");
    }

    fail(failures, error) {
      if (failures >= MAX_FAILURES) {
        this.stop("failed", error);
        return this.end();
      }
      log(error);
      this.store.set({ failures: failures + 1 });
      return MIN_RETRY << failures;
    }

    /** Ends the comparison with OFAuth's list. What it has repaired stays repaired. */
    stop(cause, detail = "") {
      log(`stopped: ${cause}${detail && `: ${detail}`}`);
      this.store.set({ stopped: cause, stoppedAt: Date.now() });
      return this.startResealing();
    }

    end() {
      this.store.set({ step: IDLE });
    }

    /** Does a slice. Answers how long to wait before the next one, in ms; nothing if the pass is over. */
    slice(state) {
      if (state.step === KNOWN) return this.refreshKnown(state);
      if (state.step === LIST) return this.readPage(state);
      if (state.step === MISSING) return this.markMissing(state);
      if (state.step === CLEANUP) return this.cleanUp(state);
      if (state.step === RESEAL) return this.reseal(state);
      return this.end();
    }

    async refreshKnown({ place, cursor, environment }) {
      const listed = await this.env.CONNECTIONS.list({ prefix: "conn:", limit: KEYS_PER_SLICE, cursor: cursor ?? undefined });
      const batch = listed.keys.map(({ name, metadata }) => [name.slice("conn:".length), metadata]);
      const last = batch.at(-1)?.[0] ?? place;
      this.store.refreshKnown(batch, place, listed.list_complete ? END : last);
      if (!listed.list_complete) return this.go({ place: last, cursor: listed.cursor });
      const own = this.ownEnvironment(environment);
      if (own === null) return this.stop("other_environment");
      return this.go({ step: LIST, offset: 0, place: "", cursor: null, environment: own });
    }

    /** The environment of the API key, `live` or `sandbox`, or the one noted if the key does not tell. Null if the connections
     * are of another one: that of the first pass, or that of which webhooks about them were. */
    ownEnvironment(noted = "unknown") {
      const isLive = wasm.reconcile_is_live(this.env, "", "");
      if (isLive === undefined) return noted;
      const sample = this.store.knownAfter("", SAMPLE);
      let contradictions = 0;
      for (const { handle, meta } of sample) {
        const said = wasm.reconcile_is_live(this.env, handle, meta ?? "");
        if (said !== undefined) contradictions += said === isLive ? -1 : 1;
      }
      const own = isLive ? "live" : "sandbox";
      const isOther = noted !== "unknown" && noted !== own && sample.length > 0;
      return contradictions > 0 || isOther ? null : own;
    }

    /**
     * 1. The page is requested. If OFAuth refuses, the pass stops; if OFAuth is busy, the page is requested later.
     * 2. Each item is compared with what is known, and its ledger hears of a difference.
     * 3. The page is stored. After the last one the absent connections are known.
     */
    async readPage({ offset, startedAt }) {
      // 1.
      const [wait, more, ...items] = await wasm.reconcile_list(this.env, offset);
      if (wait < 0) return this.stop("refused", more);
      if (more === undefined) return wait;
      // 2.
      const handles = [];
      let requests = 1;
      for (let place = 0; place < items.length && requests + 2 <= MAX_REQUESTS; place += 2) {
        const [handle, item] = items.slice(place, place + 2);
        const { meta, wasDisputed } = this.store.known(handle, startedAt);
        const isInMeta = !meta || hasSummary(meta);
        const known = isInMeta ? (meta ?? "") : await this.ask(this.env.LEDGER, handle, "record");
        const message = wasm.reconcile_item(this.env, handle, item, known, wasDisputed === 1, startedAt);
        if (message !== undefined) {
          await this.enter(handle, message, meta ? "repaired" : "imported");
          this.store.dispute(handle, startedAt);
        }
        requests += (isInMeta ? 0 : 1) + (message === undefined ? 0 : 1);
        handles.push(handle);
      }
      // 3.
      const isLast = items.length === 0 || (!more && handles.length * 2 === items.length);
      const isNew = this.store.addPage(offset, handles);
      if (isLast) return this.finishList(startedAt);
      if (!isNew) return this.stop("list_repeats");
      return this.go({ offset: wasm.reconcile_next_offset(offset, handles.length) }, wait);
    }

    finishList(startedAt) {
      const { listed, absent, expected } = this.store.count();
      this.store.set({ listed, absent });
      if (wasm.reconcile_is_implausible(absent, expected)) {
        return this.stop("too_many_missing", `OFAuth lists ${absent} of ${expected} connections no more`);
      }
      this.store.noteAbsent(startedAt);
      return this.go({ step: MISSING, place: "" });
    }

    async markMissing({ place, startedAt }) {
      const rows = this.store.absentAfter(place, startedAt, MARKS_PER_SLICE);
      for (const { handle, meta, since } of rows) {
        const known = hasSummary(meta) ? meta : await this.ask(this.env.LEDGER, handle, "record");
        const message = wasm.reconcile_absent(this.env, handle, known, since, startedAt);
        if (message) await this.enter(handle, message, "missing");
        else if (message === undefined) this.store.restartAbsence(handle, startedAt);
      }
      return rows.length > 0 ? this.go({ place: rows.at(-1).handle }) : this.go({ step: CLEANUP, place: "" });
    }

    /** The places are handles, not offsets in a list that shrinks. So none is skipped. */
    async cleanUp({ place, startedAt }) {
      let due = 0;
      const rows = this.store.expiredAfter(place, KEYS_PER_SLICE);
      for (const { handle, meta } of rows) {
        if (hasSummary(meta) && !wasm.reconcile_is_due(this.env, handle, meta)) continue;
        if (due === DELETIONS_PER_SLICE) return this.go({ place });
        due += 1;
        const record = await this.ask(this.env.LEDGER, handle, "record");
        const message = await wasm.reconcile_clean_up(this.env, record);
        if (message) await this.enter(handle, message, "cleaned");
        place = handle;
      }
      return rows.length > 0 ? this.go({ place: rows.at(-1).handle }) : this.complete(startedAt);
    }

    complete(startedAt) {
      this.store.clearPass(startedAt);
      this.store.set({ completedAt: Date.now(), stopped: null });
      this.store.add("passes");
      return this.startResealing();
    }

    startResealing() {
      if (this.store.state().sealedUnder === wasm.reconcile_key_id(this.env)) return this.end();
      this.store.clearKeyCounts();
      return this.go({ step: RESEAL, place: "" });
    }

    /** Wakes some ledgers and their hubs. One that fails is counted, and woken again in the next pass. */
    async reseal({ place }) {
      const newest = wasm.reconcile_key_id(this.env);
      const rows = this.store.knownAfter(place, LEDGERS_PER_SLICE);
      if (rows.length === 0) return this.finishResealing(newest);
      for (const { handle, meta } of rows) {
        const { reference: hub, summary } = JSON.parse(meta ?? "{}");
        const inKv = summary && keyId(Array.from(atob(summary.slice(0, 8)), (byte) => byte.charCodeAt(0)));
        if (inKv) this.store.add(`walk.${inKv}`);
        await this.count(this.ask(this.env.LEDGER, handle, "reseal", inKv && inKv !== newest ? "kv" : ""));
        if (hub) await this.count(this.ask(this.env.HUB, hub, "", JSON.stringify([hub, { Reseal: handle }])));
      }
      return this.go({ place: rows.at(-1).handle });
    }

    /** Adds the counts by key id that an object answers. */
    async count(answer) {
      const counts = await answer.then(JSON.parse).catch((error) => {
        log(error);
        return { failed: 1 };
      });
      for (const [id, count] of Object.entries(counts)) this.store.add(`walk.${id}`, count);
    }

    async finishResealing(newest) {
      // They are encrypted anew when newer ones arrive.
      const rules = await this.env.CONNECTIONS.get("rules", "arrayBuffer");
      if (rules) this.store.add(`walk.${keyId(new Uint8Array(rules))}`);
      const ids = this.store.takeKeyCounts();
      this.store.set({ keysCountedAt: Date.now() });
      if (ids.every((id) => id === newest)) this.store.set({ sealedUnder: newest });
      return this.end();
    }

    /** Notes where the pass is. Answers the wait. */
    go(place, wait = 0) {
      this.store.set(place);
      return wait;
    }

    /** Calls an object, as platform/object.rs does. */
    async ask(namespace, name, path, message = "") {
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

    /** Enters a fact into its ledger, and counts it if it changed the record. */
    async enter(handle, message, count) {
      const outcome = await this.ask(this.env.LEDGER, handle, "enter", message);
      if (outcome === '"applied"') this.store.add(count);
      // The ledger lacks the key of its record.
      else if (!outcome.startsWith('"')) this.store.add("unreadable");
    }
  };

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
