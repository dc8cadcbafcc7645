// Words of a shell: writing one, and reading those of a command that somebody pasted.

const ESCAPES = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", e: "\x1b", E: "\x1b", f: "\f", v: "\v" };

/** A text as one word of a shell. */
export function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Splits commands into words, as bash does. Nothing is run and no variable is known: what a shell would put in, such as `$body` or
 * `$(date)`, stays as it is written.
 * @param {string} text
 * @returns {{text: string, inserted?: string}[][]}   the commands; inserted: the first thing in the word that a shell would put in
 * @throws {Error} if a quote is not closed
 */
export function splitCommands(text) {
  const reader = { text: isOfWindows(text) ? withoutCarets(text) : text, at: 0 };
  const commands = [[]];
  let word;
  while (reader.at < reader.text.length) {
    const char = reader.text[reader.at];
    if (/[\s;|&]/.test(char)) {
      if (word) commands.at(-1).push(word);
      word = undefined;
      reader.at += 1;
      if (/[\n;|&]/.test(char)) commands.push([]);
    } else if (char === "\\" && /^\\\r?\n/.test(reader.text.slice(reader.at, reader.at + 3))) {
      reader.at = reader.text.indexOf("\n", reader.at) + 1;
    } else {
      word ??= { text: "" };
      readPart(reader, word);
    }
  }
  if (word) commands.at(-1).push(word);
  return commands.filter((words) => words.length > 0);
}

/** Reads a quoted part, an escaped character, or one plain character. */
function readPart(reader, word) {
  const { text, at } = reader;
  if (text[at] === "'") return readUntil(reader, word, "'", 1);
  if (text.startsWith("$'", at)) return readAnsi(reader, word);
  // $"..." is a text in the language of the user, for bash. For us it is "...".
  if (text[at] === '"' || text.startsWith('$"', at)) return readDouble(reader, word);
  if (text[at] === "\\") {
    word.text += text[at + 1] ?? "";
    reader.at += 2;
    return;
  }
  readPlain(reader, word);
}

function readUntil(reader, word, end, skip) {
  const from = reader.at + skip;
  const to = reader.text.indexOf(end, from);
  if (to < 0) throw unclosed(end);
  word.text += reader.text.slice(from, to);
  reader.at = to + 1;
}

function readDouble(reader, word) {
  reader.at = reader.text.indexOf('"', reader.at) + 1;
  for (;;) {
    const char = reader.text[reader.at];
    if (char === undefined) throw unclosed('"');
    if (char === '"') break;
    const escaped = /^\\(?:([$`"\\])|\r?\n)/.exec(reader.text.slice(reader.at, reader.at + 3));
    if (escaped) {
      word.text += escaped[1] ?? "";
      reader.at += escaped[0].length;
    } else readPlain(reader, word);
  }
  reader.at += 1;
}

/** `$'...'`, as browsers write a body that has line breaks or quotes. */
function readAnsi(reader, word) {
  const [all, inner] = /^\$'((?:[^'\\]|\\[^])*)'/.exec(reader.text.slice(reader.at)) ?? [];
  if (all === undefined) throw unclosed("'");
  word.text += inner.replace(/\\(?:u([\da-f]{1,4})|U([\da-f]{1,8})|((?:x[\da-f]{1,2}|[0-7]{1,3})(?:\\(?:x[\da-f]{1,2}|[0-7]{1,3}))*)|([^]))/gi, (_, four, eight, bytes, char) => {
    if (four ?? eight) return codePoint(parseInt(four ?? eight, 16));
    if (bytes) return decodeBytes(bytes);
    return ESCAPES[char] ?? (/["'\\?]/.test(char) ? char : `\\${char}`);
  });
  reader.at += all.length;
}

/** The bytes of `x41\102`, which together may be characters of UTF-8. */
function decodeBytes(escapes) {
  const values = escapes.split("\\").map((one) => (/^x/i.test(one) ? parseInt(one.slice(1), 16) : parseInt(one, 8)));
  return new TextDecoder().decode(Uint8Array.from(values));
}

function codePoint(value) {
  return value <= 0x10ffff ? String.fromCodePoint(value) : "\ufffd";
}

function readPlain(reader, word) {
  const rest = reader.text.slice(reader.at, reader.at + 200);
  const [inserted] = /^(?:\$(?:\{[^}]*\}|\([^)]*\)?|\w+)|`[^`]*`)/.exec(rest) ?? [];
  if (inserted) word.inserted ??= inserted;
  word.text += inserted ?? reader.text[reader.at];
  reader.at += (inserted ?? " ").length;
}

/** Whether the command is for the prompt of Windows, where ^ is the escape. */
function isOfWindows(text) {
  return /\^\r?\n|\s\^"/.test(text);
}

function withoutCarets(text) {
  return text.replace(/\^\r?\n\r?\n?/g, (line) => (/\n\r?\n/.test(line) ? "\n" : " ")).replace(/\^([^])/g, "$1");
}

function unclosed(quote) {
  return new Error(`The command ends within a text in ${quote}. Copy all of it.`);
}
