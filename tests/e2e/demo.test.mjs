// The demo app in a browser: 1. a person links an account, sees it appear, lets it expire, reconnects and deletes it,
// 2. cancelling and failing, 3. faults of OFAuth, 4. two tabs, 5. changes by a WebSocket, 6. offline and back, 7. the keyboard
// alone, 8. a claim in the address, 9. a blocked window, 10. narrow screens, light and dark, and accessibility.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { inspect } from "../browser/inspect.mjs";
import { passLink, startDemo } from "./demo.mjs";
import { connect } from "./linking.mjs";

const HANDLE = /^acct_[0-9a-f]{32}$/;
const USER = "user_1";

let demo;
let context;
let trouble;
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

test("a person links an account, sees it appear, lets it expire, reconnects it under its handle, and deletes it", async () => {
  const page = await open();
  const popup = await openLink(page, "Link an account");
  const closed = popup.waitForEvent("close");
  await passLink(popup);
  const card = cardOf(page, "jane");
  await card.waitFor({ timeout: 2_000 });
  await closed;
  const handle = await handleIn(card);
  await card.getByText("@jane, 45 subscribers").waitFor();
  await page.getByRole("status").getByText("jane: active").waitFor();

  const control = await context.newPage();
  await control.goto(demo.control);
  await control.getByRole("listitem").filter({ hasText: "@jane" }).getByRole("button", { name: "Expire", exact: true }).click();
  await card.getByText("expired", { exact: true }).waitFor({ timeout: 2_000 });

  await passLink(await openLink(page, "Reconnect"));
  await card.getByText("active", { exact: true }).waitFor({ timeout: 2_000 });
  assert.equal(await handleIn(card), handle);
  assert.equal(await page.locator("li").count(), 1);

  await card.getByRole("button", { name: "Delete" }).click();
  await card.waitFor({ state: "detached", timeout: 2_000 });
  await control.getByText("No account is linked.").waitFor();
});

test("a user who cancels, and one whose account is locked, read what happened", async () => {
  const page = await open();
  await passLink(await openLink(page, "Link an account"), { cancelAt: "What the app may do" });
  await page.getByRole("status").getByText("Linking was cancelled (authorization).").waitFor();
  await passLink(await openLink(page, "Link an account"), { email: "locked@creator.sandbox.com" });
  await page.getByRole("status").getByText("Linking failed (account_locked).").waitFor();
  assert.equal(await page.locator("li").count(), 0);
});

test("a fault of OFAuth is shown at the account, and so is an expiry that no webhook reports", async () => {
  await connect(demo.gateway, "conn_faulty", USER);
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
  await card.getByRole("button", { name: "Reconnect" }).waitFor();
});

test("two tabs show the same account, and a message of one does not disturb the other", async () => {
  const [first, second] = [await open(), await open()];
  await passLink(await openLink(first, "Link an account"));
  await Promise.all([first, second].map((page) => cardOf(page, "jane").waitFor()));
  await passLink(await openLink(first, "Link an account"), { cancelAt: "Link your account" });
  await first.getByRole("status").getByText("Linking was cancelled").waitFor();
  assert.equal(await second.getByRole("status").textContent(), "jane: active");
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
  await connect(demo.gateway, "conn_pushed", USER);
  await page.locator("li").waitFor({ timeout: 2_000 });
});

test("a page that was offline shows what has happened meanwhile", async () => {
  const page = await open();
  await context.setOffline(true);
  await connect(demo.gateway, "conn_meanwhile", USER);
  await page.waitForTimeout(1_500);
  assert.equal(await page.locator("li").count(), 0);
  await context.setOffline(false);
  await page.locator("li").waitFor();
});

test("the keyboard alone is enough, and the focus is never lost", async () => {
  await connect(demo.gateway, "conn_keys", USER, "expired");
  const page = await open();
  await page.locator("li").waitFor();
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Reconnect");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.keyboard.press("Enter")]);
  await passLink(popup);
  await page.locator("li").getByText("active", { exact: true }).waitFor();
  assert.equal(await focused(), "Refresh profile", "the button that had the focus is gone: its place has it");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Delete");
  await page.keyboard.press("Space");
  await page.locator("li").waitFor({ state: "detached" });
  assert.equal(await focused(), "Link an account");
});

test("what the address claims is believed by nobody, and becomes no markup", async () => {
  const hostile = encodeURIComponent("<img src=x onerror=alert(1)>");
  const page = await open(`/?status=success&connection=acct_${"0".repeat(32)}&connection_id=conn_claimed`);
  await page.waitForTimeout(1_200);
  assert.equal(await page.locator("li").count(), 0);
  assert.equal(await page.getByRole("status").textContent(), "");
  await page.goto(`${demo.url}/?status=error&error_code=${hostile}`);
  await page.getByRole("status").getByText("Linking failed (<img src=x onerror=alert(1)>).").waitFor();
  await page.goto(`${demo.url}/?status=toString`);
  assert.equal(await page.getByRole("status").textContent(), "");
});

test("if the browser blocks the window, Link takes the page's own", async () => {
  const page = await open();
  await page.evaluate(() => (globalThis.open = () => null));
  await page.getByRole("button", { name: "Link an account" }).click();
  await passLink(page);
  await page.waitForURL(/\?status=success&connection=acct_[0-9a-f]{32}$/);
  await cardOf(page, "jane").waitFor();
});

test("the demo app and the control page fit wide and narrow screens, light and dark, and axe-core finds no fault", async () => {
  await connect(demo.gateway, "conn_shown", USER);
  await connect(demo.gateway, "conn_shown_expired", USER, "expired");
  const page = await open();
  await page.getByText("45 subscribers").waitFor();
  const control = await context.newPage();
  await control.goto(demo.control);
  await inspect(page, "demo");
  await inspect(control, "control");
});

async function open(path = "/") {
  const page = await context.newPage();
  await page.goto(`${demo.url}${path}`);
  return page;
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
