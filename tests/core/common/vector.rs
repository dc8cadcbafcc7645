//! The shared vectors, which are the same on every surface.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Vector {
    pub name: String,
    pub scheme: String,
    pub headers: BTreeMap<String, String>,
    body_base64: String,
    pub secrets: Vec<String>,
    pub now: u64,
    pub tolerance: u64,
    pub expect: String,
}

impl Vector {
    pub fn all() -> Vec<Self> {
        let vectors: Vec<Self> = serde_json::from_str(include_str!("../../fixtures/signatures.json")).unwrap();
        assert!(!vectors.is_empty());
        vectors
    }

    pub fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body_base64).unwrap()
    }
}
