//! The lists of codes, from which the types of the npm package are made, have every code of every error once.

use ofauth_edge::core::webhook::{EventError, Scheme, SecretFault, SignatureError};

#[test]
fn every_code_of_a_signature_error_is_listed_once() {
    let invalid_secret =
        SignatureError::InvalidSecret { scheme: Some(Scheme::Svix), index: 0, fault: SecretFault::Empty };
    let errors = [
        SignatureError::MissingHeaders,
        SignatureError::HeaderTooLong(9000),
        SignatureError::MissingTimestamp,
        SignatureError::DuplicateTimestamp,
        SignatureError::EmptyId,
        SignatureError::NoValidSignatures,
        SignatureError::InvalidTimestamp,
        SignatureError::TimestampTooOld(301),
        SignatureError::TimestampTooNew(301),
        SignatureError::SignatureMismatch,
        invalid_secret,
    ];
    check(&errors.map(|error| error.code()), SignatureError::CODES);
}

#[test]
fn every_code_of_an_event_error_is_listed_once() {
    let errors = [
        EventError::InvalidJson,
        EventError::NotAnObject("data"),
        EventError::DuplicateKey("data"),
        EventError::LoneSurrogate("data"),
        EventError::MissingType,
        EventError::InvalidType,
        EventError::InvalidConnectionId,
    ];
    check(&errors.map(|error| error.code()), EventError::CODES);
}

fn check(used: &[&str], listed: &[(&str, &str)]) {
    for (at, (code, doc)) in listed.iter().enumerate() {
        assert!(used.contains(code) && !doc.is_empty(), "{code}");
        assert!(listed.iter().skip(at + 1).all(|(other, _)| other != code), "{code}");
    }
    for code in used {
        assert!(listed.iter().any(|(other, _)| other == code), "{code}");
    }
}
