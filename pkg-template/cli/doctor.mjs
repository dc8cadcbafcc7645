// `doctor`: asks a deployed gateway the questions of OFAuth's integration checklist.

import { noPositionals } from "./arguments.mjs";
import { CHECKS } from "./checks.mjs";
import { secretToSign, SIGNING_OPTIONS } from "./environment.mjs";
import { gatewayKey, GATEWAY_OPTIONS, gatewayUrl, isSafeForKeys } from "./gateway.mjs";
import { readUrl, send } from "./http.mjs";

/** @type {import("./program.mjs").Command} */
export const doctor = {
  name: "doctor",
  summary: "Check a deployed gateway, line by line",
  positionals: "",
  about: `doctor asks what OFAuth's integration checklist asks, as far as a deployed gateway can answer. It ends with the lines
that only you can answer. Without --key it checks what anyone can see.

It changes nothing, except with these options: --secret sends one signed test event, which the gateway keeps like others,
and --link starts a Link session at OFAuth and deletes it. Variables count as options: see below.`,
  options: {
    ...GATEWAY_OPTIONS,
    ...SIGNING_OPTIONS,
    origin: { type: "string", value: "origin", multiple: true, help: "An origin of your pages, which ALLOWED_ORIGINS should have" },
    link: { type: "boolean", help: "Start a Link session, and delete it" },
    "no-webhook": { type: "boolean", help: "Send no test event, also if a webhook secret is set" },
  },
  examples: [
    [
      "Check all that can be checked. The variables are in a file",
      "ofauth-edge doctor --url https://gateway.example --vars .env --origin https://app.example",
    ],
    ["Without any key", "ofauth-edge doctor --url https://gateway.example"],
    ["Print the failed checks only", `ofauth-edge doctor --json --url https://gateway.example | jq '.checks[] | select(.status == "fail")'`],
  ],
  async run({ values, positionals, env, output }) {
    noPositionals(positionals);
    const url = gatewayUrl(values, env);
    const isSafe = isSafeForKeys(url);
    const results = [];
    const context = {
      url,
      key: isSafe ? gatewayKey(values, env) : undefined,
      signer: values["no-webhook"] || !isSafe ? undefined : secretToSign(values, env, true),
      origins: (values.origin ?? []).map((text) => readUrl(text, "--origin").origin),
      link: values.link === true,
      answers: {},
      call: (method, path, options) => send(method, new URL(path, url), { timeout: 15_000, ...options }),
    };
    for (const check of CHECKS) {
      const result = await runCheck(check, context);
      // If there is no gateway that works, the other lines would only hide that.
      if (!output.json && (context.answers.blocked === undefined || result.status === "fail")) print(check, result, results, output);
      results.push({ id: check.id, section: check.section, check: check.title, ...result });
    }
    return finish(results, url, output);
  },
};

/** A check that throws has failed: it was not answered. */
async function runCheck(check, context) {
  if (check.status === "manual") {
    return { status: "manual", detail: typeof check.detail === "function" ? check.detail(context) : check.detail };
  }
  if (context.answers.blocked !== undefined) return { status: "skip", detail: context.answers.blocked };
  if (check.needsKey && context.key === undefined) {
    return { status: "skip", detail: isSafeForKeys(context.url) ? "needs --key or GATEWAY_KEY" : "a key is sent over https only" };
  }
  try {
    return await check.run(context);
  } catch (error) {
    return { status: "fail", detail: error.message, ...(error.hint && { fix: error.hint }) };
  }
}

function print({ section, title }, { status, detail, fix }, before, { result, style }) {
  if (before.at(-1)?.section !== section) result(`${before.length > 0 ? "\n" : ""}${style.bold(section)}`);
  const marks = { ok: style.green("ok  "), warn: style.yellow("warn"), fail: style.red("FAIL"), skip: style.dim("skip"), manual: "you " };
  result(`  ${marks[status]}  ${title}${detail ? style.dim(`: ${detail}`) : ""}`);
  if (fix) result(`        ${fix}`);
}

function finish(results, url, output) {
  const count = (status) => results.filter((one) => one.status === status).length;
  const failed = count("fail");
  if (output.json) output.data({ ok: failed === 0, url: url.origin, checks: results });
  else {
    const { green, red } = output.style;
    const verdict = failed === 0 ? green("No check failed") : red(`${failed} of the checks failed`);
    output.result(`\n${verdict}: ${count("ok")} ok, ${count("warn")} warnings, ${count("skip")} not asked, ${count("manual")} for you`);
  }
  return failed === 0 ? 0 : 1;
}
