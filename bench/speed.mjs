// A webhook verified and read, by the package and by those it is measured against, in one process: rounds in turn, so that
// what else the machine does meets all of them alike; of each the median round.

import { sign, verify } from "@octokit/webhooks-methods";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { signWebhook, verifyWebhook } from "../pkg/index.js";
import { bodies } from "./bodies.mjs";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ROUNDS = 201;
const CALLS = 100;

const stripe = new Stripe("sk_test_bench");
const svix = new SvixWebhook(SECRET);
const standard = new StandardWebhook(SECRET);

// Each as its documentation says, with its JSON.parse.
async function verifiers(body) {
  const ofauth = signWebhook(body, SECRET);
  const bySvix = signWebhook(body, SECRET, { scheme: "svix", id: "msg_1" });
  const byStandard = Object.fromEntries(Object.entries(bySvix).map(([name, value]) => [name.replace("svix", "webhook"), value]));
  const byStripe = stripe.webhooks.generateTestHeaderString({ payload: body, secret: SECRET });
  const byOctokit = await sign(SECRET, body);
  return {
    "ofauth-edge": () => verifyWebhook(body, ofauth, SECRET),
    "ofauth-edge, svix scheme": () => verifyWebhook(body, bySvix, SECRET),
    "@octokit/webhooks-methods": async () => (await verify(SECRET, body, byOctokit)) && JSON.parse(body),
    stripe: () => stripe.webhooks.constructEvent(body, byStripe, SECRET),
    svix: () => svix.verify(body, bySvix),
    standardwebhooks: () => standard.verify(body, byStandard),
    "JSON.parse alone": () => JSON.parse(body),
  };
}

async function round(verifier) {
  const start = process.hrtime.bigint();
  for (let call = 0; call < CALLS; call++) {
    const result = verifier();
    if (result instanceof Promise) await result;
  }
  return Number(process.hrtime.bigint() - start) / 1000 / CALLS;
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

// The median µs per call of each verifier, per body.
export async function measureSpeed() {
  const results = {};
  for (const [name, body] of Object.entries(bodies)) {
    const entries = Object.entries(await verifiers(body));
    const times = entries.map(() => []);
    for (const [, verifier] of entries) for (let warm = 0; warm < 100; warm++) await round(verifier);
    for (let turn = 0; turn < ROUNDS; turn++) for (const [at, [, verifier]] of entries.entries()) times[at].push(await round(verifier));
    results[name] = { bytes: Buffer.byteLength(body), times: Object.fromEntries(entries.map(([verifier], at) => [verifier, median(times[at])])) };
  }
  return results;
}
