// The console in a browser: 1. who it is for is said first, and a key is traded for a token and kept nowhere, 2. a session ends, by the
// button, by the clock and by the Worker, 3. start says what needs attention and what to do, 4. connections: filter, search, pages, and
// what was chosen stands in the address, 5. one connection: record, timeline, health, invalidate, delete, how to link again, how to
// accept another account, 6. errors name the request, 7. what strangers write is text, and no view has a connection id.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { inspect } from "../browser/inspect.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { report, startConsole } from "./console.mjs";
import { eventually, tokenOf, unixNow } from "./harness.mjs";

const HOSTILE = '<img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>';

let served;
let context;
let page;
let trouble;
before(async () => (served = await startConsole()));
after(() => served?.close());
beforeEach(async () => {
  trouble = [];
  context = await served.browser.newContext();
  context.setDefaultTimeout(10_000);
  context.on("weberror", (error) => trouble.push(String(error.error())));
  context.on("request", (request) => new URL(request.url()).origin === new URL(served.url).origin || trouble.push(request.url()));
  context.on("console", (message) => message.type() === "error" && !/status of 4\d\d/.test(message.text()) && trouble.push(message.text()));
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  served.gateway.emulator.heal();
  assert.deepEqual(trouble, [], "no script has failed, nothing was refused by the policy, and no other origin was asked");
});

test("a stranger reads what the page is for, and a wrong key is refused and not kept", async () => {
  await page.goto(served.url);
  await page.getByText("This is the console of ofauth-edge, the gateway between your app and OFAuth").waitFor();
  assert.deepEqual(await page.locator("nav a").allTextContents(), ["Inspector"], "the other views need a key");
  for (const [key, answer] of [["x".repeat(40), /CREDENTIALS_INVALID · request \w+/], ["ключ", /never has/]]) {
    await page.getByLabel("Gateway key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText(answer).waitFor();
    assert.equal(await page.getByLabel("Gateway key").inputValue(), "");
  }
});

test("a key is sent once and is nowhere afterwards; a reload keeps the session, another tab does not have it", async () => {
  const keys = [];
  context.on("request", (request) => request.headers().authorization?.includes(served.gateway.vars.GATEWAY_KEY) && keys.push(request.url()));
  await served.signIn(page);
  await heading("attention").waitFor();
  await page.reload();
  await heading("attention").waitFor();
  assert.equal(keys.length, 1);
  const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, location.href]));
  assert.ok(!stored.includes(served.gateway.vars.GATEWAY_KEY), stored);
  const other = await context.newPage();
  await other.goto(served.url);
  await other.getByLabel("Gateway key").waitFor();
});

test("a session ends by the button, by the clock, and when the Worker does not take the token any more", async () => {
  await served.signIn(page, "/connections");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Gateway key").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.reload();
  await page.getByLabel("Gateway key").waitFor();

  // The console must open while the session lasts, also on a busy machine.
  const now = unixNow();
  const ending = { aud: "ofauth-edge-console", sub: "console", iat: now, exp: now + 8 };
  await enterWith(tokenOf(ending), now + 8);
  await page.getByText("Your session has ended").waitFor();

  await enterWith(tokenOf({ ...ending, iat: now - 10, exp: now - 5 }), now + 600);
  await page.getByText("Your session has ended: ").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.getByLabel("Gateway key").fill(served.gateway.vars.GATEWAY_KEY);
  await page.keyboard.press("Enter");
  await page.getByRole("searchbox").waitFor();
});

test("start says what needs attention, and leads to it", async () => {
  await report(served.gateway, [{ id: "conn_start", name: "Needs Link", status: "expired" }]);
  const { status } = await served.gateway.deliver({ type: "x" }, { secret: "another secret" });
  assert.equal(status, 401);
  await eventually(async () => {
    const { lines } = (await served.gateway.call("GET", "/edge/status")).json();
    const line = (name) => lines.find((line) => line.name === name);
    assert.deepEqual([line("expiredConnections").ok, line("rejectedWebhooks").ok, line("lastWebhook").ok], [false, false, true]);
  }, { within: 20_000, every: 500 });
  await served.signIn(page);
  await heading("2 things need attention").waitFor();
  const refused = lineOf("Refused webhooks");
  assert.match(await refused.textContent(), /1 × SIGNATURE_MISMATCH refused in the last hourNo signature fits the body with any of the secrets\./);
  assert.equal(await refused.getByRole("link", { name: "See when" }).getAttribute("href"), "#/charts");
  assert.match(await lineOf("Forwards that failed").textContent(), /All rightNothing is forwarded\. If your app should get the events, set FORWARD_URL\./);
  assert.match(await lineOf("Comparison with OFAuth's list").textContent(), /Not yetNo pass has ended yet\./);
  assert.match(await refused.textContent(), /What to do: Compare the webhook secrets with those at OFAuth/);
  assert.match(await lineOf("Webhook secrets in use").textContent(), /value 1 of OFAUTH_WEBHOOK_SECRET, the newest: used [1-9]\d* times? in the last 24 hours, last .*ago/);
  assert.match(await lineOf("Webhook secrets in use").textContent(), /value 1 of SVIX_WEBHOOK_SECRET, the newest: not used/);
  await lineOf("Users who must link again").getByRole("link").click();
  await page.getByRole("link", { name: "Needs Link" }).waitFor();
  assert.match(await page.locator("main nav a[aria-current]").textContent(), /^Must link again \d/);
});

test("start distinguishes a missing answer from an empty one, and names who did not answer", async () => {
  const line = (name, value, ok = null) => ({ name, ok, value, hint: "" });
  const lines = [line("failingDeliveries", null), line("parkedForwards", null, true), line("reconciliation", null), line("storageKeys", { countedAt: null, counts: { "00112233": null } }), line("webhookSecrets", null), line("expiredConnections", null)];
  await page.route("**/edge/status", (route) => route.fulfill({ json: { ok: true, lines } }));
  await served.signIn(page);
  for (const [title, words] of [
    ["Forwards that failed", /Not knownThe list of forwards did not answer\. If that goes on, look at the log of the Worker\./],
    ["Forwards that were given up", /All rightNothing is forwarded\./],
    ["Comparison with OFAuth's list", /Not knownThe reconciler did not answer\./],
    ["Storage keys", /Not yet00112233The first pass counts what each key encrypts\./],
    ["Webhook secrets in use", /Not knownThe metrics did not answer\./],
    ["Users who must link again", /Not knownWorkers KV did not answer\./],
  ]) assert.match(await lineOf(title).textContent(), words);
});

test("connections are filtered and searched, and the address has what was chosen", async () => {
  await report(served.gateway, [
    { id: "conn_found", name: "Findable Person", username: "findable", user: "user_find" },
    { id: "conn_gone", name: "Gone Person", user: "user_gone", status: "expired" },
  ]);
  await served.signIn(page, "/connections");
  const rows = page.locator("tbody tr");
  await rows.filter({ hasText: "Gone Person" }).waitFor();
  await page.getByRole("link", { name: /Must link again/ }).click();
  await page.getByRole("link", { name: /Must link again/, exact: false }).and(page.locator("[aria-current]")).waitFor();
  await rows.filter({ hasText: "Findable" }).waitFor({ state: "detached" });
  await rows.filter({ hasText: "Gone Person" }).waitFor();
  await page.getByRole("link", { name: /^All/ }).click();
  for (const words of ["findable", "FINDABLE person", "user_find", "person find"]) {
    await page.getByRole("searchbox").fill(words);
    await page.getByText(/^1 of/).waitFor();
    assert.match(await rows.textContent(), /Findable Person/);
  }
  await page.getByRole("searchbox").fill("user_find");
  await page.waitForURL(/#\/connections\?q=user_find$/);
  await page.reload();
  await page.getByText(/^1 of/).waitFor();
  await page.getByRole("searchbox").fill("nobody at all");
  await page.getByText("No connection matches “nobody at all”.").waitFor();
  await page.getByRole("link", { name: "Show all connections" }).click();
  await rows.filter({ hasText: "Findable" }).waitFor();
});

test("a connection that is newer than the list is found by its user and by its handle", async () => {
  await served.signIn(page, "/connections");
  const [handle] = await report(served.gateway, [{ id: "conn_new", name: "Late Comer", user: "user_new" }]);
  // The list is as it was before.
  await page.route("**/edge/connections?limit=100", (route) => route.fulfill({ json: { list: [], total: 0, hasMore: false } }));
  for (const words of ["user_new", handle]) {
    await page.goto(`${served.url}#/connections`);
    await page.reload();
    await page.getByText("No account is connected yet.").waitFor();
    await page.getByRole("searchbox").fill(words);
    await page.getByRole("link", { name: "Late Comer" }).waitFor();
  }
});

test("one connection shows its record and timeline, and is checked, invalidated and deleted", async () => {
  const [handle] = await report(served.gateway, [{ id: "conn_one", name: "Only One", username: "onlyone", user: "it's user 1" }]);
  await served.signIn(page, `/connections/${handle}`);
  await heading("Only One").waitFor();
  for (const text of ["it's user 1", "@onlyone", handle]) await page.getByText(text, { exact: true }).first().waitFor();
  const command = await page.locator("pre", { hasText: "curl" }).textContent();
  assert.equal(await page.locator("dt", { hasText: "Status given by" }).count(), 1);
  assert.match(await page.locator("dl > div", { hasText: "Status given by" }).textContent(), /connection\.updated, .*(ago|now)$/);
  const [timeline, relink] = await page.evaluate(() => ["timeline", "relink"].map((id) => document.getElementById(id).getBoundingClientRect().top));
  assert.ok(timeline < relink, "while calls work, the timeline comes first");
  assert.ok(command.includes(`'{"mode":"private","clientReferenceId":"it'\\''s user 1","connectionId":"${handle}"}'`), command);

  await page.locator("summary", { hasText: "connection.updated" }).click();
  const body = page.locator("details pre");
  assert.match(await body.textContent(), /^\{\n {2}"type": "connection\.updated",\n/);
  assert.ok((await body.textContent()).includes(`"id": "${handle}"`));

  await page.getByRole("button", { name: "Check health" }).click();
  await page.getByText("A call worked. The connection is fine.").waitFor();
  await page.getByRole("button", { name: "Invalidate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Invalidate" }).click();
  await page.getByText("The connection is invalidated.").waitFor();
  await page.locator("main .badge", { hasText: "expired" }).waitFor();
  await page.locator("summary", { hasText: "edge.invalidated" }).getByText("by the console").waitFor();

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
  assert.ok(served.gateway.emulator.connections.get("conn_one"), "nothing happens before the answer");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The connection is deleted.").waitFor();
  await page.locator("main .badge", { hasText: "disconnected" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Delete" }).count(), 0);
});

test("another account than before is shown, with the call by which a server accepts it", async () => {
  const [handle] = await report(served.gateway, [{ id: "conn_account", name: "First Creator" }]);
  const userData = { id: "2002", name: "Second Creator", username: "second", avatar: null };
  await served.gateway.deliver(connectionEvent("connection.updated", { id: "conn_account", clientReferenceId: "user_1", userData }));
  await served.signIn(page, `/connections/${handle}`);
  const notice = page.getByRole("region", { name: "Another OnlyFans account" });
  await notice.getByText("edge.connection.account_changed").waitFor();
  await page.locator("summary", { hasText: "edge.connection.account_changed" }).waitFor();
  const command = await notice.locator("pre").textContent();
  const { origin } = new URL(served.url);
  assert.equal(command, `curl -X POST '${origin}/edge/connections/${handle}/accept-account?platformUserId=2002' -H "Authorization: Bearer $GATEWAY_KEY"`);
  await eventually(async () => {
    const { list } = (await served.gateway.call("GET", "/edge/connections?platformUserId=2002")).json();
    assert.ok(list[0]?.accountChangedAt, "the list is late");
  }, { within: 10_000, every: 200 });
  await page.goto(`${served.url}#/connections?q=${handle}`);
  await page.locator("main .badge", { hasText: "another account" }).waitFor();
  await page.goto(`${served.url}#/connections/${handle}`);
  await notice.waitFor();
  await inspect(page, "console-account-changed");
  assert.equal((await served.gateway.call("POST", `/edge/connections/${handle}/accept-account?platformUserId=2002`)).status, 200);
  await notice.waitFor({ state: "hidden", timeout: 15_000 });
});

test("what happens to a connection is shown without a reload", async () => {
  const [handle] = await report(served.gateway, [{ id: "conn_live", name: "Live One" }]);
  await served.signIn(page, `/connections/${handle}`);
  await heading("Live One").waitFor();
  await served.gateway.deliver(connectionEvent("connection.expired", { id: "conn_live", clientReferenceId: "user_1" }));
  await page.locator("main .badge", { hasText: "expired" }).waitFor({ timeout: 15_000 });
  await page.locator("summary", { hasText: "connection.expired" }).waitFor();
});

test("an error says what is wrong, names the request, and can be tried again", async () => {
  await served.signIn(page, `/connections/acct_${"0".repeat(32)}`);
  await page.getByRole("alert").getByText(/CONNECTION_NOT_FOUND · request \w+/).waitFor();
  await page.route("**/edge/status", (route) => route.abort());
  await page.goto(`${served.url}#/`);
  await page.getByRole("alert").getByText("The Worker did not answer").waitFor();
  await page.unroute("**/edge/status");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".line").first().waitFor();
  await page.route("**/views/timeline.mjs", (route) => route.abort());
  await page.reload();
  await page.goto(`${served.url}#/connections/acct_${"0".repeat(32)}`);
  await page.getByRole("alert").getByText("A file of this page could not be loaded").waitFor();
  await page.unroute("**/views/timeline.mjs");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("alert").getByText(/CONNECTION_NOT_FOUND/).waitFor();
  await page.goto(`${served.url}#/nothing/here`);
  await heading("There is no such view").waitFor();
  trouble = trouble.filter((text) => !/ERR_FAILED/.test(text));
});

test("what strangers write is shown as text in every view, and no view has a connection id", async () => {
  const hostile = { id: "conn_hostile", name: HOSTILE, username: HOSTILE, user: HOSTILE };
  const [handle] = await report(served.gateway, [hostile]);
  await served.gateway.deliver(connectionEvent("connection.expired", { id: "conn_hostile", clientReferenceId: HOSTILE, reason: HOSTILE, status: HOSTILE }));
  await served.signIn(page);
  for (const view of ["/", `/connections?q=${encodeURIComponent(HOSTILE)}`, `/connections?status=${encodeURIComponent(HOSTILE)}`, `/connections/${handle}`, `/connections/${encodeURIComponent(HOSTILE)}`, `/${encodeURIComponent(HOSTILE)}`]) {
    await page.goto(`${served.url}#${view}`);
    await page.waitForTimeout(700);
    for (const summary of await page.locator("summary").all()) await summary.click();
    const [broken, images, text, html] = await page.evaluate(() => [globalThis.broken, document.querySelectorAll("main img, main script").length, document.body.textContent, document.documentElement.outerHTML]);
    assert.deepEqual([broken, images], [undefined, 0], view);
    assert.doesNotMatch(html, /conn_[a-z]/, view);
    if (view.startsWith("/connections") && !view.endsWith("%3E")) assert.ok(text.includes(HOSTILE), view);
  }
});

async function enterWith(token, exp) {
  const grant = JSON.stringify({ token, expiresAt: new Date(exp * 1000).toISOString() });
  await page.goto(`${served.url}#/connections`);
  await page.evaluate((grant) => sessionStorage.setItem("ofauth-edge-console", grant), grant);
  await page.reload();
}

function heading(name) {
  return page.getByRole("heading", { level: 1, name });
}

function lineOf(title) {
  return page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });
}
