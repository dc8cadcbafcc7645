//! SHA-256 by the platform where it has one that answers at once (Node's takes a third of the time), else by our own.

use std::{
    cell::RefCell,
    mem::{ManuallyDrop, take},
};

use hmac::digest::{
    Digest, FixedOutput, HashMarker, Output, OutputSizeUser, Update,
    common::BlockSizeUser,
    consts::{U32, U64},
};
use sha2::Sha256;
use wasm_bindgen::prelude::wasm_bindgen;

/// What is shorter is hashed here before a call to the platform has even begun.
const MIN_CALL: usize = 256;
/// Most webhooks are shorter, so that room is made once.
const ROOM: usize = 2048;
/// What is longer is hashed here, piece by piece, rather than collected for the platform.
const MAX_COLLECTED: usize = 256 * 1024;

#[wasm_bindgen(module = "/src/npm/sha256.js")]
extern "C" {
    /// Writes the digest of so many bytes at `data`, or answers false where the platform cannot. As slices, both would
    /// become objects in JavaScript.
    #[wasm_bindgen(js_name = sha256)]
    fn platform_sha256(data: *const u8, bytes: usize, digest: *mut u8) -> bool;
}

/// The platform's SHA-256, or ours.
pub(super) struct PlatformSha256 {
    collected: Vec<u8>,
    long: Option<Sha256>,
}

impl Default for PlatformSha256 {
    fn default() -> Self {
        let collected = SPARE.with_borrow_mut(|spare| spare.pop()).unwrap_or_else(|| Vec::with_capacity(ROOM));
        Self { collected, long: None }
    }
}

impl Update for PlatformSha256 {
    fn update(&mut self, data: &[u8]) {
        if self.long.is_none() && self.collected.len() + data.len() > MAX_COLLECTED {
            self.long = Some(Sha256::new_with_prefix(take(&mut self.collected)));
        }
        match &mut self.long {
            Some(long) => Digest::update(long, data),
            None => self.collected.extend_from_slice(data),
        }
    }
}

impl FixedOutput for PlatformSha256 {
    fn finalize_into(mut self, out: &mut Output<Self>) {
        let ours = match self.long {
            Some(long) => Some(long),
            None if self.collected.len() < MIN_CALL => Some(short(&self.collected)),
            None if platform_sha256(self.collected.as_ptr(), self.collected.len(), out.as_mut_ptr()) => None,
            None => Some(Sha256::new_with_prefix(&self.collected)),
        };
        if let Some(ours) = ours {
            Digest::finalize_into(ours, out);
        }
        if self.collected.capacity() == ROOM {
            self.collected.clear();
            SPARE.with_borrow_mut(|spare| spare.push(self.collected));
        }
    }
}

/// What is short is mostly the outer hash of an HMAC, which begins with the same block until the secret changes.
fn short(data: &[u8]) -> Sha256 {
    let Some((first, rest)) = data.split_first_chunk() else { return Sha256::new_with_prefix(data) };
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(block, _)| block != first) {
            *last = Some((*first, Sha256::new_with_prefix(first)));
        }
        let begun = last.as_ref().map(|(_, begun)| begun.clone()).unwrap_or_default();
        begun.chain_update(rest)
    })
}

thread_local! {
    /// Room that is free again; an HMAC takes two.
    static SPARE: RefCell<ManuallyDrop<Vec<Vec<u8>>>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
    /// A first block, and what comes of it.
    static LAST: RefCell<Option<([u8; 64], Sha256)>> = const { RefCell::new(None) };
}

impl HashMarker for PlatformSha256 {}

impl OutputSizeUser for PlatformSha256 {
    type OutputSize = U32;
}

impl BlockSizeUser for PlatformSha256 {
    type BlockSize = U64;
}
