// Reads from one Rust file which modules it declares and what it imports. It knows just enough of Rust's syntax for that:
// comments, literals, `use` trees, inline modules and braces.

const ID = String.raw`(?:r#)?[A-Za-z_]\w*`;
const VISIBILITY = String.raw`\bpub\b\s*(?:\([^)]*\)\s*)?`;
const USE_TREE = String.raw`[\w\s:{},*#$]+`;

// Comments, and string and character literals. A lifetime such as 'a has no closing quote, so it is not matched.
const HIDDEN = /\/\/[^\n]*|\/\*|(?<!\w)[bc]?r(#*)"[^]*?"\1|"(?:\\[^]|[^"\\])*"|'(?:\\(?:u\{[^}]*\}|x\w\w|.)|[^\\'\n])'/gu;

// The path in `pub(in crate::room)` names who may see an item. It imports nothing.
const ITEM = new RegExp(
  String.raw`(?<visibility>${VISIBILITY})?\b(?:mod\s+(?<mod>${ID})\s*(?<body>[{;])|use\b(?<tree>${USE_TREE});)` +
    String.raw`|(?<brace>[{}])|(?<path>(?<!\w|::\s*|\(in\s+)${ID}(?:\s*::\s*${ID})+)`,
  "g",
);
const ATTRIBUTE = String.raw`#!?\s*\[(?:[^\[\]]|\[[^\]]*\])*\]`;
const DECLARATION = String.raw`(?:${VISIBILITY})?mod\s+${ID}\s*;`;
const REEXPORT = String.raw`${VISIBILITY}use\b${USE_TREE};`;

/**
 * The modules that a file declares and the paths that it imports. A scope is the list of inline modules around a place.
 * @param {string} code with comments and literals hidden
 * @returns {{
 *   modules: {scope: string[], name: string, isPublic: boolean, isInline: boolean}[],
 *   imports: {scope: string[], segments: string[], at: number, name?: string, isPublic?: boolean}[],
 * }} `name` is what a `use` binds; `isPublic` says whether that `use` is a re-export
 */
export function parse(code) {
  const modules = [];
  const imports = [];
  // One for each brace that is open.
  const scopes = [[]];
  for (const { 0: text, groups, index } of code.matchAll(ITEM)) {
    const scope = scopes.at(-1);
    const isPublic = groups.visibility !== undefined;
    if (groups.mod) {
      const name = plain(groups.mod);
      const isInline = groups.body === "{";
      modules.push({ scope, name, isPublic, isInline });
      if (isInline) scopes.push([...scope, name]);
    } else if (groups.tree) {
      const start = index + text.length - ";".length - groups.tree.length;
      for (const leaf of leaves(groups.tree, start)) imports.push({ scope, ...leaf, isPublic });
    } else if (groups.path) {
      imports.push({ scope, segments: groups.path.split("::").map((segment) => plain(segment.trim())), at: index });
    } else if (groups.brace === "{") {
      scopes.push(scope);
    } else if (scopes.length > 1) {
      scopes.pop();
    }
  }
  return { modules, imports };
}

/**
 * The source with spaces in place of comments and literals. Every other character keeps its place.
 * @param {string} source
 */
export function hideCommentsAndLiterals(source) {
  let code = "";
  let end = 0;
  HIDDEN.lastIndex = 0;
  for (let match; (match = HIDDEN.exec(source)); ) {
    if (match[0] === "/*") HIDDEN.lastIndex = endOfComment(source, match.index);
    code += source.slice(end, match.index);
    end = HIDDEN.lastIndex;
    code += source.slice(match.index, end).replace(/[^\n]/g, " ");
  }
  return code + source.slice(end);
}

/**
 * The place of the first item that is neither a `mod` declaration nor, where these are allowed, a re-export.
 * @param {string} code with comments and literals hidden
 * @param {{reexports: boolean}} allowed
 * @returns {number | undefined}
 */
export function firstOtherItem(code, { reexports }) {
  const items = [ATTRIBUTE, DECLARATION, ...(reexports ? [REEXPORT] : [])];
  const [{ length }] = new RegExp(`^(?:\\s|${items.join("|")})*`).exec(code);
  return length < code.length ? length : undefined;
}

// Block comments nest.
function endOfComment(source, start) {
  const delimiter = /\/\*|\*\//g;
  delimiter.lastIndex = start;
  let depth = 0;
  for (let match; (match = delimiter.exec(source)); ) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return delimiter.lastIndex;
  }
  return source.length;
}

// `a::{b, c::{self, d as e}}` has the leaves `a::b`, `a::c` and `a::c::d`, which is bound as `e`. `start` is the place of
// the tree in the file. A leading `::` becomes an empty first segment, which no module of ours has.
function leaves(tree, start) {
  const found = [];
  const outer = [];
  let prefix = [];
  let leaf = { segments: prefix };
  let isAlias = false;
  const finish = () => {
    if (leaf.segments.length > prefix.length) {
      const segments = leaf.segments.length > 1 && leaf.segments.at(-1) === "self" ? leaf.segments.slice(0, -1) : leaf.segments;
      found.push({ segments, name: leaf.alias ?? segments.at(-1), at: leaf.at });
    }
    leaf = { segments: prefix };
  };
  for (const { 0: token, index } of tree.matchAll(/::|[{},*]|(?:r#)?\w+/g)) {
    if (token === "{") {
      outer.push(prefix);
      prefix = leaf.segments;
      leaf = { segments: prefix };
    } else if (token === "}") {
      finish();
      prefix = outer.pop() ?? [];
      leaf = { segments: prefix };
    } else if (token === ",") {
      finish();
    } else if (token === "as") {
      isAlias = true;
    } else if (isAlias) {
      leaf.alias = plain(token);
      isAlias = false;
    } else if (token !== "::" || leaf.segments.length === 0) {
      leaf = { at: start + index, ...leaf, segments: [...leaf.segments, token === "::" ? "" : plain(token)] };
    }
  }
  finish();
  return found;
}

function plain(identifier) {
  return identifier.replace(/^r#/, "");
}
