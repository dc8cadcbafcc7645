// What Cargo.toml says of the package. It is the only place that has the version and the repository.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./inputs.mjs";

const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");

export const [, version] = /^version = "(.+)"$/m.exec(manifest);

/** The URL of the repository, or undefined until its owner has written it there. */
export const [, repository] = /^repository = "(.+)"$/m.exec(manifest) ?? [];
