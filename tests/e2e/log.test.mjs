// The log: 1. one JSON line per request with route, method, status, type, caller, times and the request id of the answer, 2. what
// went wrong inside, or why a call was refused, in that same line, 3. nothing of a request that could name someone, 4. no line
// that is not JSON, 5. a page that explains each field, 6. no record of the platform's own that has URLs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { consoleOf, eventually, sessionOf, startGateway } from "./harness.mjs";

const gateway = await startGateway({ faults: true });
after(() => gateway.close());
const FIELDS = ["level", "route", "method", "status", "type", "actor", "requestId", "upstreamRequestId", "upstreamMs", "detail", "ms"];

test("every request writes one line, which has the request id of its answer", async () => {
  const event = connectionEvent("connection.created", { id: "conn_logged" });
  const caller = { headers: { "x-connection-id": "conn_logged" } };
  const access = (method, target) => gateway.call(method, target, caller);
  const asks = { headers: { origin: "https://other.example", "access-control-request-method": "GET" } };
  const preflight = (target) => gateway.send("OPTIONS", target, asks);
  const requests = [
    ["webhook", "applied", () => gateway.deliver(event)],
    ["webhook", "duplicate", () => gateway.deliver(event)],
    ["webhook", "kept", () => gateway.deliver({ type: "invoice.paid" })],
    ["webhook", "ignored", () => gateway.deliver({ type: "realtime.something" })],
    ["webhook", "SIGNATURE_MISMATCH", () => gateway.deliver(event, { secret: "wrong" })],
    ["webhook", "MISSING_HEADERS", () => gateway.send("POST", "/webhooks/ofauth")],
    ["webhook", "BODY_TOO_LARGE", () => gateway.deliver(Buffer.alloc(1_048_577, " "))],
    ["method_not_allowed", "METHOD_NOT_ALLOWED", () => gateway.send("GET", "/webhooks/ofauth")],
    ["connections", null, () => gateway.call("GET", "/edge/connections?limit=1")],
    ["connections", "BAD_REQUEST", () => gateway.call("GET", "/edge/connections?limit=x")],
    ["connection", null, () => gateway.call("GET", "/edge/connections/conn_logged")],
    ["connection_events", null, () => gateway.call("GET", "/edge/connections/conn_logged/events")],
    ["connection", "CONNECTION_NOT_FOUND", () => gateway.call("GET", "/edge/connections/conn_other")],
    ["events", null, () => gateway.call("HEAD", "/edge/events")],
    ["deliveries", null, () => gateway.call("GET", "/edge/deliveries")],
    ["delivery_replay", "BAD_REQUEST", () => gateway.call("POST", "/edge/deliveries/id/replay")],
    ["health", null, () => gateway.send("GET", "/healthz")],
    ["not_found", "ROUTE_NOT_FOUND", () => gateway.call("GET", "/nowhere")],
    ["preflight", "ORIGIN_DENIED", () => preflight("/edge/connections")],
    ["preflight", "ORIGIN_DENIED", () => preflight("/v2/access/self")],
    ["method_not_allowed", "METHOD_NOT_ALLOWED", () => preflight("/webhooks/ofauth")],
    ["access", "CREDENTIALS_MISSING", () => gateway.send("GET", "/v2/access/self", caller)],
    ["access", "CREDENTIALS_INVALID", () => gateway.send("GET", "/v2/access/self", { headers: { apikey: "x" } })],
    ["access", "BAD_REQUEST", () => gateway.call("GET", "/v2/access/self")],
    ["access", null, () => access("GET", "/v2/access/self")],
    ["access", null, () => access("POST", "/v2/access/proxy/status?code=418")],
  ];
  for (const [route, type, request] of requests) {
    const before = gateway.logs.length;
    const { status, headers } = await request();
    await eventually(() => gateway.logs.length > before);
    const lines = gateway.logs.slice(before);
    const line = JSON.parse(lines.at(-1));
    const shown = lines.join("\n");
    assert.equal(lines.length, 1, shown);
    const level = route === "webhook" && status >= 400 ? "warn" : "info";
    assert.deepEqual([line.route, line.status, line.type, line.level], [route, status, type, level], shown);
    assert.match(line.requestId, /^req_[\w-]+$/);
    // OFAuth's own id comes back on what it answered: then the line carries both.
    const fromUpstream = headers["x-ofauth-edge"] === "upstream";
    assert.equal(fromUpstream ? line.upstreamRequestId : line.requestId, headers["x-request-id"], shown);
    assert.ok(Number.isInteger(line.ms) && line.ms >= 0, shown);
    assert.equal(Number.isInteger(line.upstreamMs), fromUpstream, shown);
  }
  const ids = gateway.requestLines().map(({ requestId }) => requestId);
  assert.equal(new Set(ids).size, requests.length);
});

test("the line of a request that failed inside is an error, and says what failed", async () => {
  for (const [fault, what] of [["put", "kv"], ["ledger", "ledger"]]) {
    await gateway.fail({ [fault]: "fail" });
    const before = gateway.logs.length;
    const event = fault === "put" ? { type: "invoice.paid" } : connectionEvent("connection.expired", { id: "conn_logged" });
    const { status, headers } = await gateway.deliver(event);
    await eventually(() => gateway.logs.length > before);
    const [outer] = gateway.logs.slice(before).map((line) => JSON.parse(line));
    assert.match(outer.detail, new RegExp(`^${what}: `));
    const expected = { route: "webhook", status: 503, type: "STORAGE_UNAVAILABLE", level: "error" };
    assert.deepEqual({ route: outer.route, status, type: outer.type, level: outer.level }, expected);
    assert.equal(outer.requestId, headers["x-request-id"]);
    await gateway.fail({});
  }
});

test("the line of a refused call says why", async () => {
  const session = sessionOf(gateway, { permissions: ["posts:read"] });
  const refusals = [
    [() => gateway.call("GET", "/edge/connections?limit=x"), /^limit must be/],
    [() => session("GET", "/v2/access/self"), /permission profile:read$/],
  ];
  for (const [request, reason] of refusals) {
    const before = gateway.logs.length;
    const answer = await request();
    await eventually(() => gateway.logs.length > before);
    assert.match(JSON.parse(gateway.logs[before]).detail, reason, answer.text);
  }
});

test("the line says who called, also who had a user deleted", async () => {
  const refused = { headers: { apikey: "x".repeat(40) } };
  const calls = [
    ["key:1", () => gateway.call("GET", "/edge/connections")],
    ["key:1", () => gateway.call("DELETE", "/edge/users/user_of_nobody")],
    ["session", () => sessionOf(gateway, {})("GET", "/edge/connections")],
    ["session", () => sessionOf(gateway, {})("DELETE", "/edge/users/user_of_nobody")],
    ["console", async () => (await consoleOf(gateway))("GET", "/edge/status")],
    [null, () => gateway.send("GET", "/edge/connections", refused)],
    [null, () => gateway.deliver({ type: "invoice.paid" })],
  ];
  for (const [actor, request] of calls) {
    const { headers } = await request();
    const line = await eventually(() => gateway.requestLines().find(({ requestId }) => requestId === headers["x-request-id"]) ?? false);
    assert.equal(line.actor, actor, JSON.stringify(line));
  }
});

test("a line has no other fields, so no URL, header or body gets in", () => {
  assert.ok(gateway.requestLines().length > 10);
  for (const line of gateway.requestLines()) assert.deepEqual(Object.keys(line).filter((key) => !FIELDS.includes(key)), []);
});

test("a webhook that is refused is a warning, whatever the reason", async () => {
  const event = connectionEvent("connection.created", { id: "conn_logged" });
  const long = { headers: { "content-length": 2 ** 20 + 1 }, body: Buffer.alloc(2 ** 20 + 1) };
  const refusals = [
    () => gateway.deliver(event, { secret: "wrong" }),
    () => gateway.deliver(event, { timestamp: 1 }),
    () => gateway.send("POST", "/webhooks/ofauth"),
    () => gateway.send("POST", "/webhooks/ofauth", long),
  ];
  for (const refuse of refusals) {
    const before = gateway.requestLines().length;
    const { status } = await refuse();
    const line = await eventually(() => gateway.requestLines()[before] ?? false);
    assert.deepEqual([line.route, line.status, line.level], ["webhook", status, "warn"]);
    assert.ok(status >= 400 && status < 500, status);
  }
});

test("every line is JSON, also where the first page of a timeline is read", async () => {
  for (let page = 0; page < 2; page += 1) await gateway.call("GET", "/edge/connections/conn_logged/events");
  const written = gateway.logs.flatMap((text) => text.split("\n"));
  assert.ok(written.length > 20);
  for (const line of written) assert.doesNotThrow(() => JSON.parse(line), line);
});

test("docs/logs.md explains each field and each route of these lines", () => {
  const page = readFileSync(new URL("../../docs/logs.md", import.meta.url), "utf8");
  const routes = gateway.requestLines().map(({ route }) => route);
  for (const name of [...FIELDS, ...routes, "what", "error"]) assert.match(page, new RegExp(`^\\| \`${name}\` \\| .`, "m"), name);
});

test("neither invocation logs nor traces are on, since both record whole URLs", () => {
  const config = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const table = (name) => config.split(/^\[/m).find((text) => text.startsWith(`${name}]`)) ?? "";
  assert.match(table("observability.logs"), /^invocation_logs = false$/m);
  assert.match(table("observability.traces"), /^enabled = false$/m);
});
