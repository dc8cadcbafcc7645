// Reads the body of a Fetch Request, once and not past a limit.

import { WebhookVerificationError, argumentError } from "./errors.mjs";

// The gateway has the same limit. OFAuth's webhooks are far smaller.
const DEFAULT_MAX_BYTES = 1024 * 1024;
const LARGEST_MAX_BYTES = 16 * 1024 * 1024;

const EXPECTED = "a Fetch Request";

// Checks the arguments of verifyRequest. Returns the limit in bytes.
export function checkRequest(request, options) {
  if (typeof request?.headers?.get !== "function" || typeof request.arrayBuffer !== "function") {
    throw argumentError("request", `${EXPECTED}; otherwise pass the raw body and the headers to verifyWebhook`);
  }
  if (request.bodyUsed || request.body?.locked) throw argumentError("request", `${EXPECTED} whose body was not read yet; clone() it first`);
  const maxBytes = options?.maxBytes ?? DEFAULT_MAX_BYTES;
  if (Number.isSafeInteger(maxBytes) && maxBytes >= 0 && maxBytes <= LARGEST_MAX_BYTES) return maxBytes;
  throw argumentError("options.maxBytes", "a whole number of bytes, at most 16 MiB");
}

// Returns the body as a Uint8Array. Rejects with BODY_TOO_LARGE as soon as it is known to be longer than `maxBytes`.
export async function readRequest(request, maxBytes) {
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge(maxBytes);
  // Some platforms have no streams.
  if (typeof request.body?.getReader !== "function") {
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    return bytes;
  }
  const reader = request.body.getReader();
  const chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return join(chunks, length);
    length += value.length;
    if (length > maxBytes) {
      // The sender may still be sending. Nothing waits for it, and how it ends no longer matters.
      reader.cancel().catch(() => {});
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

function join(chunks, length) {
  const bytes = new Uint8Array(length);
  let start = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, start);
    start += chunk.length;
  }
  return bytes;
}

function tooLarge(maxBytes) {
  return new WebhookVerificationError("BODY_TOO_LARGE", `the body has more than ${maxBytes} bytes`);
}
