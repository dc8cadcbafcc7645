// Writes down the exchanges with a gateway, one JSON per line, if the environment names a folder for them. `make test` does, and
// then compares them with www/openapi.json (tests/openapi/exchanges.test.mjs).

import { appendFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";

const { RECORD_EXCHANGES: folder } = process.env;
// A longer body is recorded as null: such are the stored events of others, which would fill the disk.
const MAX_BODY = 1024 * 1024;

/** Records a request and its answer. Of the request's headers it keeps the names only. */
export function recordExchange(method, target, { headers = {}, body }, answer) {
  const names = Array.isArray(headers) ? headers.filter((_, index) => index % 2 === 0) : Object.keys(headers);
  write({
    method,
    target,
    requestHeaders: names.map((name) => name.toLowerCase()),
    requestBody: textOf(body, !target.includes("webhooks")),
    status: answer.status,
    headers: answer.headers,
    body: textOf(answer.body, answer.headers["x-ofauth-edge"] !== "upstream"),
  });
}

/** Records a frame that a WebSocket has received. */
export function recordFrame(frame) {
  write({ frame });
}

function textOf(body, isWanted) {
  if (!isWanted || body === undefined) return undefined;
  return body.length > MAX_BODY ? null : body.toString();
}

function write(line) {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify({ test: basename(process.argv[1] ?? ""), ...line })}\n`);
}
