// Finds or installs a Chrome or Chromium for the browser tests. As a program it prints the browser's path:
//
//   node scripts/browser.mjs
//
// It takes the first of these that works:
// 1. $CHROME;
// 2. an installed headless shell: the same browser without windows, which needs a quarter of the CPU time;
// 3. an installed browser;
// 4. Debian's package, if the user is root;
// 5. a download into .tools/.
//
// A driver for WebDriver comes from the same places, with $CHROMEDRIVER as the first. It must have the same major version
// as the browser, and it starts no headless shell.

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { argv, env, platform } from "node:process";
import { fileURLToPath } from "node:url";

const HEADLESS_SHELLS = ["chromium-headless-shell", "chrome-headless-shell"];
const PROGRAM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const MAC_PATHS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const NO_BROWSER =
  "The browser tests need Chrome or Chromium, and none was found. Install one (Debian: sudo apt-get install -y chromium; " +
  "macOS: brew install --cask google-chrome) or set CHROME to its path";
const INSTALL_DRIVER =
  "Install the chromedriver of that version (Debian: sudo apt-get install -y chromium-driver; " +
  "macOS: brew install --cask chromedriver) or set CHROMEDRIVER to its path";

// The browser must contact only loopback. These flags turn off its updates, reports and background downloads.
export const BROWSER_FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

if (argv[1] === fileURLToPath(import.meta.url)) console.log(findBrowser() ?? installFromDebian() ?? downloadBrowser());

/**
 * Returns the path of an installed browser, for pages that nobody looks at.
 * @returns {string | undefined}
 */
export function findBrowser() {
  const shells = env.CHROME ? [] : findInPath(HEADLESS_SHELLS);
  return [...shells, ...listBrowsers()][0];
}

/**
 * Returns the paths of a browser and of a driver for it. Installs them if necessary. If that fails, prints how to install
 * them and ends the program.
 * @returns {{browser: string, driver: string}}
 */
export function ensureBrowserAndDriver() {
  const installed = findMatchingPair();
  if (installed) return installed;
  if (env.CHROMEDRIVER) {
    const found = listBrowsers().map(describe).join(", ") || "none";
    fail(`No browser fits CHROMEDRIVER, which has version ${versionOf(env.CHROMEDRIVER)}: the major versions must be equal. Found: ${found}`);
  }
  const fromDebian = env.CHROME ? undefined : installFromDebian() && findMatchingPair();
  if (fromDebian) return fromDebian;
  const browser = listBrowsers()[0] ?? downloadBrowser();
  const driver = downloadDriver(versionOf(browser)) ?? downloadDriver(majorVersionOf(browser));
  return { browser, driver: driver ?? fail(`The browser tests need a driver for ${describe(browser)}. ${INSTALL_DRIVER}`) };
}

/**
 * Whether the user is root. Chromium's sandbox does not work for root.
 * @returns {boolean}
 */
export function isRoot() {
  return process.getuid?.() === 0;
}

function findMatchingPair() {
  const drivers = env.CHROMEDRIVER ? [programFromVariable("CHROMEDRIVER")] : findInPath(["chromedriver"]);
  for (const browser of listBrowsers()) {
    const driver = drivers.find((driver) => majorVersionOf(driver) !== undefined && majorVersionOf(driver) === majorVersionOf(browser));
    if (driver) return { browser, driver };
  }
  return undefined;
}

function listBrowsers() {
  return env.CHROME ? [programFromVariable("CHROME")] : [...findInPath(PROGRAM_NAMES), ...MAC_PATHS].filter(isExecutable);
}

function programFromVariable(variable) {
  const path = env[variable];
  return isExecutable(path) ? path : fail(`${variable} is ${path}, which is not an executable file`);
}

function findInPath(names) {
  return names.flatMap((name) => (env.PATH ?? "").split(delimiter).map((folder) => join(folder, name))).filter(isExecutable);
}

function installFromDebian() {
  if (!isRoot() || platform !== "linux" || !existsSync("/usr/bin/apt-get")) return undefined;
  console.error("Set-up: Chromium, from Debian's packages");
  outputOf("apt-get", ["update", "-q"]);
  outputOf("apt-get", ["install", "-y", "-q", "chromium", "chromium-driver"]);
  // Older releases do not have it.
  outputOf("apt-get", ["install", "-y", "-q", "chromium-headless-shell"]);
  return findBrowser();
}

function downloadBrowser() {
  return download("chrome@stable") ?? fail(NO_BROWSER);
}

function downloadDriver(version) {
  return version && download(`chromedriver@${version}`);
}

function download(product) {
  console.error(`Set-up: ${product}, into .tools/`);
  const folder = fileURLToPath(new URL("../.tools/browser", import.meta.url));
  // The command prints `<name>@<version> <path>`. The path may contain spaces.
  const printed = outputOf("npx", ["--yes", "@puppeteer/browsers@3.2.6", "install", product, "--path", folder]);
  return /^chrome(?:driver)?@\S+ (.+)$/m.exec(printed)?.[1];
}

// A browser prints `Chromium 131.0.6778.85 built on …`, a driver prints `ChromeDriver 131.0.6778.85 (…)`.
function versionOf(program) {
  return /\d+(?:\.\d+){3}/.exec(outputOf(program, ["--version"]))?.[0];
}

function majorVersionOf(program) {
  return versionOf(program)?.split(".")[0];
}

function describe(browser) {
  return `${browser} ${versionOf(browser)}`;
}

// Returns what a command prints, and an empty string if it fails.
function outputOf(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 1 << 28,
  });
  return status === 0 ? stdout : "";
}

function isExecutable(file) {
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
