// What the package weighs: its wasm, and apps that import parts of it, bundled and minified; the same for stripe's webhooks.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const ALL = "{ verifySignature, verifyWebhook, Webhook, signWebhook, explainSignature, WebhookVerificationError }";

const apps = {
  "ofauth-edge, all of it": 'export * from "../pkg/index.js";',
  "ofauth-edge, webhooks": `export ${ALL} from "../pkg/index.js";`,
  "ofauth-edge/slim, webhooks": `export ${ALL.replace("{", "{ init,")} from "../pkg/slim.js";`,
  "ofauth-edge/client": 'export * from "../pkg/client.js";',
  "stripe's webhooks": 'import Stripe from "stripe"; export const { webhooks } = new Stripe("sk_test_bench");',
  svix: 'export { Webhook } from "svix";',
  standardwebhooks: 'export { Webhook } from "standardwebhooks";',
  "@octokit/webhooks-methods": 'export { verify } from "@octokit/webhooks-methods";',
};

// Bytes as they are and gzipped, by name.
export async function measureSizes() {
  const sizes = { "ofauth_edge.wasm": weigh(readFileSync(new URL("../pkg/ofauth_edge.wasm", import.meta.url))) };
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
    sizes[name] = weigh(outputFiles[0].contents);
  }
  return sizes;
}

function weigh(bytes) {
  return { bytes: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
}
