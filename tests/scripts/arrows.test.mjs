// scripts/arrows.mjs: a tree of sources that keeps its rules passes, and every kind of fault is found and named.
//
// Each test takes the good tree below, changes a few of its files and runs the script on the result.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../scripts/arrows.mjs", import.meta.url));

const GOOD = {
  "lib.rs": "//! The map.\npub mod core;\n#[cfg(feature = \"npm\")]\nmod npm;\n#[cfg(feature = \"worker\")]\nmod worker;\n",
  "core/mod.rs": "//! Pure.\n\npub mod config;\npub mod connection;\npub mod gateway;\npub mod id;\npub mod instant;\npub(crate) mod json;\npub mod storage;\npub mod webhook;\n",
  "core/instant.rs": "pub struct Instant;\n",
  "core/id.rs": "use std::fmt;\npub struct Id;\n",
  "core/json/mod.rs": "mod cursor;\nmod scan;\npub(crate) use cursor::Cursor;\npub(crate) use scan::{scan, Field as Member};\n",
  "core/json/cursor.rs": "use crate::core::instant::Instant;\npub struct Cursor;\n",
  "core/json/scan.rs": "use super::cursor::Cursor;\npub struct Field;\npub fn scan() { let _: crate::core::id::Id; }\n",
  "core/webhook/mod.rs":
    '#![doc = "Signatures."]\n\nmod hmac;\nmod secret;\n#[cfg(any(test, feature = "x"))]\npub mod verify;\n\npub use secret::Secret;\npub use verify::{Claim, verify};\n',
  "core/webhook/hmac.rs": "pub(super) fn mac() {}\npub(super) fn decimal() {}\n",
  "core/webhook/secret.rs": "use super::hmac;\npub struct Secret;\n",
  "core/webhook/verify.rs": "use super::{hmac::{self, decimal}, secret::Secret};\nuse crate::core::json::{Member, scan};\npub struct Claim;\npub fn verify() {}\n",
  "core/connection/mod.rs": "mod fold;\npub use fold::fold;\n",
  "core/connection/fold.rs": "use crate::core::{\n    instant::Instant,\n    webhook::{Claim, verify::Claim as Verified},\n};\npub fn fold() {}\n",
  "core/storage/mod.rs": "mod seal;\npub use seal::Seal;\n",
  "core/storage/seal.rs": "use crate::core::webhook;\npub struct Seal;\n",
  "core/gateway/mod.rs": "mod route;\npub use route::route;\n",
  "core/gateway/route.rs": "use crate::core::storage::Seal;\npub fn route() {}\n",
  "core/config.rs": "use crate::core::{gateway::route, webhook::*};\n",
  "worker/mod.rs":
    "mod connections;\nmod http;\nmod hub;\nmod ledger;\nmod platform;\nmod routes;\nmod upstream;\n\nuse worker::{Context, Env, event};\n\nuse crate::core::config;\nuse http::Reply;\n\n#[event(fetch)]\nasync fn fetch() { routes::webhook::receive(); }\n",
  "worker/platform/mod.rs": "pub(super) mod clock;\n",
  "worker/platform/clock.rs": "use worker::Date;\nuse crate::core::instant::Instant;\npub fn now() {}\n",
  "worker/http/mod.rs": "mod reply;\npub use reply::Reply;\n",
  "worker/http/reply.rs": "use super::super::platform::clock;\npub struct Reply;\n",
  "worker/upstream/mod.rs": "mod send;\npub use send::send;\n",
  "worker/upstream/send.rs": "use crate::worker::http::Reply;\npub fn send() {}\n",
  "worker/hub/mod.rs": "mod object;\npub use object::Hub;\n",
  "worker/hub/object.rs": "use crate::worker::platform::clock::now;\npub struct Hub;\n",
  "worker/ledger/mod.rs": "mod object;\npub use object::Ledger;\n",
  "worker/ledger/object.rs": "use crate::{core::connection::fold, worker::hub::Hub};\npub struct Ledger;\n",
  "worker/connections/mod.rs": "mod find;\npub use find::find;\n",
  "worker/connections/find.rs": "use crate::worker::{http::Reply, ledger::Ledger, upstream::{self, send}};\npub fn find() {}\n",
  "worker/routes/mod.rs": "pub mod webhook;\n",
  "worker/routes/webhook.rs": "use crate::worker::{connections, hub::Hub, platform::clock};\npub fn receive() {}\n",
  "npm/mod.rs": "mod answer;\nmod shell;\n",
  "npm/answer.rs": "use crate::core::webhook::Claim;\npub struct Answer;\n",
  "npm/shell.rs": "use super::answer::Answer;\nuse crate::core::webhook::verify::verify;\n",
};

// `changes`: files by their path, with `undefined` for one that is taken away.
function check(t, changes) {
  const src = join(mkdtempSync(join(tmpdir(), "arrows-")), "src");
  t.after(() => rmSync(dirname(src), { recursive: true }));
  for (const [file, text] of Object.entries({ ...GOOD, ...changes })) {
    mkdirSync(dirname(join(src, file)), { recursive: true });
    if (text !== undefined) writeFileSync(join(src, file), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, src], { encoding: "utf8" });
  assert.equal(stderr, "");
  return { status, lines: stdout.split("\n").filter(Boolean) };
}

function passes(t, changes) {
  assert.deepEqual(check(t, changes), { status: 0, lines: [] });
}

function fails(t, changes, lines) {
  assert.deepEqual(check(t, changes), { status: 1, lines });
}

test("a tree that keeps the rules passes, and nothing is printed", (t) => passes(t, {}));

test("a tree without a lib.rs is a fault, so that a wrong folder does not pass", (t) => {
  const { status, lines } = check(t, { "lib.rs": undefined });
  assert.equal(status, 1);
  assert.match(lines[0], /there is no lib\.rs$/);
});

test("a room of the core imports no later room", (t) => {
  const later = {
    "core/id.rs": ["core::instant::Instant", "core/id", "core/instant"],
    "core/json/cursor.rs": ["core::webhook::Claim", "core/json", "core/webhook"],
    "core/webhook/hmac.rs": ["core::connection::fold", "core/webhook", "core/connection"],
    "core/connection/fold.rs": ["core::storage::Seal", "core/connection", "core/storage"],
    "core/storage/seal.rs": ["core::gateway::route", "core/storage", "core/gateway"],
    "core/gateway/route.rs": ["core::config", "core/gateway", "core/config"],
  };
  for (const [file, [path, here, there]] of Object.entries(later)) {
    const { status, lines } = check(t, { [file]: `use crate::${path};\n` });
    assert.equal(status, 1, file);
    assert.ok(lines.includes(`src/${file}:1: crate::${path}: ${here} may not import ${there}`), lines.join("\n"));
  }
});

test("a room of the Worker imports only the rooms that its row leads to", (t) => {
  const wrong = {
    "worker/platform/clock.rs": ["http::Reply", "worker/platform", "worker/http"],
    "worker/http/reply.rs": ["upstream::send", "worker/http", "worker/upstream"],
    "worker/upstream/send.rs": ["hub::Hub", "worker/upstream", "worker/hub"],
    "worker/hub/object.rs": ["http::Reply", "worker/hub", "worker/http"],
    "worker/ledger/object.rs": ["connections::find", "worker/ledger", "worker/connections"],
    "worker/connections/find.rs": ["routes::webhook", "worker/connections", "worker/routes"],
  };
  for (const [file, [path, here, there]] of Object.entries(wrong)) {
    const { lines } = check(t, { [file]: `use crate::worker::${path};\n` });
    assert.ok(lines.includes(`src/${file}:1: crate::worker::${path}: ${here} may not import ${there}`), lines.join("\n"));
  }
});

test("no room imports the Worker's entry, neither an item of it nor what it has imported itself", (t) =>
  fails(t, { "worker/routes/webhook.rs": "use super::super::fetch;\nuse crate::worker::Reply;\npub fn receive() {}\n" }, [
    "src/worker/routes/webhook.rs:1: super::super::fetch: worker/routes may not import worker",
    "src/worker/routes/webhook.rs:2: crate::worker::Reply: worker/routes may not import worker",
    "src/worker/mod.rs:15: worker/mod.rs → worker/routes/webhook.rs → worker/mod.rs: these files import each other",
  ]));

test("the core imports no platform, and the platforms do not import each other", (t) =>
  fails(
    t,
    {
      "core/config.rs": "use crate::npm::answer::Answer;\nuse crate::worker::hub::Hub;\n",
      "npm/answer.rs": "pub struct Answer(crate::worker::hub::Hub);\n",
      "worker/hub/object.rs": "use crate::npm;\npub struct Hub;\n",
    },
    [
      "src/core/config.rs:1: crate::npm::answer::Answer: core/config may not import npm",
      "src/core/config.rs:2: crate::worker::hub::Hub: core/config may not import worker/hub",
      "src/npm/answer.rs:1: crate::worker::hub::Hub: npm may not import worker/hub",
      "src/worker/hub/object.rs:1: crate::npm: worker/hub may not import npm",
    ],
  ));

test("an item that an earlier room defines is not imported from a later one that exports it again", (t) =>
  fails(
    t,
    {
      "core/gateway/mod.rs": "mod route;\npub use route::route;\npub use crate::core::webhook::Claim;\n",
      "core/connection/fold.rs": "use crate::core::gateway::Claim;\npub fn fold() {}\n",
    },
    ["src/core/connection/fold.rs:1: crate::core::gateway::Claim: core/connection may not import core/gateway"],
  ));

test("a re-export in a mod.rs obeys the arrows", (t) =>
  fails(t, { "core/json/mod.rs": `${GOOD["core/json/mod.rs"]}pub use crate::core::storage::Seal;\n` }, [
    "src/core/json/mod.rs:5: crate::core::storage::Seal: core/json may not import core/storage",
  ]));

test("a room without a row in the table is named", (t) =>
  fails(t, { "core/util.rs": "" }, ["src/core/util.rs:1: the room core/util has no row in scripts/arrows.mjs"]));

test("two siblings that import each other are a cycle", (t) =>
  fails(t, { "core/webhook/hmac.rs": "\nuse super::secret::Secret;\npub fn mac() {}\npub fn decimal() {}\n" }, [
    "src/core/webhook/hmac.rs:2: core/webhook/hmac.rs → core/webhook/secret.rs → core/webhook/hmac.rs: these files import each other",
  ]));

test("a longer cycle is printed in full, whether by use or by a path in code", (t) =>
  fails(t, { "core/webhook/hmac.rs": "pub fn mac() { super::verify::verify() }\npub fn decimal() {}\n", "core/webhook/verify.rs": "use super::secret;\n" }, [
    "src/core/webhook/hmac.rs:1: core/webhook/hmac.rs → core/webhook/verify.rs → core/webhook/secret.rs → core/webhook/hmac.rs: these files import each other",
  ]));

test("a cycle through a module's own children is found", (t) =>
  fails(
    t,
    { "core/config.rs": "mod vars;\nuse vars::Vars;\npub struct Config;\n", "core/config/vars.rs": "use super::Config;\npub struct Vars;\n" },
    ["src/core/config.rs:2: core/config.rs → core/config/vars.rs → core/config.rs: these files import each other"],
  ));

test("a cycle that runs through a re-export is found", (t) => {
  const { lines } = check(t, {
    "core/webhook/hmac.rs": "use crate::core::webhook::Secret;\npub fn mac() {}\npub fn decimal() {}\n",
  });
  assert.ok(lines.some((line) => line.includes("core/webhook/hmac.rs → core/webhook/secret.rs → core/webhook/hmac.rs")), lines.join("\n"));
});

test("a private module of a room is not imported from outside", (t) =>
  fails(t, { "npm/answer.rs": "use crate::core::webhook::{Claim, secret::Secret};\npub struct Answer(crate::core::webhook::hmac::Mac);\n" }, [
    "src/npm/answer.rs:1: crate::core::webhook::secret::Secret: mod secret is private; use what core/webhook/mod.rs exports",
    "src/npm/answer.rs:2: crate::core::webhook::hmac::Mac: mod hmac is private; use what core/webhook/mod.rs exports",
  ]));

test("a function that shares the name of its private module is imported, what is in the module is not", (t) =>
  fails(t, { "core/config.rs": "use crate::core::gateway::route;\nuse crate::core::gateway::route::route as same;\n" }, [
    "src/core/config.rs:2: crate::core::gateway::route::route: mod route is private; use what core/gateway/mod.rs exports",
  ]));

test("inside a room nothing is imported through its mod.rs", (t) => {
  const claim = "goes through the room's own core/webhook/mod.rs; import it from core/webhook/verify.rs";
  const unknown = "goes through the room's own core/webhook/mod.rs; import it from the file that defines it";
  const lines = [
    "use super::Claim;",
    "use crate::core::webhook::{Claim as C, verify::Claim as Good};",
    "fn f() { let _ = super::Claim; }",
    "use super::*;",
    "use crate::core::webhook;",
    "mod tests { use super::*; use super::super::Claim; }",
    "pub struct Secret;",
  ];
  fails(t, { "core/webhook/secret.rs": lines.join("\n") }, [
    `src/core/webhook/secret.rs:1: super::Claim: ${claim}`,
    `src/core/webhook/secret.rs:2: crate::core::webhook::Claim: ${claim}`,
    `src/core/webhook/secret.rs:3: super::Claim: ${claim}`,
    `src/core/webhook/secret.rs:4: super::*: ${unknown}`,
    `src/core/webhook/secret.rs:5: crate::core::webhook: ${unknown}`,
    `src/core/webhook/secret.rs:6: super::super::Claim: ${claim}`,
    "src/core/webhook/secret.rs:1: core/webhook/secret.rs → core/webhook/verify.rs → core/webhook/secret.rs: these files import each other",
  ]);
});

test("a mod.rs holds declarations and re-exports only", (t) => {
  const strays = ["use secret::Secret as S;", "pub fn f() {}", "const MAX: u8 = 1;", "mod inline {", "impl X {}", "compile_error!();"];
  for (const stray of strays) {
    const text = `${GOOD["core/webhook/mod.rs"]}\n#[allow(x)]\n${stray}${stray.endsWith("{") ? "\n}" : ""}\n`;
    fails(t, { "core/webhook/mod.rs": text }, [
      `src/core/webhook/mod.rs:12: ${stray}: a mod.rs like this holds docs, attributes, mod and pub use only`,
    ]);
  }
});

test("the mod.rs of the core re-exports nothing, the one of the npm package obeys the same rule as a room's", (t) =>
  fails(t, { "core/mod.rs": `${GOOD["core/mod.rs"]}pub use webhook::Claim;\n`, "npm/mod.rs": "mod answer;\nmod shell;\npub use shell::x;\nfn f() {}\n" }, [
    "src/core/mod.rs:11: pub use webhook::Claim;: a mod.rs like this holds docs, attributes and mod only",
    "src/npm/mod.rs:4: fn f() {}: a mod.rs like this holds docs, attributes, mod and pub use only",
  ]));

test("a file of 350 lines passes, one of 351 does not", (t) => {
  passes(t, { "core/id.rs": "//\n".repeat(350) });
  fails(t, { "core/id.rs": "//\n".repeat(351) }, ["src/core/id.rs:351: 351 lines; a file has at most 350"]);
});

test("use trees are read with braces, self, as, several lines and attributes, each leaf on its line", (t) => {
  const text = `
#[cfg(feature = "x")]
pub(crate) use crate::{
    core::{
        config::{self as settings, Config},
        id::Id, // crate::core::gateway
        r#gateway::{route as r},
    },
};
fn f() {
    use crate::core::storage as s;
    if true { use super::super::gateway::route; }
}
mod inner {
    use super::super::super::storage::Seal;
    mod deeper { use super::super::super::hmac::mac; pub(in crate::core::webhook) struct X; }
}
`;
  const line = (number, path, room) => `src/core/webhook/secret.rs:${number}: ${path}: core/webhook may not import core/${room}`;
  fails(t, { "core/webhook/secret.rs": text }, [
    line(5, "crate::core::config", "config"),
    line(5, "crate::core::config::Config", "config"),
    line(7, "crate::core::gateway::route", "gateway"),
    line(11, "crate::core::storage", "storage"),
    line(12, "super::super::gateway::route", "gateway"),
    line(15, "super::super::super::storage::Seal", "storage"),
  ]);
});

test("paths in code are found in expressions, types, generics, attributes and macros", (t) => {
  const text = `fn f<'a>(x: &'a crate::core::config::Config) -> Vec<super::super::config::Config> {
    crate::core::config::load::<u8>();
    <crate::core::config::Config as Default>::default()
}
#[derive(crate::core::config::Derive)]
macro_rules! m { () => { $crate::core::config::load() } }
`;
  const fault = (number, path) => `src/core/webhook/hmac.rs:${number}: ${path}: core/webhook may not import core/config`;
  fails(t, { "core/webhook/hmac.rs": text }, [
    fault(1, "crate::core::config::Config"),
    fault(1, "super::super::config::Config"),
    fault(2, "crate::core::config::load"),
    fault(3, "crate::core::config::Config"),
    fault(5, "crate::core::config::Derive"),
    fault(6, "crate::core::config::load"),
  ]);
});

test("what is in comments, strings and characters is ignored, and nothing else", (t) => {
  const hidden = `//! [crate::core::config::Config]
/* use crate::core::config; /* nested */ use crate::core::config; */
const A: &str = "use crate::core::config; \\" { crate::core::config::x";
const B: &str = r#"" use crate::core::config; { "#;
const C: &[u8] = br"\\"; const D: [char; 5] = ['"', '\\'', '{', '\\u{7b}', '/'];
fn f<'a, 'b: 'a>(x: &'a str) { 'outer: loop { break 'outer; } }
pub fn mac() {}
pub fn decimal() {}
`;
  passes(t, { "core/webhook/hmac.rs": hidden });
  fails(t, { "core/webhook/hmac.rs": `${hidden}use crate::core::config;\n` }, [
    "src/core/webhook/hmac.rs:9: crate::core::config: core/webhook may not import core/config",
  ]);
});

test("other crates are ignored, those named like a module of ours too", (t) =>
  passes(t, {
    "core/id.rs": "use core::config::Config;\nuse ::worker::hub::Hub;\nuse {::npm::x, worker::kv};\nfn f() { worker::hub::x(); core::mem::take() }\n",
    "worker/mod.rs": `${GOOD["worker/mod.rs"]}fn f() -> worker::Result<worker::hub::Hub> {}\n`,
  }));

test("a path after a type or a leading :: is no module of the file", (t) =>
  passes(t, {
    "core/config.rs": "mod vars;\npub struct Config;\nfn f() { <T as X>::vars::y(); ::vars::z() }\n",
    "core/config/vars.rs": "use super::Config;\n",
  }));

test("a file may name itself", (t) =>
  passes(t, {
    "core/id.rs": "pub struct Id;\nfn f() { self::g(); crate::core::id::g() }\nmod tests { use super::*; use super::Id; }\n",
    "core/gateway/mod.rs": "mod route;\npub use route::{Route, route};\npub use self::Route as Way;\n",
  }));
