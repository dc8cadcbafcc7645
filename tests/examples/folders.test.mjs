// The folders of examples/: 1. each has a README whose way to run it is the tested one, 2. its packages are pinned exactly, 3. its
// programs are short, 4. README.md names it, and Dependabot its packages.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root } from "../npm/project.mjs";
import { FORWARD_SECRET } from "./projects.mjs";

const read = (...path) => readFileSync(join(root, ...path), "utf8");
const names = readdirSync(join(root, "examples")).filter((name) => name !== "demo");

for (const name of names) {
  test(`${name} has short programs, and its README and packages are the tested ones`, () => {
    const readme = read("examples", name, "README.md");
    assert.ok(read("README.md").includes(`(examples/${name})`));
    for (const [, secret] of readme.matchAll(/^.*FORWARD_SECRET="?([^"\s]+).*$/gm)) assert.equal(secret, FORWARD_SECRET);
    if (existsSync(join(root, "examples", name, "package.json"))) {
      const { dependencies, devDependencies, scripts } = JSON.parse(read("examples", name, "package.json"));
      for (const [dependency, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        assert.match(version, dependency === "ofauth-edge" ? /^file:\.\.\/\.\.\/pkg$/ : /^\d+\.\d+\.\d+$/, dependency);
      }
      assert.ok(read(".github/dependabot.yml").includes(`"/examples/${name}"`));
      for (const [, script] of readme.matchAll(/^npm run (\w+)$/gm)) assert.ok(script in scripts, script);
    }
    for (const file of sourcesIn(name)) assert.ok(read("examples", name, file).split("\n").length <= 61, `${file} has at most 60 lines`);
  });
}

function sourcesIn(name) {
  const files = readdirSync(join(root, "examples", name), { recursive: true });
  return files.filter((file) => /\.(mjs|js|jsx|py|sh)$/.test(file) && !/node_modules|\.wrangler|\.next|dist/.test(file));
}
