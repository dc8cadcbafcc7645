// Finds the command, reads its arguments and runs it. Turns what it throws into a message and an exit code.

import * as util from "node:util";

import { parseArguments } from "./arguments.mjs";
import { loadEnvironment } from "./environment.mjs";
import { Failure, UsageError } from "./errors.mjs";
import { commandHelp, programHelp } from "./help.mjs";
import { createOutput } from "./output.mjs";
import { suggest } from "./nearest.mjs";
import { version } from "./version.mjs";
import { doctor } from "./doctor.mjs";
import { explain } from "./explain.mjs";
import { listen } from "./listen.mjs";
import { replay } from "./replay.mjs";
import { sign } from "./sign.mjs";
import { trigger } from "./trigger.mjs";
import { verify } from "./verify.mjs";

/**
 * @typedef {object} Command
 * @property {string} name
 * @property {string} summary       one line
 * @property {string} positionals   as the usage line shows them, such as `[file]`
 * @property {string} about         paragraphs for --help
 * @property {Record<string, import("./arguments.mjs").Option>} options
 * @property {[string, string][]} examples   what it does, and the line
 * @property {(context: Context) => Promise<number>} run   gives the exit code: 0, or 1 for a failed check
 */

/** @typedef {{values: Record<string, any>, positionals: string[], env: NodeJS.ProcessEnv, output: import("./output.mjs").Output}} Context */

/** @type {Command[]} */
const COMMANDS = [explain, verify, sign, trigger, listen, replay, doctor];

/**
 * @param {string[]} argv   without node and the program
 * @returns {Promise<number>} the exit code: 0 success, 1 a failed check or call, 2 a mistake in the command line
 */
export async function runProgram(argv) {
  const output = createOutput(argv.includes("--json"));
  const [name, ...rest] = argv;
  const command = COMMANDS.find((one) => one.name === name);
  try {
    if (util.parseArgs === undefined) throw new Failure(`Node 18.3 or newer is needed, and this is Node ${process.versions.node}`);
    if (command === undefined) return runWithoutCommand(argv, output);
    const { values, positionals } = parseArguments(rest, command.options);
    if (values.help) return output.result(commandHelp(command, output.style)), 0;
    return await command.run({ values, positionals, env: loadEnvironment(values.vars), output });
  } catch (error) {
    return report(error, output, command);
  }
}

function runWithoutCommand([first, second], output) {
  if (first === "--version" || first === "-V") return output.result(version()), 0;
  const topic = COMMANDS.find(({ name }) => first === "help" && name === second);
  if (topic) return output.result(commandHelp(topic, output.style)), 0;
  if (["help", "--help", "-h"].includes(first)) return output.result(programHelp(COMMANDS, output.style)), 0;
  if (first === undefined) {
    output.note(programHelp(COMMANDS, output.errorStyle));
    return 2;
  }
  if (first.startsWith("-")) throw new UsageError("The command comes first, then its options");
  // A secret may stand here by mistake. Only what looks like a word is repeated.
  const shown = /^[a-z-]{1,20}$/i.test(first) ? ` "${first}"` : "";
  throw new UsageError(`There is no command${shown}.${suggest(first, COMMANDS.map(({ name }) => name))}`);
}

function report(error, output, command) {
  const topic = command === undefined ? "ofauth-edge --help" : `ofauth-edge ${command.name} --help`;
  if (error instanceof UsageError) {
    output.fail(error.message, `${topic} shows how it is used`);
    return 2;
  }
  // A Failure has a message for people. Anything else is a fault of this program, and its stack helps to find it.
  output.fail(error instanceof Failure ? error.message : `Unexpected: ${error?.stack ?? error}`, error instanceof Failure ? error.hint : undefined);
  return 1;
}
