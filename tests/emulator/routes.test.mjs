// OFAuth's whole list of routes: 1. each arrives, is recorded as it came and answered by its own name, 2. what some answer
// besides, 3. uploads.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, beforeEach, test } from "node:test";

import { startEmulator } from "./emulator.mjs";
import { routeOf, ROUTES } from "./routes.mjs";
import { API_KEY, callerOf } from "./testing.mjs";

const emulator = await startEmulator({ apiKey: API_KEY });
after(() => emulator.close());
const call = callerOf(emulator, { apikey: API_KEY, "x-connection-id": "conn_alice" });
const UPLOADS = "/v2/access/uploads";

beforeEach(() => {
  emulator.reset();
  emulator.clear();
  for (const id of ["conn_alice", "conn_bob"]) emulator.connections.put({ id });
});

test("every route of the list is recorded byte for byte: method, path, query, headers, body", async () => {
  assert.ok(ROUTES.length > 100);
  for (const { method, path: pattern } of ROUTES) {
    emulator.clear();
    const path = `${pattern.replace(/\{[^}]+\}/g, "a%3Ab%20c")}?x=%41&x=+&empty`;
    const body = method === "GET" ? undefined : `{"n": 1.0, "é": "${method} ${pattern}"}`;
    const answer = await call(method, path, { body, headers: { "X-Own": "Yes" } });
    const [record] = emulator.requests;
    assert.deepEqual([record.method, record.path, record.bodyText], [method, path, body ?? ""]);
    assert.equal(record.bodySha256, sha256(body ?? ""));
    assert.deepEqual([record.headers["x-own"], record.headers["x-connection-id"]], ["Yes", "conn_alice"]);
    assert.equal(record.status, answer.status);
    assert.notEqual(answer.json.type, "ROUTE_NOT_FOUND", `${method} ${path}`);
  }
});

test("a route without content answers its name and its path parameters, and a collection a list", async () => {
  const read = await call("GET", "/v2/access/users/lists/7%2F8/users");
  const parameters = { listId: "7/8" };
  const route = "GET /v2/access/users/lists/{listId}/users";
  assert.deepEqual(read.json, { route, parameters, list: [], hasMore: false });
  const written = await call("PUT", "/v2/access/posts/5");
  assert.deepEqual(written.json, { route: "PUT /v2/access/posts/{postId}", parameters: { postId: "5" } });
});

test("Vault+ answers its newer paths, and none of them is taken for an older one", async () => {
  const answers = {
    "GET /v2/vault-plus/status": { status: "active", mediaCount: 0 },
    "GET /v2/vault-plus/media": { list: [], hasMore: false },
    "DELETE /v2/vault-plus/media": { success: true, deleted: 0 },
    "GET /v2/vault-plus/media/7%2F8": { id: "7/8", status: "stored" },
  };
  for (const [name, expected] of Object.entries(answers)) {
    const { status, json } = await call(...name.split(" "));
    const { route, parameters, ...answer } = json;
    const mediaId = name.endsWith("8") ? { mediaId: "7/8" } : {};
    assert.deepEqual([status, parameters, answer], [200, mediaId, expected]);
    assert.equal(route, name.replace("7%2F8", "{mediaId}"));
  }
});

test("each thing that is created has an id of its own, by which it can be reached", async () => {
  const ids = new Set();
  for (const path of ["/v2/access/posts", "/v2/access/users/lists", "/v2/access/posts"]) {
    const { status, json } = await call("POST", path, { body: { name: "a", text: "b" } });
    assert.deepEqual([status, Number.isSafeInteger(json.id)], [200, true]);
    const again = await call("GET", `${path}/${json.id}`);
    assert.deepEqual(Object.values(again.json.parameters), [String(json.id)]);
    ids.add(json.id);
  }
  assert.equal(ids.size, 3);
});

test("stories are of one user, or of the account itself, and the same each time", async () => {
  const self = (await call("GET", "/v2/access/self")).json;
  const own = (await call("GET", "/v2/access/stories/items")).json;
  const others = (await call("GET", "/v2/access/users/123/stories")).json;
  assert.ok(own.list.length > 0 && own.list.every(({ userId }) => userId === self.id));
  assert.ok(others.list.length > 0 && others.list.every(({ userId }) => userId === 123));
  assert.deepEqual((await call("GET", `/v2/access/users/${self.id}/stories`)).json.list, own.list);
  const ids = [...own.list, ...others.list].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test("OnlyFans's own users/me is the account of the connection, and only read", async () => {
  const { subscribersCount: _, ...self } = (await call("GET", "/v2/access/self")).json;
  assert.deepEqual((await call("GET", "/v2/access/proxy/users/me")).json, self);
  assert.equal((await call("DELETE", "/v2/access/proxy/users/me")).status, 404);
});

test("a literal segment goes before a parameter, HEAD is like GET, and a segment that is empty or undecodable is none", () => {
  assert.equal(routeOf("GET", "/v2/access/users/lists").route.path, "/v2/access/users/lists");
  assert.equal(routeOf("HEAD", "/v2/access/users/12").route.path, "/v2/access/users/{userId}");
  const trialLink = routeOf("GET", "/v2/access/promotions/trial-links/5").route.path;
  assert.equal(trialLink, "/v2/access/promotions/trial-links/{trialLinkId}");
  for (const path of ["/v2/access/users/", "/v2/access/users/%ff", "/v2/access/users/1/2/3", "/v2/access/%75sers/1"]) {
    assert.equal(routeOf("GET", path), null, path);
  }
});

test("an upload of several parts takes them in any order, and complete answers the media", async () => {
  emulator.set({ uploadPartSize: 100_000 });
  const file = randomBytes(250_000);
  const about = { filename: "a.jpg", size: file.length, contentType: "image/jpeg" };
  const begun = await call("POST", `${UPLOADS}/init`, { body: about });
  const { mediaUploadId } = begun.json;
  assert.match(mediaUploadId, /^upload:[0-9a-f-]{36}$/);
  assert.equal(begun.headers["x-ofauth-upload-total-parts"], "3");
  assert.equal(begun.headers["x-ofauth-upload-part-size"], "100000");

  emulator.clear();
  const at = (number) => file.subarray((number - 1) * 100_000, number * 100_000);
  for (const number of [3, 1]) {
    const path = `${UPLOADS}/${encodeURIComponent(mediaUploadId)}/parts/${number}`;
    assert.deepEqual((await call("PUT", path, { body: at(number) })).json, { mediaUploadId, partNumber: number });
  }
  assert.deepEqual(emulator.requests.map(({ bodySha256 }) => bodySha256), [3, 1].map((number) => sha256(at(number))));

  const early = await call("POST", `${UPLOADS}/complete`, { body: { mediaUploadId } });
  assert.match(early.json.error, /1 of 3 parts are missing/);
  await call("PUT", `${UPLOADS}/${mediaUploadId}/parts/2`, { body: at(2) });
  const { status, json } = await call("POST", `${UPLOADS}/complete`, { body: { mediaUploadId } });
  assert.deepEqual([status, json.mediaUploadId, json.media.isReady], [200, mediaUploadId, true]);
  assert.equal((await call("POST", `${UPLOADS}/complete`, { body: { mediaUploadId } })).status, 404);
});

test("a small file goes up whole, and needs no complete", async () => {
  const begun = await call("POST", `${UPLOADS}/init`, { body: { filename: "a.jpg", filesize: 5, mimeType: "image/jpeg" } });
  assert.equal(begun.headers["x-ofauth-upload-total-parts"], "1");
  const path = `${UPLOADS}/${encodeURIComponent(begun.json.mediaUploadId)}`;
  assert.equal((await call("PUT", path, { body: "four" })).status, 400);
  assert.ok((await call("PUT", path, { body: "hello" })).json.media.id);
});

test("only its own connection continues an upload, and a part has the size that init told", async () => {
  const { mediaUploadId } = (await call("POST", `${UPLOADS}/init`, { body: { filename: "a", size: 5 } })).json;
  const path = `${UPLOADS}/${mediaUploadId}/parts/`;
  const headers = { "x-connection-id": "conn_bob" };
  assert.equal((await call("PUT", `${path}1`, { body: "hello", headers })).status, 404);
  for (const [part, body] of [["1", "longer"], ["0", "hello"], ["2", "hello"], ["x", "hello"]]) {
    assert.equal((await call("PUT", `${path}${part}`, { body })).json.type, "BAD_REQUEST", part);
  }
  for (const body of [{}, { filename: "a", size: 0 }, { filename: "a", size: "5" }, "[]"]) {
    assert.equal((await call("POST", `${UPLOADS}/init`, { body })).status, 400);
  }
});

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
