//! What is written down is sealed, and what is named is hashed.
//!
//! A connection id opens an account, so it appears nowhere in clear. Values at rest are sealed with XChaCha20-Poly1305
//! under a key derived from STORAGE_KEY by HKDF-SHA256; ids become *handles*, references and user ids keyed hashes, by
//! HMAC-SHA256 under INDEX_KEY.
//!
//! Envelope: version (1 byte) ‖ key id (4 bytes) ‖ nonce (24 bytes, fresh and random at every seal) ‖ ciphertext and tag.
//! Associated data: version ‖ place, so that a value copied to another place does not open. The newest key seals, all
//! open. The key id is derived from the key, never its place in the list, so keys can be put in front and taken away.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;

/// The length of a nonce, in bytes.
pub const NONCE: usize = 24;
/// The most storage keys there may be at once.
pub const MAX_KEYS: usize = 5;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const HEAD: usize = 1 + KEY_ID + NONCE;

/// Seals and opens values at rest. Cannot be printed.
pub struct Sealer {
    keys: Vec<Key>,
}

struct Key {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// Shorter than an envelope.
    TooShort,
    /// An envelope of another version.
    UnknownVersion(u8),
    /// Sealed under a key that is not configured.
    UnknownKey([u8; KEY_ID]),
    /// Changed since it was sealed, or moved from another place.
    NotAuthentic,
}

impl Sealer {
    /// Takes the storage keys, newest first; `None` without any, or with more than [`MAX_KEYS`].
    pub fn new(keys: &[[u8; 32]]) -> Option<Self> {
        let keys: Vec<Key> = keys.iter().map(Key::derive).collect();
        (1..=MAX_KEYS).contains(&keys.len()).then_some(Self { keys })
    }

    /// Seals `plain` for `place` under the newest key. The nonce must be fresh from a cryptographic random source.
    pub fn seal(&self, place: &str, plain: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
        let Some(key) = self.keys.first() else { return Vec::new() };
        let aad = associated(place);
        #[expect(clippy::expect_used, reason = "fails only beyond 256 GiB")]
        let sealed =
            key.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).expect("a short value");
        [&[VERSION], &key.id[..], &nonce, &sealed].concat()
    }

    /// Opens what was sealed for `place` under any of the keys.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (head, ciphertext) = sealed.split_at_checked(HEAD).ok_or(SealError::TooShort)?;
        let (version, head) = head.split_first().ok_or(SealError::TooShort)?;
        if *version != VERSION {
            return Err(SealError::UnknownVersion(*version));
        }
        let (id, nonce) = head.split_first_chunk::<KEY_ID>().ok_or(SealError::TooShort)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| SealError::TooShort)?;
        let key = self.keys.iter().find(|key| key.id == *id).ok_or(SealError::UnknownKey(*id))?;
        let payload = Payload { msg: ciphertext, aad: &associated(place) };
        key.cipher.decrypt(&nonce, payload).map_err(|_| SealError::NotAuthentic)
    }
}

/// Reads a key as it is configured: standard base64 of exactly 32 bytes.
pub fn parse_key(base64: &str) -> Option<[u8; 32]> {
    STANDARD.decode(base64).ok()?.try_into().ok()
}

impl Key {
    fn derive(secret: &[u8; 32]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret);
        let mut key = [0; 32];
        let mut id = [0; KEY_ID];
        #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes")]
        {
            hkdf.expand(b"ofauth-edge seal v1", &mut key).expect("32 bytes");
            hkdf.expand(b"ofauth-edge key id v1", &mut id).expect("4 bytes");
        }
        Self { id, cipher: XChaCha20Poly1305::new(&key.into()) }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer {{ keys: {} }}", self.keys.len())
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("shorter than a sealed value"),
            Self::UnknownVersion(version) => write!(f, "sealed in version {version}, which is not known"),
            Self::UnknownKey(id) => {
                write!(f, "sealed under key {}, which STORAGE_KEY lacks", base16ct::lower::encode_string(id))
            }
            Self::NotAuthentic => f.write_str("changed since it was sealed, or moved from another place"),
        }
    }
}

impl std::error::Error for SealError {}

fn associated(place: &str) -> Vec<u8> {
    [&[VERSION], place.as_bytes()].concat()
}
