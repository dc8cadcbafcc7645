// The credential of a client: a gateway key, a session token, or a function that fetches session tokens.

import { check, hintIfUnset, isVisibleAscii, VISIBLE_ASCII } from "./check.mjs";

/**
 * Makes the credential from the options of a client. It has two functions:
 *
 * - `current()` returns a promise of the key or token.
 * - `renew(expired)` is called when the gateway refused the token of the promise `expired`. It fetches a new token, unless
 *   another call has done so already, and returns true. It returns false if the credential cannot change.
 */
export function makeCredential({ token, apiKey, dangerouslyAllowBrowser }) {
  const hint = hintIfUnset(token ?? apiKey);
  check((token === undefined) !== (apiKey === undefined), "createClient", `either token or apiKey${hint}`);
  const isPage = typeof window !== "undefined";
  const isAllowed = apiKey === undefined || !isPage || dangerouslyAllowBrowser === true;
  check(isAllowed, "apiKey", "token instead: in a page, everybody can read the key (or dangerouslyAllowBrowser: true)");
  if (typeof token === "function") return makeRenewableToken(token);
  const fixed = token ?? apiKey;
  check(isVisibleAscii(fixed), token === undefined ? "apiKey" : "token", VISIBLE_ASCII + hint);
  return { current: async () => fixed, renew: () => false };
}

function makeRenewableToken(fetchToken) {
  let newest;
  const load = () => {
    const loading = loadToken(fetchToken);
    newest = loading;
    // A later call must not get a token that failed to load. The calls that wait for it now get the error.
    loading.catch(() => newest === loading && (newest = undefined));
    return loading;
  };
  return {
    current: () => newest ?? load(),
    renew(expired) {
      if (newest === expired) load();
      return true;
    },
  };
}

async function loadToken(fetchToken) {
  const token = await fetchToken();
  if (!isVisibleAscii(token)) throw new TypeError(`the token function must return ${VISIBLE_ASCII}`);
  return token;
}
