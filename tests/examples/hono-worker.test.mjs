// The Hono Worker that receives forwarded events, beside a gateway. wrangler runs it, as its README says.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { eventually } from "../e2e/harness.mjs";
import { freePort } from "../e2e/port.mjs";
import { root, run } from "../npm/project.mjs";
import { checkReceiver, FORWARD_SECRET, installExample, startProgram } from "./projects.mjs";

const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");

test("Hono: forwarded events are verified, counted once and never replaced by older ones", async (t) => {
  const folder = installExample("hono-worker");
  const env = {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(folder, "logs"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    CI: "true", // else it would ask
  };
  writeFileSync(join(folder, ".dev.vars"), `FORWARD_SECRET="${FORWARD_SECRET}"\n`);
  const d1 = (...args) => run(process.execPath, [wrangler, "d1", ...args, "--local"], { cwd: folder, env });
  const migrated = await d1("migrations", "apply", "DB");
  assert.equal(migrated.status, 0, migrated.stdout + migrated.stderr);

  const port = await freePort();
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--show-interactive-dev-session=false"];
  const printed = startProgram(t, process.execPath, [wrangler, ...args], { cwd: folder, env });
  await eventually(() => /Ready on/.test(printed.output), { within: 60_000 });
  const connections = async () => {
    const { stdout, stderr } = await d1("execute", "DB", "--json", "--command", "SELECT user, status, version FROM connections");
    assert.ok(stdout.startsWith("["), stdout + stderr);
    return JSON.parse(stdout)[0].results;
  };
  await checkReceiver(t, { url: `http://127.0.0.1:${port}/events`, printed, connections });
});
