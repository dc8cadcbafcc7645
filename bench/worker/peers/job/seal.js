// What is stored is sealed with AES-GCM, and what is named is hashed: no connection id stands anywhere in clear.
//
// A sealed value is a nonce of 12 bytes and the ciphertext. It opens only at the place it was sealed for.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NONCE = 12;

export async function seal(key, place, plain) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(place) };
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, plain));
  const sealed = new Uint8Array(NONCE + ciphertext.length);
  sealed.set(nonce);
  sealed.set(ciphertext, NONCE);
  return sealed;
}

export const sealJson = (key, place, value) => seal(key, place, encoder.encode(JSON.stringify(value)));

export async function openJson(key, place, sealed) {
  const bytes = new Uint8Array(sealed);
  const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, NONCE), additionalData: encoder.encode(place) };
  return JSON.parse(decoder.decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(NONCE))));
}

// The name under which a connection may be spoken of.
export const handleOf = async (key, id) => `acct_${await hash(key, `handle\0${id}`)}`;

// The name of a user's hub.
export const hubOf = (key, clientReferenceId) => hash(key, `ref\0${clientReferenceId}`);

async function hash(key, text) {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)), 0, 16).toHex();
}
