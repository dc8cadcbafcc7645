// JSON schemas of the types in pkg-template/generated.d.ts, which a unit test writes from the Rust models. It reads the few forms
// that this file uses, and throws at any other.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../inputs.mjs";

const DOC = String.raw`(?:/\*\*(?<doc>(?:[^*]|\*(?!/))*)\*/\s*)?`;
// All numbers of the models are integers in Rust.
const PRIMITIVES = { string: { type: "string" }, number: { type: "integer" }, boolean: { type: "boolean" } };
// Names that say more outside of this project. `Record` is also a type of TypeScript.
const PUBLIC_NAMES = { Record: "Connection", Metadata: "ConnectionMetadata", EdgeErrorCode: "ErrorCode", Verdict: "Action" };

/**
 * The schema of each type that is named, and of those that they refer to.
 * @param {string[]} names
 * @returns {Record<string, object>}
 */
export function schemasOf(names) {
  const types = readTypes();
  const schemas = {};
  const add = (name) => {
    const publicName = PUBLIC_NAMES[name] ?? name;
    if (publicName in schemas) return;
    if (!(name in types)) throw new Error(`generated.d.ts has no type ${name}`);
    schemas[publicName] = undefined; // keeps the order, and ends recursion
    schemas[publicName] = schemaOf(types[name], add);
  };
  names.forEach(add);
  return schemas;
}

/** The members of a union of texts, each with what it says. */
export function membersOf(name) {
  const { body } = readTypes()[name];
  return [...body.matchAll(new RegExp(`${DOC}\\|?\\s*"(?<member>\\w+)"`, "g"))].map(({ groups }) => ({ ...groups }));
}

function readTypes() {
  const text = readFileSync(join(root, "pkg-template/generated.d.ts"), "utf8");
  const declarations = text.matchAll(new RegExp(`^${DOC}export type (?<name>\\w+) =(?<body>(?:/\\*(?:[^*]|\\*(?!/))*\\*/|[^/])*?);\\n`, "gm"));
  return Object.fromEntries([...declarations].map(({ groups: { name, doc, body } }) => [name, { doc: plain(doc), body: body.trim() }]));
}

function schemaOf({ doc, body }, add) {
  if (body.startsWith("{")) return { description: doc, ...objectOf(body, add) };
  const members = [...body.matchAll(/"(\w+)"/g)].map(([, member]) => member);
  const isUnion = body.replace(/\/\*[^]*?\*\//g, "").replace(/"\w+"|\||\s/g, "") === "";
  if (!isUnion || members.length === 0) throw new Error(`generated.d.ts: a type of another form: ${body}`);
  return { type: "string", description: doc, enum: members };
}

function objectOf(body, add) {
  const properties = {};
  const required = [];
  const field = new RegExp(`^\\s*${DOC}(?<name>\\w+)(?<optional>\\?)?: (?<type>[^,]+),`);
  let rest = body.slice(1, -1).trimEnd();
  for (; rest.trim() !== ""; ) {
    const { 0: all, groups } = field.exec(rest) ?? [];
    if (!all) throw new Error(`generated.d.ts: a field of another form: ${rest}`);
    const { name, optional, type, doc } = groups;
    properties[name] = { ...typeOf(type.trim(), add), ...(doc && { description: plain(doc) }) };
    if (!optional) required.push(name);
    rest = rest.slice(all.length);
  }
  return { type: "object", properties, required };
}

function typeOf(type, add) {
  const [, element] = /^Array<(.+)>$/.exec(type) ?? [];
  if (element) return { type: "array", items: typeOf(element, add) };
  if (type in PRIMITIVES) return { ...PRIMITIVES[type] };
  if (type.endsWith(" | null")) {
    const { type: one, ...rest } = typeOf(type.slice(0, -" | null".length), add);
    return one ? { type: [one, "null"], ...rest } : { anyOf: [rest, { type: "null" }] };
  }
  if (!/^\w+$/.test(type)) throw new Error(`generated.d.ts: a type of another form: ${type}`);
  // Declared by hand in client.d.ts: an open set of texts.
  if (type !== "ConnectionStatus") add(type);
  return { $ref: `#/components/schemas/${PUBLIC_NAMES[type] ?? type}` };
}

function plain(doc) {
  return doc?.replace(/^\s*\* ?/gm, "").replace(/\s+/g, " ").trim();
}
