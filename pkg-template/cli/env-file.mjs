// Files of variables: lines `NAME=value`, as in wrangler's .dev.vars.

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

function unquote(value) {
  const [, , quoted] = /^(["'`])(.*?)\1/.exec(value) ?? [];
  return quoted ?? value.replace(/\s*#.*$/, "");
}
