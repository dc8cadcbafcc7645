// What the tests of `live` by a WebSocket share: a gateway whose connections a test changes, and what `live` yields of them.

import { json, page, refuse, serve } from "./server.mjs";

/** What the gateway says to a page that must read the list. */
export const RESYNC = { frames: [{ resync: true, seq: 1 }] };
/** Of each test. */
export const LIMIT = { timeout: 15_000 };

/** A gateway with connections. `set` changes one, `push` says so on the newest socket. */
export async function serveLive(t, { accept = () => RESYNC, statuses = { acct_1: "active", acct_2: "active" }, answer } = {}) {
  const records = new Map(Object.entries(statuses).map(([handle, status]) => [handle, { handle, id: handle, status, clientReferenceId: "u" }]));
  const respond = (req, res, seen) => {
    if (answer?.(req, res, seen)) return;
    const { pathname, searchParams } = new URL(req.url, "http://gateway");
    const [, , , handle] = pathname.split("/");
    const status = searchParams.get("status")?.toLowerCase();
    if (!handle) json(res, 200, page([...records.values()].filter((record) => !status || record.status === status)));
    else if (records.has(handle)) json(res, 200, records.get(handle));
    else refuse(res, 404, "CONNECTION_NOT_FOUND", "relink");
  };
  const server = await serve(t, respond, accept);
  let seq = 1;
  const set = (handle, status) => records.set(handle, { ...records.get(handle), handle, id: handle, status });
  const push = (handle, status) => {
    if (status !== undefined) set(handle, status);
    server.sockets.at(-1).send({ seq: (seq += 1), handle, status: status ?? null, updatedAt: "2026-11-28T07:52:24.000Z" });
  };
  const reads = () => server.seen.map(({ url }) => url.replace("/edge/connections", ""));
  return { ...server, records, set, push, reads };
}

/** Starts `live` and takes the first `count` results. */
export async function start(t, server, { filter = {}, count = 2, options, ...more } = {}) {
  const results = server.client(more).link.connections.live(filter, options);
  t.after(() => results.return());
  const first = [];
  while (first.length < count) first.push(outcome(await results.next()));
  return { results, first };
}

/** Handle and status, or the code of an error. */
function outcome({ value, done }) {
  if (done) return "done";
  return value.error ? value.error.code : `${value.data.handle} ${value.data.status}`;
}

export const next = async (results) => outcome(await results.next());
