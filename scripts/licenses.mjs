// Checks the licenses and origins of all crates against deny.toml, with cargo-deny. The first run installs it into .tools/.
// scripts/setup.mjs does not, because nothing else needs it.

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { logStep, outputOf, root, run, toolsFolder } from "./steps.mjs";

const VERSION = "0.20.2";

const program = join(toolsFolder, "bin/cargo-deny");
if (outputOf(program, ["--version"]) !== `cargo-deny ${VERSION}`) install();
// The advisories are left to the workflow of GitHub: they come from there, and change without a change of ours.
const { status } = spawnSync(program, ["--locked", "check", "licenses", "bans", "sources"], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;

function install() {
  const target = join(toolsFolder, "target-licenses");
  logStep(`compiling cargo-deny ${VERSION} (about 2 minutes, once)`);
  run("cargo", ["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--force", "--root", toolsFolder, "--target-dir", target]);
  rmSync(target, { recursive: true, force: true });
}
