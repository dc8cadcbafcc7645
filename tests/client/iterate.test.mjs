// `iterate` goes over all pages of a list: by cursor if the gateway gives one. A user's own list has no cursor. Its pages are read by
// offset, all of them before anything is yielded.

import assert from "node:assert/strict";
import { test } from "node:test";

import { json, refuse, serve } from "./server.mjs";

const records = (count) => Array.from({ length: count }, (_, index) => ({ handle: `acct_${index}`, id: `acct_${index}` }));
const queryOf = (url) => Object.fromEntries(new URL(url, "http://x").searchParams);

/** Pages as the gateway's, with what `state.list` has by then. */
function paged(state, { cursors }) {
  return (req, res, seen) => {
    state.before?.(seen.length);
    const { limit = 20, offset = 0, cursor } = queryOf(req.url);
    const start = cursor === undefined ? Number(offset) : state.list.findIndex(({ handle }) => handle === cursor) + 1;
    const list = state.list.slice(start, start + Number(limit));
    const hasMore = start + list.length < state.list.length;
    const next = cursors && hasMore ? { cursor: list.at(-1).handle } : {};
    json(res, 200, { list, total: state.list.length, hasMore, ...next });
  };
}

async function collect(iterator) {
  const results = [];
  for await (const result of iterator) results.push(result);
  return results;
}

test("iterate reads all pages by cursor, with the filter on each", async (t) => {
  const state = { list: records(250) };
  const { client, seen } = await serve(t, paged(state, { cursors: true }));
  const results = await collect(client().link.connections.iterate({ status: "expired" }));
  assert.deepEqual(
    results,
    state.list.map((data) => ({ data, error: undefined })),
  );
  const asked = [{}, { cursor: "acct_99" }, { cursor: "acct_199" }].map((more) => ({
    limit: "100",
    status: "expired",
    ...more,
  }));
  assert.deepEqual(
    seen.map(({ url }) => queryOf(url)),
    asked,
  );
});

test("iterate reads no page before it is needed, and none after the loop has ended", async (t) => {
  const { client, seen } = await serve(t, paged({ list: records(9) }, { cursors: true }));
  const iterator = client().link.connections.iterate({ limit: 3 });
  assert.equal(seen.length, 0);
  for await (const { data } of iterator) if (data.id === "acct_4") break;
  assert.equal(seen.length, 2);
});

test("an empty list yields nothing", async (t) => {
  for (const cursors of [true, false]) {
    const { client } = await serve(t, paged({ list: [] }, { cursors }));
    assert.deepEqual(await collect(client().link.connections.iterate()), []);
  }
});

test("an empty page may be followed by another one", async (t) => {
  const { client } = await serve(t, (req, res) => {
    const first = queryOf(req.url).cursor === undefined;
    json(
      res,
      200,
      first ? { list: [], total: null, hasMore: true, cursor: "c" } : { list: records(1), total: 1, hasMore: false },
    );
  });
  assert.equal((await collect(client().link.connections.iterate())).length, 1);
});

test("an error is the last result", async (t) => {
  const { client } = await serve(t, (req, res, seen) => {
    if (seen.length > 1) return refuse(res, 503, "STORAGE_UNAVAILABLE", "retry");
    json(res, 200, { list: records(2), total: 5, hasMore: true, cursor: "c" });
  });
  const results = await collect(client().link.connections.iterate());
  assert.deepEqual(
    results.map(({ data, error }) => data?.id ?? error.code),
    ["acct_0", "acct_1", "STORAGE_UNAVAILABLE"],
  );
  for (const filter of [{ platformUserId: NaN }, { status: null }]) {
    const [only, ...more] = await collect(client().link.connections.iterate(filter));
    assert.deepEqual([only.error.code, more], ["INVALID_ARGUMENT", []]);
  }
});

test("an answer that is no page is an error, and a gateway that repeats a page does not repeat the loop", async (t) => {
  let answer;
  const { client, seen } = await serve(t, (req, res) => json(res, 200, answer));
  for (answer of [{}, [], { list: {} }, { list: null, hasMore: true }]) {
    const [only, ...more] = await collect(client().link.connections.iterate());
    assert.deepEqual([only.error.code, more], ["INVALID_ANSWER", []]);
  }
  answer = { list: [...records(2), null], total: 9, hasMore: true };
  seen.length = 0;
  assert.equal((await collect(client().link.connections.iterate())).length, 3);
  assert.ok(seen.length < 10);
});

test("an abort ends the iteration, between pages too", async (t) => {
  const { client, seen } = await serve(t, paged({ list: records(9) }, { cursors: true }));
  const controller = new AbortController();
  const codes = [];
  for await (const { data, error } of client().link.connections.iterate({ limit: 2 }, { signal: controller.signal })) {
    codes.push(data?.id ?? error.code);
    controller.abort();
  }
  assert.deepEqual([codes, seen.length], [["acct_0", "acct_1", "ABORTED"], 1]);
});

test("a loop that deletes what it gets misses none, by cursor and by offset", async (t) => {
  for (const cursors of [true, false]) {
    const state = { list: records(25), removed: new Set() };
    // Where there are cursors, the gateway goes by handle order and not by what is still there.
    const { client } = await serve(t, cursors ? byHandle(state) : paged(state, { cursors }));
    const deleted = [];
    for await (const { data, error } of client().link.connections.iterate({ limit: 4 })) {
      assert.equal(error, undefined);
      deleted.push(data.id);
      state.removed.add(data.id);
      state.list = state.list.filter(({ id }) => id !== data.id);
    }
    assert.deepEqual(
      deleted.sort(),
      records(25)
        .map(({ id }) => id)
        .sort(),
    );
  }
});

function byHandle(state) {
  const all = [...state.list].sort((a, b) => (a.handle < b.handle ? -1 : 1));
  return (req, res) => {
    const { limit, cursor = "" } = queryOf(req.url);
    const rest = all.filter(({ id, handle }) => handle > cursor && !state.removed.has(id));
    const list = rest.slice(0, Number(limit));
    const hasMore = rest.length > list.length;
    json(res, 200, { list, total: null, hasMore, ...(hasMore && { cursor: list.at(-1).handle }) });
  };
}

test("pages by offset are read again if the list has moved meanwhile", async (t) => {
  const moves = [
    (list) => [list.at(-1), ...list.slice(0, -1)], // the last one changes and becomes the newest
    (list) => list.slice(1), // one of the first page goes
  ];
  for (const move of moves) {
    const state = { list: records(9) };
    state.before = (request) => request === 3 && (state.list = move(state.list));
    const { client } = await serve(t, paged(state, { cursors: false }));
    const results = await collect(client().link.connections.iterate({ limit: 3 }));
    const ids = results.map(({ data }) => data.id);
    for (const { id } of state.list) assert.ok(ids.includes(id), id);
    assert.equal(new Set(ids).size, ids.length, "none comes twice");
  }
});

test("an iteration over a list that never rests ends", async (t) => {
  const state = { list: records(9) };
  state.before = () => (state.list = [state.list.at(-1), ...state.list.slice(0, -1)]);
  const { client, seen } = await serve(t, paged(state, { cursors: false }));
  const results = await collect(client().link.connections.iterate({ limit: 3 }));
  assert.deepEqual(results.filter(({ error }) => error), []);
  assert.ok(results.length > 0 && results.length <= 9, `${results.length}`);
  assert.ok(seen.length <= 10);
});
