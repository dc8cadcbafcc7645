//! Another implementation of HMAC, which a platform may have, in place of the one in Rust.
#![allow(clippy::unwrap_used)]

use crate::common::{NOW, headers, sender::sender};
use hmac::{KeyInit, Mac, SimpleHmac};
use ofauth_edge::core::webhook::{
    explain, explain_with, hmac_sha256, sign_ofauth, sign_svix, sign_with, verify, verify_with,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// One that takes all at once.
fn at_once(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = SimpleHmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(&parts.concat());
    mac.finalize().into_bytes().into()
}

proptest! {
    // Each case of explain computes hundreds of MACs.
    #![proptest_config(crate::common::one_in(4))]

    #[test]
    fn another_implementation_of_hmac_verifies_and_explains_alike(sender in sender(), body: Vec<u8>, signed: bool) {
        let list = sender.sign(if signed { &body } else { b"something else" });
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, &**value)).collect();
        let (written, headers) = (sender.written(), headers(&list));
        let secrets = written.validate().unwrap();
        let verified = verify_with(at_once, &body, headers, &secrets, sender.tolerance, sender.now);
        prop_assert_eq!(verified.is_ok(), signed);
        if let Ok(verified) = &verified {
            prop_assert_eq!(verified.digest_with(|data| Sha256::digest(data).into()), verified.digest());
        }
        prop_assert_eq!(&verified, &verify(&body, headers, &secrets, sender.tolerance, sender.now));
        let diagnosis = explain_with(at_once, &body, headers, &written, sender.tolerance, sender.now);
        prop_assert_eq!(diagnosis, explain(&body, headers, &written, sender.tolerance, sender.now));
    }

    #[test]
    fn another_implementation_of_hmac_signs_alike(sender in sender(), body: Vec<u8>) {
        let signature = sign_with(at_once, sender.scheme, &body, sender.secret(), &sender.id, NOW);
        let expected = match sender.scheme.as_str() {
            "ofauth" => sign_ofauth(&body, sender.secret(), NOW),
            _ => sign_svix(&body, sender.secret(), &sender.id, NOW),
        };
        prop_assert_eq!(signature, expected);
    }

    #[test]
    fn the_hmac_of_parts_is_that_of_the_joined_message_under_keys_of_any_length(
        key in proptest::collection::vec(any::<u8>(), 0..200),
        parts: Vec<Vec<u8>>,
    ) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(hmac_sha256(&key, &parts), at_once(&key, &parts));
    }
}
