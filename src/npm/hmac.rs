//! Computes HMAC-SHA256 with the platform's SHA-256, if that is synchronous, and otherwise with the one in Rust. Node's
//! SHA-256 takes a third of the time.

use std::cell::RefCell;

use hmac::digest::{
    Digest,
    block_api::{Buffer, UpdateCore, VariableOutputCore},
};
use sha2::{Sha256, block_api::Sha256VarCore};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::core::webhook::hmac_sha256;

/// The length of a block of SHA-256, in bytes.
const BLOCK: usize = 64;
/// The longest message that is copied into one piece for the platform, in bytes. A longer one is hashed in Rust, part
/// by part.
const MAX_COPIED: usize = 256 * 1024;

#[wasm_bindgen(module = "/src/npm/sha256.js")]
extern "C" {
    /// Writes the SHA-256 of `bytes` bytes at `data` to `digest`. Returns false if the platform has no such function.
    ///
    /// The parameters are addresses, because slices would become objects in JavaScript.
    #[wasm_bindgen(js_name = sha256)]
    fn platform_sha256(data: *const u8, bytes: usize, digest: *mut u8) -> bool;
}

thread_local! {
    static PREPARED_KEY: RefCell<PreparedKey> = const { RefCell::new(PreparedKey::NONE) };
}

/// The last key, prepared for HMAC (RFC 2104 §4). An app uses the same key for most webhooks.
struct PreparedKey {
    key: Vec<u8>,
    /// The input of the inner hash: the key as a block with `ipad`, then the signed message.
    message: Vec<u8>,
    /// The outer hash after the key as a block with `opad`. `None` before the first key.
    outer: Option<Sha256VarCore>,
}

/// Computes the HMAC-SHA256 of the parts, joined.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    PREPARED_KEY.with_borrow_mut(|prepared| prepared.mac(key, parts)).unwrap_or_else(|| hmac_sha256(key, parts))
}

/// Computes the SHA-256 of bytes.
pub(super) fn sha256(data: &[u8]) -> [u8; 32] {
    try_platform_sha256(data).unwrap_or_else(|| Sha256::digest(data).into())
}

/// Returns `None` if the platform has no such function.
fn try_platform_sha256(data: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    platform_sha256(data.as_ptr(), data.len(), digest.as_mut_ptr()).then_some(digest)
}

impl PreparedKey {
    const NONE: Self = Self { key: Vec::new(), message: Vec::new(), outer: None };

    /// Returns `None` if the message is too long to copy, or if the platform cannot hash.
    fn mac(&mut self, key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if bytes > MAX_COPIED {
            return None;
        }
        if self.outer.is_none() || self.key != key {
            self.prepare(key);
        }
        self.message.truncate(BLOCK);
        for part in parts {
            self.message.extend_from_slice(part);
        }
        let inner = try_platform_sha256(&self.message)?;
        let mut mac = [0; 32];
        self.outer.clone()?.finalize_variable_core(&mut Buffer::<Sha256VarCore>::new(&inner), (&mut mac).into());
        Some(mac)
    }

    fn prepare(&mut self, key: &[u8]) {
        let digest = if key.len() > BLOCK { Some(sha256(key)) } else { None };
        let short = digest.as_ref().map_or(key, |digest| digest);
        let mut block = [0; BLOCK];
        block.iter_mut().zip(short).for_each(|(byte, key)| *byte = *key);
        self.key = key.to_vec();
        self.message.clear();
        self.message.extend(block.map(|byte| byte ^ 0x36));
        self.outer = Sha256VarCore::new(32).ok();
        if let Some(outer) = &mut self.outer {
            outer.update_blocks(&[block.map(|byte| byte ^ 0x5c).into()]);
        }
    }
}
