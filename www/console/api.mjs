// Calls the Worker with the console token, and turns whatever goes wrong into an ApiError.

// Errors that say that the token opens nothing any more. OFAuth's own 401, which the Worker may pass on, has other codes.
const SESSION_ENDED = ["TOKEN_EXPIRED", "CREDENTIALS_INVALID", "CREDENTIALS_MISSING"];

/** What the Worker, or the way to it, answered instead. */
export class ApiError extends Error {
  /** @param {{status?: number, code?: string, requestId?: string}} details */
  constructor(message, { status, code, requestId } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/**
 * @param {string} token
 * @param {(error: ApiError) => void} onEnd   is called when the Worker does not take the token any more
 */
export function createApi(token, onEnd) {
  const call = async (method, path, { query = {}, signal } = {}) => {
    const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
    try {
      return await send(method, given.size > 0 ? `${path}?${given}` : path, { signal, token });
    } catch (error) {
      if (SESSION_ENDED.includes(error.code)) onEnd(error);
      throw error;
    }
  };
  return {
    get: (path, options) => call("GET", path, options),
    post: (path, options) => call("POST", path, options),
    delete: (path, options) => call("DELETE", path, options),
  };
}

/**
 * Exchanges a gateway key for a console token.
 * @returns {Promise<{token: string, expiresAt: string}>}
 */
export function exchangeKey(gatewayKey) {
  return send("POST", "/edge/sessions", { token: gatewayKey, body: '{"console":true}' });
}

async function send(method, path, { token, body, signal }) {
  // A key with a character that no header has would make `fetch` fail.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new ApiError("This is no gateway key: it has characters that a key never has.");
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(path, { method, headers, body, signal, credentials: "omit", cache: "no-store" }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new ApiError("The Worker did not answer. Check your connection to it, and try again.");
  });
  const text = await response.text();
  const answer = parse(text);
  if (response.ok && answer !== undefined) return answer;
  throw new ApiError(answer?.error ?? `The Worker answered with the status ${response.status}.`, {
    status: response.status,
    code: answer?.type,
    requestId: answer?.requestId ?? response.headers.get("x-request-id") ?? undefined,
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
