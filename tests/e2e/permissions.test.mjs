// What a session may do, and to which of its connections: 1. every route of OFAuth's list takes its permission and no
// other, 2. however the path is written, 3. what is not listed, and the raw proxy, take access:any, 4. the connection that
// is named, 5. the one that is meant, 6. another user's. What is refused never reaches OFAuth.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, beforeEach, test } from "node:test";

import { connectionEvent } from "../emulator/events.mjs";
import { refusal, sessionOf, startGateway } from "./harness.mjs";

const ROUTES = JSON.parse(readFileSync(new URL("../../src/core/gateway/routes.json", import.meta.url), "utf8"));
const EVERYTHING = [...new Set(ROUTES.map(({ permission }) => permission).filter(Boolean))];
const GATEWAYS_OWN = ["connections:write", "connections:link"];

const gateway = await startGateway();
after(() => gateway.close());
const { emulator } = gateway;

const ID = "conn_only";
await introduce(ID, "user_456", "active");
beforeEach(() => emulator.clear());

test("every route of OFAuth's list needs its own permission", async () => {
  assert.ok(ROUTES.length > 50 && EVERYTHING.length > 10);
  const check = async ({ method, path: pattern, permission }) => {
    const needed = permission ?? "access:any";
    const path = pattern.replace(/\{[^}]+\}/g, "12345");
    const others = [...EVERYTHING, "access:any", ...GATEWAYS_OWN].filter((other) => other !== needed);
    const near = [needed.toUpperCase(), ` ${needed}`, needed.split(":")[0], `${needed.split(":")[0]}:*`, "*", ""];
    for (const asked of method === "GET" ? ["GET", "HEAD"] : [method]) {
      const refused = await sessionOf(gateway, { permissions: [...others, ...near] })(asked, path);
      assert.equal(refused.status, 403, `${asked} ${path}`);
      if (asked !== "HEAD") {
        assert.deepEqual(refusal(refused), [403, "PERMISSION_DENIED"]);
        assert.ok(refused.json().error.endsWith(` ${needed}`), `${asked} ${path}: ${refused.text}`);
      }
      const before = reached(path).length;
      const passed = await sessionOf(gateway, { permissions: [needed] })(asked, path);
      assert.equal(passed.headers["x-ofauth-edge"], "upstream", `${asked} ${path}: ${passed.text}`);
      assert.equal(reached(path).length, before + 1);
    }
  };
  for (const route of ROUTES) await check(route);
  assert.ok(emulator.requests.every(({ headers }) => headers["x-connection-id"] === ID));
});

test("another method, another spelling or one more segment is another route", async () => {
  const calls = [
    ["GET", "/v2/access/users/%6cists", "profile:read", "lists:read"],
    ["GET", "/v2/access/users/%6C%69sts", "profile:read", "lists:read"],
    ["GET", "/v2/access/%75sers/lists", "profile:read", "lists:read"],
    ["GET", "/v2/access/users/lists?x=/v2/access/users/12345", "profile:read", "lists:read"],
    ["HEAD", "/v2/access/users/%6cists", "profile:read", "lists:read"],
    ["GET", "/v2/access/users/restrict", "profile:read", "users:write"],
    ["POST", "/v2/access/users/lists", "lists:read", "lists:write"],
    ["PATCH", "/v2/access/self", "profile:read", "profile:write"],
    ["PUT", "/v2/access/self", "profile:write", "access:any"],
    ["OPTIONS", "/v2/access/self", "profile:read", "access:any"],
    ["DELETE", "/v2/access/self", "profile:write", "access:any"],
    ["GET", "/v2/access/self/", "profile:read", "access:any"],
    ["GET", "/v2/access//self", "profile:read", "access:any"],
    ["GET", "/v2/access/users/", "profile:read", "access:any"],
    ["GET", "/v2/access/users//posts", "posts:read", "access:any"],
    ["GET", "/v2/access/Self", "profile:read", "access:any"],
    ["GET", "/v2/access/self/more", "profile:read", "access:any"],
    ["GET", "/v2/access/users/lists/1/2/3", "lists:read", "access:any"],
    ["GET", "/v2/access/nothing", "profile:read", "access:any"],
    ["GET", "/v2/access/", "profile:read", "access:any"],
    ["GET", "/v2/access/users/%ff", "profile:read", "access:any"],
  ];
  for (const [method, path, tempting, needed] of calls) {
    const tempted = await sessionOf(gateway, { permissions: [tempting] })(method, path);
    assert.equal(tempted.status, 403, `${method} ${path} with ${tempting}`);
    if (method !== "HEAD") assert.deepEqual(refusal(tempted), [403, "PERMISSION_DENIED"]);
    assert.deepEqual(emulator.requests, []);
    const granted = await sessionOf(gateway, { permissions: [needed] })(method, path);
    assert.equal(granted.headers["x-ofauth-edge"], "upstream", `${method} ${path} with ${needed}: ${granted.text}`);
    assert.deepEqual(emulator.clear().map((seen) => [seen.method, seen.path]), [[method, path]]);
  }
});

test("a path that can be read in two ways is refused, whatever the permissions", async () => {
  const call = sessionOf(gateway, { permissions: [...EVERYTHING, "access:any"] });
  const paths = ["users/..%2fself", "users/%2fself", "users%5cself", "users/%252e%252e/self", "users/%252fself", "users/%00"];
  for (const path of paths) assert.deepEqual(refusal(await call("GET", `/v2/access/${path}`)), [400, "BAD_REQUEST"], path);
  assert.deepEqual(emulator.requests, []);
});

test("the raw proxy needs access:any, by any method and in any spelling", async () => {
  const all = [...EVERYTHING, ...GATEWAYS_OWN];
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
    for (const path of ["proxy/echo", "proxy/", "%70roxy/echo", "proxy/users/lists"].map((path) => `/v2/access/${path}`)) {
      const answer = await sessionOf(gateway, { permissions: all })(method, path);
      assert.equal(answer.status, 403, `${method} ${path}`);
      if (method !== "HEAD") assert.deepEqual(refusal(answer), [403, "PERMISSION_DENIED"]);
    }
  }
  assert.deepEqual(emulator.requests, []);
  const any = await sessionOf(gateway, { permissions: ["access:any"] })("POST", "/v2/access/proxy/echo", { body: "hello" });
  assert.deepEqual([any.status, any.json().bodyLength], [200, 5]);
  const server = { headers: { "x-connection-id": ID } };
  assert.equal((await gateway.call("GET", "/v2/access/proxy/echo", server)).status, 200, "a gateway key needs none");
});

test("access:any replaces no listed permission, and without permissions a session sees only its own list", async () => {
  assert.equal((await sessionOf(gateway, { permissions: ["access:any"] })("GET", "/v2/access/self")).status, 403);
  for (const claims of [{}, { permissions: [] }]) {
    const call = sessionOf(gateway, claims);
    for (const path of ["/v2/access/self", "/v2/access/nothing", "/v2/access/proxy/echo"]) {
      assert.deepEqual(refusal(await call("GET", path)), [403, "PERMISSION_DENIED"], path);
    }
    assert.equal((await call("GET", "/edge/connections")).status, 200);
  }
  assert.deepEqual(emulator.requests, []);
});

test("the permission is checked before the connection, so a refusal says nothing about connections", async () => {
  const call = sessionOf(gateway, { sub: "user_nobody", permissions: ["posts:read"] });
  for (const name of [undefined, ID, `acct_${"0".repeat(32)}`, await handleOf(ID)]) {
    const headers = name ? { "x-connection-id": name } : {};
    assert.deepEqual(refusal(await call("GET", "/v2/access/self", { headers })), [403, "PERMISSION_DENIED"]);
  }
});

test("a call without a connection is for the only active one, else for the only one that is not disconnected", async () => {
  const cases = [
    [[], "none"],
    [["active"], 0],
    [["expired"], 0],
    [["awaiting_2fa"], 0],
    [["disconnected"], "none"],
    [["disconnected", "disconnected"], "none"],
    [["active", "expired"], 0],
    [["expired", "awaiting_2fa", "active", "disconnected"], 2],
    [["disconnected", "expired"], 1],
    [["disconnected", "active"], 1],
    [["active", "active"], "several"],
    [["expired", "expired"], "several"],
    [["expired", "pending", "disconnected"], "several"],
    [["active", "active", "expired"], "several"],
  ];
  for (const [place, [statuses, meant]] of cases.entries()) {
    const [user, idOf] = [`user_meant_${place}`, (index) => `conn_meant_${place}_${index}`];
    for (const [index, status] of statuses.entries()) await introduce(idOf(index), user, status);
    emulator.clear();
    const answer = await sessionOf(gateway, { sub: user, permissions: ["posts:read"] })("GET", "/v2/access/posts");
    const message = `${statuses}: ${answer.text}`;
    if (typeof meant === "number") {
      assert.deepEqual(emulator.requests.map(({ headers }) => headers["x-connection-id"]), [idOf(meant)], message);
      continue;
    }
    assert.deepEqual(emulator.requests, [], message);
    if (meant === "several") assert.deepEqual(refusal(answer), [400, "CONNECTION_AMBIGUOUS"], message);
    else assertNotFound(answer, message);
  }
});

test("a session may name each of its connections by handle, unless it is disconnected", async () => {
  const statuses = ["active", "active", "expired", "awaiting_2fa", "disconnected"];
  const ids = statuses.map((_, index) => `conn_named_${index}`);
  for (const [index, id] of ids.entries()) await introduce(id, "user_named", statuses[index]);
  emulator.clear();
  for (const [index, id] of ids.entries()) {
    const handle = await handleOf(id);
    const [header, claim] = [{ "x-connection-id": handle }, { connection: handle }];
    for (const [claims, headers] of [[{}, header], [claim, {}], [claim, header]]) {
      const call = sessionOf(gateway, { sub: "user_named", permissions: ["posts:read"], ...claims });
      const answer = await call("GET", "/v2/access/posts", { headers });
      if (statuses[index] === "disconnected") assertNotFound(answer, id);
      else assert.equal(emulator.requests.pop()?.headers["x-connection-id"], id, answer.text);
      assert.deepEqual(emulator.requests, []);
    }
  }
  const call = sessionOf(gateway, { sub: "user_named", permissions: ["posts:read"], connection: await handleOf(ids[0]) });
  const other = await call("GET", "/v2/access/posts", { headers: { "x-connection-id": await handleOf(ids[1]) } });
  assertNotFound(other, "a token for one connection opens no other");
  assert.deepEqual(emulator.requests, []);
});

test("another user's connection, an id, and an unknown handle are not found", async () => {
  await introduce("conn_theirs", "user_theirs", "active");
  emulator.clear();
  const theirs = await handleOf("conn_theirs");
  const own = await handleOf(ID);
  const permissions = [...EVERYTHING, "access:any", ...GATEWAYS_OWN];
  const call = sessionOf(gateway, { permissions });
  const answers = [];
  for (const name of [theirs, "conn_theirs", ID, `acct_${"0".repeat(32)}`, own.toUpperCase(), own.slice(0, -1), `${own}0`]) {
    for (const path of ["/v2/access/posts", "/v2/access/proxy/echo"]) {
      const answer = await call("GET", path, { headers: { "x-connection-id": name } });
      assertNotFound(answer, name);
      answers.push(strip(answer));
    }
  }
  const bound = await sessionOf(gateway, { permissions, connection: theirs })("GET", "/v2/access/posts");
  assertNotFound(bound, "a token that names another's");
  assert.ok([...answers, strip(bound)].every((answer) => answer === answers[0]), "and one answer is like the other");
  for (const name of [`${own}, ${theirs}`, `${own},${own}`, `${own},${theirs}`, `${own} ${own}`]) {
    const answer = await call("GET", "/v2/access/posts", { headers: { "x-connection-id": name } });
    assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], name);
  }
  assert.deepEqual(emulator.requests, []);
});

async function introduce(id, clientReferenceId, status) {
  const type = status === "disconnected" ? "connection.disconnected" : "connection.created";
  const answer = await gateway.deliver(connectionEvent(type, { id, clientReferenceId, status }));
  assert.equal(answer.outcome, "applied", answer.text);
}

async function handleOf(id) {
  return (await gateway.call("GET", `/edge/connections/${id}`)).json().handle;
}

function reached(path) {
  return emulator.requests.filter((request) => request.path === path);
}

function assertNotFound(answer, message) {
  assert.equal(answer.status, 404, `${message}: ${answer.text}`);
  assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], message);
  assert.equal(answer.json().actionRequired, "relink_connection", message);
  assert.equal(answer.headers["x-ofauth-edge-action"], "relink", message);
}

/** An answer without what is its own. */
function strip({ status, text, headers }) {
  return JSON.stringify([status, text.replaceAll(headers["x-request-id"], "")]);
}
