// <ofauth-connect> in Chromium: 1. its states, 2. a press, 3. changes that it shows by itself, 4. failures, 5. its life in the page,
// 6. the README's sample.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { startBrowser } from "./browser.mjs";
import { openPage, openSample, read, record, refuse, silent, startGateway, waitForState } from "./connect.mjs";
import { accessibilityFaults } from "./inspect.mjs";

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

const forbidden = ({ pathname, send }) => pathname.startsWith("/edge/") && (refuse(send, 403, "PERMISSION_DENIED", "give_up"), true);

/** Each state, the gateway that leads to it, and what is then shown. */
const STATES = {
  loading: [{ answer: silent }, { label: "Connect OnlyFans", status: "Loading", busy: "true", disabled: "true" }],
  disconnected: [{}, { label: "Connect OnlyFans", status: "Not connected", busy: "false", disabled: "false" }],
  connecting: [
    { records: [record("acct_1", "awaiting_2fa")] },
    { label: "Connecting", status: "Waiting for OnlyFans", busy: "false", disabled: "false" },
  ],
  active: [{ records: [record("acct_1", "active")] }, { label: "Connected", status: "Connected as ada", busy: "false", disabled: "true" }],
  relink: [
    { records: [record("acct_1", "expired")] },
    { label: "Connect again", status: "The connection of ada has expired", busy: "false", disabled: "false" },
  ],
  error: [{ answer: forbidden }, { label: "Try again", status: "That did not work", busy: "false", disabled: "false" }],
};

const SCHEMES = { light: "#ffffff", dark: "#121212" };
for (const [state, [setup, shown]] of Object.entries(STATES)) {
  test(`in the state ${state} it shows its label and status, and axe-core finds no fault, in light and dark`, async (t) => {
    for (const [colorScheme, background] of Object.entries(SCHEMES)) {
      const gateway = await startGateway(t, setup);
      const style = `:root { color-scheme: ${colorScheme}; background: ${background}; }`;
      const { page } = await openPage(t, browser, gateway, { style, context: { colorScheme } });
      await waitForState(page, state);
      assert.deepEqual(await read(page), { state, ...shown });
      assert.deepEqual(await accessibilityFaults(page), []);
    }
  });
}

test("of several connections it shows an active one, else one that is connecting, else the newest to link again", async (t) => {
  const [old, young] = ["2026-11-01T00:00:00.000Z", "2026-11-02T00:00:00.000Z"];
  const ada = record("acct_1", "expired", { updatedAt: old });
  const bea = record("acct_2", "revoked", { updatedAt: young, metadata: { username: "bea" } });
  const gone = record("acct_3", "disconnected", { updatedAt: young, metadata: { username: "cleo" } });
  const cases = [
    [[ada, gone], "relink", /ada/],
    [[ada, bea, gone], "relink", /bea/],
    [[gone], "disconnected", /Not connected/],
    [[ada, record("acct_4", "pending", { updatedAt: old })], "connecting", /Waiting/],
    [[bea, record("acct_4", "active", { updatedAt: old })], "active", /ada/],
    [[record("acct_4", "active", { metadata: null })], "active", /acct_4/],
  ];
  for (const [records, state, status] of cases) {
    const { page } = await openPage(t, browser, await startGateway(t, { records }));
    await waitForState(page, state);
    assert.match((await read(page)).status, status);
  }
});

test("a handle selects the only connection that is shown, and an unknown handle is not connected", async (t) => {
  const records = [record("acct_1", "active"), record("acct_2", "expired")];
  for (const [connection, state, events] of [["acct_2", "relink", ["acct_2"]], ["acct_9", "disconnected", []]]) {
    const { page } = await openPage(t, browser, await startGateway(t, { records }), { attributes: { connection } });
    await waitForState(page, state);
    assert.deepEqual(await page.evaluate(() => events.map(([, { handle }]) => handle)), events);
  }
});

for (const key of ["click", "Enter", "Space"]) {
  test(`${key} starts Link in the same tab, with an absolute return URL`, async (t) => {
    const gateway = await startGateway(t);
    const { page, origin } = await openPage(t, browser, gateway);
    await waitForState(page, "disconnected");
    if (key === "click") await page.click("ofauth-connect button");
    else {
      await page.keyboard.press("Tab");
      await page.keyboard.press(key);
    }
    await page.waitForURL(`${gateway.url}/ofauth?link=1`);
    const [{ body, headers }] = gateway.seen.filter(({ path }) => path === "/v2/link/init");
    assert.deepEqual(JSON.parse(body), { redirectUrl: `${origin}/linked?a=1` });
    assert.equal(headers.authorization, "Bearer token");
  });
}

test("Link gets the handle of a connection to link again, and no return URL if the element has none", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "expired")] });
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "relink");
  await page.evaluate(() => {
    const element = document.querySelector("ofauth-connect");
    element.returnUrl = null;
    return element.startLink();
  });
  const [{ body }] = gateway.seen.filter(({ path }) => path === "/v2/link/init");
  assert.deepEqual(JSON.parse(body), { connectionId: "acct_1" });
});

test("while Link starts the button is busy, and a second press does nothing", async (t) => {
  const gateway = await startGateway(t, { answer: ({ pathname }) => pathname === "/v2/link/init" });
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "disconnected");
  await page.click("ofauth-connect button");
  await waitForState(page, "connecting");
  await page.click("ofauth-connect button", { force: true });
  assert.deepEqual(await read(page), { state: "connecting", label: "Connecting", status: "Waiting for OnlyFans", busy: "true", disabled: "true" });
  await sleep(200);
  assert.equal(gateway.seen.filter(({ path }) => path === "/v2/link/init").length, 1);
});

test("the page can cancel Link", async (t) => {
  const gateway = await startGateway(t);
  const script = 'element.addEventListener("connect", (event) => event.preventDefault());';
  const { page, origin } = await openPage(t, browser, gateway, { script });
  await waitForState(page, "disconnected");
  await page.click("ofauth-connect button");
  assert.deepEqual(await page.evaluate(() => events), [["connect", { redirectUrl: `${origin}/linked?a=1` }]]);
  assert.equal((await read(page)).state, "disconnected");
  assert.ok(gateway.seen.every(({ path }) => path !== "/v2/link/init"));
});

test("a press of an active button does nothing", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "active")] });
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "active");
  await page.click("ofauth-connect button", { force: true });
  assert.deepEqual(await page.evaluate(() => events.map(([type]) => type)), ["connection"]);
});

test("it shows each change by itself, and the page gets an event", async (t) => {
  const gateway = await startGateway(t);
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "disconnected");
  for (const [status, state] of [["pending", "connecting"], ["active", "active"], ["expired", "relink"], ["disconnected", "disconnected"]]) {
    gateway.change(record("acct_1", status));
    await waitForState(page, state);
  }
  const heard = await page.evaluate(() => events.map(([type, { handle, status }]) => [type, handle, status]));
  assert.deepEqual(heard, ["pending", "active", "expired", "disconnected"].map((status) => ["connection", "acct_1", status]));
});

test("if reading fails, the page gets one error event, and a press reads again", async (t) => {
  const gateway = await startGateway(t, { answer: forbidden });
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "error");
  await sleep(200);
  const [[type, detail], ...more] = await page.evaluate(() => events);
  assert.deepEqual([type, detail.type, detail.code, detail.action, more], ["error", "forbidden", "PERMISSION_DENIED", "give_up", []]);
  gateway.answer = undefined;
  await page.click("ofauth-connect button");
  await waitForState(page, "disconnected");
});

test("if Link cannot start, the page gets an error event, and a press tries again", async (t) => {
  const gateway = await startGateway(t, {
    records: [record("acct_1", "expired")],
    answer: ({ pathname, send }) => pathname === "/v2/link/init" && (refuse(send, 502, "UPSTREAM_UNREACHABLE", "retry"), true),
  });
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "relink");
  await page.click("ofauth-connect button");
  await waitForState(page, "error");
  assert.deepEqual(await page.evaluate(() => events.at(-1)[1].code), "UPSTREAM_UNREACHABLE");
  gateway.answer = undefined;
  await page.click("ofauth-connect button");
  await page.waitForURL(`${gateway.url}/ofauth?link=1`);
});

test("a first read that fails for a passing reason is repeated, also for a user without connections", async (t) => {
  let isDown = true;
  const answer = ({ send }) => isDown && (refuse(send, 503, "STORAGE_UNAVAILABLE", "retry"), true);
  const { page } = await openPage(t, browser, await startGateway(t, { answer }));
  await waitForState(page, "error");
  isDown = false;
  await waitForState(page, "disconnected");
});

test("an answer without a web page for the user is an error, and nothing is opened", async (t) => {
  const url = "javascript:globalThis.isRun=true";
  const answer = ({ pathname, send }) => pathname === "/v2/link/init" && (send(200, { mode: "hosted", url }), true);
  const { page } = await openPage(t, browser, await startGateway(t, { answer }));
  await waitForState(page, "disconnected");
  await page.click("ofauth-connect button");
  await waitForState(page, "error");
  assert.deepEqual(await page.evaluate(() => [events.at(-1)[1].code, globalThis.isRun]), ["INVALID_ANSWER", undefined]);
});

test("a wrong gateway or return URL is an error that names it", async (t) => {
  const gateway = await startGateway(t);
  for (const [name, pattern] of [["gateway", /baseUrl/], ["return-url", /return-url/]]) {
    const { page } = await openPage(t, browser, gateway, { attributes: { [name]: "http://" } });
    if (name === "return-url") {
      await waitForState(page, "disconnected");
      await page.click("ofauth-connect button");
    }
    await waitForState(page, "error");
    const [code, message] = await page.evaluate(() => [events.at(-1)[1].code, events.at(-1)[1].message]);
    assert.equal(code, "INVALID_ARGUMENT");
    assert.match(message, pattern);
  }
});

test("after its removal from the page it stops its socket, and a Link that is starting", async (t) => {
  const gateway = await startGateway(t, { answer: ({ pathname }) => pathname === "/v2/link/init" });
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "disconnected");
  await page.click("ofauth-connect button");
  await waitForState(page, "connecting");
  await page.evaluate(() => {
    globalThis.element = document.querySelector("ofauth-connect");
    globalThis.element.remove();
  });
  await gateway.sockets[0].closed;
  const { length } = gateway.seen;
  await sleep(1_500);
  assert.deepEqual([gateway.seen.length, gateway.attempts.length], [length, 1]);
  assert.deepEqual(await page.evaluate(() => events.map(([type]) => type)), ["connect"]);
  gateway.answer = undefined;
  await page.evaluate(() => document.querySelector("main").append(globalThis.element));
  await waitForState(page, "disconnected");
});

test("with another gateway, token or handle it begins anew, and a client of the page is used as it is", async (t) => {
  const [one, two] = [await startGateway(t), await startGateway(t, { records: [record("acct_1", "active"), record("acct_2", "expired")] })];
  const { page } = await openPage(t, browser, one, { token: null });
  await waitForState(page, "loading");
  assert.equal(one.seen.length, 0);
  await page.evaluate(() => (document.querySelector("ofauth-connect").token = async () => "token"));
  await waitForState(page, "disconnected");
  await page.evaluate((url) => (document.querySelector("ofauth-connect").gateway = url), two.url);
  await waitForState(page, "active");
  await one.sockets[0].closed;
  await page.evaluate(() => (document.querySelector("ofauth-connect").connection = "acct_2"));
  await waitForState(page, "relink");
  await page.evaluate(async (baseUrl) => {
    const { createClient } = await import("./node_modules/ofauth-edge/client.js");
    const element = document.querySelector("ofauth-connect");
    element.client = createClient({ baseUrl, token: "of-the-client" });
  }, one.url);
  await waitForState(page, "disconnected");
  assert.equal(one.seen.at(-1).headers.authorization, "Bearer of-the-client");
});

test("if the page sets several properties at once, it begins once", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "active")] });
  const script = `element.gateway = ${JSON.stringify(gateway.url)}; element.returnUrl = "/other"; element.connection = "acct_1";`;
  const { page } = await openPage(t, browser, gateway, { script });
  await waitForState(page, "active");
  await sleep(300);
  assert.deepEqual(gateway.seen.map(({ path }) => path).sort(), ["/edge/connections", "/edge/connections/acct_1"]);
  assert.equal(gateway.attempts.length, 1);
  assert.deepEqual(await page.evaluate(() => [events.length, document.querySelector("ofauth-connect").returnUrl]), [1, "/other"]);
});

test("if the browser has not left the page after 10 s, the user can press again", async (t) => {
  const answer = ({ pathname, response }) => pathname === "/ofauth" && (response.writeHead(204).end(), true);
  const gateway = await startGateway(t, { answer });
  const script = "const wait = setTimeout; globalThis.setTimeout = (run, ms) => wait(run, ms === 10_000 ? 500 : ms);";
  const { page } = await openPage(t, browser, gateway, { script });
  await waitForState(page, "disconnected");
  await page.evaluate(() => void document.querySelector("ofauth-connect").startLink());
  while (!gateway.seen.some(({ path }) => path === "/ofauth")) await sleep(10);
  assert.equal((await read(page)).state, "connecting");
  // Playwright's own waiting would wait for the page to which the browser did not go.
  await sleep(1_000);
  assert.equal((await read(page)).state, "disconnected");
});

test("a second import is harmless, and an element of the page with the same name stays", async (t) => {
  const gateway = await startGateway(t);
  const { page, faults } = await openPage(t, browser, gateway, { script: 'customElements.define("ofauth-connect", class extends HTMLElement {});' });
  await page.evaluate(() => import("./node_modules/ofauth-edge/element.js?again"));
  assert.deepEqual(faults, []);
  assert.equal(await page.evaluate(() => document.querySelector("ofauth-connect").shadowRoot), null);
});

test("the back button shows a page that works", async (t) => {
  const gateway = await startGateway(t);
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "disconnected");
  await page.click("ofauth-connect button");
  await page.waitForURL(/ofauth/);
  await page.goBack();
  await waitForState(page, "disconnected");
  gateway.change(record("acct_1", "active"));
  await waitForState(page, "active");
});

test("the sample of the package's README works as it stands", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "active")] });
  const { page, logged } = await openSample(t, browser, gateway);
  await waitForState(page, "active");
  gateway.change(record("acct_1", "expired"));
  await waitForState(page, "relink");
  assert.deepEqual(logged, ["acct_1 active", "acct_1 expired"]);
  assert.equal(gateway.seen.at(-1).headers.authorization, "Bearer token-of-the-backend");
});
