// The Express server that receives forwarded events, beside a gateway.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { eventually } from "../e2e/harness.mjs";
import { freePort } from "../e2e/port.mjs";
import { NODES, run } from "../npm/project.mjs";
import { checkReceiver, FORWARD_SECRET, installExample, startProgram } from "./projects.mjs";

const node = NODES["the newest Node"];

test("Express: forwarded events are verified, counted once and never replaced by older ones", async (t) => {
  const folder = installExample("express");
  const [program, ...args] = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).scripts.start.split(" ");
  assert.equal(program, "node");
  const port = await freePort();
  const printed = startProgram(t, node, args, { cwd: folder, env: { FORWARD_SECRET, PORT: String(port) } });
  await eventually(() => printed.output.includes("Listening on "));
  const connections = async () => {
    const script = `import { DatabaseSync } from "node:sqlite";
      const rows = new DatabaseSync("events.db").prepare("SELECT user, status, version FROM connections").all();
      console.log(JSON.stringify(rows));`;
    return JSON.parse((await run(node, ["--input-type=module", "-e", script], { cwd: folder })).stdout);
  };
  await checkReceiver(t, { url: `http://127.0.0.1:${port}/events`, printed, connections });
});
