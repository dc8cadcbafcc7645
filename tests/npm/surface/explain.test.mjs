// explainSignature on the package's surface: bodies, secrets and times are drawn at random, the fault is made, and exactly
// its cause must be told, with what it is known by. Nothing that is told may help a forger. OFAUTH_EDGE_SEED repeats a run.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { randomFrom } from "../../random.mjs";
import { codeOf, ofauth } from "./signed.mjs";

const { explainSignature, verifySignature } = ofauth;

const DRAWS = 40;
const SEED = Number(process.env.OFAUTH_EDGE_SEED ?? randomBytes(4).readUInt32LE());
const { integer: below, pick } = randomFrom(SEED);
let failed = false;
after(() => failed && console.error(`drawn with OFAUTH_EDGE_SEED=${SEED}`));

const draw = (length, make) => Array.from({ length }, make);

const BOM = "\ufeff";
const OTHER = { ofauth: "svix", svix: "ofauth" };

/** One case: a sender, and what the receiver is given. */
function sender(scheme) {
  const bytes = Buffer.from(draw(24, () => below(256)));
  const body = JSON.stringify(json(3));
  const seconds = 1_600_000_000 + below(200_000_000);
  return { scheme, secret: `whsec_${bytes.toString("base64")}`, bytes, body, seconds, id: `msg_${below(1e9)}` };
}

/** A JSON object with something in it that serialisers write in different ways. */
function json(depth) {
  const words = ["", "a b", "é€😀", "\u2028", "path/to", 'quote"', "back\\slash", "tab\t", "line\nbreak"];
  const value = () => pick([() => pick(words), () => below(1e6), () => -below(100), () => null, () => true, () => nested()])();
  const nested = () => (depth === 0 ? [] : pick([() => json(depth - 1), () => draw(below(4), value)])());
  const entries = draw(1 + below(4), () => [pick(words) + below(100), value()]);
  return Object.fromEntries([...entries, ["text", "é/"], ["list", [1, value()]]]);
}

/** The headers of a signature as the sender makes it; any step of it can be done wrong. */
function signed({ scheme, secret, bytes, body, seconds, id }, wrong = {}) {
  const { key = scheme === "ofauth" ? secret : bytes, t = seconds, stated = t, glue = ".", encoding, bare = false } = wrong;
  const content = scheme === "ofauth" ? [`${t}${glue}`] : [`${id}${glue}${t}${glue}`];
  const mac = createHmac("sha256", key);
  for (const part of [...(bare ? [] : content), wrong.body ?? body]) mac.update(part);
  const text = mac.digest(encoding ?? (scheme === "ofauth" ? "hex" : "base64"));
  if (scheme === "ofauth") return { "ofauth-signature": `t=${stated},v1=${text}` };
  return { "svix-id": id, "svix-timestamp": String(stated), "svix-signature": `v1,${text}` };
}

/** The secret alone, or among others, in any of the forms that secrets can be given in; and its place. */
function written({ scheme, secret }) {
  const before = draw(below(3), () => sender(scheme).secret);
  const list = [...before, secret];
  const forms = [{ secrets: list }, { secrets: { [scheme]: list }, list: scheme }];
  if (before.length === 0) forms.push({ secrets: secret }, { secrets: { [scheme]: secret }, list: scheme });
  return { ...pick(forms), index: before.length };
}

/** Both schemes, many draws: `make` gives what is received, and what must be told of it. */
function causes(name, make, schemes = ["ofauth", "svix"]) {
  for (const scheme of schemes) {
    test(`${name}, under ${scheme}`, () => {
      for (let turn = 0; turn < DRAWS; turn += 1) check(sender(scheme), make);
    });
  }
}

function check(from, make) {
  const among = written(from);
  const given = { body: from.body, headers: signed(from), secrets: among.secrets, now: from.seconds, ...make(from, among) };
  const { body, headers, secrets, now, cause, evidence = {} } = given;
  const told = explainSignature(body, headers, secrets, { now, tolerance: 300 });
  try {
    assert.equal(told.cause, cause);
    assert.equal(told.ok, cause === "none");
    assert.ok(told.message.length > 20);
    const facts = { bodyBytes: Buffer.byteLength(body), ...evidence };
    assert.deepEqual(Object.fromEntries(Object.keys(facts).map((fact) => [fact, told.evidence[fact]])), facts);
    assert.equal(codeOf(() => verifySignature(body, headers, secrets, { now, tolerance: 300 })), told.evidence.code ?? "ok");
    keepsSecrets(from, body, told);
  } catch (error) {
    failed = true;
    error.message += `\n${JSON.stringify({ body: String(body), headers, secrets, now, told }, null, 2)}`;
    throw error;
  }
}

function keepsSecrets(from, body, told) {
  const text = JSON.stringify(told);
  const macs = ["hex", "base64"].flatMap((encoding) => Object.values(signed({ ...from, body }, { encoding })));
  const forbidden = [from.secret, from.secret.slice(6), ...macs.map((header) => header.split(/v1[=,]/)[1]).filter(Boolean)];
  for (const secret of forbidden) assert.ok(!text.includes(secret));
}

/** Proven by a MAC, and by which secret. */
const proven = ({ index, list }) => ({ macMatches: true, secretIndex: index, secretList: list });
/** The body was another when it was signed. */
const wasSigned = (body) => ({ signedBytes: Buffer.byteLength(body), code: "SIGNATURE_MISMATCH" });

causes("a right signature is right", (from, among) => ({ cause: "none", evidence: { ...proven(among), code: undefined } }));

for (const end of ["\n", "\r\n"]) {
  const name = JSON.stringify(end);
  causes(`a ${name} that was added at the end is told`, (from, among) => ({
    body: from.body + end,
    cause: "trailing_newline_added",
    evidence: { ...proven(among), ...wasSigned(from.body), offset: Buffer.byteLength(from.body) },
  }));
  causes(`a ${name} that was removed from the end is told`, (from, among) => ({
    headers: signed(from, { body: from.body + end }),
    cause: "trailing_newline_removed",
    evidence: { ...proven(among), ...wasSigned(from.body + end), offset: Buffer.byteLength(from.body) },
  }));
}

const lines = (from, end) => JSON.stringify(JSON.parse(from.body), null, 2).replaceAll("\n", end);
causes("LF that became CRLF is told", (from, among) => ({
  headers: signed(from, { body: lines(from, "\n") }),
  body: lines(from, "\r\n"),
  cause: "newlines_to_crlf",
  evidence: { ...proven(among), ...wasSigned(lines(from, "\n")) },
}));
causes("CRLF that became LF is told", (from, among) => ({
  headers: signed(from, { body: lines(from, "\r\n") }),
  body: lines(from, "\n"),
  cause: "newlines_to_lf",
  evidence: { ...proven(among), ...wasSigned(lines(from, "\r\n")) },
}));

causes("a byte order mark that was added is told", (from, among) => ({
  body: BOM + from.body,
  cause: "bom_added",
  evidence: { ...proven(among), ...wasSigned(from.body), offset: 0 },
}));
causes("a byte order mark that was removed is told", (from, among) => ({
  headers: signed(from, { body: BOM + from.body }),
  cause: "bom_removed",
  evidence: { ...proven(among), ...wasSigned(BOM + from.body), offset: 0 },
}));

causes("JSON that was pretty-printed is told", (from, among) => ({
  body: JSON.stringify(JSON.parse(from.body), null, pick([2, 4, "\t", 3])),
  cause: "json_pretty_printed",
  evidence: { ...proven(among), ...wasSigned(from.body), layout: "compact" },
}));
for (const [layout, indent] of [["indent_2", 2], ["indent_4", 4], ["indent_tab", "\t"]]) {
  causes(`JSON that was parsed and written on one line is told, with how it was signed: ${layout}`, (from, among) => {
    const body = JSON.stringify(JSON.parse(from.body), null, indent);
    const evidence = { ...proven(among), ...wasSigned(body), layout };
    return { headers: signed(from, { body }), cause: "json_reserialised", evidence };
  });
}
causes("JSON that Python signed and JavaScript wrote anew is told", (from, among) => {
  const body = asPython(JSON.parse(from.body));
  const evidence = { ...proven(among), ...wasSigned(body), layout: "spaced", escapes: "ascii" };
  return { headers: signed(from, { body }), cause: "json_reserialised", evidence };
});
causes("JSON that PHP signed and JavaScript wrote anew is told", (from, among) => {
  const body = escaped(from.body).replaceAll("/", "\\/");
  const evidence = { ...proven(among), ...wasSigned(body), layout: "compact", escapes: "ascii_and_slash" };
  return { headers: signed(from, { body }), cause: "json_reserialised", evidence };
});

causes("a secret with white space at an end is told, and whether it signed", (from) => {
  const secrets = pick([(s) => `${s}\n`, (s) => ` ${s}`, (s) => `${s}\r\n`, (s) => `\t${s} `])(from.secret);
  const wrong = pick([true, false]);
  const headers = wrong ? signed(sender(from.scheme)) : signed(from);
  const now = Number((headers["svix-timestamp"] ?? /t=(\d+)/.exec(headers["ofauth-signature"])[1]));
  const evidence = { macMatches: !wrong, secretIndex: 0, code: "INVALID_SECRET" };
  return { secrets, headers, now, cause: "secret_white_space", evidence };
});
causes("a secret that the sender decoded from base64 is told", (from, among) => ({
  headers: signed(from, { key: from.bytes }),
  cause: "secret_decoded",
  evidence: proven(among),
}), ["ofauth"]);
causes("a secret that the sender did not decode is told", (from, among) => ({
  headers: signed(from, { key: pick([from.secret, from.secret.slice("whsec_".length)]) }),
  cause: "secret_not_decoded",
  evidence: proven(among),
}), ["svix"]);
causes("a sender that left whsec_ off is told", (from, among) => ({
  headers: signed(from, { key: from.secret.slice("whsec_".length) }),
  cause: "secret_prefix_removed",
  evidence: proven(among),
}), ["ofauth"]);
causes("a secret that lacks the sender's whsec_ is told", (from) => ({
  headers: signed(from),
  secrets: { ofauth: from.secret.slice("whsec_".length) },
  cause: "secret_prefix_added",
  evidence: { macMatches: true, secretIndex: 0, secretList: "ofauth" },
}), ["ofauth"]);
causes("a secret that is given for the other scheme is told, with its place", (from) => {
  const { secret: another } = sender(from.scheme);
  const list = [...draw(below(3), () => sender(from.scheme).secret), from.secret];
  const other = OTHER[from.scheme];
  return {
    secrets: { [from.scheme]: another, [other]: list },
    cause: "other_scheme_secret",
    evidence: { macMatches: true, secretIndex: list.length - 1, secretList: other, code: "SIGNATURE_MISMATCH" },
  };
});

causes("a timestamp in milliseconds is told", (from, among) => ({
  headers: signed(from, { t: from.seconds * 1000 + below(1000) }),
  now: from.seconds + below(200),
  cause: "milliseconds",
  evidence: { ...proven(among), code: "TIMESTAMP_TOO_NEW" },
}));
causes("a timestamp in milliseconds, in the header alone, is told", (from, among) => ({
  headers: signed(from, { stated: from.seconds * 1000 + below(1000) }),
  cause: "milliseconds",
  evidence: proven(among),
}));
causes("milliseconds that were signed and not stated are told", (from, among) => ({
  headers: signed(from, { t: from.seconds * 1000 + below(1000), stated: from.seconds }),
  cause: "milliseconds",
  evidence: { ...proven(among), code: "SIGNATURE_MISMATCH" },
}));
causes("a comma for the dot is told", (from, among) => ({
  headers: signed(from, { glue: "," }),
  cause: "comma_for_dot",
  evidence: proven(among),
}));
causes("a body that was signed without its timestamp is told", (from, among) => ({
  headers: signed(from, { bare: true }),
  cause: "body_without_timestamp",
  evidence: proven(among),
}));
causes("base64 for hex is told", (from, among) => ({
  headers: signed(from, { encoding: "base64" }),
  cause: "base64_for_hex",
  evidence: { ...proven(among), code: "NO_VALID_SIGNATURES" },
}), ["ofauth"]);
causes("hex for base64 is told", (from, among) => ({
  headers: signed(from, { encoding: "hex" }),
  cause: "hex_for_base64",
  evidence: { ...proven(among), code: "NO_VALID_SIGNATURES" },
}), ["svix"]);

causes("headers of the scheme that has no secret are told", (from) => ({
  secrets: { [OTHER[from.scheme]]: sender(from.scheme).secret },
  cause: "wrong_scheme_header",
  evidence: { scheme: from.scheme, macMatches: false, code: "MISSING_HEADERS" },
}));
causes("a time out of tolerance is told, with how far", (from, among) => {
  const by = pick([1, -1]) * (301 + below(1_000_000));
  const code = by > 0 ? "TIMESTAMP_TOO_OLD" : "TIMESTAMP_TOO_NEW";
  return { now: from.seconds + by, cause: "clock_skew", evidence: { ...proven(among), skewSeconds: by, code } };
});
causes("another cause is told of a late signature too, with how late", (from, among) => ({
  body: `${from.body}\n`,
  now: from.seconds + 4_000,
  cause: "trailing_newline_added",
  evidence: { ...proven(among), skewSeconds: 4_000, code: "TIMESTAMP_TOO_OLD" },
}));

for (const [name, headers, cause, code] of [
  ["no headers", () => ({}), "missing_headers", "MISSING_HEADERS"],
  ["no timestamp", () => ({ "ofauth-signature": "v1=00" }), "malformed_header", "MALFORMED_HEADER"],
  ["a timestamp with a sign", () => ({ "ofauth-signature": "t=+1,v1=00" }), "invalid_timestamp", "INVALID_TIMESTAMP"],
  ["no signature", ({ seconds }) => ({ "ofauth-signature": `t=${seconds}` }), "no_valid_signatures", "NO_VALID_SIGNATURES"],
]) {
  const evidence = { macMatches: false, code };
  causes(`${name}: the form proves it`, (from) => ({ headers: headers(from), cause, evidence }), ["ofauth"]);
}
causes("an empty secret is told by its place", (from) => ({
  secrets: { ofauth: [from.secret, ""] },
  cause: "invalid_secret",
  evidence: { macMatches: false, secretIndex: 1, secretList: "ofauth", code: "INVALID_SECRET" },
}), ["ofauth"]);

const unknown = { cause: "unknown", evidence: { macMatches: false, secretIndex: undefined, code: "SIGNATURE_MISMATCH" } };
causes("another secret is unknown", (from) => ({ secrets: sender(from.scheme).secret, ...unknown }));
causes("another body is unknown", (from) => ({ body: from.body.replace(/^\{/, `{"${below(1e9)}":0,`), ...unknown }));
causes("a changed byte is unknown", (from) => ({ headers: signed(from, { body: from.body.replace("é/", "è/") }), ...unknown }));
causes("two faults at once are unknown", (from) => ({ headers: signed(from, { glue: "," }), body: `${from.body}\n`, ...unknown }));

test("the message of unknown says that the secret or the body differs, and that it cannot tell which", () => {
  const from = sender("ofauth");
  const { message } = explainSignature(`${from.body}x`, signed(from), from.secret, { now: from.seconds });
  assert.match(message, /secret.*or.*body.*cannot tell/s);
});

function asPython(value) {
  if (Array.isArray(value)) return `[${value.map(asPython).join(", ")}]`;
  if (typeof value !== "object" || value === null) return escaped(JSON.stringify(value));
  return `{${Object.entries(value).map(([key, inner]) => `${escaped(JSON.stringify(key))}: ${asPython(inner)}`).join(", ")}}`;
}

function escaped(text) {
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
