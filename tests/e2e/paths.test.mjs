// Request targets, sent raw, because a client library would normalise them: 1. unusual ones reach OFAuth byte for byte,
// 2. ambiguous ones are refused, 3. a target reaches only what it resolves to.
//
// What cannot go up byte for byte is what the URL standard, and so the platform's fetch, rewrites in every URL: `'` in a
// query, and in a path the characters that no URL has unescaped.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { startDecoy } from "./decoy.mjs";
import { startGateway } from "./harness.mjs";

const ALICE = "conn_alice";

const gateway = await startGateway();
const { emulator } = gateway;
const decoy = await startDecoy();
const elsewhere = `127.0.0.1:${decoy.port}`;
after(async () => {
  await gateway.close();
  decoy.close();
});
beforeEach(() => emulator.clear());

test("odd escapes and empty queries reach OFAuth as they are", async () => {
  const queries = ["x?", "x??", "x?a", "x?=", "x?&&=", "x?a=1&a=1", "x?%", "x?a+b", "x?../..", "x?//x", "x?\\"];
  const escapes = ["%", "%4", "%zz", "%25", "%2541", "%c3%a9", "%C3%A9", "%41", "%7e", "~", "%ff", "%e9"];
  const plain = ["...", "a..;", ".a", "a//b", "//", "", "a;b=c,d:@!$&'()*+=-_", "[", "]", "|"];
  for (const rest of [...queries, ...escapes, ...plain]) {
    emulator.clear();
    const target = `/v2/access/proxy/echo/${rest}`;
    assert.match(await get(target), /^HTTP\/1\.1 200 /, target);
    assert.deepEqual(emulator.requests.map(({ path }) => path), [target]);
  }
});

test("paths that can be read in two ways are refused, even if both lead nowhere", async () => {
  const separators = ["a%2fb", "a%2Fb", "a%5Cb", "a%5cb"];
  const dots = ["%2e%2e", "%2E", ".%2e", "a/%2e%2e/b", "a/%2e"];
  const doubled = ["%252e", "%252E%252e", "a%252fb", "a%252Fb", "a%255cb", "%2525", "%252525"];
  const control = ["%00", "%0d%0a", "a%0ab", "%09", "%1F", "%7f"];
  const parameters = ["..;", ".;x=1", "%2e%2e;a", "..;/account/whoami", "..%3b"];
  const overlong = ["%c0%ae", "%C0%AE%c0%ae", "a%c0%afb", "%c1%9c", "%e0%80%ae", "%f0%80%80%af"];
  const wide = ["%ef%bc%8e", "%ef%bc%8e%ef%bc%8e", "a%ef%bc%8fb", "%ef%bc%bc", "%e2%80%a4", "%e2%80%a5", "%ef%b9%92", "%ef%b9%a8"];
  for (const path of [...separators, ...dots, ...doubled, ...control, ...parameters, ...overlong, ...wide]) {
    const answer = await get(`/v2/access/proxy/echo/${path}`);
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"type":"BAD_REQUEST"/, path);
  }
  assert.deepEqual(emulator.requests, []);
});

test("a dot segment does not leave its path", async () => {
  const dots = ["..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", ".", "%2e", "%252e%252e", "%25252e", "..;", "..%00", "．．"];
  const slashes = ["..%2f..", "%2f", "%2F", "%252f", "%5c", "%255c", "..%5c..", "//", "//..//", "\\", "..\\..", "\\..\\.."];
  const others = ["%00", "%0a", "%0d%0aapikey:x", "%09", "%1f", "%7f", "%2525", "#", "#/../..", "?/../..", ";/../..", ":"];
  for (const segment of [...dots, ...slashes, ...others]) {
    for (const path of [`${segment}/account/whoami`, `proxy/${segment}/self`, `proxy/echo/${segment}`, `self${segment}`]) {
      await reachesOnlyWhatItResolvesTo(`/v2/access/${path}`);
    }
  }
});

test("a path that only looks like an Access path does not become one", async () => {
  const dots = ["/v2/access/../account/whoami", "/v2/access/../../", "/v2/./access/self", "/v2/link/../access/self"];
  const slashes = ["/v2\\access\\self", "\\v2\\access\\self", "//v2/access/self", "/v2//access/self", "/v2/access%2fself"];
  const spelled = ["/V2/ACCESS/self", "/v2/access", "/v2/accessible/self", "/v2%2faccess/self", "/%76%32/access/self"];
  const none = ["v2/access/self", "*", "?", "#", "/", "/?/v2/access/self", "/#/v2/access/self", ";/v2/access/self"];
  const bytes = ["a b", "a\tb", "a\0b", "a\x01b", "a\x7fb", "a\rb", "a\u00a0b"].map((rest) => `/v2/access/${rest}`);
  for (const target of [...dots, ...slashes, ...spelled, ...none, ...bytes]) await reachesOnlyWhatItResolvesTo(target);
});

test("a target that names another host does not reach it", async () => {
  const rooted = [`//${elsewhere}`, `///${elsewhere}`, `/\\${elsewhere}`, `\\\\${elsewhere}`, `/@${elsewhere}`];
  const bare = [`@${elsewhere}`, `:x@${elsewhere}`, `.${elsewhere}`, `${elsewhere}`];
  const absolute = ["http://", "https://", "http://x:y@", "http:", "ftp://"].map((scheme) => scheme + elsewhere);
  for (const host of [...rooted, ...bare, ...absolute]) {
    for (const path of ["", "/", "/v2/access/self", "\\v2\\access\\self"]) await reachesOnlyWhatItResolvesTo(host + path);
  }
  for (const before of ["http://", "/", "@", "proxy/http://", "self?@", "self#@"]) {
    await reachesOnlyWhatItResolvesTo(`/v2/access/${before}${elsewhere}/`);
  }
});

test("a Host header that names another host changes nothing", async () => {
  for (const host of [elsewhere, "evil.example", `x@${elsewhere}`, ""]) {
    emulator.clear();
    await get("/v2/access/self", host);
    for (const { headers } of emulator.requests) assert.equal(headers.host, `127.0.0.1:${emulator.port}`, host);
  }
  assert.deepEqual(decoy.requests, []);
});

/** Either nothing is asked of OFAuth and the answer is a refusal, or exactly what the URL standard makes of the target. */
async function reachesOnlyWhatItResolvesTo(target) {
  emulator.clear();
  const answer = await get(target);
  const shown = JSON.stringify(target);
  const { requests } = emulator;
  assert.match(answer, requests.length === 0 ? /^HTTP\/1\.1 4\d\d / : /^HTTP\/1\.1 [24]\d\d /, shown);
  assert.ok(requests.length <= 1, shown);
  for (const { path, headers } of requests) {
    const { pathname, search } = new URL(target, "http://gateway.example");
    assert.equal(path, pathname + search, shown);
    assert.ok(path.startsWith("/v2/access/"), shown);
    assert.equal(headers.host, `127.0.0.1:${emulator.port}`, shown);
    assert.equal(headers["x-connection-id"], ALICE, shown);
  }
  assert.deepEqual(decoy.requests, [], shown);
}

function get(target, host = `127.0.0.1:${gateway.port}`) {
  const headers = [`host: ${host}`, `apikey: ${gateway.vars.GATEWAY_KEY}`, `x-connection-id: ${ALICE}`, "connection: close"];
  return gateway.raw(`GET ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
}
