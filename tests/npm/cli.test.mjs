// The program `ofauth-edge`: 1. it runs under each supported Node, 2. help, suggestions and exit codes, 3. sign, verify and explain,
// from files and stdin, 4. secrets are never printed, and colours are for terminals only.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { sign } from "../emulator/webhooks.mjs";
import { programAt, startApp } from "./program.mjs";
import { makeProject, NODES, root } from "./project.mjs";

const project = makeProject("node");
const program = join(project, "node_modules/ofauth-edge/cli.js");
const { cli, start } = programAt(program, project);
/** A secret that must never be printed. It serves both schemes. */
const SECRET = "whsec_c2VjcmV0IG9mIHRoZSBjbGkgdGVzdHM=";
const COMMANDS = ["explain", "verify", "sign", "trigger", "listen", "replay", "doctor"];
const ENV = { OFAUTH_WEBHOOK_SECRET: SECRET };
const BODY = '{"type":"connection.expired","data":{"connection":{"id":"conn_1"}}}\n';
const file = (name, content) => (writeFileSync(join(project, name), content), name);
file("body.json", BODY);

const app = await startApp();
after(() => app.close());

for (const [name, node] of Object.entries(NODES)) {
  test(`sign, verify, explain and trigger work under ${name}`, { skip: !existsSync(node) && "it is not installed" }, async () => {
    const run = (args, options) => cli(args, { env: ENV, node, ...options });
    const signed = await run(["sign", "body.json"]);
    assert.equal(signed.stderr, "", "no warning of this Node either");
    assert.match(signed.stdout, /^ofauth-signature: t=\d+,v1=[0-9a-f]{64}\n$/i);
    for (const command of ["verify", "explain"]) {
      const { code, stdout, stderr } = await run([command, "body.json", "-H", signed.stdout.trim()]);
      assert.deepEqual([code, stderr], [0, ""], stdout);
    }
    const sent = await run(["trigger", "connection.created", "--url", app.url.replace("127.0.0.1", "localhost")]);
    assert.deepEqual([sent.code, sent.stderr], [0, ""], sent.stdout);
  });
}

for (const [name, node] of Object.entries(NODES)) {
  test(`listen, replay and doctor call a gateway under ${name}`, { skip: !existsSync(node) && "it is not installed" }, async (t) => {
    const now = new Date().toISOString();
    const event = { id: "msg_1", type: "kept", receivedAt: now, stamp: now, encoding: "base64", body: Buffer.from(BODY).toString("base64") };
    const answer = ({ path }) => {
      if (path.startsWith("/edge/events")) return [200, JSON.stringify({ list: [event] })];
      return path.startsWith("/edge/connections") ? [200, JSON.stringify({ list: [], hasMore: false })] : [200, '{"ok":true}'];
    };
    const gateway = await startApp(answer);
    t.after(gateway.close);
    const options = { env: { ...ENV, GATEWAY_URL: new URL(gateway.url).origin, GATEWAY_KEY: "key" }, node };
    const before = app.requests.length;
    const replayed = await cli(["replay", "msg_1", "--forward", app.url], options);
    assert.deepEqual([replayed.code, replayed.stderr], [0, ""], replayed.stdout);
    const listening = start(["listen", "--since", "1h", "--forward", app.url], options);
    while (listening.exitCode === null && app.requests.length < before + 2) await sleep(20);
    listening.kill("SIGINT");
    await once(listening, "close");
    assert.equal(listening.exitCode, 0, listening.output.stderr);
    assert.deepEqual(app.requests.slice(before).map(({ body }) => body.toString()), [BODY, BODY]);
    const examined = await cli(["doctor", "--json"], options);
    assert.deepEqual([examined.code, examined.stderr, JSON.parse(examined.stdout).ok], [1, "", false], "this gateway refuses nothing");
  });
}

test("the program in node_modules/.bin runs by itself, so that npx finds it", () => {
  const { status, stdout } = spawnSync(join(project, "node_modules/.bin/ofauth-edge"), ["--version"], { encoding: "utf8" });
  assert.deepEqual([status, stdout.trim()], [0, JSON.parse(readFileSync(join(project, "node_modules/ofauth-edge/package.json"))).version]);
});

test("no arguments show the help and end with 2; --help, help and a command's --help end with 0", async () => {
  const bare = await cli([]);
  assert.equal(bare.code, 2);
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const { code, stdout } = await cli(args);
    assert.equal(code, 0);
    assert.equal(stdout, bare.stderr);
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, "m"));
  }
  for (const command of COMMANDS) {
    const { code, stdout } = await cli([command, "--help"]);
    assert.equal(code, 0);
    for (const part of ["Usage", "Options", "Examples", "Exit codes"]) assert.match(stdout, new RegExp(`^${part}$`, "m"), command);
    assert.equal((await cli(["help", command])).stdout, stdout);
    assert.ok(stdout.split("\n").every((line) => line.length <= 160), command);
  }
});

test("each option in an example of the help exists", async () => {
  for (const command of COMMANDS) {
    const { stdout } = await cli([command, "--help"]);
    const [options, examples] = stdout.slice(stdout.indexOf("\nOptions\n")).split("\nExamples\n");
    const used = examples.split("\n").filter((line) => line.startsWith(`  ofauth-edge ${command}`)).flatMap((line) => line.split(" | ")[0].match(/--[\w-]+/g) ?? []);
    for (const option of used) assert.match(options, new RegExp(`${option}\\b`), `${command} ${option}`);
  }
});

test("docs/cli.md has each command, and no option that no command has", async () => {
  const docs = readFileSync(join(root, "docs/cli.md"), "utf8");
  assert.deepEqual([...docs.matchAll(/^## ([a-z]+)$/gm)].map(([, name]) => name), COMMANDS);
  const readme = readFileSync(join(project, "node_modules/ofauth-edge/README.md"), "utf8");
  for (const command of COMMANDS) assert.match(readme.split("## Program")[1], new RegExp(`^\\|.*\`${command}\``, "m"));
  const help = (await Promise.all(COMMANDS.map((command) => cli([command, "--help"])))).map(({ stdout }) => stdout).join("");
  for (const [option] of docs.replaceAll("--data-binary", "").matchAll(/--[a-z][\w-]+/g)) assert.match(help, new RegExp(`^ .*${option}\\b`, "m"), option);
});

test("doctor warns of a privacy page that is not filled in, and of a clock that is wrong", async (t) => {
  const server = createServer((req, res) => {
    res.sendDate = false;
    res.writeHead(200, { date: new Date(Date.now() - 600_000).toUTCString() }).end(req.url === "/privacy" ? "<p>[[YOUR APP NAME]] [[A FACT]]</p>" : '{"ok":true}');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { stdout } = await cli(["doctor", "--json", "--url", `http://127.0.0.1:${server.address().port}`]);
  const [privacy, clock] = ["privacy", "clock"].map((wanted) => JSON.parse(stdout).checks.find(({ id }) => id === wanted));
  assert.deepEqual([privacy.status, privacy.detail], ["warn", "2 of its facts are not filled in"]);
  assert.deepEqual([clock.status, /^(599|60[0-5]) s apart$/.test(clock.detail)], ["warn", true], clock.detail);
});

test("a wrong command, option or event type suggests the nearest and ends with 2", async () => {
  const cases = [
    [["lisen"], /Did you mean listen\?/],
    [["veirfy"], /Did you mean verify\?/],
    [["sign", "--secert", "x"], /no option --secert\. Did you mean --secret\?/],
    [["sign", "--sec=x"], /Did you mean --secret\?/],
    [["trigger", "connection.craeted"], /Did you mean connection\.created\?/],
    [["trigger"], /realtime\.chat_message\.received/],
    [["trigger", "connection.created", "rules.updated"], /Only one event type/],
    [["trigger", "connection.created"], /--url is missing/],
    [["trigger", "connection.created", "--url", "localhost:3000/x"], /Begin it with https/],
    [["trigger", "connection.created", "--url"], /--url needs a value/],
    [["trigger", "connection.created", "--url", "--json"], /--url needs a value/],
    [["trigger", "connection.created", "--url", ""], /--url is empty/],
    [["trigger", "connection.created", "--url", "https://a:b@c.example"], /no user name/],
    [["trigger", "connection.created", "--print=1"], /--print takes no value/],
    [["trigger", "connection.created", "--times", "x", "--url", app.url], /--times must be a whole number/],
    [["sign", "--timestamp", "yesterday"], /--timestamp must be a time such as/],
    [["sign", "--scheme", "hmac"], /--scheme must be ofauth or svix/],
    [["sign", "nothing.json"], /cannot be read: there is no such file/],
    [["verify", "body.json"], /headers are missing/],
    [["verify", "-H", "no colon", "body.json"], /Name: value/],
    [["listen", "--url", "http://gateway.example", "--key", "k"], /must begin with https/],
    [["listen", "--url", "https://gateway.example"], /--key is missing.*GATEWAY_KEY/],
    [["listen", "--url", "https://gateway.example/edge", "--key", "k"], /without a path/],
    [["listen", "https://gateway.example"], /Every argument must follow its option/],
    [["replay"], /Pass its id/],
    [["doctor"], /--url is missing/],
    [["--json"], /The command comes first/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await cli(args, { env: ENV });
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stdout + stderr, expected, args.join(" "));
    assert.match(stdout + stderr, /--help shows how it is used/);
  }
  const without = await cli(["sign", "body.json"]);
  assert.equal(without.code, 2);
  assert.match(without.stderr, /no webhook secret.*OFAUTH_WEBHOOK_SECRET/);
  const ofOtherScheme = await cli(["sign", "body.json", "--scheme", "svix"], { env: { OFAUTH_WEBHOOK_SECRET: SECRET } });
  assert.match(ofOtherScheme.stderr, /no webhook secret\. Set SVIX_WEBHOOK_SECRET,/);
});

test("with --json, a mistake is JSON too", async () => {
  const { code, stdout } = await cli(["sign", "--json", "--secert", "x"]);
  assert.equal(code, 2);
  assert.deepEqual(Object.keys(JSON.parse(stdout)), ["ok", "error", "hint"]);
});

test("sign agrees with another implementation, for both schemes, from a file and from stdin", async () => {
  for (const scheme of ["ofauth", "svix"]) {
    const args = ["sign", "--json", "--scheme", scheme, "--secret", SECRET, "--timestamp", "1795852344", ...(scheme === "svix" ? ["--id", "msg_1"] : [])];
    const expected = sign({ scheme, secret: SECRET, id: "msg_1", timestamp: 1795852344, body: BODY });
    for (const result of [await cli([...args, "body.json"]), await cli(args, { input: BODY }), await cli([...args, "-"], { input: BODY })]) {
      assert.equal(result.code, 0, result.stderr);
      const headers = Object.entries(JSON.parse(result.stdout)).map(([name, value]) => [name.toLowerCase(), value]);
      assert.deepEqual(headers, Object.entries(expected).map(([name, value]) => [name.toLowerCase(), value]));
    }
  }
});

test("the secret comes from an option, a variable or a file of variables, and the newest of a list signs", async () => {
  const signed = async (args, env) => (await cli(["sign", "body.json", "--timestamp", "1795852344", ...args], { env })).stdout;
  const expected = await signed(["--secret", SECRET]);
  assert.match(expected, /v1=/);
  file("vars", `# comment\nGATEWAY_KEY="x"\nexport OFAUTH_WEBHOOK_SECRET="${SECRET},older" # ours\n`);
  assert.equal(await signed([], { OFAUTH_WEBHOOK_SECRET: `${SECRET},older` }), expected);
  assert.equal(await signed(["--vars", "vars"], {}), expected);
  assert.equal(await signed(["--vars", "vars"], { OFAUTH_WEBHOOK_SECRET: "another" }) === expected, false, "a variable that is set wins");
  assert.equal(await signed(["--vars", "vars"], { OFAUTH_WEBHOOK_SECRET: "" }), expected);
  assert.equal(await signed(["--secret", `${SECRET},older`]), expected);
  const svix = await signed([], { SVIX_WEBHOOK_SECRET: SECRET });
  assert.match(svix, /^svix-id: msg_\w+\nsvix-timestamp: 1795852344\nsvix-signature: v1,/);
});

test("verify reads headers from options, lines, JSON and a whole request, and refuses a forged body", async () => {
  const { "OFAuth-Signature": value } = sign({ secret: SECRET, body: BODY });
  file("headers.txt", `POST /webhooks HTTP/1.1\r\nHost: localhost:3000\r\nOFAuth-Signature: ${value}\r\n\r\n`);
  file("headers.json", JSON.stringify({ host: "localhost:3000", "ofauth-signature": value }));
  file("request.txt", `POST /webhooks HTTP/1.1\nHost: localhost:3000\nOFAuth-Signature: ${value}\n\n${BODY}`);
  const ways = [
    ["-H", `OFAuth-Signature: ${value}`, "body.json"],
    ["--headers", "headers.txt", "body.json"],
    ["--headers", "headers.json", "body.json"],
    ["--request", "request.txt"],
  ];
  for (const args of ways) {
    const { code, stdout, stderr } = await cli(["verify", "--json", ...args], { env: ENV });
    assert.equal(code, 0, stdout + stderr);
    const { ok, event, signature } = JSON.parse(stdout);
    assert.deepEqual([ok, event.type, event.known, signature.scheme], [true, "connection.expired", true, "ofauth"]);
  }
  const forged = await cli(["verify", "-H", `OFAuth-Signature: ${value}`], { env: ENV, input: BODY.replace("conn_1", "conn_2") });
  assert.equal(forged.code, 1);
  assert.match(forged.stdout, /^Not genuine: SIGNATURE_MISMATCH/);
  assert.match(forged.stderr, /explain/);
});

test("verify takes an old request with --any-time or --now, and tells a body that is no event from a forged one", async () => {
  const old = sign({ secret: SECRET, body: BODY, timestamp: 1_700_000_000 })["OFAuth-Signature"];
  const run = (...args) => cli(["verify", "--json", "body.json", "-H", `OFAuth-Signature: ${old}`, ...args], { env: ENV });
  assert.equal(JSON.parse((await run()).stdout).code, "TIMESTAMP_TOO_OLD");
  for (const args of [["--any-time"], ["--now", "1700000010"], ["--now", "2023-11-14T22:13:30Z"]]) assert.equal((await run(...args)).code, 0, args[0]);
  const { "OFAuth-Signature": value } = sign({ secret: SECRET, body: "[]" });
  const other = await cli(["verify", "-H", `OFAuth-Signature: ${value}`], { env: ENV, input: "[]" });
  assert.equal(other.code, 1);
  assert.match(other.stdout, /^The signature is right, but the body is no event: INVALID_EVENT/);
});

test("explain names the cause of a body that an editor ended with a line break", async () => {
  const { "OFAuth-Signature": value } = sign({ secret: SECRET, body: BODY.trimEnd() });
  const text = await cli(["explain", "body.json", "-H", `OFAuth-Signature: ${value}`], { env: ENV });
  assert.equal(text.code, 1);
  assert.match(text.stdout, /^trailing_newline_added: /);
  const json = await cli(["explain", "--json", "body.json", "-H", `OFAuth-Signature: ${value}`], { env: ENV });
  assert.deepEqual([json.code, JSON.parse(json.stdout).cause], [1, "trailing_newline_added"]);
});

test("explain tries each secret of a list, and says what to try when it finds no cause", async () => {
  const { "OFAuth-Signature": value } = sign({ secret: SECRET, body: BODY });
  const explained = (secret) => cli(["explain", "body.json", "-H", `OFAuth-Signature: ${value}`, "--secret", secret], { env: {} });
  const good = await explained(`another,${SECRET}`);
  assert.equal(good.code, 0);
  assert.match(good.stdout, /^It verifies: /);
  assert.doesNotMatch(good.stdout, /cause is undone/);
  const unknown = await explained("another");
  assert.deepEqual([unknown.code, /^unknown: /.test(unknown.stdout), /your app may have others\. Try them all/.test(unknown.stderr)], [1, true, true]);
});

test("a secret is never printed, also not if it stands in a wrong place", async () => {
  const lines = [
    ["sign", "body.json", "--secret", ` ${SECRET}`],
    ["sign", "body.json", "--secert", SECRET],
    ["sign", "body.json", `--secert=${SECRET}`],
    ["sign", `-s${SECRET}`],
    ["sign", "body.json", SECRET],
    [SECRET],
    ["verify", "body.json", "-H", "OFAuth-Signature: t=1,v1=2", "--secret", SECRET],
    ["explain", "body.json", "-H", "OFAuth-Signature: t=1,v1=2", "--secret", `"${SECRET}"`],
    ["trigger", "connection.created", SECRET, "--url", app.url],
    ["trigger", SECRET, "--url", app.url],
    ["trigger", "connection.created", "--url", SECRET],
    ["listen", "--url", "https://gateway.example", "--key", `${SECRET}\n`, "--forward", app.url],
    ["doctor", "--url", "http://127.0.0.1:1", "--key", SECRET],
  ];
  for (const args of lines) {
    for (const json of [[], ["--json"]]) {
      const { stdout, stderr } = await cli([...args, ...json], { env: args[0] === "sign" ? {} : ENV });
      assert.doesNotMatch(stdout + stderr, /c2VjcmV0/, args[0]);
    }
  }
});

test("colours are only for terminals, and not under NO_COLOR", { skip: process.platform !== "linux" && "script has other options here" }, (t) => {
  const line = `"${process.execPath}" "${program}" --help`;
  const inTerminal = (env) =>
    spawnSync("script", ["-qec", line, "/dev/null"], { encoding: "utf8", env: { PATH: process.env.PATH, TERM: "xterm", ...env } });
  const coloured = inTerminal({});
  if (coloured.error) return t.skip("there is no program script");
  assert.match(coloured.stdout, /\u001b\[1m/);
  assert.doesNotMatch(inTerminal({ NO_COLOR: "1" }).stdout, /\u001b/);
});

test("it is no error if the reader closes the pipe early", () => {
  const { stderr } = spawnSync("sh", ["-c", `"${process.execPath}" "${program}" --help | head -n 1`], { encoding: "utf8" });
  assert.equal(stderr, "");
});
