// Commands in Markdown, and the answers that stand below them.

/**
 * @typedef {object} Block
 * @property {string} place     file and line
 * @property {string} text
 * @property {string} [notRun]  why it is not run
 * @property {{language: string, text: string}} [answer]   the next block, if it is in the same section and shows JSON or text
 */

/**
 * The ```sh blocks of a Markdown file.
 * @param {string} path
 * @param {string} markdown
 * @returns {Block[]}
 */
export function blocksOf(path, markdown) {
  const fences = [...markdown.matchAll(/(?:<!-- not run: (.+) -->\n+)?^```(\w*)\n([^]*?)^```$/gm)];
  return fences.flatMap(({ 0: whole, 1: notRun, 2: language, 3: text, index }, position) => {
    if (language !== "sh") return [];
    const line = markdown.slice(0, index + whole.indexOf("```")).split("\n").length;
    const next = fences[position + 1];
    const between = next && markdown.slice(index + whole.length, next.index);
    const isAnswer = next && ["json", "text"].includes(next[2]) && !/^#|^\*\*/m.test(between);
    return [{ place: `${path}:${line}`, text, notRun, answer: isAnswer ? { language: next[2], text: next[3] } : undefined }];
  });
}

/** Members whose own members depend on what has happened: the counts of metrics, and the value of a line of the status. */
const OPEN = ["counts", "total", "value"];
/** Members that the last page of a list does not have. */
const OPTIONAL = ["cursor"];

/**
 * Says where a value has another form than the documented one: another kind, or other members. null is of every kind, and a list
 * that is empty on either side is not looked into.
 * @returns {string | undefined}
 */
export function sameForm(documented, value, path = "$") {
  if (documented === null || value === null || OPEN.includes(path.split(".").at(-1))) return undefined;
  const kinds = [documented, value].map((one) => (Array.isArray(one) ? "list" : typeof one));
  if (kinds[0] !== kinds[1]) return `${path} is documented as ${kinds[0]} and is ${kinds[1]}`;
  if (kinds[0] === "list") return value.map((one) => documented.length && sameForm(documented[0], one, `${path}[]`)).find(Boolean);
  if (kinds[0] !== "object") return undefined;
  const namesOf = (one) => Object.keys(one).filter((name) => !OPTIONAL.includes(name));
  const [expected, found] = [documented, value].map((one) => namesOf(one).sort().join(", "));
  if (expected !== found) return `${path} is documented with ${expected} and has ${found}`;
  return namesOf(documented).map((name) => sameForm(documented[name], value[name], `${path}.${name}`)).find(Boolean);
}

/** The lines of a text, with a sign in place of each time, digest and number. */
export function formOfLines(text) {
  const lines = text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>").replace(/\b[0-9a-f]{12,}\b/g, "<digest>").replace(/\d+/g, "<number>");
  return lines.split("\n").filter((line) => line.trim() !== "");
}
