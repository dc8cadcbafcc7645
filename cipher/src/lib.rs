//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, RFC 8439) of whole values.
//!
//! A crate of its own, because a crate's generic code is compiled as the crate that uses it: here for speed, while the rest of the
//! Worker is compiled for size. A webhook's body is encrypted on the way to its ledger.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

/// The length of a nonce, in bytes.
pub const NONCE_LEN: usize = 24;

/// A key.
#[derive(Clone)]
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// The cipher of a key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// The ciphertext of `plain`, and after it the tag of 16 bytes. `None` beyond 256 GiB.
    ///
    /// This and [`open`](Self::open) must not be compiled as part of what calls them.
    #[inline(never)]
    pub fn seal(&self, nonce: [u8; NONCE_LEN], associated: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: associated }).ok()
    }

    /// The plaintext of what [`seal`](Self::seal) returned. `None` if it is not authentic.
    #[inline(never)]
    pub fn open(&self, nonce: [u8; NONCE_LEN], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: associated }).ok()
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}
