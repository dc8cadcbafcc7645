// Places that lack something: 1. importing touches nothing, 2. without WebAssembly, or where compiling from bytes is refused, one
// error names what works there, 3. test environments that hide TextEncoder, 4. CommonJS as Node and test frameworks read it,
// 5. slim in Node.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

import { makeProject, NODES, runNode } from "./project.mjs";

const project = makeProject("node");
const folder = join(project, "node_modules/ofauth-edge");
const nodeRequire = createRequire(join(project, "package.json"));

/** Loads the CommonJS entry in a realm that has the language, and of the platform only what `globals` gives. */
function loadIn(globals, entry = "index.cjs") {
  const context = vm.createContext(globals);
  const load = (file) => {
    const module = { exports: {} };
    const wrapped = vm.runInContext(`(function (module, exports, require) {${readFileSync(file, "utf8")}\n})`, context);
    wrapped(module, module.exports, (name) => load(join(dirname(file), name)));
    return module.exports;
  };
  return load(join(folder, entry));
}

const NAMES = ["TextEncoder", "TextDecoder", "atob", "Buffer", "process", "URL", "fetch", "AbortController"];
const untouchable = () => {
  const globals = {};
  for (const name of NAMES) {
    Object.defineProperty(globals, name, {
      get() {
        throw new Error(`${name} was touched at import`);
      },
    });
  }
  return globals;
};
const sign = ({ signWebhook }) => signWebhook("{}", "secret", { timestamp: 1 });

for (const entry of ["index.cjs", "slim.cjs", "client.cjs"]) {
  test(`loading ${entry} touches nothing of the platform`, () => {
    assert.ok(Object.keys(loadIn(untouchable(), entry)).includes("createClient"));
  });
}

test("loading element.cjs on a platform without elements touches and defines nothing", () => {
  const { OfauthConnect } = loadIn(untouchable(), "element.cjs");
  assert.equal(typeof OfauthConnect, "function");
});

for (const [name, node] of Object.entries(NODES)) {
  test(`${name}: the element can be imported on a server`, async () => {
    const file = join(project, "server.mjs");
    const code = 'import { OfauthConnect } from "ofauth-edge/element";\nconsole.log(JSON.stringify([typeof OfauthConnect, typeof HTMLElement]));\n';
    writeFileSync(file, code);
    assert.deepEqual(await runNode(node, file), ["function", "undefined"]);
  });
}

test("without WebAssembly, one error names slim and the client, and no directive", () => {
  const globals = { ...codecs(), Buffer };
  const ofauth = loadIn(globals);
  vm.runInContext("delete globalThis.WebAssembly", globals);
  const { message } = thrown(() => sign(ofauth));
  assert.match(message, /no WebAssembly.*ofauth-edge\/slim.*ofauth_edge\.wasm\?module.*initSync.*ofauth-edge\/client/s);
  assert.doesNotMatch(message, /Content-Security-Policy/);
});

for (const [place, globals, hasDirective] of [["a server", {}, false], ["a page", { document: {} }, true]]) {
  test(`if ${place} refuses to compile, the error names slim and ${hasDirective ? "the" : "no"} directive`, () => {
    const realm = { ...codecs(), Buffer, ...globals };
    const ofauth = loadIn(realm);
    vm.runInContext("WebAssembly.Module = function () { throw new WebAssembly.CompileError('disallowed by embedder') }", realm);
    const error = thrown(() => sign(ofauth));
    assert.match(error.message, /could not be compiled.*ofauth-edge\/slim.*initSync.*ofauth-edge\/client/s);
    assert.equal(/script-src must allow 'wasm-unsafe-eval'/.test(error.message), hasDirective);
    assert.match(String(error.cause), /disallowed by embedder/);
  });
}

test("a test environment that hides TextEncoder, as jsdom's does, gets Node's", () => {
  assert.match(sign(loadIn({ process, atob }))["ofauth-signature"], /^t=1,v1=/);
});

test("without any TextEncoder, the error names it", () => {
  assert.match(thrown(() => sign(loadIn({ atob }))).message, /no TextEncoder; define globalThis\.TextEncoder/);
});

test("without node:zlib and Buffer the wasm is inflated by the package itself", () => {
  assert.match(sign(loadIn({ ...codecs(), atob }))["ofauth-signature"], /^t=1,v1=/);
});

test("the exports of CommonJS are named for import, and can be replaced by spies", async () => {
  for (const entry of ["ofauth-edge", "ofauth-edge/slim", "ofauth-edge/client", "ofauth-edge/element"]) {
    const file = nodeRequire.resolve(entry);
    const exports = nodeRequire(entry);
    const imported = await import(pathToFileURL(file));
    for (const [name, value] of Object.entries(exports)) {
      assert.equal(imported[name], value, name);
      const { writable, configurable } = Object.getOwnPropertyDescriptor(exports, name);
      assert.ok(writable && configurable, name);
    }
    assert.match(readFileSync(file, "utf8"), /^0 && \(module\.exports = \{/m);
    assert.equal(exports.__esModule, true);
  }
});

test("slim refuses the bytes of something else, such as a page that a server sends for every URL", async () => {
  const slim = loadIn({ ...codecs(), URL }, "slim.cjs");
  const page = Buffer.from("<!doctype html>");
  const wanted = { name: "TypeError", message: /source must be ofauth_edge\.wasm.*these are bytes of something else$/ };
  for (const bytes of [page, new Uint8Array(page).buffer, new Uint8Array(0)]) assert.throws(() => slim.initSync(bytes), wanted);
  await assert.rejects(slim.init(new Response(page)), wanted);
  await slim.init(readFileSync(join(folder, "ofauth_edge.wasm")));
  assert.match(sign(slim)["ofauth-signature"], /^t=1,v1=/);
});

for (const [name, node] of Object.entries(NODES)) {
  test(`${name}: slim's init() finds the wasm beside it, and takes a file: URL`, async () => {
    const url = pathToFileURL(join(folder, "ofauth_edge.wasm"));
    for (const [index, source] of ["", JSON.stringify(url.href), `new URL(${JSON.stringify(url.href)})`].entries()) {
      const file = join(project, `slim-${index}.mjs`);
      const code = `import { init, signWebhook } from "ofauth-edge/slim";\nawait init(${source});\nconsole.log(JSON.stringify(signWebhook("{}", "secret", { timestamp: 1 })));\n`;
      writeFileSync(file, code);
      assert.match((await runNode(node, file))["ofauth-signature"], /^t=1,v1=/);
    }
  });
}

function codecs() {
  return { TextEncoder, TextDecoder };
}

function thrown(act) {
  try {
    act();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}
