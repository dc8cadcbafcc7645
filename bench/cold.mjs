// Measures a first call in a fresh Node process: the CPU time of the import and of the first verification, which fails. The processes
// of all packages take turns.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROUNDS = 15;
const here = fileURLToPath(new URL(".", import.meta.url));
const now = "Math.floor(Date.now() / 1000)";
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const base64 = `"v1,${"A".repeat(43)}="`;
const hex = "0".repeat(64);

/** The import, and the call. */
const packages = {
  "ofauth-edge": ['import("../pkg/index.js")', `all.verifyWebhook("{}", { "ofauth-signature": \`t=\${${now}},v1=${hex}\` }, "${secret}")`],
  "@octokit/webhooks-methods": ['import("@octokit/webhooks-methods")', `await all.verify("${secret}", "{}", "sha256=${hex}")`],
  stripe: ['import("stripe")', `new all.default("sk_test").webhooks.constructEvent("{}", \`t=\${${now}},v1=${hex}\`, "${secret}")`],
  svix: ['import("svix")', `new all.Webhook("${secret}").verify("{}", { "svix-id": "1", "svix-timestamp": String(${now}), "svix-signature": ${base64} })`],
  standardwebhooks: [
    'import("standardwebhooks")',
    `new all.Webhook("${secret}").verify("{}", { "webhook-id": "1", "webhook-timestamp": String(${now}), "webhook-signature": ${base64} })`,
  ],
  "node:crypto, ten lines": ['import("./baseline.mjs")', `all.verify("{}", \`t=\${${now}},v1=${hex}\`, "${secret}")`],
  nothing: ['import("./bodies.mjs")', ""],
};

/** Returns, by name, the median CPU time in ms. */
export function measureColdStarts() {
  const samples = Object.fromEntries(Object.keys(packages).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [load, call]] of Object.entries(packages)) samples[name].push(runOnce(load, call));
  }
  return Object.fromEntries(Object.entries(samples).map(([name, times]) => [name, times.sort((a, b) => a - b)[times.length >> 1]]));
}

function runOnce(load, call) {
  const code = `const start = process.cpuUsage(); const all = await ${load}; try { ${call} } catch {}
    const { user, system } = process.cpuUsage(start); console.log((user + system) / 1000);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: here, encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return Number(stdout);
}
