// How Link's callback may be called, and where it leads: 1. words that Link does not have, 2. the page to return to keeps its
// query and fragment, 3. no page to return to, 4. a browser that fetches in advance, 5. methods and spellings. Every answer
// here is also held against what comeBack() asks of any.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { visitLink } from "../emulator/visitor.mjs";
import { APP, BACK, HOME, startCallbacks, UNKNOWN } from "./callbacks.mjs";
import { refusal, startGateway } from "./harness.mjs";
import { browserOf, comeBack, handleOf, pageOf } from "./linking.mjs";

const { gateway, emulator, newUser, underWay, at } = await startCallbacks();
const homeless = await startGateway({ vars: { ALLOWED_ORIGINS: APP } });
after(() => homeless.close());

test("a status that Link does not have is unknown, and any other strange word is left out", async () => {
  const { user } = await underWay();
  const named = `client_reference_id=${user}`;
  for (const query of ["", "status", "status=", "status=Success", "status=pending", "status=success&status=error"]) {
    assert.deepEqual(await at(`${query}&${named}`), UNKNOWN, query);
  }
  assert.deepEqual(await at(`status=success&${named}&${named}`), UNKNOWN);
  const hostile = ["<script>", "a&b", "a b", "a\r\nset-cookie: b=c", "é", "x".repeat(65), "LOGIN", "conn_1/../"];
  for (const word of hostile) {
    for (const [status, name] of [["cancelled", "step"], ["error", "error_code"]]) {
      assert.deepEqual(await at({ status, [name]: word, client_reference_id: user }), [BACK, { status }], word);
    }
  }
  const unnamed = await at({ status: "cancelled", step: "pre-login" });
  assert.deepEqual(unnamed, [HOME, { by: "gateway", status: "cancelled", step: "pre-login" }]);
  assert.deepEqual(emulator.requests, []);
});

test("the query and the fragment of the page to return to are kept", async () => {
  const ada = browserOf(gateway, newUser());
  const pages = [
    ["https://app.example/a?b=c%20d&e=%C3%A9#f?g", "https://app.example/a?b=c%20d&e=%C3%A9&status=cancelled&step=login#f?g"],
    ["https://app.example/#/route?x=1", "https://app.example/?status=cancelled&step=login#/route?x=1"],
    ["https://app.example", "https://app.example?status=cancelled&step=login"],
  ];
  for (const [redirectUrl, expected] of pages) {
    const { location } = await comeBack(gateway, await visitLink(await pageOf(ada, { redirectUrl }), { cancelAt: "login" }));
    assert.equal(location, expected);
  }
  const { location } = await comeBack(gateway, await visitLink(await pageOf(ada), { cancelAt: "login" }));
  assert.equal(location, `${HOME}?by=gateway&status=cancelled&step=login#end`);
});

test("without APP_RETURN_URL and a Link session the callback is a 400", async () => {
  for (const query of ["", "?status=success&connection_id=conn_1&client_reference_id=user_1", "?status=cancelled"]) {
    const answer = await homeless.send("GET", `/link/callback${query}`);
    assert.deepEqual(refusal(answer), [400, "BAD_REQUEST"]);
    assert.equal(answer.headers.location, undefined);
  }
  const ada = browserOf(homeless, "user_1");
  const { page, told } = await comeBack(homeless, await visitLink(await pageOf(ada, { redirectUrl: BACK })));
  assert.deepEqual([page, told.status], [BACK, "success"]);
});

test("a browser that fetches the page in advance is no visit", async () => {
  const { back } = await underWay();
  for (const headers of [{ "sec-purpose": "prefetch" }, { "sec-purpose": "prefetch;prerender" }, { purpose: "prefetch" }]) {
    const answer = await gateway.send("GET", `/link/callback${back.search}`, { headers });
    assert.deepEqual([answer.status, answer.headers.location], [204, undefined]);
  }
  assert.deepEqual(emulator.requests, []);
  assert.equal((await at(back))[1].status, "success");
});

test("the callback takes GET only, and any other method changes nothing", async () => {
  const { back, id } = await underWay();
  for (const method of ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const headers = { origin: APP, "access-control-request-method": "GET" };
    const answer = await gateway.send(method, `/link/callback${back.search}`, { headers });
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET"], method);
    assert.ok(Object.keys(answer.headers).every((name) => !name.startsWith("access-control")), method);
  }
  for (const path of ["/link/callback/", "/link//callback", "/link", "/link/callback/x"]) {
    assert.equal((await gateway.send("GET", `${path}${back.search}`)).status, 404, path);
  }
  assert.deepEqual(emulator.requests, []);
  assert.deepEqual(await at(back), [BACK, { status: "success", connection: await handleOf(gateway, id) }]);
});
