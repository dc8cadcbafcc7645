// A Chrome or Chromium for the browser tests. Run as a program it gets one if there is none, and prints its path:
// $CHROME, else an installed one, else Debian's package (as root), else a download into .tools/.

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { argv, env, platform } from "node:process";
import { fileURLToPath } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const HOW =
  "No Chrome or Chromium for the browser tests: install one (Debian: sudo apt-get install -y chromium; " +
  "macOS: brew install --cask google-chrome) or set CHROME to its path";

if (argv[1] === fileURLToPath(import.meta.url)) console.log(findBrowser() ?? fromDebian() ?? download() ?? fail(HOW));

/**
 * The path of the browser that is there, if one is.
 * @returns {string | undefined}
 */
export function findBrowser() {
  if (env.CHROME) return isProgram(env.CHROME) ? env.CHROME : fail(`CHROME is ${env.CHROME}, which is no program that can be run`);
  const onPath = NAMES.flatMap((name) => (env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)));
  return [...onPath, ...PLACES].find(isProgram);
}

function fromDebian() {
  const root = process.getuid?.() === 0;
  if (!root || platform !== "linux" || !existsSync("/usr/bin/apt-get")) return undefined;
  console.error("Set-up: Chromium, from Debian's packages");
  run("apt-get", ["update", "-q"]);
  run("apt-get", ["install", "-y", "-q", "chromium", "chromium-driver"]);
  return findBrowser();
}

function download() {
  console.error("Set-up: Chrome, into .tools/");
  const folder = fileURLToPath(new URL("../.tools/browser", import.meta.url));
  // It prints `chrome@<version> <path>`; the path may hold spaces.
  const printed = run("npx", ["--yes", "@puppeteer/browsers@3.2.6", "install", "chrome@stable", "--path", folder]);
  return /^chrome@\S+ (.+)$/m.exec(printed)?.[1];
}

function run(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 1 << 28,
  });
  return status === 0 ? stdout : "";
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
