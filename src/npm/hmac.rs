//! HMAC by the platform's SHA-256 where it has one that answers at once (Node's takes a third of the time), else by ours.

use std::cell::RefCell;

use hmac::digest::{
    Digest,
    block_api::{Buffer, UpdateCore, VariableOutputCore},
};
use sha2::{Sha256, block_api::Sha256VarCore};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::core::webhook::hmac_sha256;

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;
/// What is longer, in bytes, is hashed here, piece by piece, rather than collected for the platform.
const MAX_COLLECTED: usize = 256 * 1024;

#[wasm_bindgen(module = "/src/npm/sha256.js")]
extern "C" {
    /// Writes the digest of so many bytes at `data`, or answers false where the platform cannot. As slices, both would
    /// become objects in JavaScript.
    #[wasm_bindgen(js_name = sha256)]
    fn platform_sha256(data: *const u8, bytes: usize, digest: *mut u8) -> bool;
}

thread_local! {
    static KEYED: RefCell<Keyed> = const { RefCell::new(Keyed { key: Vec::new(), message: Vec::new(), outer: None }) };
}

/// A key made ready, as RFC 2104 has it: apps use one and the same over and over.
struct Keyed {
    key: Vec<u8>,
    /// What the inner hash is taken of: a block made of the key, then what is signed.
    message: Vec<u8>,
    /// The outer hash, begun with the other block made of the key; `None` before there is a key.
    outer: Option<Sha256VarCore>,
}

/// HMAC-SHA256 of the parts, one after the other.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    KEYED.with_borrow_mut(|keyed| keyed.mac(key, parts)).unwrap_or_else(|| hmac_sha256(key, parts))
}

/// SHA-256.
pub(super) fn sha256(data: &[u8]) -> [u8; 32] {
    by_platform(data).unwrap_or_else(|| Sha256::digest(data).into())
}

fn by_platform(data: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    platform_sha256(data.as_ptr(), data.len(), digest.as_mut_ptr()).then_some(digest)
}

impl Keyed {
    fn mac(&mut self, key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if bytes > MAX_COLLECTED {
            return None;
        }
        if self.outer.is_none() || self.key != key {
            self.begin(key);
        }
        self.message.truncate(BLOCK);
        for part in parts {
            self.message.extend_from_slice(part);
        }
        let inner = by_platform(&self.message)?;
        let mut mac = [0; 32];
        self.outer.clone()?.finalize_variable_core(&mut Buffer::<Sha256VarCore>::new(&inner), (&mut mac).into());
        Some(mac)
    }

    fn begin(&mut self, key: &[u8]) {
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
