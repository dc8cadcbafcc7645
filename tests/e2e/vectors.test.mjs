// The shared signature vectors, over HTTP: 1. each vector gives its code, 2. a secret that cannot be used stops everything
// but /healthz, 3. of two schemes one is judged, 4. the time of judgement is the Worker's own.
//
// The Worker's clock is real, so a vector is moved in time: its timestamp by as much as now lies after the vector's own
// now, and each of its signatures that is the MAC of something is made again of the same thing at the new time. What it
// was made of is found by trying every secret, body and message id in the file, so a vector keeps its defect.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { sign } from "../emulator/webhooks.mjs";
import { refusal, startGateway, unixNow } from "./harness.mjs";

const vectors = JSON.parse(readFileSync(new URL("../fixtures/signatures.json", import.meta.url)));
const usable = vectors.filter(({ expect }) => expect !== "INVALID_SECRET");

const SECRET_NAME = { ofauth: "OFAUTH_WEBHOOK_SECRET", svix: "SVIX_WEBHOOK_SECRET" };
/** All that a signature in the file can be made of. */
const ORIGINS = combinations({
  secret: vectors.flatMap(({ secrets }) => secrets).filter((secret) => secret !== "" && secret.trim() === secret),
  body: vectors.map(({ body_base64 }) => body_base64),
  id: vectors.flatMap(({ headers }) => headers["svix-id"] ?? []),
}).map(({ body, ...made }) => ({ ...made, body: Buffer.from(body, "base64") }));

const gateways = new Map();
after(() => Promise.all([...gateways.values()].map(async (gateway) => (await gateway).close())));

for (const vector of usable) {
  const { name, scheme, secrets, expect } = vector;
  test(`${scheme}, ${name}: ${expect === "ok" ? "200" : expect}`, async () => {
    const gateway = await gatewayWith(scheme, secrets);
    const answer = await withinOneSecond((now) => {
      const { headers, body, remade } = moved(vector, now);
      assert.ok(remade > 0 || expect !== "SIGNATURE_MISMATCH", "wrong only for having been signed at another time");
      return gateway.send("POST", "/webhooks/ofauth", { headers: { ...headers, "content-length": body.length }, body });
    });
    if (expect === "ok") assert.equal(answer.status, 200, answer.text);
    else assert.deepEqual(refusal(answer), [401, expect]);
  });
}

test("an unusable secret is named by /healthz without its value, and nothing else is served", async (t) => {
  for (const { name, scheme, secrets } of vectors.filter(({ expect }) => expect === "INVALID_SECRET")) {
    await t.test(name, async (t) => {
      const value = secrets.join(",");
      const gateway = await startGateway({ vars: only(scheme, value) });
      t.after(() => gateway.close());

      const health = await gateway.send("GET", "/healthz");
      assert.equal(health.status, 503);
      assert.match(health.text, new RegExp(SECRET_NAME[scheme]));
      for (const secret of [value, gateway.vars.GATEWAY_KEY, gateway.vars.STORAGE_KEY].filter(Boolean)) {
        assert.ok(!health.text.includes(secret) && !health.text.includes(JSON.stringify(secret).slice(1, -1)));
      }

      const everything = ["/webhooks/ofauth", "/edge/connections", "/edge/connections/conn_a", "/edge/events"];
      for (const path of [...everything, "/v2/access/self", "/v2/access/proxy/echo", "/elsewhere", "/"]) {
        for (const method of ["GET", "POST"]) {
          const answer = await gateway.call(method, path, { headers: { "x-connection-id": "conn_a" } });
          assert.deepEqual(refusal(answer), [503, "NOT_CONFIGURED"], `${method} ${path}`);
        }
      }
      assert.deepEqual(gateway.emulator.requests, []);
    });
  }
});

test("with headers of both schemes only ofauth is verified, also if it fails", async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());
  const body = '{"type":"both"}';
  const ofauth = (secret) => sign({ secret, body });
  const svix = (secret) => sign({ scheme: "svix", id: "msg_both", secret, body });
  const { OFAUTH_WEBHOOK_SECRET: good, SVIX_WEBHOOK_SECRET: goodSvix } = gateway.vars;
  const send = (headers) => gateway.send("POST", "/webhooks/ofauth", { headers, body });
  assert.deepEqual(refusal(await send({ ...ofauth("wrong"), ...svix(goodSvix) })), [401, "SIGNATURE_MISMATCH"]);
  assert.equal((await send({ ...ofauth(good), ...svix("whsec_d3Jvbmc=") })).status, 200);
  assert.deepEqual(refusal(await send({ "ofauth-signature": "x".repeat(8_193) })), [401, "MALFORMED_HEADER"]);
});

test("no request and no variable sets the Worker's clock", async (t) => {
  const then = unixNow() - 86_400;
  const iso = new Date(then * 1000).toISOString();
  const named = ["NOW", "CLOCK", "TIME", "TEST_NOW", "FAKE_NOW", "FAKETIME", "MOCK_TIME", "OFAUTH_NOW", "WEBHOOK_NOW"];
  const vars = Object.fromEntries([...named, "SOURCE_DATE_EPOCH"].map((name) => [name, String(then)]));
  const gateway = await startGateway({ vars });
  t.after(() => gateway.close());

  const body = '{"type":"clock"}';
  const old = sign({ secret: gateway.vars.OFAUTH_WEBHOOK_SECRET, timestamp: then, body });
  const names = ["date", "x-now", "x-test-now", "x-time", "x-timestamp", "x-clock", "now", "timestamp", "cf-time"];
  const attempts = [
    ["/webhooks/ofauth", {}],
    ...["now", "t", "time", "timestamp"].map((name) => [`/webhooks/ofauth?${name}=${then}`, {}]),
    ...names.flatMap((name) => [then, then * 1000, iso].map((value) => ["/webhooks/ofauth", { [name]: String(value) }])),
    ["/webhooks/ofauth", { date: new Date(then * 1000).toUTCString() }],
  ];
  for (const [target, headers] of attempts) {
    const answer = await gateway.send("POST", target, { headers: { ...old, ...headers }, body });
    assert.deepEqual(refusal(answer), [401, "TIMESTAMP_TOO_OLD"], JSON.stringify([target, headers]));
  }
  assert.equal((await gateway.deliver(body)).status, 200);
});

function gatewayWith(scheme, secrets) {
  const vars = only(scheme, secrets.join(","));
  const key = JSON.stringify(vars);
  if (!gateways.has(key)) gateways.set(key, startGateway({ vars }));
  return gateways.get(key);
}

/** Every choice of one value for each key. */
function combinations(lists) {
  const choose = (made, [key, values]) =>
    made.flatMap((one) => [...new Set(values)].map((value) => ({ ...one, [key]: value })));
  return Object.entries(lists).reduce(choose, [{}]);
}

/** Variables that configure one scheme and no other. */
function only(scheme, secret) {
  return { OFAUTH_WEBHOOK_SECRET: undefined, SVIX_WEBHOOK_SECRET: undefined, [SECRET_NAME[scheme]]: secret };
}

/** Tries again if a second begins meanwhile: the vectors at the very edge of the tolerance need one and the same. */
async function withinOneSecond(send) {
  for (let tries = 1; ; tries += 1) {
    const now = unixNow();
    const answer = await send(now);
    if (unixNow() === now || tries === 10) return answer;
  }
}

/** The vector's headers and body as they would have been sent at `now`; `remade` counts the signatures made again. */
function moved(vector, now) {
  const { scheme, headers, body_base64, now: then } = vector;
  const later = (t) => (/^(0|[1-9]\d*)$/.test(t) ? String(Number(t) + now - then) : t);
  const { headers: result, remade } = scheme === "ofauth" ? movedOfauth(headers, later) : movedSvix(headers, later);
  return { headers: result, body: Buffer.from(body_base64, "base64"), remade };
}

function movedOfauth(headers, later) {
  const header = headers["ofauth-signature"];
  if (header === undefined) return { headers, remade: 0 };
  const t = /\bt=([^,\s]*)/.exec(header)?.[1];
  let remade = 0;
  const remake = (entry, hex) => {
    const origin = t === undefined ? undefined : ORIGINS.find((made) => macHex(made, t) === hex.toLowerCase());
    if (!origin) return entry;
    remade += 1;
    const again = macHex(origin, later(t));
    return `v1=${hex === hex.toUpperCase() ? again.toUpperCase() : again}`;
  };
  const remadeHeader = header.replace(/\bv1=([0-9a-f]{64})\b/gi, remake);
  const moved = remadeHeader.replace(/\bt=([^,\s]*)/g, (_, stamp) => `t=${later(stamp)}`);
  return { headers: { "ofauth-signature": moved }, remade };
}

function movedSvix(headers, later) {
  const find = (suffix) => Object.keys(headers).find((name) => name.endsWith(suffix));
  const [signature, timestamp] = [find("-signature"), find("-timestamp")];
  let remade = 0;
  const remake = (entry) => {
    const origin = ORIGINS.find((made) => macBase64(made, headers[timestamp]) === entry);
    remade += origin ? 1 : 0;
    return origin ? macBase64(origin, later(headers[timestamp])) : entry;
  };
  const entries = headers[signature].split(" ").map(remake).join(" ");
  return { headers: { ...headers, [timestamp]: later(headers[timestamp]), [signature]: entries }, remade };
}

function macHex({ secret, body }, timestamp) {
  return sign({ secret, timestamp, body })["OFAuth-Signature"].split("v1=")[1];
}

function macBase64({ secret, body, id }, timestamp) {
  try {
    return sign({ scheme: "svix", secret, id, timestamp, body })["svix-signature"];
  } catch {
    return undefined; // a secret of the other scheme
  }
}
