//! What outlives a call, and what must not.
//!
//! 1. The input grows and keeps what is in it; the memory then stays as it is.
//! 2. A failure leaves nothing behind; neither does a success.
//! 3. Secrets serve until others replace them.
//! 4. Stretches that lie outside the input, or are no text, do no harm.

use js_sys::WebAssembly::Memory;
use ofauth_edge::core::webhook::{Scheme, SecretStrings};
use serde_json::Value;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    delivery::{Delivery, SECRET, SVIX_SECRET},
    wasm,
};

#[wasm_bindgen_test]
fn the_input_grows_and_keeps_what_is_in_it() {
    wasm::write(0, b"the beginning");
    wasm::write(3_000_000, b"the end");
    assert_eq!(wasm::input(13), b"the beginning");
    assert_eq!(wasm::input(3_000_007)[3_000_000..], *b"the end");
}

#[wasm_bindgen_test]
fn a_body_of_16_mib_verifies_and_so_does_the_next_small_one() {
    let large = Delivery::signed(Scheme::Svix, vec![b'x'; 16 * 1024 * 1024]);
    assert!(wasm::verify(&large).is_ok());
    assert!(wasm::verify(&Delivery::signed(Scheme::Ofauth, "{}")).is_ok());
}

#[wasm_bindgen_test]
fn the_memory_does_not_grow_with_calls() {
    let good = Delivery::signed(Scheme::Ofauth, vec![b'x'; 1000]);
    let bad = Delivery { body: vec![b'y'; 1000], ..good.clone() };
    let both = || assert!(wasm::verify(&good).is_ok() && wasm::webhook(&good).is_err() && wasm::verify(&bad).is_err());
    (0..100).for_each(|_| both());
    let before = memory_bytes();
    (0..1000).for_each(|_| both());
    assert_eq!(memory_bytes(), before);
}

#[wasm_bindgen_test]
fn failures_and_successes_take_turns() {
    let good = Delivery::signed(Scheme::Ofauth, r#"{"type":"later.unheard"}"#);
    let unsigned = Delivery { headers: Vec::new(), ..good.clone() };
    let unusable = Delivery { secrets: SecretStrings::AnyScheme(vec![String::new()]), ..good.clone() };
    for _ in 0..3 {
        assert_eq!(wasm::webhook(&good), Ok(1));
        assert_eq!(code(&wasm::verify(&unsigned)), "MISSING_HEADERS");
        assert!(wasm::verify(&good).is_ok());
        assert_eq!(code(&wasm::verify(&unusable)), "INVALID_SECRET");
        assert_eq!(wasm::explain(&good)["ok"], true);
    }
}

#[wasm_bindgen_test]
fn headers_serve_one_call() {
    let good = Delivery::signed(Scheme::Ofauth, "{}");
    assert!(wasm::verify(&good).is_ok());
    assert_eq!(code(&wasm::verify_again(&Delivery { headers: Vec::new(), ..good })), "MISSING_HEADERS");
}

#[wasm_bindgen_test]
fn what_is_signed_with_is_not_verified_with() {
    let good = Delivery::signed(Scheme::Ofauth, "{}");
    wasm::use_secrets(&good.secrets).unwrap();
    wasm::sign(Scheme::Ofauth, b"{}", "another", None, 0).unwrap();
    assert!(wasm::verify_again(&good).is_ok());
}

#[wasm_bindgen_test]
fn secrets_serve_until_others_replace_them() {
    let (ofauth, svix) = (Delivery::signed(Scheme::Ofauth, "{}"), Delivery::signed(Scheme::Svix, "{}"));
    wasm::use_secrets(&each(&[SECRET], &[])).unwrap();
    assert!(wasm::verify_again(&ofauth).is_ok());
    assert!(wasm::verify_again(&ofauth).is_ok());
    assert_eq!(code(&wasm::verify_again(&svix)), "MISSING_HEADERS");
    wasm::use_secrets(&each(&["another"], &[SVIX_SECRET])).unwrap();
    assert_eq!(code(&wasm::verify_again(&ofauth)), "SIGNATURE_MISMATCH");
    assert!(wasm::verify_again(&svix).is_ok());
}

#[wasm_bindgen_test]
fn secrets_that_are_refused_replace_the_good_ones_too() {
    let good = Delivery::signed(Scheme::Ofauth, "{}");
    wasm::use_secrets(&good.secrets).unwrap();
    assert_eq!(code(&wasm::use_secrets(&each(&[" "], &[]))), "INVALID_SECRET");
    assert!(wasm::verify_again(&good).is_err());
    wasm::use_secrets(&good.secrets).unwrap();
    assert!(wasm::verify_again(&good).is_ok());
}

#[wasm_bindgen_test]
fn a_stretch_outside_the_input_is_no_header() {
    let good = Delivery::signed(Scheme::Ofauth, "{}");
    wasm::use_secrets(&good.secrets).unwrap();
    for (place, start, bytes) in [(0, u32::MAX as usize, u32::MAX as usize), (0, 1 << 30, 1), (7, 0, 1)] {
        wasm::header(place, start, bytes);
        assert_eq!(code(&wasm::verify_again(&Delivery { headers: Vec::new(), ..good.clone() })), "MISSING_HEADERS");
    }
}

#[wasm_bindgen_test]
fn a_header_that_is_no_text_is_no_header() {
    let good = Delivery::signed(Scheme::Ofauth, "{}");
    wasm::use_secrets(&good.secrets).unwrap();
    wasm::write(2, b"\xff");
    wasm::header(0, 2, 1);
    assert_eq!(code(&wasm::verify_again(&Delivery { headers: Vec::new(), ..good })), "MISSING_HEADERS");
}

fn each(ofauth: &[&str], svix: &[&str]) -> SecretStrings {
    let owned = |list: &[&str]| list.iter().map(|secret| (*secret).to_owned()).collect();
    SecretStrings::PerScheme { ofauth: owned(ofauth), svix: owned(svix) }
}

fn memory_bytes() -> u32 {
    let memory: Memory = wasm_bindgen::memory().dyn_into().unwrap();
    memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length()
}

fn code<T>(outcome: &Result<T, Value>) -> &str {
    outcome.as_ref().map_or_else(|failure| failure["code"].as_str().unwrap(), |_| "ok")
}
