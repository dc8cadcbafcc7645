// The app with Next.js, built, beside a gateway. npm installs its packages, so `make test-all` runs it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { eventually, startGateway } from "../../e2e/harness.mjs";
import { hearWebhooks } from "../../e2e/linking.mjs";
import { freePort } from "../../e2e/port.mjs";
import { run } from "../../npm/project.mjs";
import { checkPage, copyExample, installFromRegistry, startProgram } from "../projects.mjs";

test("Next.js: a user links an account, the server shows it with its profile, and it is shown as it expires", async (t) => {
  const folder = copyExample("nextjs");
  await installFromRegistry(folder);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: url, APP_RETURN_URL: `${url}/` } });
  t.after(() => gateway.close());
  hearWebhooks(gateway);
  const env = {
    GATEWAY_URL: `http://127.0.0.1:${gateway.port}`,
    GATEWAY_KEY: gateway.vars.GATEWAY_KEY,
    NEXT_TELEMETRY_DISABLED: "1",
  };
  const next = join(folder, "node_modules/next/dist/bin/next");
  const built = await run(process.execPath, [next, "build"], { cwd: folder, env: { NEXT_TELEMETRY_DISABLED: "1" } });
  assert.equal(built.status, 0, built.stdout + built.stderr);
  const printed = startProgram(t, process.execPath, [next, "start", "--hostname", "127.0.0.1", "--port", String(port)], { cwd: folder, env });
  await eventually(async () => assert.ok((await fetch(url)).ok, printed.output), { within: 30_000 });

  await checkPage(t, { url, printed, gateway, profile: "45 subscribers" });
  const html = await (await fetch(url)).text();
  assert.match(html, /expired/);
  assert.doesNotMatch(html, /conn_/, "the page gets no connection id");
});
