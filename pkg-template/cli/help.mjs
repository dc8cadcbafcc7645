// The texts of --help.

import { COMMON_OPTIONS } from "./arguments.mjs";

/** @param {import("./program.mjs").Command[]} commands */
export function programHelp(commands, { bold }) {
  const rows = commands.map(({ name, summary }) => [name, summary]);
  return [
    `${bold("ofauth-edge")}: tools for OFAuth's webhooks and for an ofauth-edge gateway`,
    `${bold("Usage")}\n  ofauth-edge <command> [options]`,
    `${bold("Commands")}\n${table(rows)}`,
    `${bold("Variables")}\n${table(VARIABLES)}`,
    `${bold("Exit codes")}\n${table(EXIT_CODES)}`,
    "ofauth-edge <command> --help shows the options of a command, with examples.",
  ].join("\n\n");
}

/** @param {import("./program.mjs").Command} command */
export function commandHelp({ name, summary, positionals, about, options, examples }, { bold, dim }) {
  const usage = ["ofauth-edge", name, positionals, "[options]"].filter(Boolean).join(" ");
  const shown = examples.map(([does, line]) => `  ${dim(`# ${does}`)}\n  ${line}`);
  return [
    `${bold(`ofauth-edge ${name}`)}: ${summary}`,
    `${bold("Usage")}\n  ${usage}`,
    about,
    `${bold("Options")}\n${table(optionRows({ ...options, ...COMMON_OPTIONS }))}`,
    `${bold("Examples")}\n${shown.join("\n\n")}`,
    `${bold("Exit codes")}\n${table(EXIT_CODES)}`,
  ].join("\n\n");
}

const VARIABLES = [
  ["OFAUTH_WEBHOOK_SECRET", "The webhook secret of the ofauth scheme. A list has commas, the newest first"],
  ["SVIX_WEBHOOK_SECRET", "The webhook secret of the svix scheme"],
  ["GATEWAY_URL", "The gateway, in place of --url of listen, replay and doctor"],
  ["GATEWAY_KEY", "The gateway key, in place of --key"],
  ["NO_COLOR", "No colours"],
];

const EXIT_CODES = [
  ["0", "It worked, or all is well"],
  ["1", "It failed, or a check did"],
  ["2", "The command line is wrong"],
];

function optionRows(options) {
  return Object.entries(options).map(([name, { short, value, multiple, help }]) => [
    `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` <${value}>`}`,
    `${help}${multiple ? " (may be repeated)" : ""}`,
  ]);
}

function table(rows) {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
