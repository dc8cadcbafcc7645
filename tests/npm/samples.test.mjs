// Every sample of the README runs as it stands, in a process of its own: 1. a genuine event is accepted, 2. a forged one is 401 and
// logs nothing, 3. a genuine one of 150 kB is accepted too, 4. without the secret the answer is 500, and the log says why.
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

test("every sample under 'Verify a webhook' is run here", () => {
  const section = readme.slice(readme.indexOf("## Verify a webhook"), readme.indexOf("## Functions"));
  const headings = [...section.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
  assert.deepEqual(headings.filter((heading) => heading !== "Bundlers and pages"), Object.keys(SAMPLES));
});

for (const [heading, kind] of Object.entries(SAMPLES)) {
  test(`${heading}: genuine, forged, large, and without a secret`, async () => {
    const [, code] = new RegExp(`^### ${heading}\n[^]*?\`\`\`js\n([^]*?)\`\`\``, "m").exec(readme);
    const file = `${heading.replace(/\W+/g, "-")}.${kind === "function" ? "cjs" : "mjs"}`;
    writeFileSync(join(project, file), code);
    const run = (secret) => runSample(file, kind, secret);
    const { statuses, stderr } = await run(SECRET);
    assert.deepEqual(statuses, { genuine: 204, forged: 401, large: 204 });
    assert.doesNotMatch(stderr, /Error/);
    const without = await run(undefined);
    // The sample for CommonJS ends when it is started without a secret.
    if (kind !== "function") assert.deepEqual(without.statuses, { genuine: 500, forged: 500, large: 500 });
    assert.match(without.stderr + without.stdout, /secrets must be.*is the variable set\?/);
    const untrimmed = await run(`${SECRET}\n`);
    assert.deepEqual(untrimmed.statuses, { genuine: 500, forged: 500, large: 500 });
    assert.match(untrimmed.stderr + untrimmed.stdout, /INVALID_SECRET/);
  });
}

async function runSample(file, kind, secret) {
  const env = { NODE_PATH: join(root, "node_modules"), SIGNING_SECRET: SECRET, SAMPLE: file, KIND: kind };
  if (secret !== undefined) env.OFAUTH_WEBHOOK_SECRET = secret;
  const loader = ["--import", "./packages.mjs"];
  const { status, stdout, stderr } = await run(process.execPath, [...loader, "run.mjs"], { cwd: project, env });
  const [result] = /^statuses: .*$/m.exec(stdout) ?? [];
  assert.equal(result === undefined, status !== 0, stderr);
  return { statuses: result && JSON.parse(result.slice("statuses: ".length)), stdout, stderr };
}
