// Link when things are not as they should be: 1. several Link sessions of one user at once, and an old success told again,
// 2. OFAuth not to be reached during a callback, 3. a redirect as init's answer, 4. a list that fails, 5. a list that lags.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";

import { visitLink } from "../emulator/visitor.mjs";
import { introduce, startGateway } from "./harness.mjs";
import { begin, browserOf, comeBack, hearWebhooks, LIST, pageOf, pagesAsked, recordOf } from "./linking.mjs";

const APP = "https://app.example";
const vars = { ALLOWED_ORIGINS: APP, APP_RETURN_URL: "https://home.example/linked" };
const gateway = await startGateway({ vars });
const { emulator } = gateway;
hearWebhooks(gateway);
after(() => gateway.close());
beforeEach(() => emulator.clear());
afterEach(() => {
  emulator.heal();
  emulator.reset();
});

for (const linkWebhook of ["before", "never"]) {
  test(`of two connections linked again in two tabs, webhook ${linkWebhook}, the unfinished one is not missing`, async () => {
    emulator.set({ linkWebhook });
    const user = `user_tabs_${linkWebhook}`;
    const [a, b] = [`conn_tab_a_${linkWebhook}`, `conn_tab_b_${linkWebhook}`];
    const [one, two] = [await introduce(gateway, a, { user, status: "expired" }), await introduce(gateway, b, { user, status: "expired" })];
    const ada = browserOf(gateway, user);
    const first = await pageOf(ada, { connectionId: one, redirectUrl: `${APP}/a` });
    const second = await pageOf(ada, { connectionId: two, redirectUrl: `${APP}/b` });
    const { told, page } = await comeBack(gateway, await visitLink(first));
    assert.deepEqual(told, { status: "success", connection: one });
    assert.equal((await recordOf(gateway, two)).status, "expired", "nobody has tried it yet");
    assert.equal(page, `${APP}/a`);
    const end = await comeBack(gateway, await visitLink(second));
    assert.deepEqual([end.page, end.told], [`${APP}/b`, { status: "success", connection: two }]);
  });

  test(`a new account beside an unfinished reconnect, webhook ${linkWebhook}, makes nothing missing`, async () => {
    emulator.set({ linkWebhook });
    const user = `user_beside_${linkWebhook}`;
    const handle = await introduce(gateway, `conn_beside_${linkWebhook}`, { user, status: "expired" });
    const ada = browserOf(gateway, user);
    const first = await pageOf(ada, { connectionId: null });
    await pageOf(ada, { connectionId: handle });
    await comeBack(gateway, await visitLink(first));
    assert.equal((await recordOf(gateway, handle)).status, "expired");
  });
}

test("a reload of an old success ends no other Link session, and makes no connection missing", async () => {
  const user = "user_reload";
  const handle = await introduce(gateway, "conn_reload", { user, status: "expired" });
  const ada = browserOf(gateway, user);
  const old = await visitLink(await pageOf(ada, { connectionId: null }));
  await comeBack(gateway, old);
  const page = await pageOf(ada, { connectionId: handle, redirectUrl: `${APP}/b` });
  await comeBack(gateway, old); // the user goes back in the browser's history
  assert.equal((await recordOf(gateway, handle)).status, "expired");
  const { told } = await comeBack(gateway, await visitLink(page));
  assert.deepEqual(told, { status: "success", connection: handle });
});

test("a callback is pending while OFAuth cannot be reached", async () => {
  emulator.set({ linkWebhook: "never" });
  const back = await visitLink(await pageOf(browserOf(gateway, "user_drop"), { redirectUrl: `${APP}/b` }));
  emulator.fault({ kind: "drop", match: { path: LIST.slice(0, -1) } });
  const { page, told } = await comeBack(gateway, back);
  assert.deepEqual([page, told], [`${APP}/b`, { status: "pending" }]);
});

test("a session gets 502 if init answers with a redirect, whose location may hold a client secret", async () => {
  emulator.fault({ kind: "redirect", to: "https://link.ofauth.com/cs_LEAK" });
  const answer = await begin(browserOf(gateway, "user_redirect"));
  assert.equal(answer.status, 502);
  assert.doesNotMatch(JSON.stringify(answer.headers) + answer.text, /LEAK/);
});

test("a list that answers 503 costs one request per Link session in 5 s", async () => {
  emulator.set({ linkWebhook: "never" });
  const back = await visitLink(await pageOf(browserOf(gateway, "user_503"), { redirectUrl: `${APP}/b` }));
  emulator.fault({ kind: "status", code: 503, match: { path: LIST.slice(0, -1) } });
  await Promise.all(Array.from({ length: 5 }, () => comeBack(gateway, back)));
  assert.ok(pagesAsked(gateway) <= 2, `${pagesAsked(gateway)}`);
});

test("after a user was deleted, an old list of OFAuth's makes no success of a callback", async () => {
  const user = "user_erased";
  const ada = browserOf(gateway, user);
  const back = await visitLink(await pageOf(ada, {}));
  const id = back.searchParams.get("connection_id");
  await comeBack(gateway, back);
  assert.equal((await gateway.call("DELETE", `/edge/users/${user}`)).status, 200);
  emulator.connections.put({ id, clientReferenceId: user });
  await pageOf(ada, {});
  const { told } = await comeBack(gateway, back);
  assert.deepEqual((await ada("GET", "/edge/connections")).json().list, []);
  assert.notEqual(told.status, "success");
});
