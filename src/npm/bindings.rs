//! The functions that the wasm exports. `pkg-template/engine.mjs` calls them.
//!
//! A call works like this:
//!
//! 1. [`reserve`] returns the address of the input buffer, and JavaScript writes the body, the headers and the secrets
//!    there as UTF-8. The buffer lives as long as the instance, so no memory is allocated for each call.
//! 2. [`secret`] and [`header`] name the parts of the buffer that are secrets and headers. [`use_secrets`] puts the
//!    secrets to use, for this call and all later ones.
//! 3. [`verify_signature`], [`verify_webhook`], [`explain`] or [`sign`] does the work. It returns whether it succeeded.
//! 4. [`answer`] and [`answer_bytes`] return where the result is, or the error `{code, message}`, as JSON.
//!
//! All times are in unix seconds, and the tolerance is in seconds: whole numbers, which `pkg-template/` has checked.
//! The wasm calls one function of JavaScript, for SHA-256.

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use wasm_bindgen::prelude::wasm_bindgen;

use super::shell::Shell;
use crate::core::webhook::Scheme;

/// This allocator takes a third of the code of the standard one.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// Makes the input buffer at least `bytes` long, keeps its contents, and returns its address.
#[wasm_bindgen]
pub fn reserve(bytes: usize) -> *const u8 {
    Shell::with(|shell| shell.reserve(bytes))
}

/// Adds a secret for the next [`use_secrets`] or [`sign`]: `bytes` bytes of the input from `start`. It is for ofauth,
/// or for svix if `ofauth` is false.
#[wasm_bindgen]
pub fn secret(ofauth: bool, start: usize, bytes: usize) {
    Shell::with(|shell| shell.secret(if ofauth { Scheme::Ofauth } else { Scheme::Svix }, start, bytes));
}

/// Uses the secrets that were added, until the next call of this function. Returns whether they are usable.
///
/// If `any_scheme` is true, the secrets were added for ofauth and are used for any scheme.
#[wasm_bindgen]
pub fn use_secrets(any_scheme: bool) -> bool {
    Shell::with(|shell| shell.use_secrets(any_scheme))
}

/// Names `bytes` bytes of the input from `start` as the value of a header, for the next call. `index` is the position
/// of the header in [`SIGNATURE_HEADER_NAMES`](crate::core::webhook::SIGNATURE_HEADER_NAMES).
#[wasm_bindgen]
pub fn header(index: usize, start: usize, bytes: usize) {
    Shell::with(|shell| shell.header(index, start, bytes));
}

/// Verifies the first `bytes` bytes of the input and returns whether they are authentic. The answer is the result of
/// `verifySignature`.
#[wasm_bindgen]
pub fn verify_signature(bytes: usize, tolerance: f64, now: f64) -> bool {
    Shell::with(|shell| shell.verify_signature(bytes, seconds(tolerance), seconds(now)))
}

/// Verifies the first `bytes` bytes of the input, and decides whether they are an event.
///
/// Returns 0 for an error, else the flags of `flags.rs`. JavaScript reads the event itself with `JSON.parse`, which
/// also decides whether the body is JSON. With the flag `HAS_NUMBER_IDS`, the answer is the ids that are numbers, `{path:
/// text}`; without it there is no answer.
#[wasm_bindgen]
pub fn verify_webhook(bytes: usize, tolerance: f64, now: f64) -> u32 {
    Shell::with(|shell| shell.verify_webhook(bytes, seconds(tolerance), seconds(now)))
}

/// Explains why the first `bytes` bytes of the input do not verify. The answer is the result of `explainSignature`.
/// Secrets that cannot be used are explained too.
#[wasm_bindgen]
pub fn explain(bytes: usize, tolerance: f64, now: f64) {
    Shell::with(|shell| shell.explain(bytes, seconds(tolerance), seconds(now)));
}

/// Signs the first `bytes` bytes of the input with the secret that was added, and returns whether it succeeded. The
/// answer is the signature. Under svix, the message id was named as header 0.
#[wasm_bindgen]
pub fn sign(ofauth: bool, bytes: usize, timestamp: f64) -> bool {
    let scheme = if ofauth { Scheme::Ofauth } else { Scheme::Svix };
    Shell::with(|shell| shell.sign(scheme, bytes, seconds(timestamp)))
}

/// Returns the address of the last answer, which is JSON. The answer of a call that failed is `{code, message}`.
#[wasm_bindgen]
pub fn answer() -> *const u8 {
    Shell::with(|shell| shell.answer().as_ptr())
}

/// Returns the length of the last answer, in bytes.
#[wasm_bindgen]
pub fn answer_bytes() -> usize {
    Shell::with(|shell| shell.answer().len())
}

/// Converts whole seconds. JavaScript has checked that the number is a whole one from 0 to 2^53 − 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn seconds(number: f64) -> u64 {
    number as u64
}
