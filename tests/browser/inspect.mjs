// What a person would look at in a page, checked by machine: it fits its window, and axe-core finds no fault. A picture of each
// look is kept for people, in build/screenshots.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { root } from "../../scripts/inputs.mjs";
import { isFull } from "../full.mjs";

const screenshots = join(root, "build/screenshots");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// axe-core takes a second, so it judges each color and each size once. `make test` takes only the first look.
const LOOKS = [
  { size: "wide", viewport: { width: 1200, height: 800 }, colorScheme: "light", isJudged: true },
  { size: "wide", viewport: { width: 1200, height: 800 }, colorScheme: "dark" },
  { size: "narrow", viewport: { width: 320, height: 640 }, colorScheme: "light" },
  { size: "narrow", viewport: { width: 320, height: 640 }, colorScheme: "dark", isJudged: true },
].slice(0, isFull ? undefined : 1);

/**
 * Looks at a page on wide and narrow screens, light and dark. Throws an error that names the faults.
 * @param {import("playwright-core").Page} page
 * @param {string} name   of the pictures
 * @param {{fullPage?: boolean}} [options]   a picture of a very long page takes seconds, so it may show its beginning only
 */
export async function inspect(page, name, { fullPage = true } = {}) {
  mkdirSync(screenshots, { recursive: true });
  for (const { size, viewport, colorScheme, isJudged } of LOOKS) {
    const look = `${name}-${size}-${colorScheme}`;
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(screenshots, `${look}.png`), fullPage });
    const faults = [...(await tooWide(page)), ...(isJudged ? await accessibilityFaults(page) : [])];
    if (faults.length > 0) throw new Error(`${look}: ${faults.join("; ")}`);
  }
}

/** The elements that are wider than the window. */
function tooWide(page) {
  return page.evaluate(() => {
    const elements = [...document.body.querySelectorAll("*")];
    const wide = elements.filter((element) => element.getBoundingClientRect().right > globalThis.innerWidth);
    return wide.map(({ outerHTML }) => `too wide: ${outerHTML.slice(0, 100)}`);
  });
}

/** The accessibility faults that axe-core finds, as `rule: elements`. */
export async function accessibilityFaults(page) {
  // The page's Content-Security-Policy does not hold for scripts that the browser's driver runs.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
