// The Inspector in a browser: 1. its examples, 2. each way in which a webhook fails is named, with what to do, 3. a request is pasted in
// whatever form, 4. the exact bytes are checked, 5. a test event is signed, and the Worker takes its curl command, 6. nothing is sent or
// kept, 7. what was entered stays when a session ends, 8. hostile text is text, 9. its looks, 200 % zoom, the keyboard.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { sampleEvent } from "../../pkg-template/cli/samples.mjs";
import { inspect } from "../browser/inspect.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { startConsole } from "./console.mjs";
import { SECRETS } from "./harness.mjs";

const HOSTILE = '<img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>';
const OFAUTH = SECRETS.OFAUTH_WEBHOOK_SECRET;
const SVIX = SECRETS.SVIX_WEBHOOK_SECRET;
const EVENT = sampleEvent("connection.created");
const BODY = JSON.stringify(EVENT);

let served;
let context;
let page;
let trouble;
let requests;
before(async () => (served = await startConsole()));
after(() => served?.close());
beforeEach(async () => {
  [trouble, requests] = [[], []];
  context = await served.browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(10_000);
  context.on("weberror", (error) => trouble.push(String(error.error())));
  context.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  context.on("request", (request) => requests.push(request.url()));
  page = await context.newPage();
  await page.goto(`${served.url}#/inspector`);
  await page.locator("#event-type option").first().waitFor({ state: "attached" });
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(trouble, [], "no script has failed, and nothing was refused by the policy");
});

test("one click shows a webhook that fails, and one that verifies", async () => {
  await page.getByRole("button", { name: "Example that fails" }).click();
  await answers("json_pretty_printed", "The JSON was pretty-printed after it was signed.", /express\.raw/);
  assert.match(await page.getByLabel("Where the body differs").textContent(), /↵/);
  await page.getByRole("button", { name: "Example that verifies" }).click();
  await answers("", "The signature is good.", /It is the event connection\.created\./);
});

const minutesAgo = (minutes) => Math.floor(Date.now() / 1_000) - minutes * 60;
const CASES = [
  ["the right secret", {}, "", "The signature is good."],
  ["the right secret, for svix", { scheme: "svix", secret: SVIX }, "", "The signature is good."],
  ["the second of two secrets", { enter: { secret: `whsec_older,${OFAUTH}` } }, "", "The signature is good."],
  ["a wrong secret", { enter: { secret: "whsec_another" } }, "unknown", "Either the secret is wrong or the body was changed", /Compare the secret with the dashboard's.*A secret of another endpoint/],
  ["a changed body", { enter: { body: BODY.replace("Jane", "Janet") } }, "unknown", "Either the secret is wrong or the body was changed"],
  ["an old timestamp", { timestamp: minutesAgo(180) }, "clock_skew", "The signature is good, but out of tolerance", /It was signed 3 hours ago.*old webhook, all is well/],
  ["a time ahead", { timestamp: minutesAgo(-60) }, "clock_skew", "The signature is good, but out of tolerance", /ahead of this clock/],
  ["headers of the other scheme", { scheme: "svix", secret: SVIX, enter: { secret: SVIX, scheme: "ofauth" } }, "wrong_scheme_header", "The request is signed under the other scheme.", /Give it for that scheme.*SVIX_WEBHOOK_SECRET/],
  ["JSON written again", { enter: { body: JSON.stringify(EVENT, null, 2) } }, "json_pretty_printed", "The JSON was pretty-printed", /never JSON\.stringify/],
  ["keys sorted", { enter: { body: sorted(EVENT) } }, "json_keys_reordered", "The keys of the JSON were sorted."],
  ["a line break more", { enter: { body: `${BODY}\n` } }, "trailing_newline_added", "The body ends in a line break that was not signed.", /how you copied the body/],
  ["an empty body", { enter: { body: "" } }, "body_empty", "The body is empty", /have not pasted the body/],
  ["white space at the secret", { enter: { secret: `${OFAUTH} ` } }, "secret_white_space", "A secret starts or ends with white space.", /Copy the secret anew/],
  ["quotes around the secret", { enter: { secret: `"${OFAUTH}"` } }, "secret_quoted", "A secret has quotes around it"],
  ["no header", { enter: { headers: "content-type: application/json" } }, "missing_headers", "A signature header is missing", /The headers are OFAuth-Signature/],
  ["one of three headers missing", { scheme: "svix", secret: SVIX, without: "svix-id" }, "missing_headers", "A signature header is missing", /svix-id/],
  ["a signature that was cut off", { enter: { headers: `OFAuth-Signature: t=${minutesAgo(0)},v1=5257a8` } }, "no_valid_signatures", "No v1 signature is well-formed", /cut off/],
  ["a header that came twice", { twice: true }, "malformed_header", "a signature header was given more than once."],
  ["signed bytes that are no event", { signed: "[1]", enter: { body: "[1]" } }, "", "The signature is good, but the body is no event.", /INVALID_EVENT/],
];

test("each way in which a webhook fails is named, with what to do", async (t) => {
  for (const [name, { scheme = "ofauth", secret = OFAUTH, timestamp, signed = BODY, enter = {}, without, twice }, cause, heading, more] of CASES) {
    await t.test(name, async () => {
      const headers = Object.entries(sign({ scheme, secret, timestamp, body: Buffer.from(signed), id: "msg_1" })).filter(([name]) => name !== without);
      const lines = [...headers, ...(twice ? headers : [])].map(([name, value]) => `${name}: ${value}`).join("\n");
      await fill({ headers: lines, body: BODY, secret, ...enter });
      await answers(cause, heading, more);
    });
  }
});

test("a request is pasted as a curl command, a whole request or a log, and is taken apart", async () => {
  const body = JSON.stringify({ ...EVENT, note: `it's "quoted" $HOME \`id\` \\n é` });
  const [[name, value]] = Object.entries(sign({ scheme: "ofauth", secret: OFAUTH, body: Buffer.from(body) }));
  const single = body.replaceAll("'", `'\\''`);
  const double = body.replace(/[\\"$`]/g, "\\$&");
  const ansi = body.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("é", "\\u00e9");
  const forms = [
    `curl 'https://app.example/webhooks' \\\n  -H '${name}: ${value}' \\\n  --data-binary '${single}'`,
    `$ curl -sSX POST -H"${name}: ${value}" --data-raw "${double}" https://app.example; echo`,
    `curl --header=${name}:${value} --data-raw $'${ansi}' https://app.example`,
    `POST /webhooks HTTP/1.1\nHost: app.example\n${name}: ${value}\n\n${body}`,
    JSON.stringify({ level: "info", req: { method: "POST", headers: { host: "app.example", [name]: value } }, rawBody: body }),
    JSON.stringify({ headers: [{ name: name.toUpperCase(), value }], isBase64Encoded: true, body: Buffer.from(body).toString("base64") }),
  ];
  for (const form of forms) {
    await fill({ headers: "", body: "", secret: OFAUTH });
    await paste("#headers", form);
    assert.equal(await page.locator("#body").inputValue(), body, form);
    await page.getByText("It was taken apart into headers and body.").waitFor();
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await answers("", "The signature is good.");
  }
  await fill({ headers: "curl -H 'a: b' -d 'never closed" });
  await page.getByText("The command ends within a text in '. Copy all of it.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "headers");
  await fill({ headers: `curl -H "${name}: ${value}" --data-binary @event.json https://app.example` });
  await page.getByText("The command sends the file event.json. Choose that file as the body.").waitFor();
  await answers("", "The signature is good.");
  await page.locator("#body").fill(`${body} `);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await answers("outer_white_space_added", "The body has white space that was not signed.");
});

test("bytes that a field cannot hold are checked as they are", async () => {
  const body = "[\r\n1]\r\n";
  const headers = sign({ scheme: "ofauth", secret: OFAUTH, body: Buffer.from(body) });
  const [[name, value]] = Object.entries(headers);
  await fill({ headers: JSON.stringify({ headers, body }), secret: OFAUTH });
  await answers("", "The signature is good, but the body is no event.");
  await page.getByText(`${body.length} bytes. Its bytes are kept as they came`).waitFor();
  await page.locator("#body").press("End");
  await page.locator("#body").pressSequentially(" ");
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.locator(".result h2").filter({ hasNotText: "is good" }).waitFor();

  const bytes = Buffer.from([0xff, 0x00, 0x7b]);
  const [[, other]] = Object.entries(sign({ scheme: "ofauth", secret: OFAUTH, body: bytes }));
  await fill({ headers: `${name}: ${other}\n`, secret: OFAUTH });
  await page.locator("#file").setInputFiles({ name: "body.bin", mimeType: "application/octet-stream", buffer: bytes });
  await page.getByText("3 bytes of body.bin").waitFor();
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await answers("", "The signature is good, but the body is no event.", /INVALID_JSON/);
  assert.notEqual(value, other);
});

test("a test event of each type is signed, and the Worker takes the command", async () => {
  const types = await page.locator("#event-type option").allTextContents();
  assert.ok(types.length >= 10 && types.includes("realtime.chat_message.received"));
  for (const [scheme, secret] of [["OFAuth-Signature", OFAUTH], ["svix-signature", SVIX]]) {
    await page.locator("#event-type").selectOption("rules.updated");
    await page.locator("#event").fill((await page.locator("#event").inputValue()).replace("rev-1", "it's"));
    await page.locator("#sign-secret").fill(secret);
    await page.locator("#sign-scheme").selectOption(scheme);
    await page.getByRole("button", { name: "Sign", exact: true }).click();
    await page.getByRole("button", { name: "Copy the command" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(command.includes(`'http://127.0.0.1:${served.gateway.port}/webhooks/ofauth'`) && !command.includes(secret));
    const { stdout } = spawnSync("sh", ["-c", `${command} -sS`], { encoding: "utf8" });
    assert.match(stdout, /"outcome":"(kept|duplicate)"/);
    await page.getByRole("button", { name: "Check it above" }).click();
    await answers("", "The signature is good.", /It is the event rules\.updated/);
  }
  await page.locator("#url").fill("https://other.example");
  assert.equal(await page.getByLabel("The command").count(), 0, "a command of other fields is not left there");
});

test("nothing is sent, and nothing is kept", async () => {
  const loaded = requests.length;
  const sizes = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name, decodedBodySize }) => [name, decodedBodySize]));
  assert.ok(sizes.some(([name, size]) => name.endsWith("ofauth_edge.wasm") && size > 10_000));
  assert.ok(sizes.reduce((sum, [, size]) => sum + size, 0) < 300_000);
  await page.getByRole("button", { name: "Example that fails" }).click();
  await answers("json_pretty_printed", "The JSON was pretty-printed");
  await fill({ headers: `OFAuth-Signature: t=1,v1=ab`, body: "the body", secret: "the-secret" });
  await page.locator("#sign-secret").fill("the-secret");
  await page.getByRole("button", { name: "Sign", exact: true }).click();
  await page.getByLabel("The command").waitFor();
  assert.deepEqual(requests.slice(loaded), []);
  const kept = await page.evaluate(async () => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, location.href, history.state, await indexedDB.databases(), await caches.keys()]));
  assert.doesNotMatch(kept, /the-secret|the body|v1=ab/);
  await page.reload();
  await page.locator("#event-type option").first().waitFor({ state: "attached" });
  for (const field of ["#headers", "#body", "#secret", "#sign-secret"]) assert.equal(await page.locator(field).inputValue(), "", field);
  const other = await context.newPage();
  await other.goto(served.url);
  await other.getByLabel("Gateway key").waitFor();
  const loadedThere = await other.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  assert.ok(!loadedThere.some((name) => name.includes("/package/")), "other views do not load the package");
});

test("it is reached without a key and from Start, and what was entered stays when the session ends", async () => {
  await page.goto(`${served.url}?sign-in`);
  await page.locator("main").getByRole("link", { name: "Inspector" }).click();
  await page.getByRole("heading", { level: 1, name: "Why is a webhook refused?" }).waitFor();
  await served.gateway.deliver({ type: "x" }, { secret: "another secret" });
  const start = await context.newPage();
  await served.signIn(start);
  await start.getByRole("heading", { level: 1, name: /attention|all right/ }).waitFor();
  for (let tries = 0; tries < 20 && !(await start.getByRole("link", { name: "Find out why" }).count()); tries += 1) await start.waitForTimeout(1_000), await start.reload(), await start.locator(".line").first().waitFor();
  await start.getByRole("link", { name: "Find out why" }).click();
  await start.locator("#body").fill("my body");
  await start.getByRole("button", { name: "Sign out" }).click();
  await start.getByRole("button", { name: "Sign out" }).waitFor({ state: "hidden" });
  assert.equal(await start.locator("#body").inputValue(), "my body");
  assert.deepEqual(await start.locator("nav a").allTextContents(), ["Inspector"]);
});

test("if the package cannot be loaded, it says so and can be tried again", async () => {
  const other = await context.newPage();
  await other.route("**/ofauth_edge.wasm", (route) => route.fulfill({ status: 404 }));
  await other.goto(`${served.url}#/inspector`);
  await other.getByRole("alert").getByText("could not be loaded").waitFor();
  await other.unroute("**/ofauth_edge.wasm");
  await other.getByRole("button", { name: "Try again" }).click();
  await other.locator("#event-type option").first().waitFor({ state: "attached" });
  trouble = trouble.filter((text) => !/404/.test(text));
});

test("hostile text is shown as text", async () => {
  const body = `{"type":${JSON.stringify(HOSTILE)},"timestamp":"2026-01-01T00:00:00Z","data":{}}`;
  const headers = sign({ scheme: "ofauth", secret: OFAUTH, body: Buffer.from(body) });
  await fill({ headers: JSON.stringify({ headers: { ...headers, "x-other": HOSTILE }, body }), secret: OFAUTH });
  await answers("", "The signature is good.");
  assert.ok((await page.locator(".result").first().textContent()).includes(HOSTILE));
  await fill({ headers: `curl -H @${HOSTILE} -d "$(${HOSTILE})"`, body: `${body}\n` });
  await fill({ headers: Object.entries(headers).map((pair) => pair.join(": ")).join("\n"), body: `${body}\n${HOSTILE}` });
  await page.locator("#event").fill(HOSTILE);
  await page.locator("#url").fill(`https://x/${HOSTILE}`);
  await page.locator("#sign-secret").fill(OFAUTH);
  await page.getByRole("button", { name: "Sign", exact: true }).click();
  await page.getByLabel("The command").waitFor();
  assert.deepEqual(await page.evaluate(() => [globalThis.broken, document.querySelectorAll("main img, main script").length]), [undefined, 0]);
});

test("it fits wide and narrow screens, light and dark, and axe-core finds no fault", async () => {
  await inspect(page, "console-inspector");
  await page.getByRole("button", { name: "Example that fails" }).click();
  await answers("json_pretty_printed", "The JSON");
  await page.locator("summary").click();
  await page.locator("#sign-secret").fill(OFAUTH);
  await page.getByRole("button", { name: "Sign", exact: true }).click();
  await page.getByLabel("The command").waitFor();
  await inspect(page, "console-inspector-fails");
  await fill({ secret: "x" });
  await answers("unknown", "Either");
  await inspect(page, "console-inspector-unknown");
  await page.setViewportSize({ width: 1200, height: 800 });
  await page.getByRole("button", { name: "Example that verifies" }).click();
  await answers("", "The signature is good.");
  await inspect(page, "console-inspector-verifies");
  await page.setViewportSize({ width: 640, height: 400 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "at 200 % zoom");
});

test("the keyboard alone is enough", async () => {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const tabTo = async (name) => {
    for (let presses = 0; presses < 25; presses += 1) {
      await page.keyboard.press("Tab");
      if ((await focused()) === name) return;
    }
    assert.fail(`Tab never reaches ${name}`);
  };
  const headers = sign({ scheme: "ofauth", secret: OFAUTH, body: Buffer.from(BODY) });
  await tabTo("headers");
  await page.keyboard.insertText(JSON.stringify({ headers, body: BODY }));
  await tabTo("secret");
  await page.keyboard.type(OFAUTH);
  await tabTo("Show");
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#secret").getAttribute("type"), "text");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await answers("", "The signature is good.");
  assert.equal(await focused(), "secret", "the focus stays");
  await tabTo("event-type");
  await page.keyboard.press("ArrowDown");
  await tabTo("sign-secret");
  await page.keyboard.type(OFAUTH);
  await page.keyboard.press("Enter");
  await page.getByLabel("The command").waitFor();
  await tabTo("Copy the command");
});

/** Enters into the form what is given, and checks it. */
async function fill({ headers, body, secret, scheme = "" }) {
  for (const [field, text] of Object.entries({ headers, body, secret })) if (text !== undefined) await page.locator(`#${field}`).fill(text);
  await page.locator("#scheme").selectOption(scheme);
  if (secret !== undefined || headers) await page.getByRole("button", { name: "Check", exact: true }).click();
}

async function paste(field, text) {
  await page.evaluate((text) => navigator.clipboard.writeText(text), text);
  await page.locator(field).focus();
  await page.keyboard.press("Control+v");
}

/** Waits for an answer: its cause (empty if the webhook verifies), its heading, and more of its text. */
async function answers(cause, heading, more = /./) {
  const place = page.locator(".result").first();
  await place.locator("h2").filter({ hasText: heading }).waitFor();
  assert.equal(await place.locator(".badge").textContent(), cause ? "It does not verify" : "It verifies");
  if (cause) assert.equal(await place.locator("code").first().textContent(), cause);
  assert.match((await place.textContent()).replace(/\s+/g, " "), more);
}

function sorted(value) {
  return JSON.stringify(value, (_, inner) => (inner && typeof inner === "object" && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner));
}
