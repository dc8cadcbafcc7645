// Compares the npm package with similar packages: prints the speed and the size of each. `make bench` installs them first.

import { measureColdStarts } from "./cold.mjs";
import { measureSizes } from "./size.mjs";
import { measureSpeed } from "./speed.mjs";

const printRow = (name, ...columns) => console.log(name.padEnd(30), ...columns.map((column) => String(column).padStart(10)));

console.log(`Node ${process.version}, ${process.platform} ${process.arch}\n`);
for (const [body, { bytes, times }] of Object.entries(await measureSpeed())) {
  printRow(`${body}`, `${bytes} B`, "");
  const ours = times["ofauth-edge"];
  for (const [name, time] of Object.entries(times)) printRow(`  ${name}`, `${time.toFixed(2)} µs`, `${(time / ours).toFixed(2)} x`);
  console.log();
}
printRow("first call in a new process", "CPU time");
for (const [name, time] of Object.entries(measureColdStarts())) printRow(`  ${name}`, `${time.toFixed(1)} ms`);
console.log();
printRow("size in bytes", "raw", "gzipped");
for (const [name, { bytes, gzipped }] of Object.entries(await measureSizes())) printRow(`  ${name}`, bytes, gzipped);
