// The console's charts in a browser, against known metrics: 1. the numbers of the tables are those of the API, over each span, 2. the
// drawing has the bars, and says what somebody points at, 3. whether an old webhook secret is still used, 4. nothing counted, no
// metrics, an error, 5. it follows what is counted, and the colors of the system, 6. hostile codes are text, 7. every look fits, at
// 200 % zoom too, the keyboard is enough, nothing moves, and axe-core finds no fault.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { inspect } from "../browser/inspect.mjs";
import { startConsole } from "./console.mjs";
import { eventually, SECRETS } from "./harness.mjs";
import { addCounts, codesOf } from "./metrics.mjs";

const HOSTILE = '<img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>';
const CHARTS = {
  webhook_accepted: "Webhooks accepted",
  webhook_rejected: "Webhooks refused",
  forward: "Forwards to your app",
  upstream: "OFAuth's answers",
  upstream_error: "OFAuth's errors",
  session_expired: "Sessions that expired",
};

// The second and the third have the same name.
const KEYS = `${SECRETS.GATEWAY_KEY},app:read:${"a".repeat(40)},app:read:${"b".repeat(40)}`;

let served;
let context;
let page;
let trouble;
/** The codes of the secrets and keys, by which their uses are counted. */
let secrets;
let keys;
before(async () => {
  served = await startConsole({ watched: true, vars: { OFAUTH_WEBHOOK_SECRET: `whsec_new,${SECRETS.OFAUTH_WEBHOOK_SECRET},whsec_oldest`, GATEWAY_KEY: KEYS } });
  const now = Math.floor(Date.now() / 60_000);
  ({ secrets, keys } = await codesOf(served.gateway));
  const add = (ago, ...lines) => addCounts(served.gateway, now - ago, `${lines.join("\n")}\n`, ago % 4);
  for (let ago = 1; ago < 58; ago += 1) {
    await add(ago, `webhook_accepted applied ${3 + (ago % 7)}`, `webhook_accepted duplicate ${ago % 3}`, `upstream 2xx ${20 + ((ago * 7) % 13)}`, `upstream 4xx ${ago % 2}`);
  }
  await add(4, "webhook_rejected SIGNATURE_MISMATCH 5", "webhook_rejected TIMESTAMP_TOO_OLD 2", "rate_limit low 7", "upstream_error 429 2", "session_expired call 1", `webhook_secret ${secrets[0]} 40`);
  await add(30, "webhook_rejected SIGNATURE_MISMATCH 11", "session_expired webhook 4", "upstream_error SESSION_EXPIRED 3", "forward failed 2");
  await add(200, "webhook_accepted applied 100", `webhook_secret ${secrets[1]} 9`, "webhook_secret ofauth:00112233 8", `gateway_key ${keys[1]} 5`);
  await add(1_000, "webhook_accepted applied 1000", "webhook_rejected MISSING_HEADERS 70");
});
after(() => served?.close());
beforeEach(async () => {
  trouble = [];
  context = await served.browser.newContext();
  context.setDefaultTimeout(15_000);
  context.on("weberror", (error) => trouble.push(String(error.error())));
  context.on("request", (request) => new URL(request.url()).origin === new URL(served.url).origin || trouble.push(request.url()));
  context.on("console", (message) => ["error", "warning"].includes(message.type()) && !/status of [45]\d\d|ERR_FAILED/.test(message.text()) && trouble.push(message.text()));
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(trouble, [], "no script has failed, nothing was refused by the policy, and no other origin was asked");
});

test("the numbers of the tables are those of the API, over 1, 6 and 24 hours", async () => {
  await served.signIn(page, "/charts");
  for (const [hours, name, applied] of [[1, "1 hour", 0], [6, "6 hours", 100], [24, "24 hours", 1_100]]) {
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByText(`in the last ${hours === 1 ? "hour" : name}, up to`).waitFor();
    await chart("Webhooks accepted").waitFor();
    const { total } = (await served.gateway.call("GET", `/edge/metrics?minutes=${hours * 60}`)).json();
    assert.ok(total.webhook_accepted.applied > 300 + applied);
    for (const [metric, title] of Object.entries(CHARTS)) assert.deepEqual(await numbersOf(title), total[metric], `${title}, ${name}`);
    assert.deepEqual(await numbersOf("Rate limits"), { ...total.rate_limit, 429: total.upstream_error["429"] });
  }
  await page.reload();
  await page.getByText("in the last 24 hours, up to").waitFor();
  assert.match(page.url(), /#\/charts\?hours=24$/);
});

test("each bin and code has its row, and the bins together are the sum", async () => {
  await served.signIn(page, "/charts");
  await openTable("Webhooks refused");
  const rows = await chart("Webhooks refused").locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent)));
  assert.deepEqual(rows, [["TIMESTAMP_TOO_OLD", "2"], ["SIGNATURE_MISMATCH", "5"], ["SIGNATURE_MISMATCH", "11"]], "the newest first");
  assert.match(await chart("Webhooks refused").locator("caption").textContent(), /^Webhooks refused in the last hour, by minute$/);
});

test("the drawing has bars in the colors of the legend, and says what somebody points at", async () => {
  await served.signIn(page, "/charts");
  const refused = chart("Webhooks refused");
  await refused.locator("canvas").waitFor();
  assert.match(await refused.getByRole("img").getAttribute("aria-label"), /^Webhooks refused\. 18 in the last hour, the most at .*: 11\. The numbers are in the table below\.$/);
  const colors = await refused.evaluate((section) => {
    const canvas = section.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Map();
    for (let place = 0; place < data.length; place += 4) if (data[place + 3] === 255) seen.set(data.slice(place, place + 3).join(), (seen.get(data.slice(place, place + 3).join()) ?? 0) + 1);
    const swatches = [...section.querySelectorAll(".swatch")].map((swatch) => getComputedStyle(swatch).backgroundColor.match(/\d+/g).join());
    return swatches.map((color) => seen.get(color) ?? 0);
  });
  assert.ok(colors.length === 2 && colors.every((pixels) => pixels > 20), `pixels of each color: ${colors}`);
  const box = await refused.locator(".u-over").boundingBox();
  const seen = new Set();
  for (let x = 1; x < box.width; x += 3) {
    await page.mouse.move(box.x + x, box.y + box.height / 2);
    seen.add((await refused.locator(".readout").textContent()).split(": ")[1]);
  }
  assert.ok(seen.has("SIGNATURE_MISMATCH 11") && seen.has("SIGNATURE_MISMATCH 5, TIMESTAMP_TOO_OLD 2") && seen.has("none"), [...seen].join("; "));
});

test("whether an old webhook secret is still used is said in words", async () => {
  await served.gateway.call("GET", "/edge/connections");
  await eventually(async () => (await served.gateway.call("GET", "/edge/metrics")).json().total.gateway_key?.[keys[0]] > 0, { within: 20_000, every: 500 });
  await served.signIn(page, "/charts?hours=6");
  const row = (name) => page.getByRole("row").filter({ hasText: name });
  const [newest, old, oldest] = [1, 2, 3].map((place) => row(`value ${place} of OFAUTH_WEBHOOK_SECRET`));
  const used = (times, when) => new RegExp(`used ${times}, last ${when}$`);
  assert.match(await newest.textContent(), used("40 times", ".*ago"));
  assert.ok((await newest.textContent()).startsWith(`value 1 of OFAUTH_WEBHOOK_SECRET, the newest${secrets[0]}used`));
  assert.match(await old.textContent(), /OFAuth has signed with this old value\. Keep it until 24 hours have passed without a use\.used/);
  assert.match(await old.textContent(), used("9 times", "3 hours ago"));
  assert.match(await oldest.textContent(), /Nothing was signed with this old value for 24 hours, and webhooks came with another one\. It can be removed\.not used$/);
  assert.match(await row("value 1 of SVIX_WEBHOOK_SECRET").textContent(), /not used$/);
  assert.match(await row("ofauth:00112233, removed from OFAUTH_WEBHOOK_SECRET").textContent(), used("8 times", "3 hours ago"));
  assert.match(await row("value 1 of GATEWAY_KEY").textContent(), used("[1-9]\\d* times?", ".*(ago|now)"));
  assert.match(await row("app, value 2 of GATEWAY_KEY").textContent(), used("5 times", "3 hours ago"));
  assert.match(await row("app, value 3 of GATEWAY_KEY").textContent(), /A job that runs less than once a day may still need it\.not used$/);
  assert.deepEqual(await numbersOf("Webhooks by secret"), {
    "value 1 of OFAUTH_WEBHOOK_SECRET, the newest": 40,
    "value 2 of OFAUTH_WEBHOOK_SECRET, an older one": 9,
    "ofauth:00112233, removed from OFAUTH_WEBHOOK_SECRET": 8,
  });
});

test("while uses are left that an older version counted by place, no old secret is said to be unused", async () => {
  const use = (code, place, uses) => ({ code, place, uses, lastUsed: uses ? new Date().toISOString() : null });
  const lines = [
    { name: "webhookSecrets", value: [use("ofauth:00000001", 1, 3), use("ofauth:00000002", 2, 0), use("ofauth:2", null, 7)] },
    { name: "gatewayKeys", value: [use("00000003", 1, 1), use("app", null, 2)] },
  ];
  await page.route("**/edge/status", (route) => route.fulfill({ json: { ok: true, lines } }));
  await served.signIn(page, "/charts");
  const row = (name) => page.getByRole("row").filter({ hasText: name });
  assert.match(await row("value 2 of OFAUTH_WEBHOOK_SECRET").textContent(), /Some uses were counted without a fingerprint, and may be its own\. Keep it until they are gone\.not used/);
  assert.match(await row("ofauth:2, counted without a fingerprint").textContent(), /used 7 times/);
  assert.match(await row("app, counted without a fingerprint").textContent(), /used 2 times/);
});

test("nothing counted, no metrics and an error each say what to do", async () => {
  await page.route("**/edge/metrics*", (route) => route.fulfill({ json: { list: [], total: {} } }));
  await served.signIn(page, "/charts");
  await page.getByText("Nothing was counted in the last hour.").waitFor();
  await page.getByText("value 3 of OFAUTH_WEBHOOK_SECRET").waitFor();
  await inspect(page, "console-charts-none");
  await page.getByRole("link", { name: "Show the last 24 hours" }).click();
  await page.getByText("Nothing was counted in the last 24 hours.").waitFor();
  await page.unrouteAll();
  await page.route("**/edge/metrics*", (route) => route.fulfill({ status: 503, json: { error: "METRICS_STORE is not bound", type: "NOT_CONFIGURED", requestId: "req_1" } }));
  await page.getByRole("link", { name: "6 hours" }).click();
  await page.getByText("Bind METRICS_STORE to the Durable Object class Metrics").waitFor();
  await page.unrouteAll();
  await page.route("**/edge/metrics*", (route) => route.fulfill({ status: 503, json: { error: "the storage did not answer", type: "STORAGE_UNAVAILABLE", requestId: "req_2" } }));
  await page.getByRole("link", { name: "1 hour", exact: true }).click();
  await page.getByRole("alert").getByText("STORAGE_UNAVAILABLE · request req_2").waitFor();
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await chart("Webhooks accepted").locator("canvas").waitFor();
});

test("a chart follows what is counted and the colors of the system, and an open table stays open", async () => {
  await served.signIn(page, "/charts");
  await openTable("Sessions that expired");
  const color = () => chart("Sessions that expired").evaluate((section) => section.querySelector("canvas").toDataURL());
  const light = await color();
  await page.emulateMedia({ colorScheme: "dark" });
  await eventually(async () => (await color()) !== light);
  await addCounts(served.gateway, Math.floor(Date.now() / 60_000), "session_expired call 5\n");
  await chart("Sessions that expired").locator("tfoot tr", { hasText: "call" }).getByText("6", { exact: true }).waitFor({ timeout: 30_000 });
});

test("many codes are drawn as few series, and the table has all of them; hostile ones are text", async () => {
  const codes = Object.fromEntries([HOSTILE, ...Array.from({ length: 12 }, (_, index) => `CODE_${index}`)].map((code, index) => [code, 100 - index]));
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
  const counts = { webhook_rejected: codes, webhook_secret: { [HOSTILE]: 1 }, gateway_key: { [HOSTILE]: 2 }, [HOSTILE]: codes };
  await page.route("**/edge/metrics*", (route) => route.fulfill({ json: { list: [{ minute, counts }, { minute: HOSTILE, counts }], total: counts } }));
  await page.route("**/edge/status", (route) => route.fulfill({ json: { ok: true, lines: [{ name: "webhookSecrets", value: [{ code: HOSTILE, place: HOSTILE, uses: 1, lastUsed: minute }] }, { name: "gatewayKeys", value: [{ code: HOSTILE, place: null, uses: 2, lastUsed: HOSTILE }] }] } }));
  await served.signIn(page, "/charts");
  const refused = chart("Webhooks refused");
  await refused.locator(".legend li").first().waitFor();
  assert.equal(await refused.locator(".legend li").count(), 6);
  await refused.getByText("8 others").waitFor();
  const numbers = await numbersOf("Webhooks refused");
  assert.equal(Object.keys(numbers).length, 13);
  assert.ok(HOSTILE in numbers);
  const [broken, elements] = await page.evaluate(() => [globalThis.broken, document.querySelectorAll("main img, main script").length]);
  assert.deepEqual([broken, elements], [undefined, 0]);
});

test("a computer whose clock is wrong shows the counts all the same", async () => {
  const minute = "2020-01-01T00:00:00.000Z";
  const counts = { webhook_accepted: { applied: 3 } };
  await page.route("**/edge/metrics*", (route) => route.fulfill({ json: { list: [{ minute, counts }], total: counts } }));
  await served.signIn(page, "/charts");
  assert.deepEqual(await numbersOf("Webhooks accepted"), { applied: 3 });
  await openTable("Webhooks accepted");
  assert.equal(await chart("Webhooks accepted").locator("tbody tr").count(), 1);
});

test("the charts fit every look, at 200 % zoom too, and axe-core finds no fault", async () => {
  await served.signIn(page, "/charts?hours=6");
  await openTable("Webhooks refused");
  await chart("Webhooks accepted").locator("canvas").waitFor();
  await inspect(page, "console-charts");
  await page.setViewportSize({ width: 640, height: 400 });
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  const [plot, drawn] = await chart("Webhooks accepted").evaluate((section) => [".plot", ".uplot"].map((name) => section.querySelector(name).getBoundingClientRect().width));
  assert.ok(Math.abs(plot - drawn) < 2, `the drawing is as wide as its place: ${drawn} of ${plot}`);
  await page.setViewportSize({ width: 1200, height: 800 });
});

test("the keyboard alone opens a table and scrolls it, and nothing moves", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await served.signIn(page, "/charts");
  await chart("Webhooks accepted").locator("canvas").waitFor();
  const tabTo = async (isThere) => {
    for (let presses = 0; presses < 25; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(isThere)) return;
    }
    assert.fail(`Tab never reaches ${isThere}`);
  };
  await tabTo(() => document.activeElement.textContent === "24 hours");
  await page.keyboard.press("Enter");
  await page.getByText("in the last 24 hours, up to").waitFor();
  await tabTo(() => document.activeElement.tagName === "SUMMARY");
  await page.keyboard.press("Enter");
  await tabTo(() => document.activeElement.ariaLabel === "Numbers of Webhooks accepted");
  await page.waitForFunction(() => document.activeElement.textContent.includes("applied"));
  for (const file of ["charts/charts.css", "vendor/uplot.css"]) {
    assert.doesNotMatch(readFileSync(new URL(`../../www/console/${file}`, import.meta.url), "utf8"), /transition|animation|scroll-behavior/, file);
  }
});

function chart(title) {
  return page.getByRole("region", { name: title, exact: true });
}

async function openTable(title) {
  if (await chart(title).locator("table").count() === 0) await chart(title).locator("summary").click();
  await chart(title).locator("tfoot tr").first().waitFor();
}

/** The sums of a chart's table by code, or undefined if there is none. */
async function numbersOf(title) {
  await page.locator(".charts").first().waitFor();
  if (!(await chart(title).locator("summary").isVisible())) return undefined;
  await openTable(title);
  const rows = await chart(title).locator("tfoot tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  const numbers = Object.fromEntries(rows.map(([, code, number]) => [code, Number(number.replaceAll(",", ""))]));
  const legend = await chart(title).locator(".legend li").allTextContents();
  if (rows.length <= 6) assert.deepEqual(legend, rows.map(([, code, number]) => `${code} ${number}`), "the legend says the same");
  return numbers;
}
