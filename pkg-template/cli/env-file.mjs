// Files of variables: lines `NAME=value`, as in wrangler's .dev.vars. And the gateway key in a variable.

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/;

/**
 * Reads the lines of a file of variables. A value without quotes ends before a `#`.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseEnvFile(text) {
  const lines = text.split(/\r?\n/).map((line) => LINE.exec(line)).filter(Boolean);
  return Object.fromEntries(lines.map(([, name, value]) => [name, unquote(value)]));
}

/**
 * A key that callers send, of the list in the variable GATEWAY_KEY: the newest that has a right, or the newest of all.
 * @param {string} list    an item is a key, which has all rights, or `name:rights:key`
 * @param {string} right   such as `read`
 * @returns {string}
 */
export function keyWithRight(list, right) {
  const items = list.split(",").map((item) => item.split(":"));
  const hasRight = ([, rights]) => rights === undefined || rights.split("+").includes(right);
  return (items.find(hasRight) ?? items[0]).at(-1);
}

function unquote(value) {
  const [, , quoted] = /^(["'`])(.*?)\1/.exec(value) ?? [];
  return quoted ?? value.replace(/\s*#.*$/, "");
}
