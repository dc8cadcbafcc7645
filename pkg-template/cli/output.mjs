// What is printed, and where: results to stdout, everything else to stderr.

/** @typedef {ReturnType<typeof createOutput>} Output */

/** @param {boolean} json   print results as JSON */
export function createOutput(json) {
  process.stderr.on("error", () => process.exit(1));
  process.stdout.on("error", ({ code }) => {
    // A reader such as `head` may close the pipe early. That is no fault of this program.
    if (code !== "EPIPE") process.stderr.write(`Error: the output cannot be written: ${code}\n`);
    else if (output.isEndless) process.stderr.write("Stopped: the output is not read any more\n");
    process.exit(code === "EPIPE" ? 0 : 1);
  });
  const style = styleFor(process.stdout);
  const errorStyle = styleFor(process.stderr);
  const output = {
    json,
    /** Whether the command goes on until somebody stops it. It then says why it ends. */
    isEndless: false,
    style,
    errorStyle,
    /** A result for people. */
    result: (text) => void process.stdout.write(`${text}\n`),
    /** A result for programs, on one line. */
    data: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    /** A note for people. */
    note: (text) => void process.stderr.write(`${text}\n`),
    /** Why the command has failed, and what to do. */
    fail(message, hint) {
      if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: message, ...(hint && { hint }) })}\n`);
      else process.stderr.write(`${errorStyle.red("Error")}: ${message}\n${hint ? `${hint}\n` : ""}`);
    },
  };
  return output;
}

/**
 * Text that came from elsewhere, on one line and without control characters, which could move a terminal's cursor.
 * @param {unknown} text
 * @param {number} [most]   characters
 */
export function clean(text, most = 200) {
  const line = String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most)} [cut]` : line;
}

/** The time of day here, for lines that follow each other. */
export function timeOfDay(date = new Date()) {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] };

function styleFor(stream) {
  // https://no-color.org: any text but the empty one.
  const coloured = stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  const paint = ([on, off]) => (coloured ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text);
  return Object.fromEntries(Object.entries(CODES).map(([name, codes]) => [name, paint(codes)]));
}
