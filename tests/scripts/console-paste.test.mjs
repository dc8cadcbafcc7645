// www/console/paste.mjs and shell.mjs: what somebody pastes into the Inspector. 1. words of a shell are read as sh reads them, 2. curl
// commands, 3. requests, 4. logs in JSON, 5. what is none of them is refused in words, 6. no input hangs or breaks it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

import { collect, isWholeRequest, readPasted } from "../../www/console/paste.mjs";
import { quote, splitCommands } from "../../www/console/shell.mjs";
import { randomFrom } from "../random.mjs";

const SIGNATURE = ["OFAuth-Signature", "t=1795852344,v1=5257a8"];
const HEADER = SIGNATURE.join(": ");

test("words are split as bash splits them", () => {
  const texts = [
    "a b  c", "'it'\\''s' \"it's\"", `"a \\"b\\" \\\\ \\n"`, "a\\ b \\'c\\'", "a'b'\"c\"d", "'' \"\"", "a \\\n  b", `"a\\\nb"`,
    `$'a\\n\\t\\'b\\\\ \\x41\\102 \\u00e9 \\xc3\\xa9 \\q'`, `'{"a": "b; c | d & e"}'`, "'# no comment'",
  ];
  for (const text of texts) {
    const { stdout } = spawnSync("bash", ["-c", `printf '%s\\0' ${text}`], { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } });
    assert.deepEqual(splitCommands(text), [stdout.split("\0").slice(0, -1).map((word) => ({ text: word }))], text);
  }
  for (const text of ["it's", "a\nb", "", `"$x" \`y\` \\`, "'''"]) assert.deepEqual(splitCommands(quote(text)), [[{ text }]]);
  assert.deepEqual(splitCommands("a; b | c && d\ne").map(([{ text }]) => text), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(splitCommands(`"$body" '$body' \${x} $(date -u) \\$y`)[0].map(({ inserted }) => inserted), ["$body", undefined, "${x}", "$(date -u)", undefined]);
});

test("a curl command gives its headers and its body", () => {
  const read = (command) => {
    assert.ok(isWholeRequest(command), command);
    return readPasted(command);
  };
  const expected = { headers: [SIGNATURE], body: '{"a":"b"}', notes: [] };
  for (const command of [
    `curl -H '${HEADER}' -d '{"a":"b"}' https://x.example`,
    `curl https://x.example --header "${HEADER}" --data-raw "{\\"a\\":\\"b\\"}"`,
    `curl --header='${HEADER}' --data-binary='{"a":"b"}' -X POST -o /dev/null -u a:b`,
    `curl -sSkXPOST -H'${HEADER}' --json '{"a":"b"}' --max-time 5 https://x.example; echo`,
    `$ /usr/bin/curl -s \\\n  -H '${HEADER}' \\\n  -d '{"a":"b"}'`,
    `cd x && A=b curl -A agent/1 -H '${HEADER}' -d'{"a":"b"}' | jq .`,
    `curl ^"https://x.example^" ^\n  -H ^"${HEADER}^" ^\n  --data-raw ^"^{^\\^"a^\\^":^\\^"b^\\^"^}^"`,
  ]) {
    assert.deepEqual(read(command), expected, command);
  }
  assert.equal(read(`curl -H 'a: b' -d a -d b`).body, "a&b");
  assert.deepEqual(read(`curl -H 'a: b' -H 'x-empty;' https://x.example`), { headers: [["a", "b"]], notes: [] });
  assert.equal(read(`curl -H 'a: b' -d ''`).body, "");
  assert.equal(read(`curl -H 'a: b' --data-raw @x`).body, "@x");
  for (const [command, note] of [
    [`curl -H 'a: b' -d @event.json`, /sends the file event\.json\. Choose that file/],
    [`curl -H @- -d x`, /reads headers from another command/],
    [`curl -H "OFAuth-Signature: $(sign)" -d x`, /puts \$\(sign\) into the header OFAuth-Signature/],
    [`curl -H 'a: b' -d "$body"`, /puts \$body into the body/],
  ]) {
    const { notes, lacks } = read(command);
    assert.match(notes.join(), note);
    assert.equal(lacks, true);
  }
  for (const [command, message] of [["curl -d 'x", /within a text in '/], ['curl -d "x', /within a text in "/], ["curl -H", /ends after -H/], ["curl -F a=b", /a form \(-F\)/], ["curl --data-urlencode a", /encoded form/]]) {
    assert.throws(() => read(command), message);
  }
});

test("a whole request and a list of headers are read", () => {
  const body = '{"a":1}\n\n{"b":2}\n';
  for (const end of ["\n", "\r\n"]) {
    const text = [`POST /webhooks HTTP/1.1`, "Host: x.example", HEADER, "", body].join(end);
    assert.ok(isWholeRequest(text));
    assert.deepEqual(readPasted(text), { headers: [["Host", "x.example"], SIGNATURE], body, notes: [] });
  }
  assert.deepEqual(readPasted(`* Connected\n> POST / HTTP/1.1\n> ${HEADER}\n>\n< HTTP/1.1 401\n< x: y`).headers, [SIGNATURE]);
  for (const text of [HEADER, `${HEADER}\n`, `  ${HEADER}  `, SIGNATURE[1], "user-agent: curl/8.5.0"]) assert.ok(!isWholeRequest(text), text);
  for (const text of [HEADER, `${HEADER}\r\n`, `  ${HEADER}  `, SIGNATURE[1]]) assert.deepEqual(readPasted(text).headers, [SIGNATURE], text);
  assert.deepEqual(readPasted("").headers, []);
  assert.deepEqual(collect([["A", "1"], ["a", "2"], ["__proto__", "x"]]), Object.fromEntries([["a", ["1", "2"]], ["__proto__", ["x"]]]));
});

test("a log in JSON is read", () => {
  const body = '{"a":"é"}';
  const [name, value] = SIGNATURE;
  for (const log of [
    { headers: { [name]: value }, body },
    { headers: { [name]: [value] }, rawBody: body, body: { a: "é" } },
    { headers: [[name, value]], body },
    { headers: [{ name, value }], body },
    { rawHeaders: [name, value], body },
    { level: 30, req: { headers: { [name]: value } }, body },
    { request: { headers: [{ name, value }], postData: { text: body } } },
    [{ message: { headers: { [name]: value }, body } }],
  ]) {
    const text = JSON.stringify(log);
    assert.ok(isWholeRequest(text));
    assert.deepEqual(readPasted(text), { headers: [SIGNATURE], body, notes: [] }, text);
    assert.deepEqual(readPasted(`${text}\n{"another":"line"}`).headers, [SIGNATURE]);
  }
  assert.deepEqual(readPasted(JSON.stringify({ [name]: value })), { headers: [SIGNATURE], notes: [] });
  assert.deepEqual(readPasted(JSON.stringify({ headers: { [name]: value }, body: btoa("\xff\0"), isBase64Encoded: true })).body, Uint8Array.of(255, 0));
  const parsed = readPasted(JSON.stringify({ headers: { [name]: value }, body: { a: 1 } }));
  assert.equal(parsed.body, '{"a":1}');
  assert.match(parsed.notes.join(), /as parsed JSON/);
});

test("any other text is refused with a reason", () => {
  assert.throws(() => readPasted("hello"), /No header can be found in this text/);
  assert.throws(() => readPasted("{"), /begins like JSON, but is none/);
  for (const text of ["{}", "[]", '{"type":"x","data":{}}', '["a"]']) assert.throws(() => readPasted(text), /JSON without headers/, text);
});

test("no text hangs or breaks the reader", () => {
  const pieces = ["curl ", "-H ", "-d ", "'", '"', "\\", "$", "$(", "${", "`", "^", "\n", "\r\n", ": ", "a", "{", "}", "[", "]", ",", '"headers"', "> ", "@", "\ud800", "é", "\\x", "\\u", "--", "="];
  const random = randomFrom(7);
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: random.integer(14) }, () => random.pick(pieces)).join("");
    try {
      const { headers, notes } = readPasted(text);
      assert.ok(Array.isArray(headers) && Array.isArray(notes) && headers.every(([name, value]) => typeof name === "string" && typeof value === "string"));
      isWholeRequest(text);
    } catch (error) {
      assert.equal(error.constructor, Error, `${JSON.stringify(text)}: ${error.stack}`);
    }
  }
  for (const part of ["'a' ", "\\", "$(", "a: b\n", "{", "^\n", "$'", "\n\n"]) {
    const start = performance.now();
    try {
      readPasted(`curl ${part.repeat(100_000)}`);
    } catch {
      // It may be refused.
    }
    isWholeRequest(part.repeat(100_000));
    assert.ok(performance.now() - start < 3_000, part);
  }
});
