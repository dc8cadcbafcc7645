// Signs a webhook body for a curl line, in the ofauth scheme, at the present time:
//
//   curl -H "OFAuth-Signature: $(node tests/emulator/sign.mjs < body.json)" --data-binary @body.json …
//
// The body comes on stdin, byte for byte. The secret comes from OFAUTH_WEBHOOK_SECRET in the environment, else from
// .dev.vars in the current directory; of a list (commas, newest first) the newest signs. Runs on Node 18.

import { readFile } from "node:fs/promises";

import { sign } from "./webhooks.mjs";

const NAME = "OFAUTH_WEBHOOK_SECRET";
const LINE = new RegExp(`^\\s*(?:export\\s+)?${NAME}\\s*=\\s*(.*?)\\s*$`);

try {
  const [secret] = (process.env[NAME] || (await fromDevVars())).split(",");
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  console.log(sign({ secret, body: Buffer.concat(chunks) })["OFAuth-Signature"]);
} catch (error) {
  console.error(`sign: ${error.message}`);
  process.exitCode = 1;
}

async function fromDevVars() {
  const missing = new Error(`set ${NAME}, or write it into .dev.vars in this directory`);
  const text = await readFile(".dev.vars", "utf8").catch((cause) => {
    throw cause.code === "ENOENT" ? missing : cause;
  });
  const values = text.split(/\r?\n/).flatMap(valueOf);
  if (!values.at(-1)) throw missing; // the last one counts, as for wrangler
  return values.at(-1);
}

/** The value of a `NAME="value"` or `NAME=value` line as a list of one; of any other line, nothing. */
function valueOf(line) {
  const value = line.match(LINE)?.[1];
  if (value === undefined) return [];
  const quoted = value.match(/^(["'`])(.*?)\1/);
  return [quoted ? quoted[2] : value.replace(/\s*#.*$/, "")];
}
