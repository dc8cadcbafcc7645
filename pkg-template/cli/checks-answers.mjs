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

/** The code of an error answer, or the empty text. */
export function codeOf(answer) {
  return clean(json(answer)?.type ?? "", 40);
}

/**
 * A check that has failed because of an answer.
 * @param {import("./http.mjs").Answer} answer
 * @param {string} [fix]   what to do
 */
export function failedWith(answer, fix) {
  const detail = `HTTP ${answer.status} ${codeOf(answer)}`.trim();
  return { status: "fail", detail, ...(fix && { fix }) };
}

/** A check that holds if the gateway refused a call in the right way. */
export function refused(answer, status, codes) {
  if (answer.status === status && codes.includes(json(answer)?.type)) return { status: "ok" };
  return { status: "fail", detail: `${failedWith(answer).detail} instead of ${status} ${codes[0]}` };
}

/** The header of a gateway key or a session token. */
export function bearer(credential) {
  return { authorization: `Bearer ${credential}` };
}
