// Link from beginning to end, through the emulated OFAuth's pages: 1. a new account, with the webhook before the browser,
// after it, held back, or never sent, 2. an expired one linked again under its handle, 3. one that OFAuth no longer knows,
// whose place a new one takes, 4. every way to give up or fail, 5. a second account, 6. in a real browser.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, afterEach, test } from "node:test";

import { visitLink } from "../emulator/visitor.mjs";
import { startBrowser } from "../browser/browser.mjs";
import { eventually, introduce, startGateway } from "./harness.mjs";
import {
  begun, browserOf, comeBack, handleOf, hearWebhooks, link, LIST, pageOf, pagesAsked, recordOf,
} from "./linking.mjs";

const app = await startApp();
const APP = app.url;
const BACK = `${APP}/`;
const HOME = "https://home.example/linked";
const WHEN = ["before", "after", "held", "never"];

const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: APP, APP_RETURN_URL: HOME } });
after(async () => {
  await gateway.close();
  app.close();
});
const { emulator } = gateway;
hearWebhooks(gateway);
afterEach(() => {
  emulator.heal();
  emulator.reset();
  emulator.clear();
});

// Webhook and callback each suffice to tell that another one came of it.
const TOLD_BY = [["before", true], ["before", false], ["after", true], ["held", true], ["never", true]];

// All are linked before the first test: of what changes within a second KV is told only after that second.
const AGAIN = WHEN.map((when) => `again_${when}`);
const LOST = TOLD_BY.map(([when, returns]) => `lost_${when}_${returns}`);
const EXPIRED = [...AGAIN, ...LOST, "giving_up", "lifted_by_call", "lifted_by_webhook", "late", "older"];
await Promise.all(EXPIRED.map((name) => introduce(gateway, `conn_${name}`, { user: `user_${name}`, status: "expired" })));
emulator.reset();

/** One of those, as OFAuth has it, or not any more: its user, id and handle, and the user's browser. */
async function expired(name, { lost = false } = {}) {
  const [id, user] = [`conn_${name}`, `user_${name}`];
  if (!lost) emulator.connections.put({ id, clientReferenceId: user, status: "expired" });
  return { id, user, handle: await handleOf(gateway, id), ada: browserOf(gateway, user) };
}

/** What a user's page sees of its connections: handles with their status, newest first. */
async function seenBy(user) {
  const { list } = (await browserOf(gateway, user)("GET", "/edge/connections")).json();
  return list.map(({ handle, status }) => [handle, status]);
}

/** Sends what is held, and waits for all webhooks to be taken. */
async function settle() {
  await emulator.outbox.release();
  await eventually(() => emulator.outbox.sent.every(({ delivery }) => delivery?.delivered));
}

for (const linkWebhook of WHEN) {
  test(`a new account, webhook ${linkWebhook}, is linked for its user, and for nobody else`, async () => {
    emulator.set({ linkWebhook });
    const user = `user_new_${linkWebhook}`;
    const ada = browserOf(gateway, user);
    const { page, told } = await link(gateway, ada, { redirectUrl: BACK }, { email: "ada@creator-otp.sandbox.com" });
    assert.deepEqual([page, told.status], [BACK, "success"]);
    const { connection } = told;
    assert.deepEqual(await seenBy(user), [[connection, "active"]], "at once");
    assert.ok(pagesAsked(gateway) <= (linkWebhook === "before" ? 0 : 1));

    await settle();
    const [item] = emulator.connections.all();
    const record = await recordOf(gateway, connection);
    const { id, status, clientReferenceId, platformUserId, userData, permissions } = record;
    assert.deepEqual([id, status, clientReferenceId, platformUserId], [item.id, "active", user, item.userData.id]);
    assert.deepEqual([userData, permissions], [item.userData, item.permissions]);
    assert.deepEqual(await seenBy(user), [[connection, "active"]]);
    assert.deepEqual(await seenBy(`${user}_else`), []);
    assert.equal((await ada("GET", "/v2/access/self")).json().username, "ada");
  });
}

test("an account is linked with the other scheme and envelope too", async () => {
  emulator.set({ webhookScheme: "svix", webhookEnvelope: "sdk" });
  const { told } = await link(gateway, browserOf(gateway, "user_svix"));
  assert.deepEqual(await seenBy("user_svix"), [[told.connection, "active"]]);
  assert.equal(pagesAsked(gateway), 0);
});

test("the webhook alone binds the account of a user who never comes back", async () => {
  await visitLink(await pageOf(browserOf(gateway, "user_gone"), { redirectUrl: BACK }));
  const [{ id }] = emulator.connections.all();
  assert.deepEqual(await seenBy("user_gone"), [[await handleOf(gateway, id), "active"]]);
});

for (const linkWebhook of WHEN) {
  test(`an expired connection, webhook ${linkWebhook}, is linked again under its handle`, async () => {
    const { ada, user, id, handle } = await expired(`again_${linkWebhook}`);
    emulator.set({ linkWebhook });
    const { page, told } = await link(gateway, ada, { redirectUrl: BACK });
    assert.deepEqual([page, told], [BACK, { status: "success", connection: handle }]);
    assert.deepEqual(begun(gateway).map(({ connectionId }) => connectionId), [id]);
    assert.equal(pagesAsked(gateway), 0, "the ledger knows whose it is");
    if (linkWebhook === "never") assert.equal((await ada("GET", "/v2/access/self")).status, 200, "a call shows it too");
    await settle();
    await eventually(async () => assert.deepEqual(await seenBy(user), [[handle, "active"]]));
    assert.equal(emulator.connections.all().length, 1);
  });
}

for (const [linkWebhook, returns] of TOLD_BY) {
  const how = `webhook ${linkWebhook}, ${returns ? "then" : "no"} callback`;
  test(`a connection that OFAuth no longer knows, ${how}, becomes missing, and a new one takes its place`, async () => {
    const { ada, user, id, handle: lost } = await expired(`lost_${linkWebhook}_${returns}`, { lost: true });
    emulator.set({ linkWebhook });
    const back = await visitLink(await pageOf(ada, { redirectUrl: BACK, connectionId: lost }));
    const fresh = back.searchParams.get("connection_id");
    assert.notEqual(fresh, id);
    if (returns) {
      const { told } = await comeBack(gateway, back);
      assert.deepEqual(told, { status: "success", connection: await handleOf(gateway, fresh) });
    }
    await settle();
    const taken = await handleOf(gateway, fresh);
    assert.deepEqual(sorted(await seenBy(user)), sorted([[taken, "active"], [lost, "missing"]]));

    emulator.clear();
    assert.equal((await pageOf(ada, { redirectUrl: BACK })).startsWith(emulator.url), true);
    assert.ok(!("connectionId" in begun(gateway)[0]), "nothing is left to link again");
  });
}

test("a missing connection becomes active again by a success, and by a webhook", async () => {
  for (const by of ["call", "webhook"]) {
    const { ada, user, id, handle: lost } = await expired(`lifted_by_${by}`, { lost: true });
    await link(gateway, ada, { connectionId: lost });
    assert.equal((await recordOf(gateway, lost)).status, "missing");
    emulator.connections.put({ id, clientReferenceId: user });
    if (by === "call") {
      const answer = await ada("GET", "/v2/access/self", { headers: { "x-connection-id": lost } });
      assert.deepEqual([answer.status, answer.headers["x-ofauth-edge"]], [200, "upstream"]);
    } else {
      assert.deepEqual((await link(gateway, ada, { connectionId: lost })).told, { status: "success", connection: lost });
    }
    assert.equal((await recordOf(gateway, lost)).status, "active", by);
  }
});

test("a callback is pending while OFAuth cannot tell, and a webhook then shows the new and the missing connection", async () => {
  const { ada, user, handle: lost } = await expired("late", { lost: true });
  emulator.set({ linkWebhook: "held" });
  emulator.fault({ kind: "status", code: 500, match: { path: LIST.slice(0, -1) } });
  const { page, told } = await link(gateway, ada, { redirectUrl: BACK, connectionId: lost });
  assert.deepEqual([page, told], [BACK, { status: "pending" }]);
  assert.deepEqual(await seenBy(user), [[lost, "expired"]]);
  await settle();
  const taken = await handleOf(gateway, emulator.connections.all()[0].id);
  assert.deepEqual(sorted(await seenBy(user)), sorted([[taken, "active"], [lost, "missing"]]));
});

test("the late result of an older Link session makes no connection missing that a later one is for", async () => {
  const { ada, user, handle } = await expired("older");
  emulator.set({ linkWebhook: "held" });
  await visitLink(await pageOf(ada, { redirectUrl: BACK, connectionId: null }));
  const page = await pageOf(ada, { redirectUrl: BACK, connectionId: handle });
  await settle();
  assert.deepEqual((await seenBy(user)).at(-1), [handle, "expired"]);
  assert.deepEqual((await comeBack(gateway, await visitLink(page))).told, { status: "success", connection: handle });
});

test("a connection that neither OFAuth nor the gateway knows leaves nothing behind", async () => {
  const wish = { connectionId: "conn_nobodys", clientReferenceId: "user_server", redirectUrl: HOME };
  const page = await pageOf(gateway.call, wish);
  await visitLink(page);
  assert.equal((await seenBy("user_server")).length, 1);
  assert.equal((await gateway.call("GET", "/edge/connections/conn_nobodys")).status, 404);
});

test("a user can give up at any step: the page is told which, nothing is linked, and a new start works", async () => {
  const { ada, user, handle } = await expired("giving_up");
  for (const cancelAt of ["pre-login", "authorization", "login", "2fa"]) {
    const wish = { redirectUrl: BACK, connectionId: handle };
    const { page, told } = await link(gateway, ada, wish, { cancelAt, email: "ada@fan-otp.sandbox.com" });
    assert.deepEqual([page, told], [BACK, { status: "cancelled", step: cancelAt }]);
    emulator.set({ linkReference: "success" });
    const home = await link(gateway, ada, wish, { cancelAt, email: "ada@fan-otp.sandbox.com" });
    assert.deepEqual([home.page, home.told], [HOME, { status: "cancelled", step: cancelAt }], "nobody knows whose it was");
    emulator.set({ linkReference: "always" });
    assert.deepEqual(await seenBy(user), [[handle, "expired"]]);
  }
  assert.equal(pagesAsked(gateway), 0);
  assert.deepEqual((await link(gateway, ada, { redirectUrl: BACK })).told, { status: "success", connection: handle });
  assert.deepEqual(await seenBy(user), [[handle, "active"]]);
});

const FAILURES = {
  invalid_credentials: { password: "wrong" },
  account_locked: { email: "locked@creator.sandbox.com" },
  "2fa_failed": { email: "ada@creator-otp.sandbox.com", code: "000000" },
  session_expired: { email: "expired@fan.sandbox.com" },
};

for (const [code, user] of Object.entries(FAILURES)) {
  test(`after ${code} the page is told so, and nothing is linked`, async () => {
    const ada = browserOf(gateway, `user_${code}`);
    const { page, told } = await link(gateway, ada, { redirectUrl: BACK }, user);
    assert.deepEqual([page, told], [BACK, { status: "error", error_code: code }]);
    assert.deepEqual(await seenBy(`user_${code}`), []);
    assert.equal(pagesAsked(gateway), 0);
    assert.equal((await link(gateway, ada, { redirectUrl: BACK })).told.status, "success", "and a new start works");
  });
}

for (const status of ["active", "expired"]) {
  test(`a second account can be linked beside an ${status} one, which stays as it was`, async () => {
    const user = `user_second_${status}`;
    const first = await introduce(gateway, `conn_first_${status}`, { user, status });
    const { told } = await link(gateway, browserOf(gateway, user), { connectionId: null, redirectUrl: BACK });
    assert.equal(told.status, "success");
    assert.notEqual(told.connection, first);
    assert.deepEqual(await seenBy(user), [[told.connection, "active"], [first, status]]);
  });
}

test("Link works in a real browser, from the button to the app's page", async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(BACK);
  const authorization = await tokenFor("user_in_browser");
  // The app's own script: asks the gateway, another site to it, and goes where it is told.
  await page.evaluate(async ([origin, headers, redirectUrl]) => {
    const body = JSON.stringify({ redirectUrl });
    const answer = await fetch(`${origin}/v2/link/init`, { method: "POST", headers, body });
    const { url } = await answer.json();
    location.assign(url);
  }, [`http://127.0.0.1:${gateway.port}`, { authorization, "content-type": "application/json" }, `${BACK}#kept`]);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByLabel("Email").fill("ada@creator-otp.sandbox.com");
  await page.getByLabel("Password").fill("good-password");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Six digits").fill("123456");
  await page.getByRole("button", { name: "Verify" }).click();
  await page.waitForURL(/#kept$/);

  const [[connection]] = await seenBy("user_in_browser");
  const end = new URL(page.url());
  assert.deepEqual([end.origin, Object.fromEntries(end.searchParams)], [APP, { status: "success", connection }]);
  const { url, headers } = app.visits.at(-1);
  assert.equal(url, `${end.pathname}${end.search}`);
  assert.equal(headers.referer, undefined, "the app learns nothing from where the browser came");
});

async function tokenFor(clientReferenceId) {
  const body = JSON.stringify({ clientReferenceId, permissions: ["connections:link"] });
  const { token } = (await gateway.call("POST", "/edge/sessions", { body })).json();
  return `Bearer ${token}`;
}

function sorted(pairs) {
  return pairs.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The app's site: one empty page under any path. */
async function startApp() {
  const visits = [];
  const server = http.createServer(({ url, headers }, response) => {
    if (url !== "/favicon.ico") visits.push({ url, headers });
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>app</title>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, visits, close: () => server.close() && server.closeAllConnections() };
}
