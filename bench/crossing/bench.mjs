// Measures what a record costs that goes from one wasm instance to another: as a JavaScript value by serde-wasm-bindgen, as
// JSON text, and as JSON bytes, as it goes between the Worker and its Durable Objects. "Copied" adds the copy that
// Workers RPC makes of its arguments.
//
//   node bench/crossing/bench.mjs   (after `make build`)

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = join(folder, "../..");
const output = join(root, "target/crossing");
const [ROUNDS, RECORDS] = [9, 20_000];

run("cargo", ["build", "--release", "--quiet", "--target", "wasm32-unknown-unknown", "--target-dir", output], folder);
run(join(root, ".tools/bin/wasm-bindgen"), ["--target", "experimental-nodejs-module", "--out-dir", output, join(output, "wasm32-unknown-unknown/release/crossing.wasm")], root);
const wasm = await import(join(output, "crossing.js"));

const samples = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const form of ["value", "text", "bytes"]) {
    for (const [name, copy] of [[form, (sent) => sent], [`${form}, copied`, structuredClone]]) {
      const [send, receive] = [wasm[`send_${form}`], wasm[`receive_${form}`]];
      const start = process.hrtime.bigint();
      for (let record = 0; record < RECORDS; record++) receive(copy(send()));
      (samples[name] ??= []).push(Number(process.hrtime.bigint() - start) / 1000 / RECORDS);
    }
  }
}
for (const [name, times] of Object.entries(samples)) {
  console.log(name.padEnd(16), times.toSorted((a, b) => a - b)[(ROUNDS - 1) / 2].toFixed(1), "µs");
}

function run(command, args, cwd) {
  if (spawnSync(command, args, { cwd, stdio: "inherit" }).status !== 0) process.exit(1);
}
