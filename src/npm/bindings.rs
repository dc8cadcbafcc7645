//! The functions that the wasm exports.
//!
//! The body, the headers and the secrets come as UTF-8 in one input buffer that lives as long as the instance, so that a
//! call that succeeds allocates nothing for passing them. JavaScript writes there, names the stretches
//! ([`header`], [`secret`]), then calls. A call says whether it went well; what else there is to say, a result or the
//! reason of a failure, waits as JSON at [`answer`]. Nothing here calls back into JavaScript, but for SHA-256.

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use wasm_bindgen::prelude::wasm_bindgen;

use super::shell::Shell;
use crate::core::webhook::Scheme;

/// A third of the size of the standard one.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// Makes room for `bytes` bytes of input, keeping what is there, and says where it begins.
#[wasm_bindgen]
pub fn reserve(bytes: usize) -> *const u8 {
    Shell::with(|shell| shell.reserve(bytes))
}

/// Adds a stretch of the input to the secrets in waiting: of `ofauth`, or of svix.
#[wasm_bindgen]
pub fn secret(ofauth: bool, start: usize, bytes: usize) {
    Shell::with(|shell| shell.secret(if ofauth { Scheme::Ofauth } else { Scheme::Svix }, start, bytes));
}

/// Puts the secrets in waiting to use until the next time; `bare` ones, all given as ofauth's, serve both schemes.
#[wasm_bindgen]
pub fn use_secrets(bare: bool) -> bool {
    Shell::with(|shell| shell.use_secrets(bare))
}

/// Names a stretch of the input as the value of a header, given by its place in [`NAMES`](crate::signature::NAMES), for the next call.
#[wasm_bindgen]
pub fn header(place: usize, start: usize, bytes: usize) {
    Shell::with(|shell| shell.header(place, start, bytes));
}

/// Judges the first `bytes` bytes of the input; the answer is what `verifySignature` returns. `tolerance` and `now` in whole seconds.
#[wasm_bindgen]
pub fn verify_signature(bytes: usize, tolerance: f64, now: f64) -> bool {
    Shell::with(|shell| shell.verify_signature(bytes, seconds(tolerance), seconds(now)))
}

/// Judges the first `bytes` bytes of the input and what they say. The event itself stays where it is, for `JSON.parse`;
/// the answer is the ids that it writes as numbers, `{path: text}`, where [`HAS_NUMBER_IDS`](super::flags::NUMBER_IDS) says that there are any.
#[wasm_bindgen]
pub fn verify_webhook(bytes: usize, tolerance: f64, now: f64) -> u32 {
    Shell::with(|shell| shell.verify_webhook(bytes, seconds(tolerance), seconds(now)))
}

/// Says why the first `bytes` bytes of the input do not verify, or that they do; the answer is a `Diagnosis`. Secrets that
/// cannot be used are explained as well.
#[wasm_bindgen]
pub fn explain(bytes: usize, tolerance: f64, now: f64) {
    Shell::with(|shell| shell.explain(bytes, seconds(tolerance), seconds(now)));
}

/// Signs the first `bytes` bytes of the input with the secret in waiting, under the id that is named as a header, if any;
/// the answer is the signature.
#[wasm_bindgen]
pub fn sign(ofauth: bool, bytes: usize, timestamp: f64) -> bool {
    let scheme = if ofauth { Scheme::Ofauth } else { Scheme::Svix };
    Shell::with(|shell| shell.sign(scheme, bytes, seconds(timestamp)))
}

/// Where the answer of the last call begins: JSON; of a call that failed, `{code, message}`.
#[wasm_bindgen]
pub fn answer() -> *const u8 {
    Shell::with(|shell| shell.answer().as_ptr())
}

/// How many bytes it has.
#[wasm_bindgen]
pub fn answer_bytes() -> usize {
    Shell::with(|shell| shell.answer().len())
}

/// Whole seconds that JavaScript has judged.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn seconds(number: f64) -> u64 {
    number as u64
}
