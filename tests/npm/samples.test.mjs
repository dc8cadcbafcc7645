// Every sample of the README runs as it stands, in a process of its own: 1. a genuine event is accepted, 2. one that is forged, empty
// or not signed is 401 and logs nothing, 3. a genuine one of 150 kB is accepted too, and one of 1.5 MB is not read, 4. without the
// secret the answer is 500, and the log says why, but not the answer. The sample for OFAuth's SDK names the connection in the form
// that the SDK sends.
//
// Samples for runtimes that are not Node run in Node, with the function of that runtime in place (fixtures/samples/run.mjs).

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { installed, makeProject, root, run } from "./project.mjs";

const SECRET = "whsec_c2VjcmV0";
const readme = readFileSync(join(installed, "ofauth-edge/README.md"), "utf8");
const project = makeProject("samples");

/** The samples, and how each is called. */
const SAMPLES = {
  Node: "server",
  CommonJS: "function",
  Express: "server",
  Fastify: "server",
  Koa: "server",
  Hono: "fetch",
  "Next.js": "POST",
  "Next.js, edge runtime": "POST",
  "AWS Lambda": "lambda",
  "Cloudflare Workers": "fetch",
  Bun: "Bun",
  Deno: "Deno",
};

/** The caller of these samples limits the body. */
const UNLIMITED = ["CommonJS", "AWS Lambda"];

test("every sample under 'Verify a webhook' is run here", () => {
  const section = readme.slice(readme.indexOf("## Verify a webhook"), readme.indexOf("## Functions"));
  const headings = [...section.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
  assert.deepEqual(headings.filter((heading) => heading !== "Bundlers and pages"), Object.keys(SAMPLES));
});

for (const [heading, kind] of Object.entries(SAMPLES)) {
  test(`${heading}: the sample answers genuine, forged, empty, unsigned and large requests, also without a secret`, async () => {
    const [, code] = new RegExp(`^### ${heading}\n[^]*?\`\`\`js\n([^]*?)\`\`\``, "m").exec(readme);
    const file = `${heading.replace(/\W+/g, "-")}.${kind === "function" ? "cjs" : "mjs"}`;
    writeFileSync(join(project, file), code);
    const run = (secret) => runSample(file, kind, secret);
    const genuine = await run(SECRET);
    const { huge, ...others } = genuine.statuses;
    assert.deepEqual(others, { genuine: 204, forged: 401, empty: 401, bodiless: 401, unsigned: 401, large: 204 });
    assert.ok((UNLIMITED.includes(heading) ? [401] : [413, "cut off"]).includes(huge), huge);
    // Express itself logs a body that is over the parser's limit.
    assert.doesNotMatch(genuine.stderr.replace(/^PayloadTooLargeError: [^]*?^}$/m, ""), /Error/);
    const without = await run(undefined);
    // The sample for CommonJS ends when it is started without a secret.
    if (kind !== "function") assert.deepEqual(refusals(without), [500]);
    assert.match(without.stderr + without.stdout, /secrets must be.*is the variable set\?/);
    const untrimmed = await run(`${SECRET}\n`);
    assert.deepEqual(refusals(untrimmed), [500]);
    assert.match(untrimmed.stderr + untrimmed.stdout, /INVALID_SECRET/);
    // The sender does not learn what is wrong.
    for (const { texts = {} } of [genuine, without, untrimmed]) assert.doesNotMatch(JSON.stringify(texts), /ofauth|secret|signature/i);
  });
}

test("the sample for OFAuth's SDK gives the connection to the client, because the SDK drops it from a call", async () => {
  const [, code] = /```js\n(import [^\n]+"@ofauth\/onlyfans-sdk";[^]*?)```/.exec(readme);
  writeFileSync(join(project, "sample-sdk.mjs"), code);
  const { status, stdout, stderr } = await run(process.execPath, ["--import", "./packages.mjs", "sample-sdk.mjs"], {
    cwd: project,
    env: { GATEWAY_KEY: "key" },
  });
  assert.equal(status, 0, stderr);
  const [call, name] = stdout.trim().split("\n");
  const connectionId = "acct_0635f7239bbba1dd908a651d100012e6";
  assert.deepEqual(JSON.parse(call), { client: { apiKey: "key", basePath: "https://gateway.example", connectionId }, call: [] });
  assert.equal(name, "Jane Doe");
});

/** The statuses of all requests except the one whose body may be over a limit. */
function refusals({ statuses: { huge, ...others } }) {
  return [...new Set(Object.values(others))];
}

async function runSample(file, kind, secret) {
  // As it is deployed: else Express answers an error with a stack, which has the names of folders.
  const env = { NODE_ENV: "production", NODE_PATH: join(root, "node_modules"), SIGNING_SECRET: SECRET, SAMPLE: file, KIND: kind };
  if (secret !== undefined) env.OFAUTH_WEBHOOK_SECRET = secret;
  const loader = ["--import", "./packages.mjs"];
  const { status, stdout, stderr } = await run(process.execPath, [...loader, "run.mjs"], { cwd: project, env });
  const [result] = /^statuses: .*$/m.exec(stdout) ?? [];
  assert.equal(result === undefined, status !== 0, stderr);
  return { ...(result && JSON.parse(result.slice("statuses: ".length))), stdout, stderr };
}
