// Prints scripts/pins.json: the SHA-256 of each published archive of the pinned tools. Run it after a new version of a tool.
//
//   node scripts/pins.mjs > pins.json && mv pins.json scripts/pins.json
//
// It trusts what it downloads. Compare the hashes with those that the projects publish beside their archives before you commit
// them. An archive that cannot be downloaded gets no pin, and on that platform the tool is compiled.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { download, hashOf, platformsOf } from "./prebuilt.mjs";
import { RUST_TOOLS } from "./rust-tools.mjs";
import { toolsFolder } from "./steps.mjs";

const temporary = mkdtempSync(join(toolsFolder, "pins-"));
const pins = {};
for (const { crate, version } of RUST_TOOLS) {
  const platforms = platformsOf(crate);
  if (platforms.length > 0) pins[`${crate} ${version}`] = hashArchives(crate, version, platforms);
}
rmSync(temporary, { recursive: true, force: true });
console.log(JSON.stringify(pins, null, 2));

function hashArchives(crate, version, platforms) {
  const hashes = {};
  for (const platform of platforms) {
    const file = join(temporary, "archive");
    const problem = download(crate, version, platform, file);
    if (problem) console.error(`No pin for ${crate} ${version} on ${platform}: ${problem}`);
    else hashes[platform] = hashOf(file);
  }
  return hashes;
}
