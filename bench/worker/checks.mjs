// Checks that the sides that do the job answer alike before anything is measured.
//
// 1. Each gets the same calls, one after the other: events, copies, forgeries, calls of the Access API.
// 2. Ours must answer what CALLS says, and pass the upstream's bodies byte for byte.
// 3. The others must give the same status, headers and body as ours. Request ids and the words of an error may differ.
// 4. They must log the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { SECRETS, eventBody, handleOf, webhook } from "./events.mjs";
import { send } from "./load.mjs";
import { ANSWERS } from "./stubs/upstream.mjs";

const HEADERS = ["content-type", "cache-control", "x-content-type-options", "x-ofauth-edge", "x-bench-sent", "set-cookie"];
const [SMALL, LARGE] = Object.keys(ANSWERS);
const LIST = "/edge/connections?clientReferenceId=user_check";

// Name, status, outcome or error, request.
const CALLS = [
  ["an event", 200, "applied", event({ id: "conn_1", type: "connection.created", sample: 10 })],
  ["the same again", 200, "duplicate", event({ id: "conn_1", type: "connection.created", sample: 10 })],
  ["another connection", 200, "applied", event({ id: "conn_2", sample: 11 })],
  ["an older event", 200, "stale", event({ id: "conn_2", sample: 5 })],
  ["a bad signature", 401, "SIGNATURE_MISMATCH", event({ id: "conn_1", sample: 12 }, "whsec_of_somebody_else")],
  ["a changed body", 401, "SIGNATURE_MISMATCH", changed(event({ id: "conn_1", sample: 12 }))],
  ["no signature", 401, "MISSING_HEADERS", signedBy(event({ id: "conn_1", sample: 12 }), undefined)],
  ["an old signature", 401, "TIMESTAMP_TOO_OLD", signedBy(event({ id: "conn_1", sample: 12 }), `t=1000,v1=${"0".repeat(64)}`)],
  ["the user's connections", 200, undefined, call(LIST)],
  ["a small answer", 200, undefined, call(SMALL, "conn_1")],
  ["a large answer", 200, undefined, call(LARGE, "conn_1")],
  ["an upstream error", 404, undefined, call("/v2/access/nothing", "conn_1")],
  ["a wrong key", 401, "CREDENTIALS_INVALID", call(SMALL, "conn_1", "gk_of_somebody_else")],
  ["an unknown handle", 404, "CONNECTION_NOT_FOUND", call(SMALL, "conn_3")],
  ["an ambiguous path", 400, "BAD_REQUEST", call("/v2/access/a%2fb", "conn_1")],
  ["a disconnect", 200, "applied", event({ id: "conn_2", type: "connection.disconnected", sample: 20 })],
  ["a call after it", 404, "CONNECTION_NOT_FOUND", call(SMALL, "conn_2")],
  ["the connections after it", 200, undefined, call(LIST)],
];

/**
 * @param {Record<string, {port: number, log: string}>} runtimes   by the side's name, ours first; log: the file
 * @throws if a side answers or logs otherwise
 */
export async function checkAlike(runtimes) {
  // 1.
  const named = async ([name, runtime]) => ({ name, ...(await exchange(runtime)) });
  const sides = await Promise.all(Object.entries(runtimes).map(named));
  const [ours, ...others] = sides;
  // 2.
  for (const [at, [name, status, said, { path }]] of CALLS.entries()) {
    const answer = ours.answers[at];
    const json = JSON.parse(answer.body.toString() || "{}");
    assert.deepEqual([answer.status, json.outcome ?? json.type], [status, said], `${ours.name}: ${name}`);
    if (ANSWERS[path] && status === 200) assert.equal(answer.body.toString(), ANSWERS[path], `${ours.name}: ${name}`);
  }
  for (const side of others) {
    // 3.
    for (const [at, [name]] of CALLS.entries()) {
      assert.deepEqual(comparable(side.answers[at]), comparable(ours.answers[at]), `${side.name}: ${name}`);
    }
    // 4.
    assert.deepEqual(side.lines, ours.lines, `${side.name}: the log`);
  }
}

async function exchange({ port, log }) {
  const answers = [];
  for (const [name, , , request] of CALLS) {
    // KV takes one write of a key in a second.
    if (name === "a disconnect") await sleep(1100);
    answers.push(await send(port, request));
  }
  return { answers, lines: readFileSync(log, "utf8").trim().split("\n").map(readLine) };
}

// Times and request ids differ; of these only the names count.
function readLine(line) {
  const { level, route, method, status, type, ...rest } = JSON.parse(line);
  return [level, route, method, status, type, ...Object.keys(rest).sort()];
}

// A JSON body is compared member by member, the upstream's byte for byte.
function comparable({ status, headers, body }) {
  const compared = Object.fromEntries(HEADERS.map((name) => [name, headers[name]]));
  const shown = { status, ...compared, hasRequestId: "x-request-id" in headers };
  if (headers["x-ofauth-edge"] === "upstream") return { ...shown, body: body.toString() };
  const { requestId: _id, error: _words, message: _same, ...json } = JSON.parse(body);
  return { ...shown, ...json };
}

function event({ type, id, sample }, secret) {
  return webhook(eventBody({ type, id, user: "user_check", sample, size: 1024 }), undefined, secret);
}

function changed(sent) {
  return { ...sent, body: Buffer.from(sent.body.toString().replace("Jane", "Joan")) };
}

function signedBy({ headers: { "ofauth-signature": _own, ...headers }, ...sent }, signature) {
  return { ...sent, headers: signature ? { ...headers, "ofauth-signature": signature } : headers };
}

function call(path, id, key = SECRETS.GATEWAY_KEY) {
  return { method: "GET", path, headers: { authorization: `Bearer ${key}`, ...(id && { "x-connection-id": handleOf(id) }) } };
}
