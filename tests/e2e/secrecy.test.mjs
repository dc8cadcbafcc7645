// What the gateway leaves behind, after a day with everything in it: nothing that opens an account, names a person or is a
// secret stands in clear in 1. KV's keys, values and metadata, 2. any file of the runtime, 3. any log line, nor do the
// gateway's own answers show a secret (4.). Then 5. storage of a connection that does not exist stays empty.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { accountOf } from "../emulator/account.mjs";
import { CONNECTION_EVENTS, connectionEvent, realtimeEvent, rulesEvent, sdkEvent } from "../emulator/events.mjs";
import { sign } from "../emulator/webhooks.mjs";
import { eventually, listAll, sessionOf, startGateway } from "./harness.mjs";
import { filesOf, leaksIn as findLeaks } from "./leaks.mjs";

// No part of one id is part of another, nor of anything else: what is found is a leak.
const IDS = ["conn_Qx7vKtm2", "conn_Wj4bHzr9", "conn_Yp3gNsd8", "conn_Lc6fTqk5"];
const STRANGER = "conn_Zu1nRwe0";
const REFERENCES = ["reference-Ada-5521", "reference-Bob-7743"];
const PEOPLE = IDS.map(accountOf).flatMap(({ id, name, username }) => [String(id), name, username]);

const gateway = await startGateway({ vars: { EVENT_KEEP: "*" } });
after(() => gateway.close());
const { vars } = gateway;
const KEYS = ["OFAUTH_API_KEY", "GATEWAY_KEY", "OFAUTH_WEBHOOK_SECRET", "SVIX_WEBHOOK_SECRET", "SESSION_SECRET"];
const SECRETS = [...KEYS, "STORAGE_KEY", "INDEX_KEY"].map((name) => vars[name]);
const FORBIDDEN = [...IDS, STRANGER, ...REFERENCES, ...PEOPLE, ...SECRETS];
const leaksIn = (bytes) => findLeaks(bytes, FORBIDDEN);
const answers = await aDayWithEverything();
const kv = await gateway.kv();

test("every route was used, the gateway knows all that must not be found, and a leak would be found", async () => {
  const shown = JSON.stringify(await listAll(gateway));
  for (const known of [...IDS, ...REFERENCES, ...PEOPLE]) assert.ok(shown.includes(known), known);
  const { list } = (await gateway.call("GET", "/edge/events?limit=100")).json();
  assert.ok(list.some(({ body }) => body.includes(IDS[0])));
  const statuses = new Set(answers.map(({ status }) => status));
  for (const status of [200, 400, 401, 404, 405, 413]) assert.ok(statuses.has(status), `no ${status}`);
  for (const [place, encoding] of ["utf8", "hex", "base64", "base64url", "base64", "base64"].entries()) {
    const somewhere = Buffer.from(`${".".repeat(place)}"${IDS[1]}"`).toString(encoding);
    assert.deepEqual(leaksIn(Buffer.from(somewhere)), [IDS[1]], "and it would be found");
  }
});

test("KV holds no id, no reference, no person and no secret in keys, values or metadata", async () => {
  const { keys } = await kv.list();
  assert.ok(keys.length > 10);
  for (const { name, metadata } of keys) {
    const value = Buffer.from(await kv.get(name, "arrayBuffer"));
    const found = leaksIn(Buffer.concat([Buffer.from(`${name}\n${JSON.stringify(metadata)}\n`), value]));
    assert.deepEqual(found, [], name);
    assert.ok(JSON.stringify(metadata).length <= 1024);
  }
});

test("no file of the runtime holds any of them, not even a write-ahead log", async () => {
  const files = filesOf(gateway);
  const isThere = (pattern) => files.some(([file]) => pattern.test(file));
  assert.ok(isThere(/Ledger.*\.sqlite-wal$/), "the ledgers' write-ahead logs are there");
  assert.ok(isThere(/Hub.*\.sqlite-wal$/), "the hubs' are there");
  assert.ok(isThere(/Reconciler.*\.sqlite-wal$/), "the reconciler's is there");
  assert.ok(isThere(/kv.*\.sqlite/), "KV is there");
  for (const [file, bytes] of files) {
    assert.deepEqual(leaksIn(bytes), [], file);
    assert.deepEqual(leaksIn(Buffer.from(file)), [], "a file's name");
  }
});

test("no log line holds any of them, a token or a handle", async () => {
  await eventually(() => gateway.logs.length > answers.length);
  for (const line of gateway.logs) {
    assert.deepEqual(leaksIn(Buffer.from(line)), [], line);
    assert.doesNotMatch(line, /eyJ|acct_/, "nor a token, nor a handle");
  }
});

test("no answer of the gateway's own holds a secret, nor does an error show the id it was asked about", () => {
  const own = answers.filter(({ headers }) => headers["x-ofauth-edge"] === "gateway");
  for (const { status, text, headers } of own) {
    const whole = text + JSON.stringify(headers);
    for (const secret of SECRETS) assert.ok(!whole.includes(secret), text);
    if (status >= 400) assert.deepEqual(leaksIn(Buffer.from(whole)), [], text);
  }
});

test("a question about an unknown connection writes nothing", async () => {
  const objects = () => [writtenObjects("Ledger", "deliveries"), writtenObjects("Hub", "connections")];
  const written = async () => [(await kv.list()).keys.length, ...objects()];
  const before = await written();
  assert.deepEqual(before.slice(1), [IDS.length, REFERENCES.length]);
  for (let index = 0; index < 5; index += 1) {
    const headers = { "x-connection-id": `conn_nobody_${index}` };
    assert.equal((await gateway.call("GET", "/v2/access/self", { headers })).status, 200);
    assert.equal((await gateway.call("GET", `/edge/connections/conn_nobody_${index}`)).status, 404);
    const session = sessionOf(gateway, { sub: `nobody_${index}`, permissions: ["profile:read"] });
    assert.equal((await session("GET", "/edge/connections")).status, 200);
    assert.equal((await session("GET", "/v2/access/self")).status, 404);
    assert.equal((await gateway.call("GET", `/edge/connections?clientReferenceId=nobody_${index}`)).status, 200);
  }
  assert.deepEqual(await written(), before);
});

/** All event kinds in both schemes, then look-ups, lists, calls, and everything that can be refused. */
async function aDayWithEverything() {
  const answers = [];
  const keep = async (promise) => answers.push(await promise);
  const live = async (id, index) => {
    const fields = { id, clientReferenceId: REFERENCES[index % 2] };
    const scheme = index % 2 ? "svix" : "ofauth";
    for (const [place, type] of CONNECTION_EVENTS.slice(0, index + 1).entries()) {
      await keep(gateway.deliver(connectionEvent(type, fields), { scheme, id: `msg_life_${index}_${place}` }));
    }
    await keep(gateway.deliver(sdkEvent("connection.updated", { ...fields, platformUserId: accountOf(id).id })));
    await keep(gateway.deliver(realtimeEvent("chatMessage", fields)));
    await keep(gateway.deliver({ type: "connection.archived", data: { connection: fields } }));
    await keep(gateway.deliver({ type: "connection.created", data: { connection: { ...fields, status: 7 } } }));
    await keep(gateway.deliver(`not JSON, but ${id} and ${REFERENCES[0]}`));
  };
  await Promise.all(IDS.map(live));
  await keep(gateway.deliver(rulesEvent()));
  await keep(gateway.deliver(connectionEvent("connection.created", { id: `${STRANGER},${IDS[0]}` })));

  const listed = await eventually(async () => {
    const list = await listAll(gateway);
    return list.length === IDS.length && list;
  });
  const names = [...listed.flatMap(({ id, handle }) => [id, handle]), STRANGER, `acct_${"0".repeat(32)}`];
  for (const name of names) {
    const call = (method, path, headers) => keep(gateway.call(method, path, { headers }));
    await call("GET", `/edge/connections/${name}`);
    await call("HEAD", `/edge/connections/${name}`);
    await call("DELETE", `/edge/connections/${name}/nothing`);
    await call("POST", `/edge/connections/${name}`);
    await call("GET", `/v2/access/self?echo=${name}`, { "x-connection-id": name });
    await call("GET", `/v2/access/proxy/status?code=401&id=${name}`, { "x-connection-id": name });
    await call("GET", `/v2/access/proxy/echo/${name}`, { "x-connection-id": `${name}, ${name}` });
    await call("GET", `/v2/access/%2e%2e/${name}`, { "x-connection-id": name });
    await call("GET", `/${name}`, {});
    await keep(gateway.send("GET", `/edge/connections/${name}`, { headers: { apikey: name } }));
    await keep(gateway.send("GET", `/edge/connections/${name}`, { headers: { authorization: `Bearer ${name}` } }));
  }
  for (const sub of REFERENCES) {
    await keep(gateway.call("GET", `/edge/connections?clientReferenceId=${sub}`));
    const session = sessionOf(gateway, { sub, permissions: ["profile:read", "access:any"] });
    await keep(session("GET", "/edge/connections"));
    await keep(session("POST", "/edge/sessions", { body: JSON.stringify({ clientReferenceId: sub }) }));
    await keep(gateway.call("POST", "/edge/sessions", { body: JSON.stringify({ clientReferenceId: sub }) }));
    for (const name of names) {
      await keep(session("GET", `/edge/connections/${name}`));
      await keep(session("GET", "/v2/access/self", { headers: { "x-connection-id": name } }));
    }
  }
  await keep(gateway.call("GET", `/edge/connections?platformUserId=${accountOf(IDS[0]).id}&unknown=${IDS[0]}`));
  for (const path of ["/edge/events", "/edge/connections?status=active", "/healthz", `/healthz?${IDS[0]}`]) {
    await keep(gateway.call("GET", path));
  }

  const body = JSON.stringify(connectionEvent("connection.created", { id: IDS[0] }));
  const wrong = sign({ secret: "another secret", body });
  await keep(gateway.send("POST", "/webhooks/ofauth", { headers: wrong, body }));
  await keep(gateway.send("POST", `/webhooks/ofauth?secret=${vars.OFAUTH_WEBHOOK_SECRET}`, { body }));
  await keep(gateway.send("POST", "/webhooks/ofauth", { headers: { "content-length": 2 ** 21 }, body: "" }).catch(ignored));
  await keep(gateway.deliver(Buffer.alloc(2 ** 20 + 1, IDS[0])));
  gateway.emulator.connections.put({ id: IDS[0], clientReferenceId: REFERENCES[0] });
  assert.equal((await gateway.reconcile()).stopped, null);
  return answers.filter(Boolean);
}

/** How many objects of a class have made their tables; the runtime makes the file itself for whoever is asked. */
function writtenObjects(name, table) {
  const folder = join(gateway.folder, `do/ofauth-edge-${name}`);
  const holds = (file) => readFileSync(join(folder, file)).includes(`CREATE TABLE ${table}`);
  const files = readdirSync(folder).filter(holds);
  return new Set(files.map((file) => file.split(".")[0])).size;
}

function ignored() {}
