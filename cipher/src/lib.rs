//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, RFC 8439) of whole values.
//!
//! Generic code is compiled with the settings of the crate that uses it. So this is a crate of its own: it is compiled for speed, and
//! the rest of the Worker for size. Every webhook waits until its body is encrypted.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

/// The length of a nonce, in bytes.
pub const NONCE_LEN: usize = 24;

/// Encrypts and decrypts values under one key.
#[derive(Clone)]
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// Takes the key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts `plain`. Returns the ciphertext and after it the tag of 16 bytes. `None` beyond 256 GiB.
    ///
    /// Neither this function nor [`open`](Self::open) is inlined: inlined code would be compiled with the settings of the
    /// calling crate.
    #[inline(never)]
    pub fn seal(&self, nonce: [u8; NONCE_LEN], associated: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: associated }).ok()
    }

    /// Decrypts what [`seal`](Self::seal) returned. `None` if it is not authentic.
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
