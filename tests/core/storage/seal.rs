//! Sealed values, handles and hashes.
//!
//! 1. A sealed value opens in its own place, and nowhere else.
//! 2. Bytes that were changed, cut, lengthened or never sealed do not open.
//! 3. A sealed value is version, key id, nonce, ciphertext and tag.
//! 4. The newest key seals, and all keys open. The error names an unknown key by its id, which does not depend on the list.
//! 5. A handle and the hash of a user are the documented keyed hashes.
//! 6. Keys are base64 of 32 bytes, and `Debug` does not show them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{NONCE_A, NONCE_B, index, sealer};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ofauth_edge::core::{
    id::{HANDLE_PREFIX, is_handle},
    storage::{BlindIndex, MAX_STORAGE_KEYS, NONCE_LEN, SealError, Sealer, parse_key},
};
use proptest::prelude::*;
use sha2::Sha256;

const PLACE: &str = "conn:acct_00112233445566778899aabbccddeeff";
const OLD: [u8; 32] = [3; 32];
const NEW: [u8; 32] = [4; 32];

fn sealer_of(keys: &[[u8; 32]]) -> Sealer {
    Sealer::new(keys).unwrap()
}

/// The key id in an envelope.
fn key_id(sealed: &[u8]) -> [u8; 4] {
    sealed[1..5].try_into().unwrap()
}

proptest! {
    #[test]
    fn a_sealed_value_opens_in_its_place(place: String, plain: Vec<u8>, nonce: [u8; NONCE_LEN]) {
        let sealed = sealer().seal(&place, &plain, nonce);
        prop_assert_eq!(sealer().open(&place, &sealed), Ok(plain));
    }

    #[test]
    fn a_sealed_value_opens_in_no_other_place(place: String, other: String, plain: Vec<u8>) {
        prop_assume!(place != other);
        let sealed = sealer().seal(&place, &plain, NONCE_A);
        prop_assert_eq!(sealer().open(&other, &sealed), Err(SealError::NotAuthentic));
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(plain: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
        let mut sealed = sealer().seal(PLACE, &plain, NONCE_A);
        let at = at.index(sealed.len());
        sealed[at] ^= 1_u8 << bit;
        prop_assert!(sealer().open(PLACE, &sealed).is_err(), "bit {} of byte {}", bit, at);
    }

    #[test]
    fn a_part_of_a_sealed_value_is_refused(plain: Vec<u8>, at: prop::sample::Index) {
        let sealed = sealer().seal(PLACE, &plain, NONCE_A);
        let at = at.index(sealed.len());
        prop_assert!(sealer().open(PLACE, &sealed[..at]).is_err());
        prop_assert!(at == 0 || sealer().open(PLACE, &sealed[at..]).is_err());
    }

    #[test]
    fn random_bytes_neither_open_nor_panic(place: String, bytes: Vec<u8>) {
        prop_assert!(sealer().open(&place, &bytes).is_err());
        let versioned = [&[1], &key_id(&sealer().seal("", b"", NONCE_A))[..], &bytes].concat();
        prop_assert!(sealer().open(&place, &versioned).is_err());
    }

    #[test]
    fn a_handle_is_the_documented_hash(key: [u8; 32], id: String) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("handle\0{id}").as_bytes());
        let hex = base16ct::lower::encode_string(&mac.finalize().into_bytes()[..16]);
        let handle = BlindIndex::new(&key).handle(&id);
        prop_assert!(is_handle(&handle));
        prop_assert_eq!(handle, format!("{HANDLE_PREFIX}{hex}"));
    }

    #[test]
    fn the_hash_of_a_user_is_the_documented_one(key: [u8; 32], user: String) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("user\0{user}").as_bytes());
        let hex = base16ct::lower::encode_string(&mac.finalize().into_bytes()[..8]);
        prop_assert_eq!(BlindIndex::new(&key).hash_platform_user_id(&user), hex);
    }

    #[test]
    fn only_text_of_its_form_is_a_handle(text in r"\PC*|acct_[0-9a-fA-F]{30,34}") {
        let hex = text.strip_prefix("acct_").unwrap_or_default();
        let form = hex.len() == 32 && hex.chars().all(|char| "0123456789abcdef".contains(char));
        prop_assert_eq!(is_handle(&text), form);
    }
}

#[test]
fn an_appended_byte_is_refused() {
    let sealed = [sealer().seal(PLACE, b"plain", NONCE_A), vec![0]].concat();
    assert_eq!(sealer().open(PLACE, &sealed), Err(SealError::NotAuthentic));
}

#[test]
fn an_empty_value_is_too_short() {
    assert_eq!(sealer().open(PLACE, b""), Err(SealError::TooShort));
    assert_eq!(sealer().open(PLACE, &[1; 28]), Err(SealError::TooShort));
}

#[test]
fn a_sealed_value_is_version_key_id_nonce_ciphertext_and_tag() {
    let sealed = sealer().seal(PLACE, b"plain", NONCE_A);
    assert_eq!(sealed.len(), 1 + 4 + 24 + 5 + 16);
    assert_eq!((sealed[0], &sealed[5..29]), (1, &NONCE_A[..]));
    assert!(!sealed.windows(5).any(|window| window == b"plain"));
}

#[test]
fn another_nonce_makes_another_ciphertext() {
    let sealed = |nonce| sealer().seal(PLACE, b"plain", nonce)[29..].to_vec();
    assert_ne!(sealed(NONCE_A), sealed(NONCE_B));
}

#[test]
fn the_error_names_an_unknown_version() {
    let mut sealed = sealer().seal(PLACE, b"plain", NONCE_A);
    sealed[0] = 2;
    assert_eq!(sealer().open(PLACE, &sealed), Err(SealError::UnknownVersion(2)));
}

#[test]
fn the_newest_key_seals_and_all_open() {
    let (old, both, new) = (sealer_of(&[OLD]), sealer_of(&[NEW, OLD]), sealer_of(&[NEW]));
    let before = old.seal(PLACE, b"plain", NONCE_A);
    let after = both.seal(PLACE, b"plain", NONCE_A);
    assert_eq!(both.open(PLACE, &before).unwrap(), b"plain");
    assert_eq!(new.open(PLACE, &after).unwrap(), b"plain");
    assert!(old.open(PLACE, &after).is_err());
}

#[test]
fn the_error_names_an_unknown_key_by_its_id() {
    let sealed = sealer_of(&[OLD]).seal(PLACE, b"plain", NONCE_A);
    let error = sealer_of(&[NEW]).open(PLACE, &sealed).unwrap_err();
    assert_eq!(error, SealError::UnknownKey(key_id(&sealed)));
    assert!(error.to_string().contains(&base16ct::lower::encode_string(&key_id(&sealed))), "{error}");
}

#[test]
fn a_key_id_does_not_depend_on_the_place_in_the_list() {
    let sealed = |keys: &[[u8; 32]]| sealer_of(keys).seal(PLACE, b"plain", NONCE_A);
    assert_eq!(sealed(&[NEW]), sealed(&[NEW, OLD]));
    let old = sealed(&[OLD]);
    for keys in [vec![NEW, OLD], vec![OLD, NEW], vec![NEW, [9; 32], OLD]] {
        assert_eq!(sealer_of(&keys).open(PLACE, &old).unwrap(), b"plain");
    }
    assert_ne!(key_id(&sealed(&[NEW])), key_id(&old));
}

#[test]
fn a_key_id_is_not_a_part_of_the_key() {
    let id = key_id(&sealer_of(&[NEW]).seal(PLACE, b"", NONCE_A));
    assert!(!NEW.windows(4).any(|window| window == id));
}

#[test]
fn one_to_five_keys_are_accepted() {
    assert!(Sealer::new(&[]).is_none());
    assert!(Sealer::new(&[OLD; MAX_STORAGE_KEYS]).is_some());
    assert!(Sealer::new(&[OLD; MAX_STORAGE_KEYS + 1]).is_none());
}

#[test]
fn a_handle_is_always_the_same_and_differs_for_another_id_or_key() {
    let handle = index().handle("conn_abc123");
    assert_eq!(handle, index().handle("conn_abc123"));
    assert_ne!(handle, index().handle("conn_abc124"));
    assert_ne!(handle, BlindIndex::new(&[5; 32]).handle("conn_abc123"));
}

#[test]
fn a_handle_and_a_user_hash_of_the_same_text_differ() {
    assert!(!index().handle("123").contains(&index().hash_platform_user_id("123")));
}

#[test]
fn a_key_is_standard_base64_of_exactly_32_bytes() {
    assert_eq!(parse_key(&STANDARD.encode([6; 32])), Some([6; 32]));
    assert_eq!(parse_key(&STANDARD.encode([0xff; 32])), Some([0xff; 32]));
    let (short, long) = (STANDARD.encode([6; 31]), STANDARD.encode([6; 33]));
    let (padded, hex) = (format!(" {}", STANDARD.encode([6; 32])), "06".repeat(32));
    for bad in ["", "x", &short, &long, &padded, &hex, "__________________________________________8="] {
        assert_eq!(parse_key(bad), None, "{bad:?}");
    }
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?} {:?}", sealer_of(&[[0xab; 32]]), BlindIndex::new(&[0xab; 32]));
    for secret in ["171", "0xab", "ab, ab", "abab", &STANDARD.encode([0xab; 32])[..8]] {
        assert!(!shown.to_lowercase().contains(&secret.to_lowercase()), "{secret} in {shown}");
    }
}

#[test]
fn a_sealed_value_shows_its_key_id_and_whether_that_is_the_newest() {
    let (old, both) = (Sealer::new(&[[1; 32]]).unwrap(), Sealer::new(&[[2; 32], [1; 32]]).unwrap());
    let (older, newer) = (old.seal("place", b"", [7; 24]), both.seal("place", b"", [7; 24]));
    assert_eq!(Sealer::key_id(&older), base16ct::lower::encode_string(old.newest_key_id()));
    assert_eq!(Sealer::key_id(&newer), base16ct::lower::encode_string(both.newest_key_id()));
    assert_ne!(Sealer::key_id(&older), Sealer::key_id(&newer));
    assert_eq!([&older, &newer].map(|sealed| both.is_newest(sealed)), [false, true]);
    assert_eq!((Sealer::key_id(&[1, 2]), both.is_newest(&[])), (String::new(), false));
}
