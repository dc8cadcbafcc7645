// Reads a request that somebody pasted: a curl command, a whole request, a log in JSON, or headers alone.

import { splitCommands } from "./shell.mjs";

/**
 * @typedef {object} Pasted
 * @property {[string, string][]} headers
 * @property {string | Uint8Array} [body]   undefined if there is none in the text
 * @property {string[]} notes   what a person should know about it, as sentences
 * @property {boolean} [lacks]   whether a part of the request has to be added by hand, as the notes say
 */

const CURL = /(?:^|[;&|\n])[ \t]*(?:\$[ \t]+)?(?:\w+=[^\s;&|]*[ \t]+)*(?:[^\s;&|]*\/)?curl(?:\.exe)?\s/;

/** Whether a text is more than headers, so that it has to be taken apart. */
export function isWholeRequest(text) {
  const trimmed = text.trim();
  return CURL.test(trimmed) || /^[[{]/.test(trimmed) || /^(?:[A-Z]+ \S+ HTTP\/|> )/m.test(trimmed) || /^[\w-]+:.*\r?\n(?:.+\r?\n)*\r?\n\s*\S/.test(trimmed);
}

/**
 * @param {string} text
 * @returns {Pasted}
 * @throws {Error} if it can be none of them; the message is for a person
 */
export function readPasted(text) {
  if (/^\s*[[{]/.test(text)) return readLog(text);
  if (CURL.test(text.trim())) return readCurl(text.trim());
  return readRequest(text);
}

/** The headers by their names in lower case, each with all its values. */
export function collect(pairs) {
  const headers = Object.create(null);
  for (const [name, value] of pairs) (headers[name.toLowerCase()] ??= []).push(value);
  return { ...headers };
}

// A request as it is on the wire, or as `curl -v` shows it.
function readRequest(text) {
  const lines = text.replace(/^\s+/, "");
  if (/^> /m.test(lines)) return { headers: parseLines(lines.match(/^> .*/gm).map((line) => line.slice(2)).join("\n")), notes: [] };
  const end = /\r?\n\r?\n/.exec(lines);
  if (!end) return { headers: parseLines(lines), notes: [] };
  const body = lines.slice(end.index + end[0].length);
  return { headers: parseLines(lines.slice(0, end.index)), ...(body && { body }), notes: [] };
}

function parseLines(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  const pairs = lines.flatMap((line) => (isSignature(line) ? [["OFAuth-Signature", line]] : parseHeader(line)));
  if (lines.length > 0 && pairs.length === 0) throw new Error("No header can be found in this text. A header has the form OFAuth-Signature: t=1795852344,v1=5257a8");
  return pairs;
}

/** The value of OFAuth's header, pasted without its name. */
function isSignature(line) {
  return /^(?:t|v1)=[^:]*$/.test(line);
}

// A line without a colon is the request line, or nothing that counts.
function parseHeader(line) {
  const [, name, value] = /^([^\s:]+)\s*:\s*(.*)$/.exec(line) ?? [];
  return name === undefined || /^(?:https?|[A-Z]+ )/.test(name) ? [] : [[name, value]];
}

// curl

const DATA = ["-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--json"];
const NO_BODY = { "-F": "a form", "--form": "a form", "--data-urlencode": "an encoded form", "-T": "an uploaded file", "--upload-file": "an uploaded file" };
/** The short options that take a value. */
const WITH_VALUE = /^[AbcCDdeEFhHKmoPQrtTuUwxXyYz]$/;

function readCurl(text) {
  const words = splitCommands(text).map(fromCurl).find(Boolean) ?? [];
  const request = { headers: [], data: [], notes: [] };
  for (let index = 0; index < words.length; index += 1) {
    const { name, value, isInNext } = optionOf(words[index].text);
    const takes = name === "-H" || name === "--header" || DATA.includes(name);
    if (Object.hasOwn(NO_BODY, name)) throw new Error(`The command sends ${NO_BODY[name]} (${name}). A webhook is sent with --data-binary.`);
    if (isInNext || (takes && value === undefined)) index += 1;
    if (!takes) continue;
    const word = value === undefined ? words[index] : { text: value, inserted: words[index].inserted };
    if (word === undefined) throw new Error(`The command ends after ${name}. Copy all of it.`);
    if (DATA.includes(name)) addData(request, name, word);
    else addHeader(request, word);
  }
  const body = request.data.map(({ separator, text }, index) => (index > 0 ? separator : "") + text).join("");
  return { headers: request.headers, ...(request.data.length > 0 && { body }), notes: request.notes, ...(request.notes.length > 0 && { lacks: true }) };
}

/** The words after `curl`, if the command is one of curl. Variables may be set before it. */
function fromCurl(words) {
  const at = words.findIndex(({ text }) => /(?:^|\/)curl(?:\.exe)?$/.test(text));
  return at < 0 ? undefined : words.slice(at + 1);
}

/** The option of a word, with its value if that is in the same word. Several short options may be in one word. */
function optionOf(word) {
  if (word.startsWith("--")) {
    const [, name, value] = /^(--[^=]+)(?:=([^]*))?$/.exec(word) ?? [word, word];
    return { name, value };
  }
  if (!/^-./.test(word)) return {};
  const at = [...word].findIndex((letter, index) => index > 0 && WITH_VALUE.test(letter));
  if (at < 0) return {};
  const value = word.slice(at + 1);
  return { name: `-${word[at]}`, value: value || undefined, isInNext: value === "" };
}

function addData({ data, notes }, name, { text, inserted }) {
  if (text.startsWith("@") && name !== "--data-raw") return void notes.push(`The command sends the file ${text.slice(1)}. Choose that file as the body.`);
  if (inserted) return void notes.push(`The shell puts ${inserted} into the body. Paste the body as it was sent.`);
  data.push({ separator: name === "--json" ? "" : "&", text });
}

function addHeader({ headers, notes }, { text, inserted }) {
  if (text.startsWith("@")) return void notes.push(`The command reads headers from ${text === "@-" ? "another command" : text.slice(1)}. Add them here.`);
  if (inserted) notes.push(`The shell puts ${inserted} into the header ${text.split(":")[0]}. Paste its value as it was sent.`);
  headers.push(...parseHeader(text));
}

// Logs in JSON

const HOLDERS = ["request", "req", "event", "message"];

function readLog(text) {
  const log = parseLog(text);
  const found = findHeaders(log);
  if (!found) throw new Error("This is JSON without headers. It should be an object of headers such as req.headers, or one with headers and body.");
  return { headers: found.headers, ...bodyOf(found.holder) };
}

function parseLog(text) {
  const [firstLine] = text.trim().split("\n");
  for (const json of [text, firstLine]) {
    try {
      return JSON.parse(json);
    } catch {
      // The next one.
    }
  }
  throw new Error("This begins like JSON, but is none. Copy all of it.");
}

/** The headers, and the object that may have the body beside them. */
function findHeaders(log, depth = 0) {
  if (typeof log !== "object" || log === null || depth > 4) return undefined;
  if (Array.isArray(log)) return pairsOf(log) ? { headers: pairsOf(log), holder: {} } : findHeaders(log[0], depth + 1);
  for (const list of [log.headers, log.multiValueHeaders, log.rawHeaders]) {
    if (typeof list === "object" && list !== null && pairsOf(list)) return { headers: pairsOf(list), holder: log };
  }
  for (const name of HOLDERS) {
    const found = findHeaders(log[name], depth + 1);
    if (found) return { ...found, holder: { ...log, ...found.holder } };
  }
  // A sole object of headers. One with `type` and `data` is an event, which is a body.
  return log.data === undefined && pairsOf(log) ? { headers: pairsOf(log), holder: {} } : undefined;
}

/** Pairs of names and values, of an object, of a list of pairs or of `{name, value}`, or of Node's flat list. */
function pairsOf(list) {
  if (!Array.isArray(list)) return asPairs(Object.entries(list).flatMap(([name, value]) => (Array.isArray(value) ? value.map((one) => [name, one]) : [[name, value]])));
  if (list.every((one) => typeof one === "string")) return list.length % 2 ? undefined : asPairs(list.flatMap((name, index) => (index % 2 ? [] : [[name, list[index + 1]]])));
  return asPairs(list.map((one) => (Array.isArray(one) ? one : [one?.name ?? one?.key, one?.value])));
}

function asPairs(pairs) {
  const isText = (value) => typeof value === "string" || typeof value === "number";
  const given = pairs.filter(([, value]) => value !== null && value !== undefined);
  const areHeaders = given.length > 0 && given.every(([name, value]) => typeof name === "string" && /^[^\s:]+$/.test(name) && isText(value));
  return areHeaders ? given.map(([name, value]) => [name, String(value)]) : undefined;
}

function bodyOf({ rawBody, body = rawBody, postData, isBase64Encoded }) {
  const raw = rawBody ?? body ?? postData?.text;
  if (raw === undefined || raw === null) return { notes: [] };
  if (typeof raw !== "string") return { body: JSON.stringify(raw), notes: ["The log has the body as parsed JSON. It was written again here, so it may differ from what was sent. A log of the raw body is sure."] };
  if (isBase64Encoded !== true) return { body: raw, notes: [] };
  try {
    return { body: Uint8Array.from(atob(raw), (char) => char.charCodeAt(0)), notes: [] };
  } catch {
    return { body: raw, notes: ["The log says that the body is base64, but it is not."] };
  }
}
