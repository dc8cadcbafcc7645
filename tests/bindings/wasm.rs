//! The wasm from outside. Nothing here calls Rust: all goes through its exports and its memory, as in
//! `pkg-template/engine.mjs`.

use js_sys::{Array, Function, JSON, Reflect, Uint8Array, WebAssembly::Memory};
use ofauth_edge::core::webhook::{SIGNATURE_HEADER_NAMES, Scheme, SecretStrings};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

use crate::delivery::{Delivery, HAS_NUMBER_IDS, failure};

#[wasm_bindgen(module = "/src/npm/sha256.js")]
extern "C" {
    /// Tells the platform's SHA-256 whose memory is meant.
    fn attach(wasm: &JsValue);
}

/// `verify_signature`, after the secrets and the headers.
pub fn verify(delivery: &Delivery) -> Result<Value, Value> {
    hand_over(delivery)?;
    outcome(call("verify_signature", &judged(delivery)) != 0)
}

/// `verify_webhook`, after the secrets and the headers, and `JSON.parse`: its flags but one, which [`number_ids`] looks at.
pub fn webhook(delivery: &Delivery) -> Result<u32, Value> {
    flags(delivery).map(|flags| flags & !HAS_NUMBER_IDS)
}

/// What is told of the ids that the body writes as numbers, `null` if there are none.
pub fn number_ids(delivery: &Delivery) -> Result<Value, Value> {
    flags(delivery).map(|flags| if flags & HAS_NUMBER_IDS == 0 { Value::Null } else { answer() })
}

fn flags(delivery: &Delivery) -> Result<u32, Value> {
    hand_over(delivery)?;
    let flags = call("verify_webhook", &judged(delivery));
    let refused = (flags == 0).then(answer);
    match refused {
        Some(refused) if refused["code"] != "INVALID_EVENT" => Err(refused),
        _ if !is_json(&delivery.body) => Err(failure("INVALID_JSON", "the body is not JSON in UTF-8")),
        Some(refused) => Err(refused),
        None => Ok(flags),
    }
}

/// What is JSON, the wasm leaves to the parser of JavaScript.
fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| JSON::parse(text.strip_prefix('\u{feff}').unwrap_or(text)).is_ok())
}

/// `explain`, of secrets that can't be used too.
pub fn explain(delivery: &Delivery) -> Value {
    let _judged_by_explain = use_secrets(&delivery.secrets);
    put(delivery);
    call("explain", &judged(delivery));
    answer()
}

/// `sign`, under an id if one is given.
pub fn sign(scheme: Scheme, body: &[u8], secret: &str, id: Option<&str>, timestamp: u64) -> Result<Value, Value> {
    write(0, body);
    hand_secret(scheme, body.len(), secret);
    if let Some(id) = id {
        name_header(0, body.len(), id);
    }
    outcome(call("sign", &[flag(scheme == Scheme::Ofauth), number(body.len()), seconds(timestamp)]) != 0)
}

/// Puts secrets to use.
pub fn use_secrets(secrets: &SecretStrings) -> Result<(), Value> {
    let (any_scheme, lists) = match secrets {
        SecretStrings::AnyScheme(ofauth) => (true, [(Scheme::Ofauth, &ofauth[..]), (Scheme::Svix, &[])]),
        SecretStrings::PerScheme { ofauth, svix } => {
            (false, [(Scheme::Ofauth, &ofauth[..]), (Scheme::Svix, &svix[..])])
        }
    };
    for (scheme, secrets) in lists {
        for secret in secrets {
            hand_secret(scheme, 0, secret);
        }
    }
    if call("use_secrets", &[flag(any_scheme)]) == 0 { Err(answer()) } else { Ok(()) }
}

/// `verify_signature` with the secrets that are in use.
pub fn verify_again(delivery: &Delivery) -> Result<Value, Value> {
    put(delivery);
    outcome(call("verify_signature", &judged(delivery)) != 0)
}

/// Writes the body, and the headers behind it.
pub fn put(delivery: &Delivery) {
    write(0, &delivery.body);
    let mut start = delivery.body.len();
    for (name, value) in &delivery.headers {
        let place = SIGNATURE_HEADER_NAMES.iter().position(|known| known == name).unwrap();
        name_header(place, start, value);
        start += value.len();
    }
}

/// Makes room for the bytes in the input and writes them at `start`.
pub fn write(start: usize, bytes: &[u8]) {
    let input = call("reserve", &[number(start + bytes.len())]);
    view(input + u32::try_from(start).unwrap(), bytes.len()).copy_from(bytes);
}

/// The bytes of the input from its beginning.
pub fn input(bytes: usize) -> Vec<u8> {
    read(call("reserve", &[number(bytes)]), bytes)
}

/// Names the value of a header that stands in the input.
pub fn header(place: usize, start: usize, bytes: usize) {
    call("header", &[number(place), number(start), number(bytes)]);
}

/// Calls an export; those that return nothing return 0.
pub fn call(name: &str, arguments: &[f64]) -> u32 {
    let exports = wasm_bindgen::exports();
    attach(&exports);
    let function: Function = Reflect::get(&exports, &name.into()).unwrap().dyn_into().unwrap();
    let arguments: Array = arguments.iter().map(|argument| JsValue::from_f64(*argument)).collect();
    let returned = function.apply(&JsValue::UNDEFINED, &arguments).unwrap();
    // What wasm returns is a signed number; `as` is JavaScript's `>>> 0`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an i32, which the wasm means as u32")]
    returned.as_f64().map_or(0, |number| number as i32 as u32)
}

/// What waits beside what the last call returned.
pub fn answer() -> Value {
    serde_json::from_slice(&read(call("answer", &[]), call("answer_bytes", &[]) as usize)).unwrap()
}

fn outcome(good: bool) -> Result<Value, Value> {
    if good { Ok(answer()) } else { Err(answer()) }
}

fn hand_over(delivery: &Delivery) -> Result<(), Value> {
    use_secrets(&delivery.secrets)?;
    put(delivery);
    Ok(())
}

fn hand_secret(scheme: Scheme, start: usize, secret: &str) {
    write(start, secret.as_bytes());
    call("secret", &[flag(scheme == Scheme::Ofauth), number(start), number(secret.len())]);
}

fn name_header(place: usize, start: usize, value: &str) {
    write(start, value.as_bytes());
    header(place, start, value.len());
}

fn judged(delivery: &Delivery) -> [f64; 3] {
    [number(delivery.body.len()), seconds(delivery.tolerance), seconds(delivery.now)]
}

fn read(start: u32, bytes: usize) -> Vec<u8> {
    // First the room: it may grow the memory, and that detaches views.
    let mut room = vec![0; bytes];
    view(start, bytes).copy_to(&mut room);
    room
}

fn view(start: u32, bytes: usize) -> Uint8Array {
    let memory: Memory = wasm_bindgen::memory().dyn_into().unwrap();
    Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), start, u32::try_from(bytes).unwrap())
}

fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}

fn number(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

#[expect(clippy::cast_precision_loss, reason = "no later than 2^53 − 1")]
fn seconds(seconds: u64) -> f64 {
    seconds as f64
}
