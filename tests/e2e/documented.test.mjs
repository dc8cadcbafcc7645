// The routes of www/openapi.json, asked of the Worker: 1. each path has just the methods of the document, 2. a path that the
// document does not have is no route.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { allowedMethods, document } from "../openapi/document.mjs";
import { refusal, startGateway } from "./harness.mjs";

const gateway = await startGateway();
after(() => gateway.close());

const paths = Object.entries(document.paths).filter(([, item]) => !Object.values(item).some(({ tags }) => tags[0] === "Pages"));
const isPassedOn = (path) => /^\/v2\/(access|account|connections|dynamic-rules|vault|vault-plus)(\/|$)/.test(path);

test("each path of the document has the methods of the document, and no others", async () => {
  for (const [path, item] of paths.filter(([name]) => !isPassedOn(name))) {
    const answer = await gateway.call("PROPFIND", path.replace(/\{\w+\}/g, "x"));
    assert.deepEqual(refusal(answer), [405, "METHOD_NOT_ALLOWED"], path);
    assert.deepEqual(answer.headers.allow.split(", ").sort(), allowedMethods(item).sort(), path);
  }
});

test("each path of the document that is passed on takes all of its methods, and HEAD", async () => {
  for (const [path, item] of paths.filter(([name]) => isPassedOn(name))) {
    for (const method of allowedMethods(item)) {
      const answer = await gateway.call(method, path.replace(/\{\w+\}/g, "x"), { headers: { "x-connection-id": "conn_documented" } });
      assert.equal(answer.headers["x-ofauth-edge"], "upstream", `${method} ${path}`);
    }
  }
});

test("a path that the document does not have is no route", async () => {
  const own = paths.map(([path]) => path).filter((path) => !isPassedOn(path) && !path.includes("{"));
  const longer = own.filter((path) => path !== "/edge/connections" && path !== "/webhooks/ofauth").map((path) => `${path}/x`);
  const others = ["/", "/edge", "/edge/users", "/edge/connections/x/y", "/v2", "/v2/access", "/v2/link", "/v2/account", "/v2/vault", "/openapi"];
  for (const path of [...others, ...longer]) {
    assert.deepEqual(refusal(await gateway.call("GET", path)), [404, "ROUTE_NOT_FOUND"], path);
  }
});
