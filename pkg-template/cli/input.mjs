// Reads a captured request: its body and its headers, from files or stdin.

import { readFile } from "node:fs/promises";

import { onlyPositional } from "./arguments.mjs";
import { UsageError } from "./errors.mjs";

/** The options of commands that read a captured request. */
export const REQUEST_OPTIONS = {
  header: { type: "string", short: "H", value: "name: value", multiple: true, help: "A header of the request, as with curl" },
  headers: { type: "string", value: "file", help: "A file of headers: lines `Name: value`, or a JSON object such as req.headers" },
  request: { type: "string", value: "file", help: "A file with the whole request: headers, an empty line, the body" },
};

/**
 * The bytes of a file, or of stdin if there is no name or it is `-`.
 * @param {string | undefined} name
 * @param {import("./output.mjs").Output} output
 * @param {string} what   for messages, such as `the body`
 */
export async function readInput(name, output, what) {
  if (name !== undefined && name !== "-") {
    return readFile(name).catch((error) => {
      // The name is not repeated: a secret may stand there by mistake.
      throw new UsageError(`The file with ${what} cannot be read: ${REASONS[error.code] ?? error.code}`);
    });
  }
  if (process.stdin.isTTY) output.note(`Type or paste ${what}. Ctrl-D ends it.`);
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * @param {import("./program.mjs").Context} context
 * @returns {Promise<{body: Buffer, headers: Record<string, string | string[]>}>}
 */
export async function readRequest({ values, positionals, output }) {
  const file = onlyPositional(positionals, "file with the body");
  const given = (values.header ?? []).map(parseHeader);
  if (values.request !== undefined) {
    if (file !== undefined || values.headers !== undefined) throw new UsageError("--request has both the headers and the body");
    const { head, body } = splitRequest(await readInput(values.request, output, "the request"));
    return { body, headers: collect([...parseHeaders(head), ...given]) };
  }
  if (values.headers === undefined && given.length === 0) {
    throw new UsageError('The headers are missing. Pass -H "OFAuth-Signature: t=..,v1=.." as with curl, or --headers <file>, or --request <file>');
  }
  if (values.headers === "-" && (file ?? "-") === "-") throw new UsageError("stdin cannot be both the headers and the body");
  const head = values.headers === undefined ? "" : (await readInput(values.headers, output, "the headers")).toString();
  return { headers: collect([...parseHeaders(head), ...given]), body: await readInput(file, output, "the body") };
}

const REASONS = { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "you may not read it" };

function splitRequest(bytes) {
  const ends = ["\r\n\r\n", "\n\n"].map((end) => [bytes.indexOf(end), end.length]).filter(([at]) => at >= 0);
  if (ends.length === 0) throw new UsageError("--request has no empty line between the headers and the body");
  const [at, length] = ends.reduce((first, next) => (next[0] < first[0] ? next : first));
  return { head: bytes.subarray(0, at).toString(), body: bytes.subarray(at + length) };
}

function parseHeaders(text) {
  if (text.trimStart().startsWith("{")) return parseJsonHeaders(text);
  // `> ` is how curl -v shows a header that it sent. A line without a colon is the request line.
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^> /, "").trim());
  return lines.filter((line) => /^[^\s:]+\s*:/.test(line)).map(parseHeader);
}

function parseJsonHeaders(text) {
  try {
    return Object.entries(JSON.parse(text)).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  } catch {
    throw new UsageError("--headers begins with { but is not JSON");
  }
}

function parseHeader(line) {
  const at = line.indexOf(":");
  if (at < 1) throw new UsageError('A header has the form "Name: value"');
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

function collect(pairs) {
  const headers = Object.create(null);
  for (const [name, value] of pairs) (headers[name.toLowerCase()] ??= []).push(value);
  return { ...headers };
}
