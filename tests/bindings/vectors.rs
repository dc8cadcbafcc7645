//! The shared vectors, which are the same on every surface.

use ofauth_edge::core::webhook::{Scheme, SecretStrings};
use serde_json::Value;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{delivery::Delivery, vector::Vector, wasm};

impl Vector {
    fn is_ofauth(&self) -> bool {
        match &*self.scheme {
            "ofauth" => true,
            "svix" => false,
            other => panic!("{}: scheme {other}", self.name),
        }
    }

    /// With secrets of its scheme alone.
    fn delivery(&self) -> Delivery {
        let (secrets, none) = (self.secrets.clone(), Vec::new());
        let (ofauth, svix) = if self.is_ofauth() { (secrets, none) } else { (none, secrets) };
        Delivery {
            body: self.body(),
            headers: self.headers.clone().into_iter().collect(),
            secrets: SecretStrings::PerScheme { ofauth, svix },
            tolerance: self.tolerance,
            now: self.now,
        }
    }
}

#[wasm_bindgen_test]
fn every_shared_vector_gets_its_code() {
    for vector in Vector::all() {
        let verdict = wasm::verify(&vector.delivery());
        assert_eq!(code(&verdict), vector.expect, "{}", vector.name);
    }
}

#[wasm_bindgen_test]
fn every_shared_vector_gets_the_core_s_whole_answer() {
    for vector in Vector::all() {
        let delivery = vector.delivery();
        assert_eq!(wasm::verify(&delivery), delivery.verify(), "{}", vector.name);
        assert_eq!(wasm::webhook(&delivery), delivery.webhook(), "{}", vector.name);
    }
}

#[wasm_bindgen_test]
fn an_explanation_of_a_shared_vector_names_its_code() {
    for vector in Vector::all() {
        let explained = wasm::explain(&vector.delivery());
        assert_eq!(explained["ok"], vector.expect == "ok", "{}", vector.name);
        assert_eq!(explained["evidence"]["code"].as_str().unwrap_or("ok"), vector.expect, "{}", vector.name);
    }
}

#[wasm_bindgen_test]
fn signing_reproduces_a_signature_of_the_good_vectors() {
    for vector in Vector::all().iter().filter(|vector| vector.expect == "ok") {
        let delivery = vector.delivery();
        let header = |names: &[&str]| names.iter().find_map(|name| vector.headers.get(*name)).map_or("", |value| value);
        let (scheme, signature) = if vector.is_ofauth() {
            (Scheme::Ofauth, header(&["ofauth-signature"]))
        } else {
            (Scheme::Svix, header(&["svix-signature", "webhook-signature"]))
        };
        let t = wasm::verify(&delivery).unwrap()["timestamp"].as_u64().unwrap();
        let id = (scheme == Scheme::Svix).then(|| header(&["svix-id", "webhook-id"]));
        let made = |secret: &String| {
            let made = wasm::sign(scheme, &delivery.body, secret, id, t).unwrap();
            let made = made.as_str().unwrap();
            made.rsplit(['=', ',']).next().map(str::to_owned).filter(|mac| !mac.is_empty()).unwrap_or(made.to_owned())
        };
        let found = vector.secrets.iter().map(made).any(|mac| signature.to_lowercase().contains(&mac.to_lowercase()));
        assert!(found, "{}: {signature}", vector.name);
    }
}

fn code(verdict: &Result<Value, Value>) -> &str {
    verdict.as_ref().map_or_else(|failure| failure["code"].as_str().unwrap(), |_| "ok")
}
