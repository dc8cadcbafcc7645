// What the Worker's sources say about its HTTP surface: routes, errors and query keys. It reads the few forms that these sources
// use, and throws at any other, so that nothing is left out unseen.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../inputs.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");

/** The methods that the Worker passes to OFAuth. */
export const ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"];
// In `route`, two arms of the match hand over to another file, which knows the paths.
const DELEGATED = { "access::PREFIX": accessPaths, "account::is_account_path": accountPaths };
const CONSTANTS = { "link::CALLBACK_PATH": ["src/core/gateway/link.rs", "CALLBACK_PATH"] };

/**
 * The routes that `src/core/gateway/route.rs` finds. A route that takes GET also takes HEAD if `hasHead`. A parameter of a path is
 * `{}`, because the sources do not name it. `text` is that of the file; a test gives another.
 * @returns {{path: string, methods: string[], hasHead: boolean}[]}
 */
export function listRoutes(text = read("src/core/gateway/route.rs")) {
  const [, body] = /pub fn route<'a>[^]*?\n {4}match path \{\n([^]*?)\n {4}\}\n\}/.exec(text);
  // An arm ends where the next one begins, at the same depth.
  const [outer, inner] = body.split(/\n {8}_ => match path\.split.*\n/);
  const arms = [...armsOf(outer, 8), ...armsOf(inner.replace(/\n {8}\},?$/, ""), 12)];
  return arms.flatMap(readArm);
}

/** The variants of `Route`, and those that `listRoutes` has found an arm for. They must be the same. */
export function listRouteVariants() {
  const text = read("src/core/gateway/route.rs");
  const [, variants] = /pub enum Route<'a> \{\n([^]*?)\n\}/.exec(text);
  const [, body] = /\n {4}match path \{\n([^]*?)\n {4}\}\n\}/.exec(text);
  const names = (code, pattern) => [...new Set([...code.matchAll(pattern)].map(([, name]) => name))].sort();
  return { declared: names(variants, /^ {4}([A-Z]\w*)[,(]/gm), found: names(body, /Route::(\w+)/g) };
}

function armsOf(code, depth) {
  const arms = [];
  for (const line of code.split("\n")) {
    if (/^ *\/\//.test(line)) continue;
    if (new RegExp(`^ {${depth}}\\S`).test(line) && !/^ *\}/.test(line)) arms.push(line.trim());
    else if (arms.length > 0) arms.push(`${arms.pop()} ${line.trim()}`);
  }
  return arms;
}

function readArm(arm) {
  const split = arm.indexOf(" => ");
  const [pattern, result] = [arm.slice(0, split), arm.slice(split + 4)];
  const delegate = Object.keys(DELEGATED).find((name) => pattern.includes(name));
  if (delegate) return DELEGATED[delegate]().map((path) => ({ path, methods: ANY_METHOD, hasHead: true }));
  if (/^Route::NotFound,?$/.test(result)) return [];
  return [{ path: pathOf(pattern), ...methodsOf(result, arm) }];
}

function pathOf(pattern) {
  if (pattern === "_ if is_webhook(path)") return "/webhooks/ofauth";
  if (pattern in CONSTANTS) return constant(...CONSTANTS[pattern]);
  if (/^"[^"]+"$/.test(pattern)) return JSON.parse(pattern);
  if (!/^\["", ("[\w-]+"|\w+)(, ("[\w-]+"|\w+))*\]$/.test(pattern)) throw new Error(`route.rs: a pattern of another form: ${pattern}`);
  const segments = pattern.slice(1, -1).split(", ");
  return segments.map((segment) => (segment.startsWith('"') ? JSON.parse(segment) : "{}")).join("/");
}

function methodsOf(result, arm) {
  const [, only] = /^only\("([A-Z]+)", Route::/.exec(result) ?? [];
  if (only) return { methods: [only], hasHead: false };
  if (/^read\(Route::/.test(result)) return { methods: ["GET"], hasHead: true };
  const [, listed] = /^match method \{.* _ => Route::MethodNotAllowed\("([A-Z, ]+)"\),? \},?$/.exec(result) ?? [];
  if (!listed) throw new Error(`route.rs: an arm of another form: ${arm}`);
  const methods = listed.split(", ");
  return { methods: methods.filter((method) => method !== "HEAD"), hasHead: methods.includes("HEAD") };
}

/** The paths of OFAuth's Access API: those that `routes.json` lists, and all others as `{}`. */
function accessPaths() {
  return [`${constant("src/core/gateway/access.rs", "PREFIX")}{}`];
}

function accountPaths() {
  const file = "src/core/gateway/account.rs";
  const [, exact] = /path == "([^"]+)"/.exec(read(file));
  const [, prefixes] = /const PREFIXES: \[&str; \d+\] = (\[.*\]);/.exec(read(file));
  const old = constant(file, "OLD_CONNECTIONS_PATH");
  return [old, `${old}/{}`, exact, ...JSON.parse(prefixes).map((prefix) => `${prefix}{}`)];
}

/**
 * The routes of the Access API that OFAuth documents.
 * @returns {{method: string, path: string, permission: string}[]}
 */
export function listAccessRoutes() {
  return JSON.parse(read("src/core/gateway/routes.json"));
}

/** The permissions of the gateway itself: for calls that have none of OFAuth's, to start Link, and to change a connection. */
export function listPermissions() {
  const file = "src/core/gateway/permission.rs";
  return { any: constant(file, "ANY"), link: constant(file, "LINK"), write: constant(file, "WRITE") };
}

/**
 * The Worker's own errors by their code: what each says, its status, and what the header x-ofauth-edge-action may say.
 * @returns {Record<string, {doc: string, status: number, actions: string[]}>}
 */
export function listErrors(text = read("src/core/gateway/error.rs")) {
  const codes = [...text.split("pub const CODES")[1].split("];")[0].matchAll(/\("(\w+)", "((?:[^"\\]|\\.)*)"\)/g)];
  const codeOf = readMatch(text, "fn code(self)", /^"(\w+)"$/);
  const statusOf = readMatch(text, "fn status(self)", /^(\d{3})$/);
  const actionOf = readMatch(text, "fn verdict(self)", /^Verdict::(\w+)$/);
  const errors = Object.fromEntries(codes.map(([, code, doc]) => [code, { doc, status: 0, actions: [] }]));
  for (const [variant, code] of codeOf) {
    const error = errors[code];
    const status = Number(statusOf.get(variant));
    if (!error || !actionOf.has(variant) || (error.status && error.status !== status)) throw new Error(`error.rs: ${variant}`);
    const action = actionOf.get(variant).replace(/(?<!^)(?=[A-Z])/g, "_").toLowerCase();
    errors[code] = { ...error, status, actions: [...new Set([...error.actions, action])] };
  }
  const nameless = Object.keys(errors).find((code) => errors[code].status === 0);
  if (nameless) throw new Error(`error.rs: no variant has the code ${nameless}`);
  return errors;
}

/** The arms of a `match self` as a map from each variant to what its arm gives. */
function readMatch(text, signature, form) {
  const [, body] = /match self \{\n([^]*?)\n {8}\}/.exec(text.slice(text.indexOf(`pub ${signature}`)));
  const arms = body.replace(/\s+/g, " ").split(/,(?= Self::| *$)/).filter((arm) => arm.trim() !== "");
  const pairs = arms.flatMap((arm) => {
    const [pattern, result] = arm.split(" => ");
    const [, value] = form.exec(result.trim()) ?? [];
    if (value === undefined) throw new Error(`error.rs: an arm of another form: ${arm}`);
    return [...pattern.matchAll(/Self::(\w+)/g)].map(([, variant]) => [variant, value]);
  });
  return new Map(pairs);
}

/** The keys that `GET /edge/connections` and the lists of events take in their query. */
export function listQueryKeys() {
  const text = read("src/core/gateway/list.rs");
  const [, connections] = /const KEYS: \[&str; \d+\] = (\[.*?\]);/s.exec(text);
  const [, events] = /query_values\(query, (\["limit".*?\])\)/.exec(text);
  return { connections: JSON.parse(connections), events: JSON.parse(events) };
}

/**
 * The fields of a struct as its JSON has them, and whether each may be left out.
 * @param {string} file
 * @param {string} name
 * @returns {Record<string, {isOptional: boolean}>}
 */
export function listFields(file, name, text = read(file)) {
  const [, body] = new RegExp(`struct ${name}(?:<[^>]*>)? \\{\\n([^]*?)\\n *\\}`).exec(text) ?? [];
  if (body === undefined) throw new Error(`${file} has no struct ${name}`);
  const fields = {};
  let attributes = "";
  for (const line of body.split("\n").map((one) => one.trim())) {
    if (line.startsWith("//")) continue;
    if (line.startsWith("#[")) attributes += line;
    const [, field] = /^(?:pub )?(?:r#)?(\w+): /.exec(line) ?? [];
    if (!field) continue;
    const [, renamed] = /rename = "(\w+)"/.exec(attributes) ?? [];
    const camel = field.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
    fields[renamed ?? camel] = { isOptional: attributes.includes("skip_serializing_if") };
    attributes = "";
  }
  return fields;
}

function constant(file, name) {
  const [, value] = new RegExp(`const ${name}: &(?:'static )?str = "((?:[^"\\\\]|\\\\[^])*)";`).exec(read(file)) ?? [];
  if (value === undefined) throw new Error(`${file} has no constant ${name}`);
  return value;
}
