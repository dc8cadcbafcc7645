// <ofauth-connect> with Link in a window of its own, and what it says of Link's end, in Chromium: 1. the window opens, and the page
// stays, 2. how Link can end there, 3. a window that is closed, left open, blocked or not used, 4. a given connection, 5. messages of
// others, 6. the end in the same tab.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { startBrowser } from "./browser.mjs";
import { openPage, read, record, refuse, startGateway, waitForState } from "./connect.mjs";

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

const isInit = ({ path }) => path === "/v2/link/init";

test("a press opens Link in a window, the page stays, and another press brings the window to the front", async (t) => {
  const { gateway, page, popup, origin } = await openLink(t);
  assert.deepEqual(await read(page), { state: "connecting", label: "Connecting", status: "Waiting for OnlyFans", busy: "false", disabled: "false" });
  assert.equal(page.url(), `${origin}/page.html`);
  await page.evaluate(() => (globalThis.Window.prototype.focus = () => {}));
  await page.click("ofauth-connect button");
  await sleep(700);
  assert.equal(gateway.seen.filter(isInit).length, 1);
  assert.deepEqual([page.context().pages().length, popup.isClosed()], [2, false]);
  assert.equal((await read(page)).state, "connecting");
});

test("after a success the window closes, and the account appears without a reload", async (t) => {
  const { gateway, page, popup, origin } = await openLink(t);
  await endLink(popup, origin, "status=success&connection=acct_1");
  const [type, detail] = await lastEvent(page);
  assert.deepEqual([type, detail], ["linkend", { status: "success", step: undefined, error_code: undefined }]);
  assert.deepEqual(await read(page), { state: "connecting", label: "Connecting", status: "Waiting for OnlyFans", busy: "true", disabled: "true" });
  gateway.change(record("acct_1", "active"));
  await waitForState(page, "active");
  // It does not go on waiting: the next change is seen at once.
  gateway.change(record("acct_1", "expired"));
  await waitForState(page, "relink");
});

test("if the account appears before the window has closed, it is shown, and the window still closes", async (t) => {
  const { gateway, page, popup, origin } = await openLink(t);
  gateway.change(record("acct_1", "active"));
  await waitForState(page, "active");
  await sleep(700);
  await endLink(popup, origin, "status=success&connection=acct_1");
  assert.equal((await read(page)).state, "active");
});

test("if the account that was linked does not appear for 10 s, the user can press again", async (t) => {
  const script = "const wait = setTimeout; globalThis.setTimeout = (run, ms) => wait(run, ms === 10_000 ? 500 : ms);";
  const { page, popup, origin } = await openLink(t, { page: { script } });
  await endLink(popup, origin, "status=pending");
  await waitForState(page, "disconnected");
});

for (const [query, end] of [
  ["status=cancelled&step=login", { status: "cancelled", step: "login", error_code: undefined }],
  ["status=error&error_code=account_locked", { status: "error", step: undefined, error_code: "account_locked" }],
  ["status=unknown&connection=acct_2&a=1", { status: "unknown", step: undefined, error_code: undefined }],
]) {
  test(`after ${query} the window closes, the page gets the reason, and the user can press again`, async (t) => {
    const { page, popup, origin } = await openLink(t, { records: [record("acct_1", "expired")] });
    await endLink(popup, origin, query);
    await waitForState(page, "relink");
    assert.deepEqual(await lastEvent(page), ["linkend", end]);
    const [again] = await Promise.all([page.waitForEvent("popup"), page.click("ofauth-connect button")]);
    await again.waitForURL(/ofauth/);
  });
}

test("if the user closes the window, another press opens it again", async (t) => {
  const { page, popup } = await openLink(t);
  await popup.close();
  await waitForState(page, "disconnected");
  await Promise.all([page.waitForEvent("popup"), page.click("ofauth-connect button")]);
  assert.deepEqual(await page.evaluate(() => events.map(([type]) => type)), ["connect", "connect"]);
});

test("after a reload of the page, its window closes itself at the end of Link, and a press brings it to the front", async (t) => {
  const { page, popup, origin } = await openLink(t);
  await page.reload();
  await waitForState(page, "disconnected");
  await page.evaluate(() => {
    const { open } = globalThis;
    globalThis.open = (...args) => {
      const opened = open(...args);
      const focus = () => (globalThis.isFocused = true) && opened.focus();
      return { focus, close: () => opened.close(), get closed() { return opened.closed; }, location: { set href(url) { opened.location.href = url; } } };
    };
  });
  await popup.evaluate(() => void (globalThis.isOld = true));
  await page.click("ofauth-connect button");
  await popup.waitForFunction(() => !globalThis.isOld && location.pathname === "/ofauth");
  assert.deepEqual([page.context().pages().length, await page.evaluate(() => globalThis.isFocused)], [2, true]);
  await page.reload();
  await endLink(popup, origin, "status=success&connection=acct_1");
});

test("the window stays open if the page that opened it is now another site's, or closed", async (t) => {
  const { gateway, page, popup, origin } = await openLink(t);
  await page.goto(`${gateway.url}/elsewhere`);
  await goto(popup, `${origin}/page.html?status=cancelled`);
  await waitForState(popup, "disconnected");
  await sleep(1_300);
  await page.close();
  await goto(popup, `${origin}/page.html?status=error`);
  await waitForState(popup, "disconnected");
  await sleep(1_300);
  assert.equal(popup.isClosed(), false);
});

test("startLink links a given connection again, or a new account, also beside an active one", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "active"), record("acct_2", "expired")] });
  const { page } = await openPage(t, browser, gateway, { attributes: { popup: "" } });
  await waitForState(page, "active");
  for (const handle of ["acct_2", null]) {
    const opening = page.waitForEvent("popup");
    await page.evaluate((id) => void document.querySelector("ofauth-connect").startLink(id), handle);
    const popup = await opening;
    await popup.waitForURL(/ofauth/);
    await waitForState(page, "connecting");
    assert.equal(JSON.parse(gateway.seen.findLast(isInit).body).connectionId, handle);
    await popup.close();
    await waitForState(page, "active");
  }
});

test("if the browser blocks the window, Link uses the tab", async (t) => {
  const gateway = await startGateway(t);
  const { page } = await openPage(t, browser, gateway, { attributes: { popup: "" }, script: "globalThis.open = () => null;" });
  await waitForState(page, "disconnected");
  await page.click("ofauth-connect button");
  await page.waitForURL(`${gateway.url}/ofauth?link=1`);
});

test("if Link cannot start, or the page cancels it, no window stays open", async (t) => {
  const gateway = await startGateway(t, {
    answer: ({ pathname, send }) => pathname === "/v2/link/init" && (refuse(send, 502, "UPSTREAM_UNREACHABLE", "retry"), true),
  });
  const { page } = await openPage(t, browser, gateway, { attributes: { popup: "" } });
  await waitForState(page, "disconnected");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("ofauth-connect button")]);
  await waitForState(page, "error");
  if (!popup.isClosed()) await popup.waitForEvent("close");
  await page.evaluate(() => document.querySelector("ofauth-connect").addEventListener("connect", (event) => event.preventDefault()));
  page.on("popup", () => assert.fail("a window has opened"));
  await page.click("ofauth-connect button");
  await sleep(200);
  assert.equal(gateway.seen.filter(isInit).length, 1);
});

test("if it is removed from the page while Link starts, it closes the window", async (t) => {
  const gateway = await startGateway(t, { answer: ({ pathname }) => pathname === "/v2/link/init" });
  const { page } = await openPage(t, browser, gateway, { attributes: { popup: "" } });
  await waitForState(page, "disconnected");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("ofauth-connect button")]);
  await page.evaluate(() => document.querySelector("ofauth-connect").remove());
  if (!popup.isClosed()) await popup.waitForEvent("close");
});

test("messages from others, and messages that are not about Link, change nothing", async (t) => {
  const { gateway, page, popup, origin } = await openLink(t);
  await page.evaluate(() => postMessage("?status=cancelled", location.origin));
  await popup.evaluate((to) => globalThis.opener.postMessage("?status=cancelled", to), origin);
  assert.equal(new URL(popup.url()).origin, gateway.url, "the window is still at another origin");
  await goto(popup, `${origin}/page.html?status=active`);
  await waitForState(popup, "disconnected");
  for (const data of [null, 5, {}, ["?status=cancelled", 1], "status=", "?status=toString"]) {
    await popup.evaluate((value) => globalThis.opener.postMessage(value, "*"), data);
  }
  await sleep(200);
  assert.equal((await read(page)).state, "connecting");
  assert.deepEqual([popup.isClosed(), await page.evaluate(() => events.length)], [false, 1]);
});

test("a window that the page has opened for something else stays open, whatever its query says", async (t) => {
  const gateway = await startGateway(t);
  const { page, origin } = await openPage(t, browser, gateway, { attributes: { popup: "" } });
  await page.evaluate(() => addEventListener("message", ({ data }) => events.push(["message", data])));
  const url = `${origin}/page.html?status=cancelled`;
  const [other] = await Promise.all([page.waitForEvent("popup"), page.evaluate((to) => void open(to), url)]);
  await waitForState(other, "disconnected");
  await sleep(200);
  assert.deepEqual([other.isClosed(), await page.evaluate(() => events)], [false, []]);
});

test("without `popup`, the page gets one event with the end of Link from its query, and none from any other query", async (t) => {
  const gateway = await startGateway(t);
  const { page, origin } = await openPage(t, browser, gateway);
  for (const [query, ends] of [["status=error&error_code=a%3Cb", [{ status: "error", step: undefined, error_code: "a<b" }]], ["status=active", []], ["a=1", []]]) {
    await page.goto(`${origin}/page.html?${query}`);
    await waitForState(page, "disconnected");
    await page.evaluate(() => (document.querySelector("ofauth-connect").token = "another"));
    await sleep(200);
    await waitForState(page, "disconnected");
    assert.deepEqual(await page.evaluate(() => events), ends.map((end) => ["linkend", end]));
  }
});

test("the property reflects the attribute, also if it was set before the element was defined", async (t) => {
  const { page } = await openPage(t, browser, await startGateway(t), { script: "element.popup = true;" });
  const seen = await page.evaluate(() => {
    const element = document.querySelector("ofauth-connect");
    const before = element.hasAttribute("popup");
    element.popup = false;
    return [before, element.hasAttribute("popup"), element.popup];
  });
  assert.deepEqual(seen, [true, false, false]);
});

/** Opens a page whose element has Link in a window, presses it, and waits for OFAuth's page in the window. */
async function openLink(t, { records, page: options = {} } = {}) {
  const gateway = await startGateway(t, { records });
  const { page, origin } = await openPage(t, browser, gateway, { ...options, attributes: { popup: "", "return-url": "/page.html" } });
  await waitForState(page, records ? "relink" : "disconnected");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("ofauth-connect button")]);
  await popup.waitForURL(`${gateway.url}/ofauth?link=1`);
  return { gateway, page, popup, origin };
}

/** Goes back to the app in Link's window, as the gateway's redirect does, and waits until the window closes. */
async function endLink(popup, origin, query) {
  const closed = popup.waitForEvent("close");
  await goto(popup, `${origin}/page.html?${query}`).catch(() => {});
  await closed;
}

/** Goes to a page as a link does: unlike Playwright's own way, it leaves the window its opener. */
async function goto(popup, url) {
  await popup.evaluate((to) => void (location.href = to), url);
}

function lastEvent(page) {
  return page.evaluate(() => events.at(-1));
}
