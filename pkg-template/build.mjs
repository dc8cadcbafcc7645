// Builds the npm package into the folder pkg/. Does nothing if the last build used the same sources and tools.
//
//   node pkg-template/build.mjs
//
// 1. Compiles the Rust core to wasm and optimises it.
// 2. Bundles the modules of pkg-template/ into the entries of the package.
// 3. Copies the other files and prints the size of the wasm.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { hashInputs, isUpToDate, root } from "../scripts/inputs.mjs";
import { repository, version } from "../scripts/manifest.mjs";
import { buildFolder, bundleEntries, packageFolder, templateFolder } from "./bundle.mjs";
import { inflate } from "./inflate.mjs";
import { buildWasm, run } from "./wasm.mjs";

const stampFile = join(buildFolder, ".made-from");
const inputsHash = hashInputs(["pkg-template", "scripts/manifest.mjs", "LICENSE", "package-lock.json"]);
if (!isUpToDate(join(packageFolder, "package.json"), stampFile, inputsHash)) {
  console.log("npm package: building (about a minute the first time)");
  rmSync(packageFolder, { recursive: true, force: true });
  mkdirSync(packageFolder, { recursive: true });
  // 1.
  const { wasm, notices } = buildWasm();
  writeFileSync(join(packageFolder, "ofauth_edge.wasm"), wasm);
  // 2.
  writeDeflatedModule(wasm);
  await bundleEntries();
  // 3.
  copyOtherFiles(notices);
  writeFileSync(stampFile, inputsHash);
}
printSize();

// The wasm is embedded as deflated bytes in base64. Base64 of the plain wasm would be a third larger after a server has
// compressed it.
function writeDeflatedModule(wasm) {
  const bytes = deflate(join(packageFolder, "ofauth_edge.wasm"));
  if (!wasm.equals(inflate(bytes, wasm.length))) throw new Error("inflate.mjs does not inflate the wasm");
  const deflated = bytes.toString("base64");
  const lines = [`export const inflatedLength = ${wasm.length};`, `export const deflated = "${deflated}";`];
  writeFileSync(join(buildFolder, "deflated.js"), `${lines.join("\n")}\n`);
}

// zopfli compresses slowly, but its output is a fifteenth smaller than zlib's. It writes a gzip file; the deflated bytes stand
// between a header of 10 bytes and a trailer of 8.
function deflate(path) {
  // zopfli writes its output beside its input, so the input is a copy outside of the package.
  const copy = join(buildFolder, "embedded.wasm");
  copyFileSync(path, copy);
  run(join(root, ".tools/bin/zopfli"), [copy]);
  const gzip = readFileSync(`${copy}.gz`);
  const [, , method, flags] = gzip;
  if (method !== 8 || flags !== 0) throw new Error("the gzip header that zopfli wrote is not 10 bytes long");
  return gzip.subarray(10, -8);
}

function copyOtherFiles(notices) {
  const manifest = JSON.parse(readFileSync(join(templateFolder, "package.json"), "utf8"));
  manifest.version = version;
  if (repository !== undefined) {
    manifest.repository = { type: "git", url: `git+${repository}.git` };
    manifest.homepage = `${repository}#the-npm-package`;
    manifest.bugs = { url: `${repository}/issues` };
  }
  writeFileSync(join(packageFolder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(templateFolder, "README.md"), join(packageFolder, "README.md"));
  copyFileSync(join(root, "LICENSE"), join(packageFolder, "LICENSE"));
  writeFileSync(join(packageFolder, "NOTICE"), notices);
  const digest = createHash("sha256").update(readFileSync(join(packageFolder, "ofauth_edge.wasm"))).digest("hex");
  writeFileSync(join(packageFolder, "ofauth_edge.wasm.sha256"), `${digest}  ofauth_edge.wasm\n`);
  copyTypes(join(root, "src/npm/types.d.ts"), "index");
  copyTypes(join(templateFolder, "slim.d.ts"), "slim");
  copyTypes(join(templateFolder, "client.d.ts"), "client");
  copyTypes(join(templateFolder, "element.d.ts"), "element");
  copyTypes(join(templateFolder, "generated.d.ts"), "generated");
  copyFileSync(join(templateFolder, "wasm.d.ts"), join(packageFolder, "ofauth_edge.wasm.d.ts"));
}

// The types of the CommonJS entries are the same, but their imports end in .cjs.
function copyTypes(from, name) {
  const types = readFileSync(from, "utf8");
  writeFileSync(join(packageFolder, `${name}.d.ts`), types);
  writeFileSync(join(packageFolder, `${name}.d.cts`), types.replace(/"\.\/(index|client|generated)\.js"/g, '"./$1.cjs"'));
}

function printSize() {
  const wasm = readFileSync(join(packageFolder, "ofauth_edge.wasm"));
  console.log(`npm package: pkg/ofauth_edge.wasm has ${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} gzipped`);
}
