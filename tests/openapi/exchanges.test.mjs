// The exchanges that the end-to-end tests have recorded (tests/e2e/record.mjs), against www/openapi.json:
//
// 1. each exchange, and each frame of a WebSocket, is one that the document describes,
// 2. each operation of the Worker's own was used with success, and each family of routes that it passes on was used,
// 3. each error code was answered.
//
//   RECORD_EXCHANGES=target/exchanges node --test tests/e2e/*.test.mjs && node --test tests/openapi/*.test.mjs

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { check, document, validate } from "./document.mjs";

const folder = process.env.RECORD_EXCHANGES ?? fileURLToPath(new URL("../../target/exchanges", import.meta.url));
const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean));
// Left out: paths that only builds for tests have, and the runtime's own answer to a call during a panic, which recovery.test.mjs
// causes by such a path.
const isCausedByHook = ({ test: name, target, status, body }) =>
  target?.startsWith("/test-hooks/") || (name === "recovery.test.mjs" && status === 500 && body === "Internal Server Error");
// The files of the console are no API. They are written in any way in tests/e2e/console-serving.test.mjs, also as /%63onsole/.
const isOfConsole = ({ test: name }) => name?.startsWith("console");
const recorded = lines.map((line) => JSON.parse(line)).filter((one) => !isCausedByHook(one) && !isOfConsole(one));
const [frames, exchanges] = split(recorded, ({ frame }) => frame !== undefined);
const results = exchanges.map((exchange) => ({ exchange, ...check(exchange) }));
const seen = new Set(results.flatMap(({ operation, exchange: { status } }) => (operation ? [`${operation.operationId} ${status}`] : [])));

test("each exchange is one that the document describes", () => {
  const wrong = results.filter(({ faults }) => faults.length > 0);
  const texts = wrong.map(({ exchange, faults }) => {
    const { test: name, method, target, status, body = "" } = exchange;
    return `${name}: ${method} ${target.slice(0, 100)} ${status} ${body.slice(0, 200)}\n  ${faults.join("\n  ")}`;
  });
  assert.equal(wrong.length, 0, `${wrong.length} of ${results.length} exchanges are not documented:\n${texts.slice(0, 20).join("\n")}`);
});

test("each frame of a WebSocket is one that the document describes", () => {
  const schemas = document.paths["/edge/live"].get["x-websocket-frames"];
  for (const { frame } of frames.filter((one) => one.frame !== "pong")) assert.deepEqual(validate({ anyOf: schemas }, frame), [], JSON.stringify(frame));
  for (const schema of schemas) assert.ok(frames.some(({ frame }) => validate(schema, frame).length === 0), schema.$ref);
});

test("each of the Worker's own operations had each of its successful answers, and each family that is passed on was used", () => {
  assert.ok(results.length > 1000, `only ${results.length} exchanges were recorded`);
  const unused = [];
  for (const [path, item] of Object.entries(document.paths)) {
    const listed = Object.values(item);
    // Files are not the Worker's. OFAuth's routes are compared with its own list by tests/core/gateway.
    if (listed.some(({ tags }) => tags[0] === "Pages")) continue;
    if (listed.some(({ tags }) => tags[0] === "Access API" || tags[0] === "Other routes of OFAuth")) {
      const isUsed = listed.some(({ operationId }) => [...seen].some((one) => one.startsWith(`${operationId} `)));
      if (path.endsWith("{path}") && !isUsed) unused.push(path);
      continue;
    }
    for (const { operationId, responses } of listed) {
      const good = Object.keys(responses).filter((status) => Number(status) < 400).map((status) => `${operationId} ${status}`);
      unused.push(...good.filter((one) => !seen.has(one)));
    }
  }
  assert.deepEqual(unused, []);
});

test("each error code was answered", () => {
  const codes = new Set(results.map(({ code }) => code));
  const { ErrorCode, SignatureErrorCode } = document.components.schemas;
  assert.deepEqual([...ErrorCode.enum, ...SignatureErrorCode.enum].filter((code) => !codes.has(code)), []);
});

function split(items, isFirst) {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
