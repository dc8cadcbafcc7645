// The demo app in a browser: 1. a person links an account, sees it appear, lets it expire, connects it again and deletes it,
// 2. cancelling and failing, 3. faults of OFAuth, 4. several accounts and tabs, 5. changes by a WebSocket, 6. offline and back, 7. the
// keyboard alone, 8. a claim in the address, 9. a window that is closed, left open or blocked, 10. narrow screens, light and dark, and
// accessibility.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { inspect } from "../browser/inspect.mjs";
import { passLink, startDemo } from "./demo.mjs";
import { introduce } from "./harness.mjs";

const HANDLE = /^acct_[0-9a-f]{32}$/;
const USER = "user_1";

let demo;
let context;
let trouble;
/** How often each page was loaded. */
const navigations = new Map();
before(async () => (demo = await startDemo()));
after(() => demo?.close());
beforeEach(async () => {
  trouble = [];
  context = await demo.browser.newContext();
  context.setDefaultTimeout(10_000);
  context.on("weberror", (error) => trouble.push(String(error.error())));
});
afterEach(async () => {
  await context.close();
  demo.gateway.emulator.heal();
  await demo.gateway.call("DELETE", `/edge/users/${USER}`);
  assert.deepEqual(trouble, [], "no script of a page has failed");
});

test("a person links an account, sees it appear, lets it expire, connects it again under its handle, and deletes it", async () => {
  const page = await open();
  await state(page, "disconnected", "Not connected");
  const popup = await openLink(page, "Connect OnlyFans");
  await state(page, "connecting", "Waiting for OnlyFans");
  const closed = popup.waitForEvent("close");
  await passLink(popup);
  const card = cardOf(page, "jane");
  await card.waitFor({ timeout: 2_000 });
  await closed;
  const handle = await handleIn(card);
  await card.getByText("@jane, 45 subscribers").waitFor();
  await card.getByText("active", { exact: true }).waitFor();
  await state(page, "active", "Connected as jane");

  const control = await context.newPage();
  await control.goto(demo.control);
  await control.getByRole("listitem").filter({ hasText: "@jane" }).getByRole("button", { name: "Expire", exact: true }).click();
  await card.getByText("expired", { exact: true }).waitFor({ timeout: 2_000 });
  await state(page, "relink", "The connection of jane has expired");

  const second = await openLink(page, "Connect again");
  const secondClosed = second.waitForEvent("close");
  await passLink(second);
  await card.getByText("active", { exact: true }).waitFor({ timeout: 2_000 });
  await secondClosed;
  await state(page, "active", "Connected as jane");
  assert.equal(await handleIn(card), handle);
  assert.equal(await page.locator("li").count(), 1);

  await card.getByRole("button", { name: "Delete" }).click();
  await card.waitFor({ state: "detached", timeout: 2_000 });
  await state(page, "disconnected", "Not connected");
  await control.getByText("No account is linked.").waitFor();
  assert.deepEqual(navigations.get(page), 1, "the page was never loaded again");
});

test("a user who cancels, and one whose account is locked, read what happened, and may try again", async () => {
  const page = await open();
  await passLink(await openLink(page, "Connect OnlyFans"), { cancelAt: "What the app may do" });
  await message(page).getByText("Linking was cancelled (authorization).").waitFor();
  await passLink(await openLink(page, "Connect OnlyFans"), { email: "locked@creator.sandbox.com" });
  await message(page).getByText("Linking failed (account_locked).").waitFor();
  assert.equal(await page.locator("li").count(), 0);
  await passLink(await openLink(page, "Connect OnlyFans"));
  await cardOf(page, "jane").getByText("45 subscribers").waitFor();
  assert.equal(await message(page).textContent(), "");
});

test("each card links its own account again, whichever the element shows, and its buttons say for whom they are", async () => {
  const handles = [await introduce(demo.gateway, "conn_first", { user: USER }), await introduce(demo.gateway, "conn_second", { user: USER, status: "expired" })];
  const page = await open();
  const [other, card] = handles.map((handle) => page.locator(`li[id="${handle}"]`));
  await state(page, "active", "Connected as");
  await card.getByRole("button", { name: "Reconnect" }).waitFor();
  assert.equal(await other.getByRole("button", { name: "Reconnect" }).count(), 0);
  for (const one of [other, card]) {
    const described = await one.locator("button").evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-describedby")));
    const [id, ...more] = new Set(described);
    assert.deepEqual([described.length, more, await page.locator(`[id="${id}"]`).count()], [3, [], 1]);
    assert.equal(await one.locator(`h2[id="${id}"]`).count(), 1);
  }
  const [popup] = await Promise.all([page.waitForEvent("popup"), card.getByRole("button", { name: "Reconnect" }).press("Enter")]);
  await state(page, "connecting", "Waiting for OnlyFans");
  const closed = popup.waitForEvent("close");
  await passLink(popup);
  await card.getByText("active", { exact: true }).waitFor({ timeout: 2_000 });
  await closed;
  assert.equal(await card.getByRole("button", { name: "Reconnect" }).count(), 0);
  assert.equal(await page.locator("li").count(), 2);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Refresh profile", "the focus is not lost");
});

test("a page that was loaded anew while Link's window was open shows the account, and the window closes itself", async () => {
  const page = await open();
  const popup = await openLink(page, "Connect OnlyFans");
  await popup.getByRole("heading", { name: "Link your account" }).waitFor();
  await page.reload();
  const closed = popup.waitForEvent("close");
  await passLink(popup);
  await cardOf(page, "jane").waitFor({ timeout: 3_000 });
  await closed;
});

test("a user who closes Link's window may open it again", async () => {
  const page = await open();
  const popup = await openLink(page, "Connect OnlyFans");
  await popup.getByRole("heading", { name: "Link your account" }).waitFor();
  await popup.close();
  await state(page, "disconnected", "Not connected");
  await passLink(await openLink(page, "Connect OnlyFans"));
  await cardOf(page, "jane").waitFor();
});

test("a fault of OFAuth is shown at the account, and so is an expiry that no webhook reports", async () => {
  await introduce(demo.gateway, "conn_faulty", { user: USER });
  const page = await open();
  const card = page.locator("li");
  await card.getByText("45 subscribers").waitFor();

  const control = await context.newPage();
  await control.goto(demo.control);
  const item = control.getByRole("listitem").filter({ hasText: "conn_faulty" });
  await item.getByLabel("Calls for this account").selectOption("OFAuth has too many calls (429)");
  await item.getByRole("button", { name: "Set" }).click();
  await card.getByRole("button", { name: "Refresh profile" }).click();
  await card.getByText("Too many requests").waitFor();

  await item.getByLabel("Calls for this account").selectOption("work");
  await item.getByRole("button", { name: "Set" }).click();
  await item.getByRole("button", { name: "Expire silently" }).click();
  await item.getByText("expired", { exact: true }).waitFor();
  await card.getByRole("button", { name: "Refresh profile" }).click();
  await card.getByText("expired", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Connect again" }).waitFor();
});

test("two tabs show the same account, and a message of one does not disturb the other", async () => {
  const [first, second] = [await open(), await open()];
  await passLink(await openLink(first, "Connect OnlyFans"));
  await Promise.all([first, second].map((page) => cardOf(page, "jane").waitFor()));
  await demo.gateway.call("POST", `/edge/connections/${await handleIn(cardOf(first, "jane"))}/invalidate`);
  await Promise.all([first, second].map((page) => state(page, "relink", "The connection of jane has expired")));
  await passLink(await openLink(first, "Connect again"), { cancelAt: "Reconnect your account" });
  await message(first).getByText("Linking was cancelled").waitFor();
  assert.equal(await message(second).textContent(), "");
  await state(second, "relink", "The connection of jane has expired");
  await cardOf(second, "jane").getByRole("button", { name: "Delete" }).click();
  await cardOf(first, "jane").waitFor({ state: "detached" });
});

test("changes come on a WebSocket, and the page reads nothing while nothing changes", async () => {
  const page = await context.newPage();
  const opened = page.waitForEvent("websocket");
  await page.goto(demo.url);
  const socket = await opened;
  assert.equal(socket.url(), `ws://127.0.0.1:${demo.gateway.port}/edge/live`);
  await page.waitForTimeout(1_000);
  const reads = [];
  page.on("request", (request) => reads.push(request.url()));
  await page.waitForTimeout(1_500);
  assert.deepEqual(reads, []);
  await introduce(demo.gateway, "conn_pushed", { user: USER });
  await page.locator("li").waitFor({ timeout: 2_000 });
});

test("a page that was offline shows what has happened meanwhile", async () => {
  const page = await open();
  await context.setOffline(true);
  await introduce(demo.gateway, "conn_meanwhile", { user: USER });
  await page.waitForTimeout(1_500);
  assert.equal(await page.locator("li").count(), 0);
  await context.setOffline(false);
  await page.locator("li").waitFor();
});

test("the keyboard alone is enough, and the focus is never lost", async () => {
  await introduce(demo.gateway, "conn_keys", { user: USER, status: "expired" });
  const page = await open();
  await page.locator("li").waitFor();
  const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.tagName);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "OFAUTH-CONNECT");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.keyboard.press("Enter")]);
  await passLink(popup);
  await page.locator("li").getByText("active", { exact: true }).waitFor();
  assert.equal(await focused(), "OFAUTH-CONNECT");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Refresh profile");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Delete");
  await page.keyboard.press("Space");
  await page.locator("li").waitFor({ state: "detached" });
  assert.equal(await focused(), "OFAUTH-CONNECT", "the button that had the focus is gone: the element has it");
});

test("what the address claims is not believed, and becomes no markup", async () => {
  const hostile = encodeURIComponent("<img src=x onerror=alert(1)>");
  const page = await open(`/?status=success&connection=acct_${"0".repeat(32)}&connection_id=conn_claimed`);
  await page.waitForTimeout(1_200);
  assert.equal(await page.locator("li").count(), 0);
  assert.equal(await message(page).textContent(), "");
  await page.goto(`${demo.url}/?status=error&error_code=${hostile}`);
  await message(page).getByText("Linking failed (<img src=x onerror=alert(1)>).").waitFor();
  await page.goto(`${demo.url}/?status=toString`);
  assert.equal(await message(page).textContent(), "");
});

test("if the browser blocks the window, Link takes the page's own", async () => {
  const page = await open();
  await page.evaluate(() => (globalThis.open = () => null));
  await page.getByRole("button", { name: "Connect OnlyFans" }).click();
  await passLink(page);
  await page.waitForURL(/\?status=success&connection=acct_[0-9a-f]{32}$/);
  await cardOf(page, "jane").waitFor();
});

test("if Link is cancelled in the page's own tab, the page says so", async () => {
  const page = await open();
  await page.evaluate(() => (globalThis.open = () => null));
  await page.getByRole("button", { name: "Connect OnlyFans" }).click();
  await passLink(page, { cancelAt: "Link your account" });
  await message(page).getByText("Linking was cancelled").waitFor();
  await state(page, "disconnected", "Not connected");
});

test("the demo app and the control page fit wide and narrow screens, light and dark, and axe-core finds no fault", async () => {
  const page = await open();
  await state(page, "disconnected", "Not connected");
  await inspect(page, "demo-empty");
  await introduce(demo.gateway, "conn_shown_expired", { user: USER, status: "expired" });
  await state(page, "relink", "has expired");
  await inspect(page, "demo-relink");
  await introduce(demo.gateway, "conn_shown", { user: USER });
  await page.getByText("45 subscribers").waitFor();
  const control = await context.newPage();
  await control.goto(demo.control);
  await inspect(page, "demo");
  await inspect(control, "control");
});

async function open(path = "/") {
  const page = await context.newPage();
  navigations.set(page, 0);
  page.on("domcontentloaded", () => navigations.set(page, navigations.get(page) + 1));
  await page.goto(`${demo.url}${path}`);
  return page;
}

/** Waits until the element has a state and says it. */
function state(page, name, status) {
  return page.locator(`ofauth-connect[state="${name}"]`).getByRole("status").getByText(status).waitFor({ timeout: 2_000 });
}

/** What the page says itself. */
function message(page) {
  return page.locator("#message");
}

/** Presses a button that starts Link, and gives the window that it opens. */
async function openLink(page, name) {
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name }).click()]);
  return popup;
}

function cardOf(page, name) {
  return page.getByRole("listitem").filter({ has: page.getByRole("heading", { name }) });
}

async function handleIn(card) {
  const handle = await card.locator("code").textContent();
  assert.match(handle, HANDLE);
  return handle;
}
