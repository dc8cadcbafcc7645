import { readFileSync } from "node:fs";

/** The version of the package, which is in the package.json beside the bundled program. */
export function version() {
  return JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).version;
}
