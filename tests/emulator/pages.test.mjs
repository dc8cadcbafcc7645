// The hosted pages as documents: 1. every step is a form with labels, 2. nothing a caller sent becomes markup, 3. what
// their headers say, 4. in a browser without JavaScript.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, beforeEach, test } from "node:test";

import { startBrowser } from "../browser/browser.mjs";
import { startEmulator } from "./emulator.mjs";
import { endedPage, stepPage } from "./pages.mjs";
import { API_KEY, callerOf } from "./testing.mjs";

const emulator = await startEmulator({ apiKey: API_KEY });
after(() => emulator.close());
beforeEach(() => emulator.reset());
const call = callerOf(emulator);

const HOSTILE = `<script>alert("1")</script>'&`;
const ESCAPED = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;";

test("every step has a language, a title, one heading, and a label for each field", () => {
  for (const step of ["pre-login", "authorization", "login", "2fa"]) {
    const text = stepPage(sessionAt(step), emulator);
    assert.match(text, /^<!doctype html>\n<html lang="en">/);
    assert.match(text, /<title>[^<]+<\/title>/);
    assert.equal(text.match(/<h1>/g).length, 1);
    const fields = [...text.matchAll(/<input id="(\w+)"/g)].map(([, id]) => id);
    for (const id of fields) assert.ok(text.includes(`<label for="${id}">`), id);
    assert.match(text, /<button name="action" value="cancel" formnovalidate/);
  }
});

test("nothing that a caller sent becomes markup", () => {
  const { id } = emulator.connections.put({ userData: { username: HOSTILE } });
  const login = { email: HOSTILE, name: HOSTILE, hasCode: true };
  const hostile = { asked: id, permissions: [HOSTILE], problem: HOSTILE, typed: HOSTILE, login };
  const steps = ["pre-login", "authorization", "login", "2fa"].map((step) => stepPage(sessionAt(step, hostile), emulator));
  const ends = [{ status: "success", connection_id: HOSTILE }, { status: "cancelled", step: HOSTILE }];
  for (const text of [...steps, ...ends.map((end) => endedPage({ outcome: end }))]) {
    assert.ok(!text.includes("<script"), text);
    assert.ok(text.includes(ESCAPED), text);
  }
});

test("pages are not stored, run nothing, and give no referrer", async () => {
  const { json } = await call("POST", "/v2/link/init", { body: {} });
  for (const path of [new URL(json.url).pathname, "/link/cs_nothing"]) {
    const { headers } = await call("GET", path);
    assert.equal(headers["content-type"], "text/html; charset=utf-8");
    assert.match(headers["content-security-policy"], /^default-src 'none'/);
    assert.deepEqual([headers["cache-control"], headers["referrer-policy"]], ["no-store", "no-referrer"]);
  }
});

test("a person links an account with the keyboard alone, in a browser without JavaScript", async (t) => {
  const app = http.createServer((_, res) => res.end("back in the app"));
  await once(app.listen(0, "127.0.0.1"), "listening");
  const browser = await startBrowser();
  t.after(() => Promise.all([browser.close(), app.close()]));
  const redirectUrl = `http://127.0.0.1:${app.address().port}/back`;
  const { json } = await call("POST", "/v2/link/init", { body: { redirectUrl, clientReferenceId: "user_1" } });

  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(json.url);
  await page.getByRole("button", { name: "Continue" }).press("Enter");
  await page.getByRole("button", { name: "Allow" }).press("Enter");
  await page.getByLabel("Email").fill("ada@creator-otp.sandbox.com");
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  assert.match(await page.getByRole("alert").textContent(), /2 tries left/);
  await page.getByLabel("Password").fill("good-password"); // the email is still there
  await page.keyboard.press("Enter");
  await page.getByLabel("Six digits").fill("123 456");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/back\?status=success&connection_id=conn_[0-9a-f]+&client_reference_id=user_1$/);
});

function sessionAt(step, fields = {}) {
  const login = { email: "ada@creator-otp.sandbox.com", name: "ada", hasCode: true };
  return { step, asked: null, permissions: ["profile:read"], problem: null, typed: "", login, ...fields };
}
