// Measures how long the package and similar packages take to verify a webhook and parse its body. All run in one process and
// take turns, so that other load on the machine affects all of them equally. The result is the median of the rounds.

import { sign, verify } from "@octokit/webhooks-methods";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { signWebhook, verifyWebhook } from "../pkg/index.js";
import { verify as verifyByHand } from "./baseline.mjs";
import { bodies } from "./bodies.mjs";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ROUNDS = 201;
// Fewer for a long body, so that a round takes about as long.
const callsPerRound = (body) => Math.max(20, Math.round(100_000 / body.length));
const WARM_UP_ROUNDS = 100;

const stripe = new Stripe("sk_test_bench");
const svix = new SvixWebhook(SECRET);
const standard = new StandardWebhook(SECRET);

// Calls each package as its documentation shows, and parses the body with JSON.parse if the package does not.
async function makeVerifiers(body) {
  const bytes = Buffer.from(body);
  const ofauthHeaders = signWebhook(body, SECRET);
  const svixHeaders = signWebhook(body, SECRET, { scheme: "svix", id: "msg_1" });
  const standardHeaders = Object.fromEntries(Object.entries(svixHeaders).map(([name, value]) => [name.replace("svix", "webhook"), value]));
  const stripeHeader = stripe.webhooks.generateTestHeaderString({ payload: body, secret: SECRET });
  const octokitSignature = await sign(SECRET, body);
  return {
    "ofauth-edge": () => verifyWebhook(body, ofauthHeaders, SECRET),
    "ofauth-edge, Buffer": () => verifyWebhook(bytes, ofauthHeaders, SECRET),
    "ofauth-edge, svix scheme": () => verifyWebhook(body, svixHeaders, SECRET),
    "@octokit/webhooks-methods": async () => (await verify(SECRET, body, octokitSignature)) && JSON.parse(body),
    stripe: () => stripe.webhooks.constructEvent(body, stripeHeader, SECRET),
    svix: () => svix.verify(body, svixHeaders),
    standardwebhooks: () => standard.verify(body, standardHeaders),
    "node:crypto, ten lines": () => verifyByHand(body, ofauthHeaders["ofauth-signature"], SECRET),
    "node:crypto, Buffer": () => verifyByHand(bytes, ofauthHeaders["ofauth-signature"], SECRET),
    "JSON.parse alone": () => JSON.parse(body),
  };
}

// Returns the average time of a call, in µs.
async function runRound(verify, calls) {
  const start = process.hrtime.bigint();
  for (let call = 0; call < calls; call++) {
    const result = verify();
    if (result instanceof Promise) await result;
  }
  return Number(process.hrtime.bigint() - start) / 1000 / calls;
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** Returns, for each body, its size and the median time of a call of each package, in µs. */
export async function measureSpeed() {
  const results = {};
  for (const [bodyName, body] of Object.entries(bodies)) {
    const verifiers = Object.entries(await makeVerifiers(body));
    const samples = verifiers.map(() => []);
    const calls = callsPerRound(body);
    for (const [, verify] of verifiers) for (let round = 0; round < WARM_UP_ROUNDS; round++) await runRound(verify, calls);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, [, verify]] of verifiers.entries()) samples[index].push(await runRound(verify, calls));
    }
    const times = Object.fromEntries(verifiers.map(([name], index) => [name, median(samples[index])]));
    results[bodyName] = { bytes: Buffer.byteLength(body), times };
  }
  return results;
}
