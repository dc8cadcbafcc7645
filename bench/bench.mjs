// Prints how quick the npm package is and what it weighs, beside those it is measured against. `make bench` installs them.

import { measureSizes } from "./size.mjs";
import { measureSpeed } from "./speed.mjs";

const row = (name, ...columns) => console.log(name.padEnd(30), ...columns.map((column) => String(column).padStart(10)));

console.log(`Node ${process.version}, ${process.platform} ${process.arch}\n`);
for (const [body, { bytes, times }] of Object.entries(await measureSpeed())) {
  row(`${body}`, `${bytes} B`, "");
  const ours = times["ofauth-edge"];
  for (const [name, time] of Object.entries(times)) row(`  ${name}`, `${time.toFixed(2)} µs`, `${(time / ours).toFixed(2)} x`);
  console.log();
}
row("size in bytes", "raw", "gzipped");
for (const [name, { bytes, gzipped }] of Object.entries(await measureSizes())) row(`  ${name}`, bytes, gzipped);
