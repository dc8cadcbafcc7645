// `ofauth-edge trigger`: 1. one sample of each known type, 2. its fields, 3. bodies of one's own, 4. what it prints.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { SAMPLE_TYPES, sampleEvent } from "../../pkg-template/cli/samples.mjs";
import { connectionEvent, realtimeEvent, rulesEvent } from "../emulator/events.mjs";
import { programAt, startApp } from "./program.mjs";
import { importInstalled, makeProject, root } from "./project.mjs";

const project = makeProject("node");
const { cli } = programAt(join(project, "node_modules/ofauth-edge/cli.js"), project);
const { verifyWebhook } = await importInstalled();
const SECRET = "whsec_c2VjcmV0IG9mIHRoZSBjbGkgdGVzdHM=";
const ENV = { OFAUTH_WEBHOOK_SECRET: SECRET };
const BODY = '{"type":"connection.expired","data":{"connection":{"id":"conn_1"}}}\n';
writeFileSync(join(project, "body.json"), BODY);

const app = await startApp(({ body }) => (JSON.parse(body).data.connection?.id === "refused" ? [401, "no"] : [200, '{"ok":true}']));
after(() => app.close());

test("there is a sample of each type that the package knows, and verifyWebhook knows it", async () => {
  const types = readFileSync(join(root, "src/npm/types.d.ts"), "utf8");
  const known = [...types.matchAll(/extends Known<"([\w.]+)"/g)].map(([, type]) => type);
  assert.deepEqual([...SAMPLE_TYPES].sort(), known.sort());
  for (const scheme of ["ofauth", "svix"]) {
    for (const type of SAMPLE_TYPES) {
      const before = app.requests.length;
      const { code, stdout, stderr } = await cli(["trigger", type, "--url", app.url, "--scheme", scheme, "--secret", SECRET]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`^200  ${type} -> ${app.url}`));
      const { body, headers } = app.requests[before];
      const event = verifyWebhook(body, headers, { [scheme]: SECRET });
      assert.deepEqual([event.type, event.known], [type, true]);
      assert.ok(Math.abs(Date.parse(event.timestamp) - Date.now()) < 60_000);
    }
  }
});

test("the samples have the members that the emulated OFAuth sends", () => {
  const membersOf = (value, path = "") => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
    return Object.entries(value).flatMap(([key, member]) => membersOf(member, `${path}.${key}`));
  };
  const connectionTypes = SAMPLE_TYPES.filter((type) => type.startsWith("connection."));
  const others = [realtimeEvent(), rulesEvent(), rulesEvent({ type: "rules.update" })];
  for (const event of [...connectionTypes.map((type) => connectionEvent(type)), ...others]) assert.deepEqual(membersOf(sampleEvent(event.type)).sort(), membersOf(event).sort(), event.type);
});

test("trigger sets and removes fields, and keeps their types", async () => {
  const printed = async (...args) => cli(["trigger", "of.websocket.event.received", "--print", ...args]);
  const sets = [
    "data.connection.id=conn_9",
    "data.truncated=true",
    "data.new.deep=1",
    'data.json:={"a":[1]}',
    "data.connection.clientReferenceId:=null",
    "data.environment=live",
  ];
  const { stdout } = await printed(...sets.flatMap((set) => ["--set", set]), "--unset", "data.rawText", "--timestamp", "2026-01-31T12:00:00Z");
  const { timestamp, data } = JSON.parse(stdout);
  assert.equal(timestamp, "2026-01-31T12:00:00.000Z");
  const { receivedAt: _, ...rest } = data;
  assert.deepEqual(rest, {
    connection: { id: "conn_9", clientReferenceId: null },
    environment: "live",
    messageType: "text",
    truncated: true,
    json: { a: [1] },
    new: { deep: "1" },
  });
  const wrong = {
    "--set data.truncated=maybe": /is a boolean in the sample/,
    "--set data.truncated=1": /is a boolean in the sample, not a number/,
    "--set data": /path=value/,
    "--set a.__proto__.b=1": /__proto__/,
    "--unset data.rawTex": /Did you mean rawText/,
    "--set type.x=1": /no object/,
    "--set data.json:={": /not JSON/,
  };
  for (const [line, expected] of Object.entries(wrong)) {
    const { code, stderr } = await printed(...line.split(" "));
    assert.equal(code, 2, line);
    assert.match(stderr, expected, line);
  }
});

test("trigger sends a given body byte for byte, several times, and ends with 1 after a refusal", async () => {
  const before = app.requests.length;
  const sent = await cli(["trigger", "--data", "body.json", "--times", "3", "--json", "--url", `${app.url}?token=hidden`], { env: ENV });
  assert.deepEqual(app.requests.slice(before).map(({ body }) => body.toString()), [BODY, BODY, BODY]);
  assert.equal(sent.stdout.trim().split("\n").map(JSON.parse).every(({ ok, status }) => ok && status === 200), true);
  const refused = await cli(["trigger", "connection.created", "--set", "data.connection.id=refused", "--url", app.url], { env: ENV });
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /^401 .*\n +no\n/);
  assert.match(refused.stderr, /refused the signature/);
  const shown = await cli(["trigger", "--data", "-", "--print"], { input: "not JSON" });
  assert.deepEqual({ code: shown.code, stdout: shown.stdout }, { code: 0, stdout: "not JSON\n" });
  for (const [input, line] of [["not\nJSON", '"not\\nJSON"'], ['{\n  "a": 1\n}', '{"a":1}']]) {
    assert.equal((await cli(["trigger", "--data", "-", "--print", "--json"], { input })).stdout, `${line}\n`);
  }
  const nobody = await cli(["trigger", "connection.created", "--url", "http://127.0.0.1:1/webhooks"], { env: ENV });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /Nothing listens at 127\.0\.0\.1:1\nIs it running/);
});

test("the answer of an app cannot control the terminal, and the query of a URL is not printed", async () => {
  const hostile = await startApp(() => [500, "\u001b[2J\u009b31mred\r\nnext"]);
  const { stdout, stderr } = await cli(["trigger", "rules.updated", "--url", `${hostile.url}?token=hidden`], { env: ENV });
  await hostile.close();
  assert.doesNotMatch(stdout, /[\u001b\u009b\r]|hidden/);
  assert.match(stdout, /red next/);
  assert.doesNotMatch(stderr, /hidden/);
});
