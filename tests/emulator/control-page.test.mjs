// The control page: 1. each button does what it says, and tells it by a webhook or not, 2. faults of one connection, 3. a form
// of another site does nothing, 4. nothing that is shown becomes markup, 5. a change made elsewhere appears,
// and loses nothing that a person has chosen, 6. it works only under the names of this machine.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { startBrowser } from "../browser/browser.mjs";
import { startWithReceiver } from "./testing.mjs";

const { receiver, emulator, call } = await startWithReceiver();
const submit = (fields, headers = { "sec-fetch-site": "same-origin" }) =>
  call("POST", "/control", { headers, body: String(new URLSearchParams(fields)) });
const statusOf = (id) => emulator.connections.get(id)?.status;

beforeEach(() => emulator.connections.put({ id: "conn_a", clientReferenceId: "user_1" }));

test("expiring and disconnecting are told by a webhook before the page is shown again, a silent expiry is not", async () => {
  const { status, headers } = await submit({ id: "conn_a", action: "expire" });
  assert.deepEqual([status, headers.location, statusOf("conn_a")], [303, "/control", "expired"]);
  await submit({ id: "conn_a", action: "disconnect" });
  assert.equal(statusOf("conn_a"), undefined);
  assert.deepEqual(receiver.events.map(({ type }) => type), ["connection.expired", "connection.disconnected"]);

  emulator.connections.put({ id: "conn_b" });
  await submit({ id: "conn_b", action: "expire-silently" });
  assert.equal(statusOf("conn_b"), "expired");
  assert.equal(receiver.events.length, 2);
});

test("a fault is for one connection, takes the place of the last one, and ends", async () => {
  emulator.connections.put({ id: "conn_b" });
  const self = (id) => call("GET", "/v2/access/self", { headers: { "x-connection-id": id } });
  for (const [fault, expected] of [["unavailable", 503], ["limit", 429], ["", 200]]) {
    await submit({ id: "conn_a", action: "disturb", fault });
    assert.equal((await self("conn_a")).status, expected);
    assert.equal((await self("conn_b")).status, 200);
    const selected = /<option value="(\w+)" selected>/.exec((await call("GET", "/control")).text)?.[1];
    assert.equal(selected ?? "", fault);
  }
});

test("a fault of a connection that has expired is still shown, and one of a connection that was disconnected is gone", async () => {
  await submit({ id: "conn_a", action: "disturb", fault: "limit" });
  await submit({ id: "conn_a", action: "expire" });
  assert.match((await call("GET", "/control")).text, /<option value="limit" selected>/);
  await submit({ id: "conn_a", action: "disconnect" });
  emulator.connections.put({ id: "conn_a" });
  assert.equal((await call("GET", "/v2/access/self", { headers: { "x-connection-id": "conn_a" } })).status, 200);
});

test("control works only under the names of this machine", async () => {
  const { port } = emulator;
  for (const path of ["/control", "/_emulator/requests"]) {
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost."]) {
      assert.equal((await call("GET", path, { headers: { host } })).status, 421, `${path} ${host}`);
    }
    for (const host of ["127.0.0.1", `localhost:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
      assert.equal((await call("GET", path, { headers: { host } })).status, 200, `${path} ${host}`);
    }
  }
});

test("a form that another site sends, or that names nothing, does nothing", async () => {
  for (const site of ["cross-site", "same-site", "none"]) {
    assert.equal((await submit({ id: "conn_a", action: "expire" }, { "sec-fetch-site": site })).status, 403);
  }
  assert.equal((await submit({ id: "conn_a", action: "expire" }, {})).status, 403);
  for (const fields of [{ id: "conn_gone", action: "expire" }, { id: "conn_a", action: "toString" }, {}]) {
    assert.equal((await submit(fields)).status, 303);
  }
  assert.equal(statusOf("conn_a"), "active");
  assert.equal((await call("PUT", "/control", { body: {} })).status, 405);
  assert.ok(!emulator.requests.some(({ path }) => path === "/control"), "it is no call to OFAuth");
});

test("nothing that is shown becomes markup, and only the page's own script runs", async () => {
  const hostile = `<script>alert("1")</script>'&`;
  emulator.connections.put({ id: hostile, clientReferenceId: hostile, userData: { name: hostile, username: hostile } });
  const { text, headers } = await call("GET", "/control");
  assert.equal(text.match(/<script/g).length, 1);
  const policy = headers["content-security-policy"];
  assert.match(policy, /^default-src 'none'; .*script-src 'sha256-[\w+/]+=*';/);
  assert.match(policy, /frame-ancestors 'none'/);
});

test("what was chosen but not set yet outlives a change that is made elsewhere", async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  emulator.connections.put({ id: "conn_b", userData: { username: "other" } });
  await page.goto(`${emulator.url}/control`);
  const [chosen, untouched] = ["conn_a", "conn_b"].map((id) => page.locator(`[id="fault-${id}"]`));
  await chosen.selectOption("slow");
  await chosen.blur();
  await submit({ id: "conn_b", action: "disturb", fault: "limit" });
  await page.waitForFunction(() => document.getElementById("fault-conn_b").value === "limit");
  assert.equal(await chosen.inputValue(), "slow");
  await submit({ id: "conn_b", action: "disturb", fault: "" });
  await page.waitForFunction(() => document.getElementById("fault-conn_b").value === "");
  assert.deepEqual([await chosen.inputValue(), await untouched.inputValue()], ["slow", ""]);
});

test("a change that is made elsewhere appears, and the focus stays", async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${emulator.url}/control`);
  await page.getByRole("button", { name: "Disconnect" }).focus();
  emulator.connections.put({ id: "conn_new", userData: { username: "newcomer" } });
  await page.getByText("@newcomer").waitFor({ timeout: 5_000 });
  assert.equal(await page.evaluate(() => document.activeElement.id), "disconnect-conn_a");
  await page.keyboard.press("Enter");
  await page.getByText("conn_a").waitFor({ state: "detached" });
});
