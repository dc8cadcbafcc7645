// How <ofauth-connect> looks, in Chromium: 1. the focus and reduced motion, 2. texts, parts and variables, 3. a strict
// Content-Security-Policy, and a browser without adoptedStyleSheets.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { openPage, read, record, silent, startGateway, waitForState } from "./connect.mjs";

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

test("the focus of the element is on its button, and is visible", async (t) => {
  const { page } = await openPage(t, browser, await startGateway(t));
  await waitForState(page, "disconnected");
  await page.keyboard.press("Tab");
  const look = await page.evaluate(() => {
    const button = document.querySelector("ofauth-connect").shadowRoot.activeElement;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(button);
    return [button.localName, outlineStyle, outlineWidth, boxShadow !== "none"];
  });
  assert.deepEqual(look, ["button", "solid", "2px", true]);
  await page.evaluate(() => (document.activeElement.blur(), document.querySelector("ofauth-connect").focus()));
  assert.equal(await page.evaluate(() => document.querySelector("ofauth-connect").shadowRoot.activeElement?.localName), "button");
});

test("the focus stays on the button through all states", async (t) => {
  const gateway = await startGateway(t);
  const { page } = await openPage(t, browser, gateway);
  await waitForState(page, "disconnected");
  await page.keyboard.press("Tab");
  for (const [status, state] of [["pending", "connecting"], ["active", "active"], ["expired", "relink"], ["disconnected", "disconnected"]]) {
    gateway.change(record("acct_1", status));
    await waitForState(page, state);
    assert.equal(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.localName), "button", state);
  }
});

test("with reduced motion nothing turns", async (t) => {
  for (const [reducedMotion, animation] of [["no-preference", "turn"], ["reduce", "none"]]) {
    const { page } = await openPage(t, browser, await startGateway(t, { answer: silent }), { context: { reducedMotion } });
    await waitForState(page, "loading");
    const name = await page.evaluate(() => getComputedStyle(document.querySelector("ofauth-connect").shadowRoot.querySelector("[part=icon]")).animationName);
    assert.equal(name, animation);
  }
});

test("texts can be replaced, also later, and are never HTML", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "active", { metadata: { username: "$&<b>" } })] });
  const attributes = { "label-active": "Verbunden", "status-active": "Verbunden als {name}" };
  const { page } = await openPage(t, browser, gateway, { attributes });
  await waitForState(page, "active");
  const { label, status } = await read(page);
  assert.deepEqual([label, status], ["Verbunden", "Verbunden als $&<b>"]);
  await page.evaluate(() => document.querySelector("ofauth-connect").setAttribute("label-active", "Connecté"));
  assert.equal((await read(page)).label, "Connecté");
});

test("CSS parts and variables change its look", async (t) => {
  const style = `ofauth-connect { --ofauth-connect-background: rgb(1, 2, 3); --ofauth-connect-radius: 7px; }
    ofauth-connect::part(button) { text-transform: uppercase; } ofauth-connect::part(status) { font-style: italic; }
    ofauth-connect::part(icon) { display: none; } ofauth-connect[state="disconnected"]::part(label) { letter-spacing: 3px; }`;
  const { page } = await openPage(t, browser, await startGateway(t), { style });
  await waitForState(page, "disconnected");
  const look = await page.evaluate(() => {
    const of = (part) => getComputedStyle(document.querySelector("ofauth-connect").shadowRoot.querySelector(`[part=${part}]`));
    const { backgroundColor, borderRadius, textTransform } = of("button");
    return [backgroundColor, borderRadius, textTransform, of("status").fontStyle, of("icon").display, of("label").letterSpacing];
  });
  assert.deepEqual(look, ["rgb(1, 2, 3)", "7px", "uppercase", "italic", "none", "3px"]);
});

test("a strict Content-Security-Policy with Trusted Types blocks nothing", async (t) => {
  const gateway = await startGateway(t, { records: [record("acct_1", "active")] });
  const to = `${gateway.url} ${gateway.url.replace("http", "ws")}`;
  const policy = `default-src 'none'; script-src 'self'; connect-src ${to}; img-src data:; require-trusted-types-for 'script'; base-uri 'none'`;
  const { page, faults } = await openPage(t, browser, gateway, { policy });
  await waitForState(page, "active");
  const radius = await page.evaluate(() => getComputedStyle(document.querySelector("ofauth-connect").shadowRoot.querySelector("button")).borderRadius);
  assert.equal(radius, "8px");
  gateway.change(record("acct_1", "expired"));
  await waitForState(page, "relink");
  assert.deepEqual(faults, []);
});

test("a browser without adoptedStyleSheets gets the style too", async (t) => {
  const script = "delete globalThis.CSSStyleSheet;";
  const { page } = await openPage(t, browser, await startGateway(t), { script });
  await waitForState(page, "disconnected");
  const radius = await page.evaluate(() => getComputedStyle(document.querySelector("ofauth-connect").shadowRoot.querySelector("button")).borderRadius);
  assert.equal(radius, "8px");
});
