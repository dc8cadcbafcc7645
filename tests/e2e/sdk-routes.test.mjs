// OFAuth's own SDKs against the gateway: another base URL and key, nothing else changed. 1. Every route of OFAuth's list
// arrives as it was sent and is answered as OFAuth answers, 2. so do odd bytes in paths, queries and bodies, 3. uploads,
// 4. older paths in today's words, handles in the place of ids, 5. what is for servers only, and paths that could be read in
// two ways, reach nobody.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { startEmulator } from "../emulator/emulator.mjs";
import { LISTED as ROUTES } from "../emulator/routes.mjs";
import { request } from "./client.mjs";
import { consoleOf, introduce, refusal, sessionOf, startGateway } from "./harness.mjs";

const FOR_SERVERS = ROUTES.filter(({ path }) => !path.startsWith("/v2/access/") && path !== "/v2/link/init");
const NAMING = /^\/v2\/account\/connections\/(?:import\/)?\{connectionId\}/;
const ID = "conn_sdk";
const UPLOAD = "upload:0b6f1c9e-1f0a-4e6a-9a51-7c2d1f0e5a33";
const ODD_QUERY = "limit=5&a=%20+%2B&b=a%2Fb&c=%C3%A9%ff&&=&d=~!*()[]|&e=%zz&f=%25&g=?";

const gateway = await startGateway();
const { emulator } = gateway;
const twin = await startEmulator({ apiKey: gateway.vars.OFAUTH_API_KEY, opensUnknown: true });
after(async () => {
  await gateway.close();
  await twin.close();
});
const handle = await introduce(gateway, ID);

test("a call on each listed route arrives as it was sent, and the answer is OFAuth's", async () => {
  assert.ok(ROUTES.length > 100);
  const check = async (route, id, name) => {
    standAlike(id);
    const { method } = route;
    const isAccess = route.path.startsWith("/v2/access/");
    const body = method === "GET" ? undefined : bodyOf(route);
    const type = body && { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(body) };
    const headers = { accept: "application/json", "user-agent": "sdk/1.2 (test)", ...type };
    const named = isAccess || /vault/.test(route.path);
    const here = await gateway.send(method, `${fill(route, name)}?${ODD_QUERY}`, {
      headers: { ...headers, apiKey: gateway.vars.GATEWAY_KEY, ...(named && { "x-connection-id": name }) },
      body,
    });
    const target = `${fill(route, id)}?${ODD_QUERY}`;
    const there = await request(twin.port, method, target, {
      headers: { ...headers, apiKey: gateway.vars.OFAUTH_API_KEY, ...(named && { "x-connection-id": id }) },
      body,
    });
    const shown = `${method} ${route.path} as ${name}: ${here.status} ${here.text}`;
    assert.equal(emulator.requests.length, 1, shown);
    assert.deepEqual(asSent(emulator.clear()[0]), asSent(twin.clear()[0]), shown);
    assert.equal(here.status, there.status, shown);
    assert.equal(alike(here.text), alike(there.text), shown);
    assert.equal(here.headers["content-type"], there.headers["content-type"], shown);
    assert.equal(here.headers["x-ofauth-edge"], "upstream", shown);
  };
  // What a call does to a connection that it names stays done here, so each has its own.
  const naming = ROUTES.filter(({ path }) => NAMING.test(path));
  const ids = naming.flatMap((_, index) => [`conn_sdk_${index}_by_id`, `conn_sdk_${index}_by_handle`]);
  const handles = await Promise.all(ids.map((id) => introduce(gateway, id)));
  for (const route of ROUTES.filter((one) => !naming.includes(one))) {
    for (const name of [ID, handle]) await check(route, ID, name);
  }
  for (const [index, route] of naming.entries()) {
    await check(route, ids[2 * index], ids[2 * index]);
    await check(route, ids[2 * index + 1], handles[2 * index + 1]);
  }
});

test("any other method and path under the servers' prefixes reaches OFAuth too", async () => {
  const paths = ["/v2/account/anything", "/v2/vault/a/b/c", "/v2/vault-plus/x", "/v2/dynamic-rules/x", "/v2/dynamic-rules"];
  for (const path of [...paths, "/v2/account/connections/", "/v2/account/connections//settings", "/v2/vault/"]) {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      emulator.clear();
      const answer = await gateway.call(method, `${path}?${ODD_QUERY}`);
      assert.equal(answer.headers["x-ofauth-edge"], "upstream", `${method} ${path}: ${answer.status} ${answer.text}`);
      assert.deepEqual(emulator.requests.map((seen) => [seen.method, seen.path]), [[method, `${path}?${ODD_QUERY}`]]);
    }
  }
});

test("bodies of any kind arrive byte for byte, by every method that has one", async () => {
  const bodies = [
    ["application/octet-stream", randomBytes(200_000)],
    ["application/json", Buffer.from('{"a" : "\\u00e9 é", "n": 1.50e+02, "big": 12345678901234567890}\r\n')],
    ["multipart/form-data; boundary=x", Buffer.from("--x\r\n\r\n\0\xff\r\n--x--", "latin1")],
    ["text/plain", Buffer.from([0xff, 0xfe, 0, 1])],
    ["application/json", Buffer.alloc(0)],
  ];
  for (const path of ["/v2/vault/cache/list/7", "/v2/account/settings", "/v2/dynamic-rules/sign", "/v2/access/posts/7"]) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      for (const [type, body] of bodies) {
        emulator.clear();
        const named = path.startsWith("/v2/access/") && { "x-connection-id": handle };
        const headers = { "content-type": type, "content-length": body.length, ...named };
        await gateway.call(method, path, { headers, body });
        const [seen, ...more] = emulator.requests;
        const sha256 = createHash("sha256").update(body).digest("hex");
        assert.deepEqual([seen.method, seen.path, seen.bodyLength, seen.bodySha256], [method, path, body.length, sha256]);
        assert.equal(seen.headers["content-type"], type);
        assert.deepEqual(more, []);
      }
    }
  }
});

test("x-connection-id reaches OFAuth as an id, or not at all", async () => {
  const ids = [
    [undefined, undefined],
    ["", undefined],
    [ID, ID],
    [handle, ID],
    ["conn_unheard", "conn_unheard"],
  ];
  for (const path of ["/v2/vault/cache/list/7", "/v2/vault-plus/list", "/v2/account/whoami", "/v2/dynamic-rules"]) {
    for (const [name, id] of ids) {
      emulator.clear();
      const headers = name === undefined ? {} : { "x-connection-id": name };
      const answer = await gateway.call("POST", path, { headers });
      assert.equal(answer.headers["x-ofauth-edge"], "upstream", answer.text);
      assert.deepEqual(emulator.requests.map((seen) => seen.headers["x-connection-id"]), [id], `${path} ${name}`);
    }
    emulator.clear();
    for (const name of [`${ID}, conn_other`, `${ID} `.repeat(2).trim()]) {
      const answer = await gateway.call("POST", path, { headers: { "x-connection-id": name } });
      assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], name);
    }
    const nobody = await gateway.call("POST", path, { headers: { "x-connection-id": `acct_${"0".repeat(32)}` } });
    assert.deepEqual(refusal(nobody), [404, "CONNECTION_NOT_FOUND"]);
    assert.deepEqual(emulator.requests, []);
  }
});

test("a server's own credentials and routing headers do not reach OFAuth", async () => {
  const raw = { cookie: "a=b", "x-of-cookie": "sess=1", "x-of-bc": "2", "x-platform-id": "3" };
  const headers = { ...raw, "x-forwarded-for": "9.9.9.9" };
  for (const path of ["/v2/account/whoami", "/v2/account/connections/import", "/v2/vault/x"]) {
    emulator.clear();
    await gateway.call("POST", path, { headers: { ...headers, "x-http-method-override": "DELETE" } });
    const [seen] = emulator.requests;
    assert.equal(seen.headers.apikey, gateway.vars.OFAUTH_API_KEY);
    for (const name of [...Object.keys(headers), "x-http-method-override", "authorization"]) {
      assert.ok(!(name in seen.headers), name);
    }
  }
});

test("an upload works with its id as it is or escaped, and each part arrives byte for byte", async () => {
  emulator.set({ uploadPartSize: 70_000 });
  for (const spell of [(id) => id, encodeURIComponent]) {
    const file = randomBytes(150_000);
    const call = (method, path, body, type = "application/octet-stream") =>
      gateway.call(method, path, { headers: { "x-connection-id": handle, "content-type": type }, body });
    const wish = JSON.stringify({ filename: "é.jpg", size: file.length });
    const begun = await call("POST", "/v2/access/uploads/init", wish, "application/json");
    const { "x-ofauth-upload-total-parts": parts, "x-ofauth-upload-part-size": size } = begun.headers;
    assert.deepEqual([begun.status, parts, size], [200, "3", "70000"], begun.text);
    const { mediaUploadId } = begun.json();
    emulator.clear();
    for (let part = 1; part <= 3; part += 1) {
      const path = `/v2/access/uploads/${spell(mediaUploadId)}/parts/${part}`;
      const bytes = file.subarray((part - 1) * 70_000, part * 70_000);
      assert.equal((await call("PUT", path, bytes)).status, 200);
      const [seen] = emulator.clear();
      assert.deepEqual([seen.path, seen.bodySha256], [path, createHash("sha256").update(bytes).digest("hex")]);
    }
    const done = await call("POST", "/v2/access/uploads/complete", JSON.stringify({ mediaUploadId }), "application/json");
    assert.deepEqual([done.status, done.json().media.isReady], [200, true], done.text);
  }
});

test("older paths are replaced by today's, with their queries and bodies", async () => {
  for (const [method, path, expected] of [
    ["GET", `/v2/connections?${ODD_QUERY}`, `/v2/account/connections?${ODD_QUERY}`],
    ["GET", "/v2/connections", "/v2/account/connections"],
    ["HEAD", "/v2/connections?", "/v2/account/connections?"],
    ["GET", `/v2/connections/${ID}/settings`, `/v2/account/connections/${ID}/settings`],
    ["PATCH", `/v2/connections/${handle}/settings?x`, `/v2/account/connections/${ID}/settings?x`],
    ["POST", `/v2/connections/${ID}/invalidate`, `/v2/account/connections/${ID}/invalidate`],
    ["POST", "/v2/connections/import", "/v2/account/connections/import"],
    ["DELETE", "/v2/connections/conn_unheard", "/v2/account/connections/conn_unheard"],
  ]) {
    emulator.clear();
    const answer = await gateway.call(method, path, { body: method === "PATCH" ? '{"a":1}' : undefined });
    assert.equal(answer.headers["x-ofauth-edge"], "upstream", `${method} ${path}: ${answer.text}`);
    assert.deepEqual(emulator.requests.map((seen) => [seen.method, seen.path]), [[method, expected]]);
  }
  for (const path of ["/v2/connectionsx", "/v2/connection", "/v2/account", "/v2/vaults/x", "/v2/Account/whoami"]) {
    assert.deepEqual(refusal(await gateway.call("GET", path)), [404, "ROUTE_NOT_FOUND"], path);
  }
});

test("a handle in a path becomes the id, however it is escaped, and an unknown one is not found", async () => {
  for (const name of [handle, handle.replace("acct", "%61cct"), handle.replace("_", "%5F")]) {
    emulator.clear();
    const path = (spelled) => `/v2/account/connections/${spelled}/settings?a=${handle}`;
    await gateway.call("GET", path(name));
    assert.deepEqual(emulator.requests.map((seen) => seen.path), [path(ID)], "in the path, not in the query");
  }
  emulator.clear();
  for (const [method, under] of [["DELETE", ""], ["POST", "/invalidate"], ["GET", "/settings"], ["PATCH", "/settings"]]) {
    const answer = await gateway.call(method, `/v2/account/connections/acct_${"0".repeat(32)}${under}`);
    assert.deepEqual(refusal(answer), [404, "CONNECTION_NOT_FOUND"], `${method} ${under}`);
  }
  assert.deepEqual(emulator.requests, []);
});

test("sessions and the console are refused on every route for servers, whatever their permissions", async () => {
  const permissions = [...new Set(ROUTES.map(({ permission }) => permission).filter(Boolean))];
  const own = ["access:any", "connections:write", "connections:link"];
  const callers = [sessionOf(gateway, { permissions: [...permissions, ...own] }), await consoleOf(gateway)];
  emulator.clear();
  const more = ["/v2/connections", `/v2/connections/${ID}`, "/v2/account/x", "/v2/vault/x"];
  const odd = more.flatMap((path) => ["GET", "POST", "DELETE"].map((method) => ({ method, path })));
  for (const route of [...FOR_SERVERS, ...odd]) {
    for (const call of callers) {
      for (const name of [ID, handle]) {
        const answer = await call(route.method, fill(route, name), { headers: { "x-connection-id": handle } });
        assert.deepEqual(refusal(answer), [403, "PERMISSION_DENIED"], `${route.method} ${route.path}`);
      }
    }
    assert.deepEqual(refusal(await gateway.send(route.method, fill(route, ID))), [401, "CREDENTIALS_MISSING"]);
  }
  assert.deepEqual(emulator.requests, []);
});

test("a path that can be read in two ways is refused", async () => {
  emulator.clear();
  const dots = ["%252e", "%2e%2e/whoami", "..%2fwhoami", "x/%2E", "../whoami", "x/.."];
  const rests = ["a%2fb", "a%5cb", "a%00b", "a%252fb", "%0d%0aapikey:x", "%7f", ...dots];
  const prefixes = ["/v2/account/connections/", "/v2/account/", "/v2/connections/", "/v2/vault/", "/v2/vault-plus/store/"];
  for (const prefix of prefixes) {
    for (const rest of rests) {
      for (const method of ["GET", "DELETE", "POST"]) {
        const answer = await gateway.call(method, `${prefix}${rest}`);
        assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"], `${method} ${prefix}${rest}`);
      }
    }
  }
  assert.deepEqual(emulator.requests, []);
});

test("OFAuth's errors pass as they are, and the action for a wrong API key is operator", async () => {
  for (const [rule, status, verdict] of [
    [{ kind: "refuse", type: "UNAUTHORIZED" }, 401, "operator"],
    [{ kind: "limit", retryAfter: 30 }, 429, "retry"],
    [{ kind: "status", code: 500, body: "html" }, 500, "retry"],
    [{ kind: "status", code: 403 }, 403, "give_up"],
    [{ kind: "status", code: 404, body: "empty" }, 404, "give_up"],
  ]) {
    emulator.fault({ ...rule, times: 1 });
    twin.fault({ ...rule, times: 1 });
    const headers = { apikey: gateway.vars.OFAUTH_API_KEY };
    const there = await request(twin.port, "POST", "/v2/dynamic-rules/sign", { headers });
    const here = await gateway.call("POST", "/v2/dynamic-rules/sign");
    assert.deepEqual([here.status, alike(here.text)], [status, alike(there.text)]);
    assert.deepEqual([here.headers["x-ofauth-edge"], here.headers["x-ofauth-edge-action"]], ["upstream", verdict]);
    assert.equal(here.headers["retry-after"], there.headers["retry-after"]);
  }
});

/** The same connection, alone, at OFAuth and at its twin, as new. */
function standAlike(id) {
  const time = "2026-01-02T03:04:05.000Z";
  const fields = { createdAt: time, updatedAt: time, clientReferenceId: "user_456", imported: true, userData: { id: "77" } };
  for (const one of [emulator, twin]) {
    one.clear();
    one.reset();
    one.connections.put({ id, ...fields });
  }
}

function fill({ path }, name) {
  return path.replace("{connectionId}", name).replace("{mediaUploadId}", UPLOAD).replace(/\{[^}]+\}/g, "a:b~7%20%C3%A9");
}

function bodyOf({ path }) {
  if (path.includes("/import")) return JSON.stringify({ cookie: "auth_id=77; sess=s; fp=f", userAgent: "Agent" });
  if (path.endsWith("/uploads/init")) return JSON.stringify({ filename: "a", size: 10 });
  if (path === "/v2/link/init") return '{"redirectUrl" : "https://app.example/back?é", "clientReferenceId":"user_sdk"}';
  return '{ "text" : "é \\u00e9 🎉" }\n';
}

function asSent({ method, path, bodyLength, bodySha256, headers }) {
  const { accept, apikey, "user-agent": agent, "content-type": type, "x-connection-id": connection } = headers;
  return { method, path, bodyLength, bodySha256, accept, apikey, agent, type, connection };
}

/** An answer's text without what is new in every answer. */
function alike(text) {
  const changing = /req_[0-9a-f-]{36}|conn_[0-9a-f]{24}|cs_\w+|upload:[0-9a-f-]{36}|http:\/\/127\.0\.0\.1:\d+/g;
  return text.replace(changing, "~").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "~");
}
