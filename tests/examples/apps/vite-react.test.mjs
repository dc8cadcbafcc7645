// The page with Vite and React, beside a gateway and the backend of the demo app. npm installs its packages, so `make test-all` runs it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { eventually, startGateway } from "../../e2e/harness.mjs";
import { hearWebhooks } from "../../e2e/linking.mjs";
import { freePort } from "../../e2e/port.mjs";
import { root, run } from "../../npm/project.mjs";
import { checkPage, copyExample, installFromRegistry, startProgram } from "../projects.mjs";

test("Vite and React: a user links an account, sees it with its profile, and sees it expire", async (t) => {
  const folder = copyExample("vite-react");
  await installFromRegistry(folder);
  const [port, backendPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: url, APP_RETURN_URL: `${url}/` } });
  t.after(() => gateway.close());
  hearWebhooks(gateway);
  const address = { GATEWAY_URL: `http://127.0.0.1:${gateway.port}`, GATEWAY_KEY: gateway.vars.GATEWAY_KEY };
  startProgram(t, process.execPath, ["examples/demo/backend.mjs"], { cwd: root, env: { ...address, PORT: String(backendPort) } });
  const vite = [join(folder, "node_modules/vite/bin/vite.js"), "--host", "127.0.0.1", "--port", String(port), "--strictPort"];
  const env = { VITE_GATEWAY_URL: address.GATEWAY_URL, BACKEND_URL: `http://127.0.0.1:${backendPort}` };
  const printed = startProgram(t, process.execPath, vite, { cwd: folder, env });
  await eventually(async () => (await fetch(url)).ok, { within: 30_000 });

  await checkPage(t, { url, printed, gateway, profile: "@jane, 45 subscribers" });

  const built = await run(process.execPath, [vite[0], "build"], { cwd: folder, env });
  assert.equal(built.status, 0, built.stdout + built.stderr);
});
