// Measures the size of the package: of its wasm, and of apps that import parts of it, bundled and minified. Apps that import
// similar packages are measured in the same way.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const WEBHOOK_EXPORTS = "{ verifySignature, verifyWebhook, Webhook, signWebhook, explainSignature, WebhookVerificationError }";

const apps = {
  "ofauth-edge, all of it": 'export * from "../pkg/index.js";',
  "ofauth-edge, webhooks": `export ${WEBHOOK_EXPORTS} from "../pkg/index.js";`,
  "ofauth-edge/slim, webhooks": `export ${WEBHOOK_EXPORTS.replace("{", "{ init,")} from "../pkg/slim.js";`,
  "ofauth-edge/client": 'export * from "../pkg/client.js";',
  "stripe's webhooks": 'import Stripe from "stripe"; export const { webhooks } = new Stripe("sk_test_bench");',
  svix: 'export { Webhook } from "svix";',
  standardwebhooks: 'export { Webhook } from "standardwebhooks";',
  "@octokit/webhooks-methods": 'export { verify } from "@octokit/webhooks-methods";',
};

/** Returns, by name, the size in bytes: raw and gzipped. */
export async function measureSizes() {
  const sizes = { "ofauth_edge.wasm": measure(readFileSync(new URL("../pkg/ofauth_edge.wasm", import.meta.url))) };
  for (const [name, contents] of Object.entries(apps)) {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: here },
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "browser",
      external: ["node:*", "crypto"],
      logLevel: "error",
    });
    sizes[name] = measure(outputFiles[0].contents);
  }
  return sizes;
}

function measure(bytes) {
  return { bytes: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
}
