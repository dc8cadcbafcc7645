//! SHA-256 by another implementation: one that, as a platform's may, takes all at once.
#![allow(clippy::unwrap_used)]

mod common;

use common::{NOW, headers, sender::sender};
use hmac::digest::{
    Digest, FixedOutput, HashMarker, Output, OutputSizeUser, Update,
    common::BlockSizeUser,
    consts::{U32, U64},
};
use ofauth_edge::{
    explain::{explain, explain_with},
    signature::{sign_ofauth, sign_svix, sign_with, verify, verify_with},
};
use proptest::prelude::*;
use sha2::Sha256;

#[derive(Default)]
struct AtOnce(Vec<u8>);

impl Update for AtOnce {
    fn update(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }
}

impl FixedOutput for AtOnce {
    fn finalize_into(self, out: &mut Output<Self>) {
        *out = Sha256::digest(self.0);
    }
}

impl OutputSizeUser for AtOnce {
    type OutputSize = U32;
}

impl BlockSizeUser for AtOnce {
    type BlockSize = U64;
}

impl HashMarker for AtOnce {}

proptest! {
    #[test]
    fn another_sha256_verifies_and_explains_alike(sender in sender(), body: Vec<u8>, signed: bool) {
        let list = sender.sign(if signed { &body } else { b"something else" });
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, &**value)).collect();
        let (written, headers) = (sender.written(), headers(&list));
        let secrets = written.judge().unwrap();
        let verified = verify_with::<AtOnce>(&body, headers, &secrets, sender.tolerance, sender.now);
        prop_assert_eq!(verified.is_ok(), signed);
        if let Ok(verified) = &verified {
            prop_assert_eq!(verified.digest_with::<AtOnce>(), verified.digest());
        }
        prop_assert_eq!(&verified, &verify(&body, headers, &secrets, sender.tolerance, sender.now));
        let told = explain_with::<AtOnce>(&body, headers, &written, sender.tolerance, sender.now);
        prop_assert_eq!(told, explain(&body, headers, &written, sender.tolerance, sender.now));
    }

    #[test]
    fn another_sha256_signs_alike(sender in sender(), body: Vec<u8>) {
        let signature = sign_with::<AtOnce>(sender.scheme, &body, sender.secret(), &sender.id, NOW);
        let expected = match sender.scheme.name() {
            "ofauth" => sign_ofauth(&body, sender.secret(), NOW),
            _ => sign_svix(&body, sender.secret(), &sender.id, NOW),
        };
        prop_assert_eq!(signature, expected);
    }
}
