// Checks which file of src imports which, and prints one line for each fault. It ends with 1 if there is any.
//
//   node scripts/arrows.mjs [folder]     `folder`: a tree of Rust sources, src if it is left out
//
// 1. A room imports only the rooms that ARROWS allows.
// 2. Files do not import each other, neither directly nor in a longer cycle.
// 3. From outside a room, only what its mod.rs exports is imported.
// 4. Inside a room, a file imports its siblings from where they are defined, and not through the room's mod.rs.
// 5. A mod.rs holds docs, attributes, `mod` and `pub use` only.
// 6. A file has at most MAX_LINES lines.

import { readFileSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { argv } from "node:process";
import { root } from "./inputs.mjs";
import { firstOtherItem, hideCommentsAndLiterals, parse } from "./rust-imports.mjs";

// A room may import the rooms in its row, and whatever those may import. `core` and `worker` are their mod.rs alone.
const ARROWS = {
  "core/instant": [],
  "core/id": [],
  "core/base64": [],
  "core/json": ["core/instant", "core/id", "core/base64"],
  "core/webhook": ["core/json"],
  "core/connection": ["core/webhook"],
  "core/storage": ["core/connection"],
  "core/gateway": ["core/storage"],
  "core/config": ["core/gateway"],
  "core/reconcile": ["core/gateway"],
  "core/monitor": ["core/config", "core/reconcile"],
  core: ["core/monitor"],

  "worker/platform": ["core"],
  "worker/http": ["worker/platform"],
  "worker/metrics": ["worker/platform"],
  "worker/upstream": ["worker/http", "worker/metrics"],
  "worker/hub": ["worker/platform"],
  "worker/ledger": ["worker/hub", "worker/upstream"],
  "worker/connections": ["worker/ledger"],
  "worker/reconcile": ["worker/ledger"],
  "worker/routes": ["worker/connections", "worker/reconcile"],
  worker: ["worker/routes"],

  npm: ["core"],
  // A unit test.
  typescript: ["core"],

  lib: ["worker", "npm", "typescript"],
};
const MAX_LINES = 350;
// The Worker's entry and dispatch.
const ENTRY = "worker/mod.rs";

const folder = resolve(argv[2] ?? join(root, "src"));
const files = new Map(rustFiles("").map((file) => [file, readRust(file)]));
const modules = moduleTree();
const edges = new Map();
const faults = [];

if (!files.has("lib.rs")) faults.push(`${folder}: there is no lib.rs`);
for (const file of files.keys()) {
  checkFile(file);
  checkImports(file);
}
checkCycles();
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

// 5. and 6.
function checkFile(file) {
  const { source, code } = files.get(file);
  const lines = source.replace(/\n$/, "").split("\n").length;
  if (lines > MAX_LINES) report(file, source.length - 1, `${lines} lines; a file has at most ${MAX_LINES}`);
  if (!(roomOf(file) in ARROWS)) report(file, 0, `the room ${roomOf(file)} has no row in scripts/arrows.mjs`);
  if (basename(file) !== "mod.rs" || file === ENTRY) return;
  const reexports = file !== "core/mod.rs";
  const place = firstOtherItem(code, { reexports });
  const allowed = reexports ? "docs, attributes, mod and pub use" : "docs, attributes and mod";
  if (place !== undefined) report(file, place, `${code.slice(place).split("\n")[0].trim()}: a mod.rs like this holds ${allowed} only`);
}

// 1., 3. and 4.: names the first of them that an import breaks. It also collects the edges for 2.
function checkImports(file) {
  const targets = new Map();
  edges.set(file, targets);
  for (const { scope, segments, at, isPublic } of files.get(file).imports) {
    const from = modules.get([...modulePath(file), ...scope].join("::"));
    const found = lookUp(from, segments);
    if (!found || found.target.file === file) continue;
    const path = segments.join("::");
    const fault = [...found.through, found.target].map((module) => faultOfPassing(file, from, module, found.target)).find(Boolean);
    if (fault) report(file, at, `${path}: ${fault}`);
    else if (found.hidden) report(file, at, `${path}: mod ${found.hidden.name} is private; use what ${found.hidden.parent.file} exports`);
    // What a mod.rs re-exports is imported by whoever uses it.
    const isReexport = isIndex(file) && isPublic;
    if (!isReexport && !targets.has(found.target.file)) targets.set(found.target.file, at);
  }
}

function faultOfPassing(file, from, module, target) {
  const [here, there] = [roomOf(file), roomOf(module.file)];
  if (here !== there) return here in ARROWS && !mayImport(here, there) ? `${here} may not import ${there}` : undefined;
  if (!isIndex(module.file) || module.file === file || !isWithin(from, module)) return undefined;
  const definedIn = isIndex(target.file) ? "the file that defines it" : target.file;
  return `goes through the room's own ${module.file}; import it from ${definedIn}`;
}

function mayImport(room, other) {
  return room === other || ARROWS[room].some((next) => mayImport(next, other));
}

// 2. Depth first: an import of a file that is still on the trail closes a cycle, which is printed from its first file on.
function checkCycles() {
  const trail = [];
  const done = new Set();
  const visit = (file) => {
    trail.push(file);
    for (const next of edges.get(file).keys()) {
      if (trail.includes(next)) {
        const cycle = trail.slice(trail.indexOf(next));
        while (cycle.some((other) => other < cycle[0])) cycle.push(cycle.shift());
        const place = edges.get(cycle[0]).get(cycle[1]);
        report(cycle[0], place, `${[...cycle, cycle[0]].join(" → ")}: these files import each other`);
      } else if (!done.has(next)) {
        visit(next);
      }
    }
    done.add(trail.pop());
  };
  for (const file of edges.keys()) if (!done.has(file)) visit(file);
}

// What a path leads to: the module that it names, or the one that defines the item it names. `through` are the mod.rs
// whose re-exports it follows, `hidden` is a module on the way that `from` may not see. Undefined for other crates.
function lookUp(from, segments, depth = 0) {
  const names = [...segments];
  let module = from;
  if (names[0] === "crate") module = modules.get("");
  if (names[0] === "crate" || names[0] === "self") names.shift();
  else if (names[0] !== "super" && !module.children.has(names[0])) return undefined;
  for (; names[0] === "super"; names.shift()) module = module?.parent;
  if (!module) return undefined;

  const through = [];
  let hidden;
  for (const [i, name] of names.entries()) {
    const child = module.children.get(name);
    const reexport = isIndex(module.file) && depth < 8 ? module.bindings.get(name) : undefined;
    const isVisible = child && (child.isPublic || isWithin(from, module));
    // A module and a function may share a name, as in `mod route; pub use route::route;`.
    if (child && (isVisible || !reexport || i < names.length - 1)) {
      if (!isVisible) hidden ??= child;
      module = child;
      continue;
    }
    const followed = reexport && lookUp(module, reexport, depth + 1);
    if (followed) through.push(module);
    if (!followed) break;
    module = followed.target;
  }
  return { target: module, through, hidden };
}

// Every module of the crate by its path, such as "core::webhook::verify".
function moduleTree() {
  const tree = new Map();
  const add = (path, file) => {
    const key = path.join("::");
    if (!tree.has(key)) tree.set(key, { name: path.at(-1), file, children: new Map(), bindings: new Map(), isPublic: false });
  };
  for (const [file, { modules: declared }] of files) {
    add(modulePath(file), file);
    for (const { scope, name, isInline } of declared) if (isInline) add([...modulePath(file), ...scope, name], file);
  }
  for (const [key, module] of tree) {
    if (key === "") continue;
    module.parent = tree.get(key.split("::").slice(0, -1).join("::"));
    module.parent?.children.set(module.name, module);
  }
  for (const [file, { modules: declared, imports }] of files) {
    const moduleAt = (scope) => tree.get([...modulePath(file), ...scope].join("::"));
    for (const { scope, name, isPublic } of declared) {
      const child = moduleAt(scope).children.get(name);
      if (child && isPublic) child.isPublic = true;
    }
    for (const { scope, name, segments } of imports) if (name) moduleAt(scope).bindings.set(name, segments);
  }
  return tree;
}

function isWithin(module, ancestor) {
  return module === ancestor || (module.parent !== undefined && isWithin(module.parent, ancestor));
}

function isIndex(file) {
  return file === "lib.rs" || basename(file) === "mod.rs";
}

function modulePath(file) {
  return file === "lib.rs" ? [] : file.replace(/(\/mod)?\.rs$/, "").split("/");
}

// "core/webhook" for core/webhook/verify.rs, "core/id" for core/id.rs, "core" for core/mod.rs, "npm" for all of npm.
function roomOf(file) {
  return /^(npm\b|[^/]+\/[^/]+|[^/]+)/.exec(file.replace(/(\/mod)?\.rs$/, ""))[0];
}

function report(file, place, fault) {
  const line = files.get(file).source.slice(0, place).split("\n").length;
  const text = `${basename(folder)}/${file}:${line}: ${fault}`;
  if (!faults.includes(text)) faults.push(text);
}

function readRust(file) {
  const source = readFileSync(join(folder, file), "utf8");
  const code = hideCommentsAndLiterals(source);
  return { source, code, ...parse(code) };
}

function rustFiles(path) {
  const entries = readdirSync(join(folder, path), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const file = path ? `${path}/${entry.name}` : entry.name;
    if (entry.isDirectory()) return rustFiles(file);
    return file.endsWith(".rs") ? [file] : [];
  });
}
