// The checks of `doctor` about webhooks.

import { bearer, codeOf, failedWith, json, refused } from "./checks-answers.mjs";
import { shownUrl } from "./http.mjs";
import { clean } from "./output.mjs";
import { newMessageId, postWebhook } from "./webhooks.mjs";

const WEBHOOKS = "Webhooks";
const PATH = "/webhooks/ofauth";
/** The type of the test event. It is no type of OFAuth's. */
const TEST_TYPE = "doctor.test";

const OTHER_SECRET =
  "The secret here and the gateway's differ, or the gateway has none of this scheme. If it is another app's, pass --no-webhook";

/** @type {import("./checks.mjs").Check[]} */
export const WEBHOOK_CHECKS = [
  {
    id: "unsigned",
    section: WEBHOOKS,
    title: "A webhook without a signature is refused",
    run: async ({ call }) => refused(await call("POST", PATH, { body: "{}" }), 401, ["MISSING_HEADERS"]),
  },
  {
    id: "bad-signature",
    section: WEBHOOKS,
    title: "A webhook with a bad signature is refused",
    async run({ url }) {
      const body = Buffer.from(JSON.stringify({ type: TEST_TYPE }));
      const answers = [];
      for (const scheme of ["ofauth", "svix"]) {
        const signer = { scheme, secret: madeUpSecret(scheme) };
        answers.push(await postWebhook({ url: new URL(PATH, url), body, id: newMessageId(), signer }));
      }
      // A gateway verifies the schemes of which it has a secret, which may be one of the two.
      const results = answers.map((answer) => refused(answer, 401, ["SIGNATURE_MISMATCH", "MISSING_HEADERS"]));
      const failed = results.find(({ status }) => status === "fail");
      if (failed) return failed;
      const isVerified = answers.some((answer) => codeOf(answer) === "SIGNATURE_MISMATCH");
      return isVerified ? { status: "ok" } : { status: "fail", detail: "neither signature scheme has a secret" };
    },
  },
  {
    id: "good-signature",
    section: WEBHOOKS,
    title: "A webhook that is signed with your secret is accepted",
    async run({ url, signer }) {
      if (signer === undefined) return { status: "skip", detail: "needs OFAUTH_WEBHOOK_SECRET, and sends one test event" };
      const body = Buffer.from(JSON.stringify({ type: TEST_TYPE, timestamp: new Date().toISOString(), data: {} }));
      const answer = await postWebhook({ url: new URL(PATH, url), body, id: newMessageId(), signer });
      const { outcome } = json(answer) ?? {};
      if (answer.status === 200) return { status: "ok", detail: `one event of the type ${TEST_TYPE} was ${clean(outcome, 20)}` };
      return failedWith(answer, answer.status === 401 ? OTHER_SECRET : undefined);
    },
  },
  {
    id: "received",
    section: WEBHOOKS,
    title: "Webhooks of OFAuth have come",
    needsKey: true,
    async run({ url, call, key }) {
      const headers = bearer(key);
      const list = (answer) => json(answer)?.list ?? [];
      const connections = list(await call("GET", "/edge/connections?limit=1", { headers }));
      const events = list(await call("GET", "/edge/events?limit=5", { headers })).filter(({ type }) => type !== TEST_TYPE);
      const newest = events[0]?.receivedAt ?? connections[0]?.updatedAt;
      if (newest) return { status: "ok", detail: `one is of ${clean(newest, 30)}` };
      const fix = `Set the webhook URL at OFAuth to ${shownUrl(new URL(PATH, url))}, and link a Sandbox account`;
      return { status: "warn", detail: "none is kept yet", fix };
    },
  },
];

function madeUpSecret(scheme) {
  return scheme === "svix" ? `whsec_${Buffer.from("a made-up secret").toString("base64")}` : "a made-up secret";
}
