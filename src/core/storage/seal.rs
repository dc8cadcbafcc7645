//! Encrypts stored values, and names in each value the key that encrypts it.
//!
//! Connection ids and user data never appear in clear in storage. Values are *sealed*: encrypted and authenticated with
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, RFC 8439). HKDF-SHA256 (RFC 5869) derives the encryption key from
//! `STORAGE_KEY`.
//!
//! A sealed value has this form:
//!
//! | part | length in bytes |
//! |---|---|
//! | version, always 1 | 1 |
//! | key id | 4 |
//! | nonce, fresh and random for every value | 24 |
//! | ciphertext | the length of the plaintext |
//! | authentication tag | 16 |
//!
//! The associated data are the version byte and the *place*. A place is the name under which the value is stored, such
//! as a KV key. A value that is copied to another place therefore does not open.
//!
//! `STORAGE_KEY` may list several keys. The first one seals, and every one opens. The key id is derived from the key
//! and does not depend on the position in the list. A new key can therefore be put in front, and an old one removed
//! once no value needs it.
//!
//! ```
//! use ofauth_edge::core::storage::{SealError, Sealer};
//!
//! let sealer = Sealer::new(&[[1; 32]]).unwrap();
//! let nonce = [7; 24]; // the Worker draws it from a cryptographic random source
//! let sealed = sealer.seal("rules", b"secret", nonce);
//! assert_eq!(sealer.open("rules", &sealed), Ok(b"secret".to_vec()));
//! assert_eq!(sealer.open("elsewhere", &sealed), Err(SealError::NotAuthentic));
//! ```

use std::fmt;

use ct_codecs::Base64;
use hkdf::Hkdf;
use ofauth_edge_cipher::Cipher;
pub use ofauth_edge_cipher::NONCE_LEN;
use sha2::Sha256;

use crate::core::base64;

/// The most keys that `STORAGE_KEY` may list.
pub const MAX_STORAGE_KEYS: usize = 5;

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;

/// Encrypts and decrypts stored values. `Debug` does not show the keys.
pub struct Sealer {
    keys: Vec<Key>,
}

struct Key {
    id: [u8; KEY_ID_LEN],
    cipher: Cipher,
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// The value has fewer than 29 bytes: version, key id and nonce do not fit.
    TooShort,
    /// This build does not know the version, which is the given byte.
    UnknownVersion(u8),
    /// The value was sealed under the key with this id, which `STORAGE_KEY` does not list.
    UnknownKey([u8; KEY_ID_LEN]),
    /// The value was changed after it was sealed, or it was sealed for another place.
    NotAuthentic,
}

impl Sealer {
    /// Takes the storage keys, newest first. `None` if there is no key, or more than [`MAX_STORAGE_KEYS`].
    pub fn new(keys: &[[u8; 32]]) -> Option<Self> {
        let keys: Vec<Key> = keys.iter().map(Key::derive).collect();
        (1..=MAX_STORAGE_KEYS).contains(&keys.len()).then_some(Self { keys })
    }

    /// The ids of the keys in hex, the newest first. They tell nothing about the keys.
    pub fn key_ids(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|key| base16ct::lower::encode_string(&key.id))
    }

    /// Encrypts `plain` for `place` under the newest key.
    ///
    /// `nonce` must come from a cryptographic random source and must never be used twice.
    pub fn seal(&self, place: &str, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let Some(key) = self.keys.first() else { return Vec::new() };
        let aad = associated_data(place);
        #[expect(clippy::expect_used, reason = "fails only beyond 256 GiB")]
        let sealed = key.cipher.seal(nonce, &aad, plain).expect("a short value");
        [&[VERSION], &key.id[..], &nonce, &sealed].concat()
    }

    /// The id of the key that seals, as it stands in each sealed value.
    pub fn newest_key_id(&self) -> &[u8] {
        self.keys.first().map_or(&[], |key| &key.id)
    }

    /// The id of the key that sealed a value, in lower-case hex. Empty if the value is too short.
    pub fn key_id(sealed: &[u8]) -> String {
        base16ct::lower::encode_string(sealed.get(1..=KEY_ID_LEN).unwrap_or_default())
    }

    /// Whether a value was sealed under the newest key.
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID_LEN) == Some(self.newest_key_id())
    }

    /// Decrypts a value that was sealed for `place` under any of the keys.
    ///
    /// The errors, in the order in which they are found: [`SealError::TooShort`], [`SealError::UnknownVersion`],
    /// [`SealError::UnknownKey`], [`SealError::NotAuthentic`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (header, ciphertext) = sealed.split_at_checked(HEADER_LEN).ok_or(SealError::TooShort)?;
        let (version, header) = header.split_first().ok_or(SealError::TooShort)?;
        if *version != VERSION {
            return Err(SealError::UnknownVersion(*version));
        }
        let (id, nonce) = header.split_first_chunk::<KEY_ID_LEN>().ok_or(SealError::TooShort)?;
        let nonce = nonce.try_into().map_err(|_| SealError::TooShort)?;
        let key = self.keys.iter().find(|key| key.id == *id).ok_or(SealError::UnknownKey(*id))?;
        key.cipher.open(nonce, &associated_data(place), ciphertext).ok_or(SealError::NotAuthentic)
    }
}

/// Decodes a key from standard base64 (RFC 4648, section 4). `None` unless it has exactly 32 bytes.
pub fn parse_key(text: &str) -> Option<[u8; 32]> {
    base64::decode::<Base64>(text)?.try_into().ok()
}

impl Key {
    fn derive(secret: &[u8; 32]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret);
        let mut key = [0; 32];
        let mut id = [0; KEY_ID_LEN];
        #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes")]
        {
            hkdf.expand(b"ofauth-edge seal v1", &mut key).expect("32 bytes");
            hkdf.expand(b"ofauth-edge key id v1", &mut id).expect("4 bytes");
        }
        Self { id, cipher: Cipher::new(&key) }
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

fn associated_data(place: &str) -> Vec<u8> {
    [&[VERSION], place.as_bytes()].concat()
}
