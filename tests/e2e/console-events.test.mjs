// The console's events and forwards in a browser: 1. stored events are read page by page, filtered by type, and come by themselves, 2. a
// body is formatted, copied and downloaded as it was sent, 3. an empty list says what to do, also if forwarding is off, 4. what the app
// did not take is listed with its reason, and sent again with what came of it, 5. an error names the request, 6. what strangers write is
// text, 7. every look fits, the keyboard alone is enough, and axe-core finds no fault.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { inspect } from "../browser/inspect.mjs";
import { rulesEvent } from "../emulator/events.mjs";
import { startConsole } from "./console.mjs";
import { FORWARD_SECRET, startApp } from "./forwarding.mjs";
import { eventually, introduce, startGateway } from "./harness.mjs";

const HOSTILE = '<img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>';
// The digits are more than a number of JavaScript holds.
const BODY = '{"type":"rules.updated","timestamp":"2026-03-04T05:06:07.000Z","data":{"revision":12345678901234567890}}';

const stops = [];
let app;
let served;
let context;
let page;
let trouble;
before(async () => {
  app = await startApp({ after: (stop) => stops.push(stop) });
  served = await startConsole({ vars: { FORWARD_URL: app.url, FORWARD_SECRET, EVENT_FORWARD: "" } });
});
after(async () => {
  await served?.close();
  stops.forEach((stop) => stop());
});
beforeEach(async () => {
  trouble = [];
  context = await served.browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(15_000);
  context.on("weberror", (error) => trouble.push(String(error.error())));
  context.on("request", (request) => request.url().startsWith("blob:") || new URL(request.url()).origin === new URL(served.url).origin || trouble.push(request.url()));
  context.on("console", (message) => message.type() === "error" && !/status of 4\d\d|ERR_FAILED/.test(message.text()) && trouble.push(message.text()));
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(trouble, [], "no script has failed, nothing was refused by the policy, and no other origin was asked");
});

test("without events and forwards, each list says what to do", async () => {
  await served.signIn(page, "/events");
  await page.getByText("No event is stored.").waitFor();
  await page.getByText(`npx ofauth-edge trigger rules.updated --vars .dev.vars --url ${new URL(served.url).origin}/webhooks/ofauth`).waitFor();
  await inspect(page, "console-events-none");
  await page.getByRole("link", { name: "Forwards" }).click();
  await page.getByText("No event is given up.").waitFor();
  await page.getByText("Forwarding is on. An event appears here if").waitFor();
  await inspect(page, "console-forwards-none");
  await page.getByRole("link", { name: "Sent again by themselves" }).click();
  await page.getByText("No event waits to be sent again.").waitFor();
  assert.match(page.url(), /#\/forwards\?state=pending$/);
});

test("if forwarding is off, the list says how to turn it on", async (t) => {
  const other = await startGateway({ assets: true });
  t.after(() => other.close());
  context.removeAllListeners("request");
  await page.goto(`http://127.0.0.1:${other.port}/console/#/forwards`);
  await page.getByLabel("Gateway key").fill(other.vars.GATEWAY_KEY);
  await page.keyboard.press("Enter");
  await page.getByText("Forwarding is off. To turn it on, set the variable FORWARD_URL").waitFor();
  await inspect(page, "console-forwards-off");
});

test("events are read page by page, filtered by type, and new ones come by themselves", async () => {
  for (let index = 0; index < 25; index += 1) {
    const timestamp = new Date(Date.UTC(2026, 1, 1) + index * 60_000).toISOString();
    await served.gateway.deliver(rulesEvent({ type: index === 0 ? "first.of.all" : index % 5 ? "rules.updated" : "some.thing", revision: `rev-${index}`, timestamp }));
  }
  await served.signIn(page, "/events");
  const shown = page.locator("main li:visible");
  await page.getByText("20 of 20 events read so far. There are older ones.").waitFor();
  assert.equal(await shown.count(), 20);
  await page.getByLabel("Type").selectOption("some.thing");
  await page.getByText("4 of 20 events read so far.").waitFor();
  assert.equal(await shown.count(), 4);
  await page.waitForURL(/#\/events\?type=some\.thing$/);
  await page.reload();
  await page.getByText("4 of 20 events read so far.").waitFor();

  await page.goto(`${served.url}#/events?type=first.of.all`);
  await page.getByText("None of the events that were read has this type.").waitFor();
  await page.getByRole("button", { name: "Look for older ones" }).click();
  await page.getByText(/^1 of 25 events read so far/).waitFor();
  await page.goto(`${served.url}#/events`);
  await page.getByText(/^25 of 25 events read so far/).waitFor();
  assert.equal(await page.getByRole("button", { name: "Show older" }).count(), 0);

  await served.gateway.deliver(rulesEvent({ type: "brand.new" }));
  await page.locator("main li").first().getByText("brand.new").waitFor({ timeout: 30_000 });
  assert.equal(await shown.count(), 26);
});

test("a body is formatted, and copied and downloaded as it was sent", async () => {
  await served.gateway.deliver(BODY, { scheme: "svix", id: "msg_body" });
  await served.signIn(page, "/events");
  const event = page.locator("main li", { hasText: "msg_body" });
  await page.getByText(/read so far/).waitFor();
  for (const summary of await page.locator("summary", { hasText: "rules.updated" }).all()) await summary.click();
  assert.match(await event.locator("pre").textContent(), /^\{\n {2}"type": "rules\.updated",\n[^]*"revision": 12345678901234567890\n/);
  await event.getByRole("button", { name: "Copy the body" }).click();
  await event.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), BODY);
  const [download] = await Promise.all([page.waitForEvent("download"), event.getByRole("button", { name: "Download the body" }).click()]);
  assert.equal(download.suggestedFilename(), "rules.updated.json");
  assert.equal(await readFile(await download.path(), "utf8"), BODY);
});

test("a body that is too long to show is cut, but copied and downloaded as a whole", async () => {
  const body = JSON.stringify({ type: "some.long", text: "é".repeat(200_000) });
  await served.gateway.deliver(body);
  await served.signIn(page, "/events?type=some.long");
  await page.locator("summary:visible").click();
  await page.getByText("These are the first 100,000 of").waitFor();
  assert.equal((await page.locator("pre:visible").textContent()).length, 100_000);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download the body" }).click()]);
  assert.equal(await readFile(await download.path(), "utf8"), body);
});

test("a body that names a connection leads to it by its handle, and no connection id is shown", async () => {
  const handle = await introduce(served.gateway, "conn_named", { user: "user_named" });
  await served.gateway.deliver({ type: "some.message", data: { connection: { id: "conn_named" }, text: HOSTILE } });
  await served.signIn(page, "/events?type=some.message");
  await page.locator("summary:visible").click();
  await page.getByRole("link", { name: handle }).waitFor();
  assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML), /conn_named/);
  await page.getByRole("link", { name: handle }).click();
  await page.getByText("user_named").first().waitFor();
});

test("what the app did not take is listed with its reason, and sent again with what came of it", async () => {
  app.answer = ({ body }) => ({ status: body.includes("conn_parked") ? 410 : body.includes("conn_waiting") ? 503 : 200 });
  const parked = await introduce(served.gateway, "conn_parked", { user: "user_parked" });
  const waiting = await introduce(served.gateway, "conn_waiting", { user: "user_waiting" });
  for (const [state, handle] of [["parked", parked], ["pending", waiting]]) {
    await eventually(async () => (await served.gateway.call("GET", `/edge/deliveries?state=${state}`)).json().list.some((one) => one.handle === handle));
  }
  await served.signIn(page, "/forwards");
  const items = page.locator("main .line");
  await items.getByText("1 try: 1 refused. The last answer was 410.").waitFor();
  assert.equal(await items.count(), 1);
  await items.getByText("given up", { exact: true }).waitFor();
  await items.getByText(/^First sent .* Given up /).waitFor();
  await inspect(page, "console-forwards");
  await page.setViewportSize({ width: 1200, height: 800 });

  await page.getByRole("link", { name: "Sent again by themselves" }).click();
  await items.getByText(/The last answer was 503\./).waitFor();
  await items.getByText(/^First sent .* Next try /).waitFor();
  assert.match(await items.textContent(), /waiting/);
  await inspect(page, "console-forwards-waiting");
  await page.setViewportSize({ width: 1200, height: 800 });

  await page.getByRole("link", { name: "Given up" }).click();
  await items.getByText("410", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Send again now: connection\.created/ }).click();
  await page.getByText("connection.created failed again. The last answer was 410. It is given up.").waitFor();
  app.answer = () => ({});
  await page.getByRole("button", { name: /^Send again now: connection\.created/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("connection.created was taken by your app.").waitFor();
  await page.getByText("No event is given up.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the focus is not lost with the button");
  const replayed = app.requests.findLast(({ body }) => body.includes("conn_parked"));
  assert.equal(replayed.headers["x-ofauth-edge-replay"], "1");
  assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML), /conn_[a-z]/);
});

test("an error names the request and can be tried again, also that of a replay", async () => {
  await page.route("**/edge/deliveries*", (route) => route.fulfill({ json: { list: [delivery({ id: "0".repeat(64) })] } }));
  await served.signIn(page, "/forwards");
  await page.getByRole("button", { name: /^Send/ }).click();
  await page.getByRole("alert").getByText(/DELIVERY_NOT_FOUND · request \w+/).waitFor();
  await page.unrouteAll();
  for (const [view, path] of [["/events", "**/edge/events*"], ["/forwards", "**/edge/deliveries*"]]) {
    await page.route(path, (route) => route.abort());
    await page.goto(`${served.url}?${view}#${view}`);
    await page.getByRole("alert").getByText("The Worker did not answer").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
  }
});

test("what strangers write is shown as text", async () => {
  const event = { id: HOSTILE, type: HOSTILE, receivedAt: HOSTILE, stamp: HOSTILE, encoding: HOSTILE, body: HOSTILE };
  await page.route("**/edge/events*", (route) => route.fulfill({ json: { list: [event] } }));
  await page.route("**/edge/deliveries*", (route) => route.fulfill({ json: { list: [delivery({ id: HOSTILE, type: HOSTILE, lastAnswer: HOSTILE, handle: HOSTILE })] } }));
  await served.signIn(page, "/events");
  for (const view of ["/events", `/events?type=${encodeURIComponent(HOSTILE)}`, "/forwards", `/forwards?state=${encodeURIComponent(HOSTILE)}`]) {
    await page.goto(`${served.url}#${view}`);
    await page.getByText(HOSTILE).filter({ visible: true }).first().waitFor();
    for (const summary of await page.locator("summary").all()) await summary.click();
    const [broken, elements] = await page.evaluate(() => [globalThis.broken, document.querySelectorAll("main img, main script").length]);
    assert.deepEqual([broken, elements], [undefined, 0], view);
  }
});

test("the events fit every look, at 200 % zoom too, and the keyboard alone is enough", async () => {
  await served.signIn(page, "/events");
  await page.getByText(/read so far/).waitFor();
  await page.getByLabel("Type").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
  await page.keyboard.press("Enter");
  await page.locator("details[open] pre").waitFor();
  for (const name of ["Body", "Copy the body", "Download the body"]) {
    for (let presses = 0; presses < 3; presses += 1) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent)) === name) break;
      assert.ok(presses < 2, `Tab never reaches ${name}`);
    }
  }
  await inspect(page, "console-events");
  await page.setViewportSize({ width: 640, height: 400 });
  for (const view of ["/events", "/forwards"]) {
    await page.goto(`${served.url}#${view}`);
    await page.waitForTimeout(500);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, view);
  }
});

test("a connection of which an event is given up is reached from it", async () => {
  app.answer = () => ({ status: 410 });
  const handle = await introduce(served.gateway, "conn_reached", { user: "user_reached" });
  await eventually(async () => (await served.gateway.call("GET", "/edge/deliveries")).json().list.some((one) => one.handle === handle));
  await served.signIn(page, "/forwards");
  await page.locator(`a[href="#/connections/${handle}"]`).click();
  await page.waitForURL(new RegExp(`#/connections/${handle}$`));
  app.answer = () => ({});
});

function delivery(fields) {
  const time = new Date().toISOString();
  return { type: "some.thing", handle: null, state: "parked", tries: 2, unanswered: 1, refused: 1, lastAnswer: "503", firstTriedAt: time, nextTryAt: null, parkedAt: time, ...fields };
}
