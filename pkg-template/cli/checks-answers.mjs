// What the checks of `doctor` share: reading answers.

import { clean } from "./output.mjs";

/** The JSON of an answer, or undefined. */
export function json({ text }) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A check that holds if the gateway refused a call in the right way. */
export function refused(answer, status, codes) {
  const code = json(answer)?.type;
  if (answer.status === status && codes.includes(code)) return { status: "ok" };
  return { status: "fail", detail: `HTTP ${answer.status} ${clean(code ?? "", 40)} instead of ${status} ${codes[0]}` };
}

/** The header of a gateway key or a session token. */
export function bearer(credential) {
  return { authorization: `Bearer ${credential}` };
}
