// Gateway keys with names and rights: 1. a key opens the routes of its rights and no others, and says which right it lacks,
// 2. a console token takes the rights that it gives, 3. a timeline says who did what, 4. a wrong form stops the gateway.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { consoleOf, introduce, refusal, SECRETS, sessionOf, startGateway } from "./harness.mjs";

const RIGHTS = ["access", "sessions", "link", "manage", "read"];
const keyOf = (name) => `${name}-`.padEnd(40, "0123456789");

const items = [...RIGHTS.slice(0, 3).map((right) => `only-${right}:${right}:${keyOf(right)}`), `ops:manage+read:${keyOf("ops")}`];
const gateway = await startGateway({ vars: { GATEWAY_KEY: [SECRETS.GATEWAY_KEY, ...items].join(",") } });
after(() => gateway.close());
const { emulator } = gateway;
const as = (key) => (method, target, { headers, body } = {}) =>
  gateway.send(method, target, { headers: { apikey: key, ...headers }, body });

test("a gateway key opens the routes of its rights and no others", async () => {
  const handle = await introduce(gateway, "conn_rights");
  const routes = {
    access: [["GET", "/v2/access/self", { headers: { "x-connection-id": handle } }]],
    sessions: [["POST", "/edge/sessions", { body: '{"clientReferenceId":"user_456"}' }]],
    link: [["POST", "/v2/link/init", { body: "{}" }], ["GET", "/v2/link/cs_none"], ["DELETE", "/v2/link/cs_none"]],
    manage: [
      ["POST", `/edge/connections/${handle}/invalidate`],
      ["PATCH", "/v2/account/settings", { body: "{}" }],
      ["POST", "/v2/dynamic-rules/sign", { body: "{}" }],
    ],
    read: [
      ["GET", "/edge/connections"],
      ["GET", `/edge/connections/${handle}`],
      ["GET", `/edge/connections/${handle}/events`],
      ["GET", "/edge/events"],
      ["GET", "/v2/account/whoami"],
    ],
  };
  const keys = { access: ["access"], sessions: ["sessions"], link: ["link"], ops: ["manage", "read"] };
  for (const [key, rights] of Object.entries(keys)) {
    for (const [right, calls] of Object.entries(routes)) {
      for (const [method, target, options] of calls) {
        const answer = await as(keyOf(key))(method, target, options);
        const denied = answer.status === 403 && answer.json().type === "PERMISSION_DENIED";
        assert.equal(denied, !rights.includes(right), `${key}: ${method} ${target}: ${answer.status} ${answer.text}`);
        if (denied) assert.equal(answer.json().error, `the gateway key lacks the right ${right}`);
      }
    }
  }
  assert.equal((await as(keyOf("link"))("DELETE", "/edge/users/user_456")).status, 403);
  assert.equal((await gateway.call("GET", "/edge/connections")).status, 200, "a key alone has all rights");
});

test("a key makes a console token only if it has the rights that the token gives", async () => {
  const body = '{"console":true}';
  refusal(await as(keyOf("sessions"))("POST", "/edge/sessions", { body }), 403, "PERMISSION_DENIED");
  refusal(await as(keyOf("ops"))("POST", "/edge/sessions", { body }), 403, "PERMISSION_DENIED");
  assert.equal((await gateway.call("POST", "/edge/sessions", { body })).status, 201);
});

test("a timeline says who did what", async () => {
  const id = "conn_actors";
  const handle = await introduce(gateway, id, { user: "user_actors" });
  const page = sessionOf(gateway, { sub: "user_actors", permissions: ["connections:write"] });
  const operator = await consoleOf(gateway);
  const path = `/edge/connections/${handle}`;
  const relink = () => introduce(gateway, id, { user: "user_actors" });
  const acts = [
    ["key:ops", () => as(keyOf("ops"))("POST", `${path}/invalidate`)],
    ["session", () => page("POST", `${path}/invalidate`)],
    ["console", () => operator("POST", `${path}/invalidate`)],
    ["key:1", () => gateway.call("POST", `${path}/invalidate`)],
    ["key:ops", () => as(keyOf("ops"))("DELETE", `/v2/account/connections/${id}`)],
  ];
  for (const [actor, act] of acts) {
    assert.ok((await act()).status < 300, actor);
    if (!actor.includes("ops") || act === acts[0][1]) await relink();
  }
  const actorsOf = async (call) => {
    const { list } = (await call("GET", `${path}/events?limit=100`)).json();
    for (const { type, outcome, actor } of list) {
      assert.ok(["applied", "stale"].includes(outcome), outcome);
      assert.equal(actor !== undefined, type.startsWith("edge."), type);
    }
    return list.filter(({ actor }) => actor).map(({ actor }) => actor).toReversed();
  };
  const names = acts.map(([actor]) => actor);
  assert.deepEqual(await actorsOf(gateway.call), names);
  assert.deepEqual(await actorsOf(operator), names);
});

test("a session learns that a key did it, and not which", async () => {
  const handle = await introduce(gateway, "conn_seen", { user: "user_seen" });
  assert.equal((await as(keyOf("ops"))("POST", `/edge/connections/${handle}/invalidate`)).status, 200);
  const { list } = (await sessionOf(gateway, { sub: "user_seen" })("GET", `/edge/connections/${handle}/events`)).json();
  assert.deepEqual(list.map(({ actor }) => actor), ["key", undefined]);
});

test("the actor of what a call shows is its caller, and of what Link shows the gateway", async () => {
  const handle = await introduce(gateway, "conn_learnt", { user: "user_learnt" });
  emulator.connections.put({ id: "conn_learnt", clientReferenceId: "user_learnt", status: "expired" });
  const answer = await as(keyOf("access"))("GET", "/v2/access/self", { headers: { "x-connection-id": handle } });
  assert.equal(answer.status, 401, answer.text);
  const { list } = (await gateway.call("GET", `/edge/connections/${handle}/events`)).json();
  assert.deepEqual([list[0].type, list[0].actor], ["edge.expired", "key:only-access"]);
});

test("a GATEWAY_KEY with a wrong item stops the gateway, and the item is not shown", async () => {
  const wrong = await startGateway({ vars: { GATEWAY_KEY: `${SECRETS.GATEWAY_KEY},app:acess:${keyOf("app")}` } });
  try {
    const health = await wrong.send("GET", "/healthz");
    assert.equal(health.status, 503);
    assert.match(health.json().problems[0], /^GATEWAY_KEY has an item with a colon that is not name:rights:key/);
    assert.ok(!health.text.includes(keyOf("app")));
  } finally {
    await wrong.close();
  }
});
