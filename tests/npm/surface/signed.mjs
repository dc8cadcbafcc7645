// What the tests of the package's surface share: the installed package, and a body signed at a time that is judged by.
// The signer is the emulator's, which shares no code with the package.

import { sign } from "../../emulator/webhooks.mjs";
import { importInstalled } from "../project.mjs";

export const ofauth = await importInstalled();

export const NOW = 1_700_000_000;
export const AT = Object.freeze({ now: NOW });
export const SECRET = "whsec_c2VjcmV0";
export const BODY = '{"type":"test.event","data":null}';

/** The one header of the ofauth scheme, its name in lower case. */
export function signedOfauth(body = BODY, { secret = SECRET, timestamp = NOW } = {}) {
  return { "ofauth-signature": sign({ secret, timestamp, body })["OFAuth-Signature"] };
}

/** The three headers of the svix scheme. */
export function signedSvix(body = BODY, { secret = SECRET, timestamp = NOW, id = "msg_1" } = {}) {
  return sign({ scheme: "svix", secret, id, timestamp, body });
}

/** "ok", or the code of the error that `act` throws; other errors pass. */
export function codeOf(act) {
  try {
    act();
  } catch (error) {
    if (error instanceof ofauth.WebhookVerificationError) return error.code;
    throw error;
  }
  return "ok";
}
