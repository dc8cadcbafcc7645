// A Chrome or Chromium for the browser tests. Run as a program it gets one if there is none, and prints its path:
// $CHROME, else an installed one, else Debian's package (as root), else a download into .tools/. A driver for WebDriver
// is got in the same order, if one is asked for: of the browser's own major version, since it drives no other.

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
const HOW_DRIVER =
  "install the chromedriver of that version (Debian: sudo apt-get install -y chromium-driver; " +
  "macOS: brew install --cask chromedriver) or set CHROMEDRIVER to its path";

// Loopback only: no updates, no reports, no lists fetched in the background.
export const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

if (argv[1] === fileURLToPath(import.meta.url)) console.log(findBrowser() ?? fromDebian() ?? downloadedBrowser());

/**
 * The path of the browser that is there, if one is.
 * @returns {string | undefined}
 */
export function findBrowser() {
  return browsers()[0];
}

/**
 * The paths of a browser and of a driver that fits it; gets what is not there, or says how and ends the program.
 * @returns {{browser: string, driver: string}}
 */
export function browserAndDriver() {
  const installed = fittingPair();
  if (installed) return installed;
  if (env.CHROMEDRIVER) {
    const there = browsers().map(named).join(", ") || "none";
    fail(`CHROMEDRIVER is of version ${version(env.CHROMEDRIVER)}; of browsers there is ${there}: the major versions must agree`);
  }
  const fromPackages = env.CHROME ? undefined : fromDebian() && fittingPair();
  if (fromPackages) return fromPackages;
  const browser = findBrowser() ?? downloadedBrowser();
  const driver = downloadedDriver(version(browser)) ?? downloadedDriver(major(browser));
  return { browser, driver: driver ?? fail(`No driver for the browser tests that fits ${named(browser)}: ${HOW_DRIVER}`) };
}

/**
 * Whether this is root, for whom Chromium's sandbox refuses to work.
 * @returns {boolean}
 */
export function isRoot() {
  return process.getuid?.() === 0;
}

function fittingPair() {
  const drivers = env.CHROMEDRIVER ? [chosen("CHROMEDRIVER")] : onPath(["chromedriver"]);
  for (const browser of browsers()) {
    const driver = drivers.find((driver) => major(driver) !== undefined && major(driver) === major(browser));
    if (driver) return { browser, driver };
  }
  return undefined;
}

function browsers() {
  return env.CHROME ? [chosen("CHROME")] : [...onPath(NAMES), ...PLACES].filter(isProgram);
}

function chosen(variable) {
  const path = env[variable];
  return isProgram(path) ? path : fail(`${variable} is ${path}, which is no program that can be run`);
}

function onPath(names) {
  return names.flatMap((name) => (env.PATH ?? "").split(delimiter).map((folder) => join(folder, name))).filter(isProgram);
}

function fromDebian() {
  if (!isRoot() || platform !== "linux" || !existsSync("/usr/bin/apt-get")) return undefined;
  console.error("Set-up: Chromium, from Debian's packages");
  run("apt-get", ["update", "-q"]);
  run("apt-get", ["install", "-y", "-q", "chromium", "chromium-driver"]);
  return findBrowser();
}

function downloadedBrowser() {
  return download("chrome@stable") ?? fail(HOW);
}

function downloadedDriver(version) {
  return version && download(`chromedriver@${version}`);
}

function download(wanted) {
  console.error(`Set-up: ${wanted}, into .tools/`);
  const folder = fileURLToPath(new URL("../.tools/browser", import.meta.url));
  // It prints `<name>@<version> <path>`; the path may hold spaces.
  const printed = run("npx", ["--yes", "@puppeteer/browsers@3.2.6", "install", wanted, "--path", folder]);
  return /^chrome(?:driver)?@\S+ (.+)$/m.exec(printed)?.[1];
}

// As in `Chromium 131.0.6778.85 built on …` and `ChromeDriver 131.0.6778.85 (…)`.
function version(program) {
  return /\d+(?:\.\d+){3}/.exec(run(program, ["--version"]))?.[0];
}

function major(program) {
  return version(program)?.split(".")[0];
}

function named(browser) {
  return `${browser} of version ${version(browser)}`;
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
