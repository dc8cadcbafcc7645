// The keys of the job. Each is imported once per isolate and kept.

const encoder = new TextEncoder();
const HMAC = { name: "HMAC", hash: "SHA-256" };

let keys;

export async function keysOf(env) {
  return (keys ??= await importKeys(env));
}

async function importKeys({ OFAUTH_WEBHOOK_SECRET, GATEWAY_KEY, INDEX_KEY, STORAGE_KEY }) {
  const { subtle } = crypto;
  const storage = await subtle.importKey("raw", Uint8Array.fromBase64(STORAGE_KEY), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode("seal") };
  return {
    webhook: await subtle.importKey("raw", encoder.encode(OFAUTH_WEBHOOK_SECRET), HMAC, false, ["verify"]),
    gateway: encoder.encode(GATEWAY_KEY),
    index: await subtle.importKey("raw", Uint8Array.fromBase64(INDEX_KEY), HMAC, false, ["sign"]),
    storage: await subtle.deriveKey(derivation, storage, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
  };
}
