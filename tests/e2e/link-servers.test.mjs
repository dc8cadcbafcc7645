// A server begins Link: 1. its call goes up byte for byte, 2. but for the connection to link again, 3. the answer comes back
// as it is, 4. storage that fails. Then 5. GET and DELETE /v2/link/{clientSecret} are for servers only, and 6. neither a
// client secret nor the raw session they carry is left anywhere. 7. A private Link comes back through the gateway.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";

import { visitLink } from "../emulator/visitor.mjs";
import { eventually, introduce, refusal, SECRETS, startGateway, tokenOf, unixNow } from "./harness.mjs";
import { filesOf, leaksIn, leaksOf } from "./leaks.mjs";
import { begin, begun, browserOf, comeBack, JSON_TYPE, pageOf } from "./linking.mjs";

const APP = "https://app.example";
const NOBODY = `acct_${"0".repeat(32)}`;

const gateway = await startGateway({ faults: true, vars: { ALLOWED_ORIGINS: APP, APP_RETURN_URL: `${APP}/linked` } });
after(() => gateway.close());
const { emulator, call } = gateway;
beforeEach(() => emulator.clear());
afterEach(async () => {
  await gateway.fail({});
  emulator.heal();
  emulator.reset();
});

/** Client secrets and raw sessions that passed through, for the last test. */
const passed = [];

test("a call without a handle arrives byte for byte, with its query", async () => {
  await introduce(gateway, "conn_as_is", { user: "user_as_is", status: "expired" });
  emulator.clear();
  const bodies = [
    '  {\t"redirectUrl" :\r\n"https://anywhere.example/back" , "clientReferenceId":"user_new"}  \n',
    '{"unknown":{"deep":[1,2.50,1e3,-0,null]},"z":1,"a":"\\u00e9\\/é","clientReferenceId":"user_new"}',
    '{"connectionId":"conn_unknown_1","b":1,"a":2}',
    '{"connectionId":"conn_as_is" ,"a":2}',
    '{"clientReferenceId":null}',
    '{"clientReferenceId":7,"redirectUrl":7}',
    '{"a":1,"a":2}',
    "{}",
    "",
  ];
  for (const body of bodies) await begin(call, body, { query: "?a=%20b&a=c" });
  assert.deepEqual(emulator.requests.map(({ bodyText }) => bodyText), bodies);
  for (const { path, headers } of emulator.requests) {
    assert.deepEqual([path, headers.apikey], ["/v2/link/init?a=%20b&a=c", SECRETS.OFAUTH_API_KEY]);
  }
});

test("the key may be in either header, and OFAuth's own headers are passed on", async () => {
  const bearer = { authorization: `Bearer ${SECRETS.GATEWAY_KEY}`, "x-own": "kept", "x-of-cookie": "sess=1" };
  for (const headers of [bearer, { apikey: SECRETS.GATEWAY_KEY, "x-own": "kept", cookie: "a=b" }]) {
    const answer = await begin(gateway.send, { clientReferenceId: "user_1" }, { headers });
    assert.equal(answer.status, 200);
    const { headers: arrived } = emulator.requests.at(-1);
    assert.deepEqual([arrived.apikey, arrived["x-own"]], [SECRETS.OFAUTH_API_KEY, "kept"]);
    for (const name of ["authorization", "cookie", "x-of-cookie"]) assert.equal(arrived[name], undefined, name);
  }
  const foreign = await begin(call, {}, { headers: { origin: APP } });
  assert.deepEqual(refusal(foreign), [403, "ORIGIN_DENIED"]);
});

test("a handle is replaced by the id, and all else of the body keeps its value", async () => {
  const handle = await introduce(gateway, "conn_by_handle", { user: "user_by_handle" });
  emulator.clear();
  const rest = '"redirectUrl": "https://a.example/?q=\\u00e9", "n": 12345678901234567890';
  const body = `{ "z": 1.50, "connectionId": "${handle}", ${rest} }`;
  assert.equal((await begin(call, body)).status, 200);
  const [{ bodyText, headers }] = emulator.requests;
  assert.equal(Number(headers["content-length"] ?? bodyText.length), Buffer.byteLength(bodyText));
  assert.deepEqual(JSON.parse(bodyText), { ...JSON.parse(body), connectionId: "conn_by_handle" });
  for (const number of ["1.50", "12345678901234567890"]) assert.ok(bodyText.includes(number), bodyText);
  assert.doesNotMatch(bodyText, /acct_/);
});

test("a server may link any connection again, but not an unknown handle", async () => {
  await introduce(gateway, "conn_any", { user: "user_any", status: "disconnected" });
  emulator.clear();
  for (const connectionId of ["conn_any", "conn_never_seen"]) {
    assert.equal((await begin(call, { connectionId, clientReferenceId: "user_else" })).status, 200);
    assert.equal(begun(gateway).at(-1).connectionId, connectionId);
  }
  emulator.clear();
  for (const connectionId of [NOBODY, "", "a b", "x".repeat(5_000)]) {
    assert.deepEqual(refusal(await begin(call, { connectionId })), [404, "CONNECTION_NOT_FOUND"], connectionId);
  }
  for (const body of ["[]", "null", "{", '{"connectionId":7}']) {
    assert.deepEqual(refusal(await begin(call, body)), [400, "BAD_REQUEST"], body);
  }
  assert.deepEqual(emulator.requests, []);
});

test("null asks for a new connection, and OFAuth gets no connectionId", async () => {
  await introduce(gateway, "conn_null", { user: "user_null", status: "expired" });
  emulator.clear();
  await begin(call, '{"connectionId": null, "clientReferenceId": "user_null", "b": {"connectionId": null}}');
  assert.deepEqual(begun(gateway), [{ clientReferenceId: "user_null", b: { connectionId: null } }]);
});

test("without a connectionId a user's only expired connection is linked again if none is active", async () => {
  const users = { one: ["expired"], two: ["expired", "expired"], both: ["expired", "active"], none: [] };
  for (const [user, statuses] of Object.entries(users)) {
    for (const [place, status] of statuses.entries()) await introduce(gateway, `conn_${user}_${place}`, { user, status });
    emulator.clear();
    const body = `{"clientReferenceId": "${user}", "redirectUrl": "https://a.example/"}`;
    assert.equal((await begin(call, body)).status, 200);
    assert.equal(begun(gateway)[0].connectionId, user === "one" ? "conn_one_0" : undefined, user);
    if (user !== "one") assert.equal(emulator.requests[0].bodyText, body);
  }
  await begin(call, { redirectUrl: "https://a.example/" });
  assert.ok(!("connectionId" in begun(gateway).at(-1)), "nobody's");
});

test("OFAuth's answer comes back as it is: whitelabel, of any shape, and errors", async () => {
  for (const linkAnswer of ["hosted", "modeless", "whitelabel"]) {
    emulator.set({ linkAnswer });
    const answer = await begin(call, { clientReferenceId: "user_answer" });
    assert.deepEqual([answer.status, answer.headers["x-ofauth-edge"]], [200, "upstream"]);
    const { mode, url, clientSecret } = answer.json();
    assert.equal(mode, { hosted: "hosted", whitelabel: "whitelabel" }[linkAnswer]);
    assert.ok(emulator.links.get(clientSecret ?? new URL(url).pathname.split("/").at(-1)), "OFAuth's own");
    passed.push(clientSecret ?? url.split("/").at(-1));
  }
  emulator.set({ linkAnswer: "hosted", linkUrl: "http://elsewhere.example/{clientSecret}" });
  assert.match((await begin(call)).json().url, /^http:\/\/elsewhere\.example\/cs_/, "a server's own matter");
  const refused = await begin(call, { redirectUrl: "javascript:alert(1)" });
  const { status, headers } = refused;
  assert.deepEqual([status, headers["x-ofauth-edge"], headers["x-ofauth-edge-action"]], [400, "upstream", "give_up"]);
});

test("a private Link comes back through the gateway, with a handle and no id in the browser's address", async () => {
  const user = "user_private";
  const wish = { mode: "private", clientReferenceId: user, redirectUrl: `${APP}/done?a=1`, clientAppId: "app_1", n: 1.5 };
  const page = await pageOf(call, wish);
  const [{ bodyText }] = emulator.requests;
  const callback = `http://127.0.0.1:${gateway.port}/link/callback`;
  const { mode, ...rest } = wish;
  assert.deepEqual(JSON.parse(bodyText), { ...rest, redirectUrl: callback });
  const back = await visitLink(page);
  assert.equal(`${back.origin}${back.pathname}`, callback);
  const { page: reached, told } = await comeBack(gateway, back);
  const [item] = emulator.connections.all().filter(({ clientReferenceId }) => clientReferenceId === user);
  const { handle } = (await call("GET", `/edge/connections/${item.id}`)).json();
  assert.deepEqual([reached, told], [`${APP}/done`, { a: "1", status: "success", connection: handle }]);
});

test("a private Link links again by handle, and returns to APP_RETURN_URL if it names no page", async () => {
  const handle = await introduce(gateway, "conn_private", { user: "user_private_again", status: "expired" });
  emulator.clear();
  const page = await pageOf(call, { mode: "private", clientReferenceId: "user_private_again", connectionId: handle });
  assert.equal(JSON.parse(emulator.requests[0].bodyText).connectionId, "conn_private");
  const { page: reached, told } = await comeBack(gateway, await visitLink(page));
  assert.deepEqual([reached, told], [`${APP}/linked`, { status: "success", connection: handle }]);
});

test("a private Link names its user, and a page that is allowed", async () => {
  for (const wrong of [
    {},
    { clientReferenceId: "" },
    { clientReferenceId: 7 },
    { clientReferenceId: "u", redirectUrl: "https://elsewhere.example/" },
    { clientReferenceId: "u", redirectUrl: 7 },
  ]) {
    assert.deepEqual(refusal(await begin(call, { mode: "private", ...wrong })), [400, "BAD_REQUEST"], JSON.stringify(wrong));
  }
  assert.deepEqual(emulator.requests, []);
});

test("while storage fails a server is told to try again, unless Link needs no storage", async () => {
  const handle = await introduce(gateway, "conn_failing", { user: "user_failing" });
  emulator.clear();
  const [hub, ledger] = [{ hub: "fail" }, { ledger: "fail" }];
  const wishes = [[hub, { clientReferenceId: "user_failing" }], [ledger, { connectionId: handle }]];
  for (const [modes, wish] of [...wishes, [ledger, { connectionId: "conn_failing" }]]) {
    await gateway.fail(modes);
    assert.deepEqual(refusal(await begin(call, wish)), [503, "STORAGE_UNAVAILABLE"], JSON.stringify(wish));
  }
  assert.deepEqual(emulator.requests, []);
  await gateway.fail({ ...hub, ...ledger, read: "fail" });
  assert.equal((await begin(call, { redirectUrl: "https://a.example/" })).status, 200);
});

test("a server reads and cancels a Link session, and gets the answer with the raw session as it is", async () => {
  emulator.set({ linkAnswer: "hosted" });
  const page = await pageOf(call, { redirectUrl: "https://a.example/", clientReferenceId: "user_read" });
  const path = `/v2/link/${page.split("/").at(-1)}`;
  assert.deepEqual((await call("GET", path)).json(), { status: "initialized" });
  await visitLink(page);
  const { status, headers, json, text } = await call("GET", path);
  assert.deepEqual([status, headers["x-ofauth-edge"], headers["cache-control"]], [200, "upstream", "private, no-store"]);
  const { cookie } = json().data.session;
  assert.match(text, /sess=raw_session_of_/);
  const head = await call("HEAD", path);
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.deepEqual((await call("DELETE", path)).json(), { success: true });
  for (const method of ["GET", "DELETE"]) assert.equal((await call(method, path)).status, 404, method);
  assert.ok(emulator.requests.slice(1).every(({ path: arrived }) => arrived === path));
  passed.push(path.split("/").at(-1), cookie, cookie.split(";")[0]);
});

test("a session or console cannot read or cancel a Link session, and OFAuth is not asked", async () => {
  const ada = browserOf(gateway, "user_ada", { permissions: ["connections:link", "connections:write", "access:any"] });
  const secret = (await pageOf(ada, {})).split("/").at(-1);
  const now = unixNow();
  const token = tokenOf({ sub: "console", aud: "ofauth-edge-console", iat: now, exp: now + 600 });
  const console = { authorization: `Bearer ${token}` };
  emulator.clear();
  for (const method of ["GET", "HEAD", "DELETE"]) {
    const answer = await ada(method, `/v2/link/${secret}`);
    const other = await gateway.send(method, `/v2/link/${secret}`, { headers: console });
    assert.deepEqual([answer.status, other.status], [403, 403], method);
    assert.equal((await gateway.send(method, `/v2/link/${secret}`)).status, 401, method);
    if (method !== "HEAD") assert.deepEqual(refusal(answer), [403, "PERMISSION_DENIED"]);
  }
  for (const method of ["POST", "PUT", "PATCH"]) {
    const answer = await call(method, `/v2/link/${secret}`, { headers: JSON_TYPE, body: "{}" });
    assert.deepEqual([refusal(answer), answer.headers.allow], [[405, "METHOD_NOT_ALLOWED"], "GET, HEAD, DELETE"]);
  }
  for (const path of [`/v2/link/${secret}/`, `/v2/link/${secret}/x`, "/v2/link/", "/v2/link", "/v2/link/%2e%2e%2fx"]) {
    assert.ok([400, 404].includes((await call("GET", path)).status), path);
  }
  assert.deepEqual(emulator.requests, []);
  passed.push(secret);
});

test("no client secret, raw session, reference or return page stands in a log line, KV or the runtime's files", async () => {
  const page = "https://app.example/secret-return-page-7f31";
  const ada = browserOf(gateway, "reference-of-ada-9914");
  const pending = await pageOf(ada, { redirectUrl: page });
  const done = await visitLink(await pageOf(ada, { redirectUrl: page }));
  const id = done.searchParams.get("connection_id");
  assert.equal((await comeBack(gateway, done)).told.status, "success");
  await call("GET", `/v2/link/${pending.split("/").at(-1)}`);
  const words = [...passed, pending.split("/").at(-1), id, page, "secret-return-page", "reference-of-ada-9914"];
  assert.ok(passed.length >= 7);

  await eventually(() => gateway.requestLines().some(({ route }) => route === "link_session"));
  const kv = await gateway.kv();
  for (const { name, metadata } of (await kv.list()).keys) {
    const value = Buffer.from(await kv.get(name, "arrayBuffer"));
    assert.deepEqual(leaksIn(Buffer.concat([Buffer.from(`${name}\n${JSON.stringify(metadata)}\n`), value]), words), [], name);
  }
  assert.ok(filesOf(gateway).some(([file, bytes]) => /Hub/.test(file) && bytes.includes("CREATE TABLE links")), "Link sessions are there");
  assert.deepEqual(leaksOf(gateway, words), []);
});
