// Who is signed in. The gateway key is sent once and kept nowhere. The console token, which opens less and ends within an hour, is
// in sessionStorage: this tab alone has it, and it outlives a reload, so that nobody needs the gateway key again and again.

import { createApi, exchangeKey } from "./api.mjs";

const ITEM = "ofauth-edge-console";
let onChange = () => {};
let current = null;
let timer;

/** Takes up what the tab still has. `listener` is called at each sign-in, and at each end with what to say about it. */
export function startSession(listener) {
  onChange = listener;
  try {
    open(JSON.parse(sessionStorage.getItem(ITEM)));
  } catch {
    sessionStorage.removeItem(ITEM);
  }
}

/** The session that lasts, or null. */
export function session() {
  return current;
}

export async function signIn(gatewayKey) {
  const grant = await exchangeKey(gatewayKey);
  sessionStorage.setItem(ITEM, JSON.stringify(grant));
  open(grant);
  onChange();
}

/** @param {string} [reason]   why it ended, if nobody asked for it */
export function signOut(reason) {
  clearTimeout(timer);
  sessionStorage.removeItem(ITEM);
  current = null;
  onChange(reason);
}

function open(grant) {
  const left = Date.parse(grant?.expiresAt) - Date.now();
  if (typeof grant?.token !== "string" || !(left > 0)) throw new Error("there is no session, or it has ended");
  const opened = { expiresAt: grant.expiresAt };
  const end = (reason) => current === opened && signOut(reason);
  opened.api = createApi(grant.token, (error) => end(`Your session has ended: ${error.message}`));
  timer = setTimeout(() => end("Your session has ended after an hour."), left);
  current = opened;
}
