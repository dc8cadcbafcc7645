// Measures the CPU time that a request costs the workerd process.
//
// 1. Every side is warmed up with every load, so that its code is compiled as well as it will be.
// 2. In each round, each load visits its sides in turn. Each round begins with another side, so that other work of the machine
//    slows all of them alike.
// 3. The work that a request leaves after its answer counts too, so it is waited for.

import { setTimeout as sleep } from "node:timers/promises";

import { known, loads } from "./loads.mjs";
import { webhook } from "./events.mjs";
import { drive, send } from "./load.mjs";
import { cpuTime, startRuntime } from "./runtime.mjs";

const WARM_UPS = 4;
const AFTERMATH = 300;

/**
 * @param {Record<string, import("./runtime.mjs").Runtime>} runtimes   by the side's name
 * @param {{rounds: number, requests: number, progress: (line: string) => void}} options
 * @returns {Promise<Record<string, Record<string, number[]>>>} µs per request of each round, by load and side
 */
export async function measureLoads(runtimes, { rounds, requests, progress }) {
  const empty = (sides) => Object.fromEntries(sides.map((side) => [side, []]));
  const measured = Object.fromEntries(loads.map(({ name, sides }) => [name, empty(sides)]));
  for (let sample = 0; sample < WARM_UPS + rounds; sample++) {
    // 1.
    const isWarmUp = sample < WARM_UPS;
    progress(isWarmUp ? `warm-up ${sample + 1} of ${WARM_UPS}` : `round ${sample - WARM_UPS + 1} of ${rounds}`);
    // 2.
    for (const load of loads) {
      for (const side of rotated(load.sides, sample)) {
        const time = await measureSample(load, side, sample, runtimes[side], requests);
        if (!isWarmUp) measured[load.name][side].push(time);
      }
    }
  }
  return measured;
}

/**
 * Milliseconds from the start of the process to its first answer, and of CPU until then. The first call is a webhook with a
 * bad signature: it needs no object and no disk.
 * @returns {Promise<Record<string, {wall: number[], cpu: number[]}>>} by side
 */
export async function measureSpawns(workers, folder, times) {
  const names = Object.keys(workers);
  const measured = Object.fromEntries(names.map((name) => [name, { wall: [], cpu: [] }]));
  for (let time = 0; time < times; time++) {
    for (const name of rotated(names, time)) {
      const call = webhook(known(0, 0), undefined, "whsec_of_somebody_else");
      const runtime = await startRuntime(workers[name], folder);
      await send(runtime.port, call);
      measured[name].wall.push(performance.now() - runtime.spawned);
      measured[name].cpu.push(cpuTime(runtime.pid));
      await runtime.close();
    }
  }
  return measured;
}

async function measureSample({ share, request }, side, sample, { port, pid }, requests) {
  const count = Math.max(Math.round(requests * share), 1);
  const calls = Array.from({ length: count }, (_, number) => request(number % requests, sample, side));
  const before = cpuTime(pid);
  await drive(port, calls);
  // 3.
  await sleep(AFTERMATH);
  return ((cpuTime(pid) - before) * 1000) / count;
}

function rotated(items, by) {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
