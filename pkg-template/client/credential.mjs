// The credential of a client: a gateway key or a session token as it is, or a function that fetches tokens.

import { argument, isSendable, SENDABLE } from "./check.mjs";

/**
 * `current()` is a promise of the credential, `renew(stale)` whether a newer one than that promise's is on its way. A
 * token serves all calls until one of them finds it expired; calls that find the same one expired share the next.
 */
export function credentialOf({ token, apiKey, dangerouslyAllowBrowser }) {
  argument((token === undefined) !== (apiKey === undefined), "createClient", "either token or apiKey");
  const isPage = typeof window !== "undefined";
  const allowed = apiKey === undefined || !isPage || dangerouslyAllowBrowser === true;
  argument(allowed, "apiKey", "token instead: in a page, everybody can read the key (or dangerouslyAllowBrowser: true)");
  if (typeof token === "function") return renewable(token);
  const fixed = token ?? apiKey;
  argument(isSendable(fixed), token === undefined ? "apiKey" : "token", SENDABLE);
  return { current: async () => fixed, renew: () => false };
}

function renewable(fetchToken) {
  let newest;
  const load = () => {
    const loading = ask(fetchToken);
    newest = loading;
    // One that failed is not kept for the calls to come. Whoever waits for it hears of it.
    loading.catch(() => newest === loading && (newest = undefined));
    return loading;
  };
  return {
    current: () => newest ?? load(),
    renew(stale) {
      if (newest === stale) load();
      return true;
    },
  };
}

async function ask(fetchToken) {
  const token = await fetchToken();
  if (!isSendable(token)) throw new TypeError(`the token function must give ${SENDABLE}`);
  return token;
}
