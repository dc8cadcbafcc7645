// The program of the npm package against a gateway, in its real runtime: 1. listen sends all webhooks, signed afresh, 2. it goes
// on from a state file or a time, 3. it outlasts an app and a gateway that are away, and says so, 4. replay, 5. doctor.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { connectionEvent, rulesEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { programAt, startApp } from "../npm/program.mjs";
import { eventually, introduce, SECRETS, startGateway } from "./harness.mjs";

const LOCAL_SECRET = "a secret of the local app only";
const folder = mkdtempSync(join(tmpdir(), "ofauth-edge-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const { cli, start } = programAt(fileURLToPath(new URL("../../pkg/cli.js", import.meta.url)), folder);

const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: "https://app.example" } });
after(() => gateway.close());
const url = `http://127.0.0.1:${gateway.port}`;
const env = { GATEWAY_URL: url, GATEWAY_KEY: SECRETS.GATEWAY_KEY, OFAUTH_WEBHOOK_SECRET: LOCAL_SECRET };
const isSecret = new RegExp([...Object.values(SECRETS), LOCAL_SECRET].map((secret) => secret.replace(/[^\w]/g, "\\$&")).join("|"));

/** Starts `listen`, and waits until it is ready. */
async function listening(t, app, ...args) {
  const child = start(["listen", "--forward", app.url, ...args], { env });
  t.after(() => child.kill("SIGKILL"));
  await eventually(() => /^Ready/m.test(child.output.stderr) || child.exitCode !== null);
  return child;
}

async function stop(child) {
  const closed = once(child, "close");
  child.kill("SIGINT");
  const [code] = await closed;
  assert.equal(code, 0, child.output.stderr);
  assert.doesNotMatch(child.output.stdout + child.output.stderr, isSecret);
  return child.output;
}

const bodies = ({ requests }) => requests.map(({ body }) => body.toString());
const typed = ({ requests }) => requests.map(({ body }) => JSON.parse(body).type);

test("listen sends each webhook once, byte for byte, in the order in which they came, signed for the local app", async (t) => {
  const app = await startApp();
  t.after(app.close);
  await gateway.deliver({ type: "before.listening" });
  const child = await listening(t, app);
  const sent = [
    JSON.stringify(connectionEvent("connection.created", { id: "conn_listen" })),
    '{ "type":"spaced.event",\n "n": 1.0 }\n',
    JSON.stringify(connectionEvent("connection.expired", { id: "conn_listen" })),
    JSON.stringify(rulesEvent()),
  ];
  for (const body of sent) await gateway.deliver(body);
  await eventually(() => app.requests.length >= sent.length);
  await gateway.deliver({ type: "the.last" });
  await eventually(() => typed(app).includes("the.last"));
  assert.deepEqual(bodies(app), [...sent, '{"type":"the.last"}']);
  for (const { headers, body, path } of app.requests) {
    assert.equal(path, "/webhooks");
    const [, timestamp] = /^t=(\d+),/.exec(headers["ofauth-signature"]);
    assert.equal(headers["ofauth-signature"], sign({ secret: LOCAL_SECRET, timestamp: Number(timestamp), body })["OFAuth-Signature"]);
  }
  const { stdout, stderr } = await stop(child);
  assert.match(stdout, /^\d\d:\d\d:\d\d  connection\.created  [0-9a-f]{12}  204  \d+ ms$/m);
  assert.match(stderr, /Stopped\. To go on: --since 20/);
});

test("an old event that arrives late is sent too, after newer ones", async (t) => {
  const app = await startApp();
  t.after(app.close);
  const child = await listening(t, app);
  for (let n = 0; n < 8; n++) await gateway.deliver({ type: "now", timestamp: new Date(Date.now() - n).toISOString() });
  await eventually(() => app.requests.length === 8);
  await gateway.deliver({ type: "late", timestamp: new Date(Date.now() - 5_000).toISOString() });
  await stop(child);
  const again = await listening(t, app, "--since", "1h", "--type", "late");
  await eventually(() => typed(app).includes("late"));
  await stop(again);
});

test("with a state file, listen goes on where it was, and sends nothing twice", async (t) => {
  const app = await startApp();
  t.after(app.close);
  const state = join(folder, "state.json");
  const handle = await introduce(gateway, "conn_state");
  const first = await listening(t, app, "--state", state);
  await gateway.deliver({ type: "state.1" });
  await eventually(() => app.requests.length === 1);
  await stop(first);
  await gateway.deliver({ type: "state.2" });
  await gateway.deliver(connectionEvent("connection.updated", { id: "conn_state" }));
  const second = await listening(t, app, "--state", state);
  await eventually(() => app.requests.length === 3);
  await stop(second);
  const third = await listening(t, app, "--state", state, "--json");
  await gateway.deliver({ type: "state.3" });
  await eventually(() => app.requests.length === 4);
  const { stdout } = await stop(third);
  assert.deepEqual(typed(app), ["state.1", "state.2", "connection.updated", "state.3"]);
  const results = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(results.map(({ ok, type, status }) => [ok, type, status]), [[true, "state.3", 204]]);

  const text = readFileSync(state, "utf8");
  assert.doesNotMatch(text, new RegExp(`conn_state|${handle}|${isSecret.source}`));
  assert.equal(statSync(state).mode & 0o777, 0o600);
  const refused = async (...args) => (await cli(["listen", "--forward", app.url, "--state", state, ...args], { env })).stderr;
  assert.match(await refused("--user", "user_1"), /another gateway or another --user/);
  assert.match(await refused("--since", "1h"), /excludes --since/);
  writeFileSync(state, "{}");
  assert.match(await refused(), /not a file of ofauth-edge listen/);
});

test("--since begins in the past, and --user selects the events of that user", async (t) => {
  const app = await startApp();
  t.after(app.close);
  await introduce(gateway, "conn_hers", { user: "her" });
  await introduce(gateway, "conn_his", { user: "him" });
  await gateway.deliver({ type: "of.her", data: { clientReferenceId: "her" } });
  await gateway.deliver({ type: "of.him", data: { clientReferenceId: "him" } });
  const child = await listening(t, app, "--since", "10m", "--user", "her");
  await eventually(() => app.requests.length === 2);
  await stop(child);
  assert.deepEqual(app.requests.map(({ body }) => JSON.parse(body).data.clientReferenceId), ["her", "her"]);
});

test("listen waits for an app that is not there, and goes on after an answer that is an error", async (t) => {
  const app = await startApp(({ body }) => (JSON.parse(body).type === "refused" ? [500, "a fault"] : 204));
  await app.close();
  const child = await listening(t, app);
  await gateway.deliver({ type: "waiting" });
  await eventually(() => /Nothing listens at .*Waiting for your app/.test(child.output.stderr));
  const back = await startApp(({ body }) => (JSON.parse(body).type === "refused" ? [500, "a fault"] : 204), app.port);
  t.after(back.close);
  await eventually(() => back.requests.length === 1);
  await eventually(() => /Your app is there/.test(child.output.stderr));
  await gateway.deliver({ type: "refused" });
  await gateway.deliver({ type: "after" });
  await eventually(() => typed(back).includes("after"));
  const { stdout, stderr } = await stop(child);
  assert.match(stdout, /  refused  [0-9a-f]{12}  500 a fault$/m);
  assert.match(stderr, /ofauth-edge replay [0-9a-f]{12}/);
});

test("listen says why it ends when its output is not read any more", async (t) => {
  const app = await startApp();
  t.after(app.close);
  const child = await listening(t, app);
  child.stdout.destroy();
  await gateway.deliver({ type: "unread" });
  const [code] = await once(child, "close");
  assert.equal(code, 0);
  assert.match(child.output.stderr, /^Stopped: the output is not read any more$/m);
});

test("listen outlasts a gateway that is away or fails, says what is wrong, and misses nothing", async (t) => {
  const app = await startApp();
  t.after(app.close);
  let mode = "ok";
  let event;
  const modes = {
    ok: [200, JSON.stringify({ list: [] })],
    broken: [503, '{"error":"the storage did not answer","type":"STORAGE_UNAVAILABLE"}'],
    busy: [429, "{}"],
    nothing: [502, "<html>bad gateway</html>"],
    refused: [401, '{"error":"no","type":"CREDENTIALS_INVALID"}'],
  };
  const proxy = createServer((req, res) => {
    const hasEvent = mode === "event" && req.url.startsWith("/edge/events");
    const [status, body] = hasEvent ? [200, JSON.stringify({ list: [event] })] : (modes[mode] ?? modes.ok);
    res.writeHead(status, { "x-ofauth-edge": "gateway", ...(mode === "busy" && { "retry-after": "1" }) }).end(body);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.after(() => proxy.close());
  const child = await listening(t, app, "--url", `http://127.0.0.1:${proxy.address().port}`);
  const receivedAt = new Date().toISOString();
  event = { id: "msg_1", type: "kept", receivedAt, stamp: receivedAt, encoding: "utf8", body: "{}" };
  const said = { broken: /HTTP 503 STORAGE_UNAVAILABLE: the storage did not answer\. Next try in \d+ s/, busy: /HTTP 429/, nothing: /HTTP 502/ };
  for (const [name, words] of Object.entries(said)) {
    mode = name;
    await eventually(() => words.test(child.output.stderr), { within: 20_000 });
  }
  mode = "event";
  await eventually(() => app.requests.length === 1, { within: 20_000 });
  assert.match(child.output.stderr, /The gateway answers again/);
  mode = "refused";
  const [code] = await once(child, "close");
  assert.equal(code, 1, "a key that is refused does not come right by itself");
  assert.match(child.output.stderr, /does not accept the key\nIt must be an item of the gateway's GATEWAY_KEY/);
});

test("listen says at once what is wrong with the address or the key", async () => {
  const app = await startApp();
  const run = (changes, ...args) => cli(["listen", "--forward", app.url, ...args], { env: { ...env, ...changes } });
  const wrongKey = await run({ GATEWAY_KEY: "x".repeat(40) });
  assert.deepEqual([wrongKey.code, /does not accept the key/.test(wrongKey.stderr)], [1, true]);
  const noGateway = await run({}, "--url", new URL(app.url).origin);
  assert.deepEqual([noGateway.code, /no ofauth-edge gateway.*HTTP 204/.test(noGateway.stderr)], [1, true], noGateway.stderr);
  await app.close();
});

test("replay finds a webhook by its id or the beginning of its digest, about a connection or not", async (t) => {
  const app = await startApp(({ body }) => (JSON.parse(body).type === "replay.refused" ? [401, "bad"] : 204));
  t.after(app.close);
  const handle = await introduce(gateway, "conn_replay");
  await gateway.deliver({ type: "replay.me" }, { scheme: "svix", id: "msg_replay_1" });
  await gateway.deliver({ type: "replay.refused" }, { scheme: "svix", id: "msg_replay_2" });
  const { list } = (await gateway.call("GET", `/edge/connections/${handle}/events`)).json();
  const run = (...args) => cli(["replay", "--forward", app.url, ...args], { env });
  for (const args of [["msg_replay_1"], [list[0].id], [list[0].id.slice(0, 12)], [list[0].id, "--connection", handle]]) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stdout + stderr);
  }
  assert.deepEqual(typed(app), ["replay.me", "connection.created", "connection.created", "connection.created"]);
  const refused = await run("msg_replay_2", "--json");
  assert.deepEqual([refused.code, JSON.parse(refused.stdout).status], [1, 401]);
  assert.match(refused.stderr, /refused the signature/);
  const none = await run("0123456789ab");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /keeps no webhook with this id/);
  const elsewhere = await run("0123456789ab", "--connection", `acct_${"0".repeat(32)}`);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /knows no connection with this handle/);
});

test("trigger reaches a gateway, and says where its webhooks go", async () => {
  const real = { OFAUTH_WEBHOOK_SECRET: SECRETS.OFAUTH_WEBHOOK_SECRET };
  const sent = await cli(["trigger", "connection.created", "--set", "data.connection.id=conn_triggered", "--url", `${url}/webhooks/ofauth`], { env: real });
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(sent.stdout, /"outcome":"applied"/);
  assert.equal((await gateway.call("GET", "/edge/connections/conn_triggered")).json().status, "active");
  const astray = await cli(["trigger", "connection.created", "--url", url], { env: real });
  assert.equal(astray.code, 1);
  assert.match(astray.stderr, /takes webhooks at http:.*\/webhooks\/ofauth/);
});

test("doctor finds no fault in a gateway without one, and shows no secret and no connection id", async () => {
  await introduce(gateway, "conn_doctor");
  const real = { ...env, OFAUTH_WEBHOOK_SECRET: SECRETS.OFAUTH_WEBHOOK_SECRET };
  const text = await cli(["doctor", "--origin", "https://app.example", "--link"], { env: real });
  assert.equal(text.code, 0, text.stdout + text.stderr);
  assert.match(text.stdout, /No check failed/);
  assert.doesNotMatch(text.stdout + text.stderr, new RegExp(`${isSecret.source}|conn_doctor`));
  // The whole list of the gateway, as its settings file has it.
  const listed = { ...real, GATEWAY_KEY: `app:access:${"x".repeat(40)},ops:read+sessions+link:${SECRETS.GATEWAY_KEY}` };
  const json = JSON.parse((await cli(["doctor", "--json", "--origin", "https://app.example", "--link"], { env: listed })).stdout);
  assert.equal(json.ok, true);
  const status = Object.fromEntries(json.checks.map(({ id, status, detail }) => [id, [status, detail]]));
  const asked = `health warnings no-key wrong-key whoami sessions foreign-page unsigned bad-signature good-signature received link
    list access handles cors-refused cors-allowed`.split(/\s+/);
  for (const id of asked) {
    assert.equal(status[id][0], "ok", `${id}: ${status[id]}`);
  }
  assert.equal(status.monitoring[0], "manual");
  assert.match(status.status[0], /ok|skip/);
});

test("doctor without a key checks what anyone can see, and leaves nothing in the gateway", async () => {
  const before = gateway.requestLines().length;
  const { code, stdout } = await cli(["doctor", "--json", "--url", url]);
  assert.equal(code, 0);
  const { checks } = JSON.parse(stdout);
  const skipped = checks.filter(({ status }) => status === "skip").map(({ id }) => id);
  assert.ok(["whoami", "sessions", "good-signature", "list"].every((id) => skipped.includes(id)));
  await eventually(() => gateway.requestLines().length > before);
  assert.deepEqual(gateway.requestLines().slice(before).filter(({ route, status }) => route === "webhook" && status === 200), []);
});

test("doctor names what is wrong: the key, the API key, the secret, an origin, the configuration, the address", async (t) => {
  const run = async (address, changes = {}, ...args) => {
    const { code, stdout } = await cli(["doctor", "--json", "--url", address, ...args], { env: { ...env, ...changes } });
    assert.equal(code, 1);
    return Object.fromEntries(JSON.parse(stdout).checks.map((one) => [one.id, one]));
  };
  const wrong = await run(url, { GATEWAY_KEY: "x".repeat(40) }, "--origin", "https://other.example");
  assert.match(wrong.whoami.fix, /GATEWAY_KEY/);
  assert.match(wrong["good-signature"].fix, /differ/);
  assert.match(wrong["cors-allowed"].detail, /other\.example/);
  assert.match(wrong["cors-allowed"].fix, /ALLOWED_ORIGINS in \.deploy.*make deploy/);

  const ill = await startGateway({ vars: { OFAUTH_API_KEY: "sk_sandbox_not_the_one_that_counts", ALLOWED_ORIGINS: "no origin" } });
  t.after(() => ill.close());
  const apiKey = await run(`http://127.0.0.1:${ill.port}`);
  assert.match(apiKey.whoami.fix, /OFAuth refuses OFAUTH_API_KEY/);
  assert.deepEqual([apiKey.warnings.status, apiKey.received.status, apiKey.list.status], ["warn", "warn", "warn"]);
  assert.match(apiKey.received.fix, /\/webhooks\/ofauth/);

  const bare = await startGateway({ vars: { GATEWAY_KEY: undefined, INDEX_KEY: undefined } });
  t.after(() => bare.close());
  const configuration = await run(`http://127.0.0.1:${bare.port}`);
  assert.match(configuration.health.detail, /GATEWAY_KEY is missing.*INDEX_KEY is missing/);
  assert.match(configuration.health.fix, /settings in \.deploy.*make deploy/);
  assert.deepEqual(Object.values(configuration).filter(({ status }) => status === "fail").map(({ id }) => id), ["health"]);

  const app = await startApp();
  t.after(app.close);
  const elsewhere = await run(new URL(app.url).origin);
  assert.match(elsewhere.health.fix, /address of the Worker/);
  assert.equal(elsewhere.whoami.status, "skip", "no key goes to a stranger");
  assert.ok(app.requests.every(({ headers }) => headers.authorization === undefined));
});
