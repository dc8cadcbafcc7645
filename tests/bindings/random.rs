//! Deliveries drawn at random, the same ones in every run and on every target; and what is said of all of them, as one
//! hash, which holds the wasm to what the core says natively.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use ofauth_edge::core::webhook::{Scheme, SecretStrings};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::delivery::{Delivery, NOW, signature};

/// What the core says of [`deliveries`], natively. It is another if they are drawn, or judged, in another way.
const FINGERPRINT: &str = "55392ce07f91bc050df2bc2630170edf9200b84fbaf89e1001e9b43010cf1f25";

const TYPES: [&str; 8] = [
    r#""type":"connection.created""#,
    r#""type":"connection.expired""#,
    r#""eventType":"connection.updated""#,
    r#""type":"rules.updated""#,
    r#""type":"of.websocket.event.received""#,
    r#""type":"later.unheard""#,
    r#""type":7"#,
    r#""kind":"connection.created""#,
];
const TIMES: [&str; 4] =
    ["", r#","timestamp":"2024-01-15T12:00:00Z""#, r#","timestamp":1700000000"#, r#","timestamp":null"#];
const LIVES: [&str; 4] = ["", r#","live":true"#, r#","live":false"#, r#","live":"yes""#];
const IDS: [&str; 6] = [r#""conn_1""#, r#""""#, "9007199254740993", "null", "[]", r#""\ud800""#];
/// Of what fills a body.
const LENGTHS: [usize; 8] = [0, 1, 100, 190, 256, 300, 1000, 4096];
/// From here on the platform no longer hashes.
const LONG: usize = 256 * 1024;
/// Keys as long as a block of SHA-256, shorter and longer by one.
const KEYS: [&str; 3] = [
    "123456789012345678901234567890123456789012345678901234567890123",
    "1234567890123456789012345678901234567890123456789012345678901234",
    "12345678901234567890123456789012345678901234567890123456789012345",
];

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn the_core_says_natively_what_the_wasm_is_held_to() {
    let said = fingerprint(|place, delivery| Said {
        verified: delivery.verify(),
        event: delivery.webhook(),
        explained: is_explained(place, delivery).then(|| delivery.explain()),
    });
    assert_eq!(said, FINGERPRINT, "if the cases or the codes were meant to change, this is the new fingerprint");
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen_test::wasm_bindgen_test]
fn random_deliveries_are_judged_and_explained_as_by_the_native_core() {
    use crate::wasm;

    let said = fingerprint(|place, delivery| {
        let said = Said {
            verified: wasm::verify(delivery),
            event: wasm::webhook(delivery),
            explained: is_explained(place, delivery).then(|| wasm::explain(delivery)),
        };
        assert_eq!(said.verified, delivery.verify(), "delivery {place}");
        assert_eq!(said.event, delivery.webhook(), "delivery {place}");
        if let Some(explained) = &said.explained {
            assert_eq!(*explained, delivery.explain(), "delivery {place}");
        }
        said
    });
    assert_eq!(said, FINGERPRINT);
}

/// What is said of a delivery.
struct Said {
    verified: Result<Value, Value>,
    event: Result<u32, Value>,
    explained: Option<Value>,
}

/// The search for a cause takes up to a thousand MACs: some, of short bodies.
fn is_explained(place: usize, delivery: &Delivery) -> bool {
    place.is_multiple_of(8) && delivery.body.len() <= 300
}

const CODES: [&str; 10] = [
    "INVALID_EVENT",
    "INVALID_JSON",
    "INVALID_SECRET",
    "INVALID_TIMESTAMP",
    "MALFORMED_HEADER",
    "MISSING_HEADERS",
    "NO_VALID_SIGNATURES",
    "SIGNATURE_MISMATCH",
    "TIMESTAMP_TOO_NEW",
    "TIMESTAMP_TOO_OLD",
];

fn fingerprint(mut judge: impl FnMut(usize, &Delivery) -> Said) -> String {
    let mut all = Sha256::new();
    let mut codes = BTreeSet::new();
    for (place, delivery) in deliveries().enumerate() {
        let Said { verified, event, explained } = judge(place, &delivery);
        all.update(explained.as_ref().map_or("", |explained| explained["cause"].as_str().unwrap()));
        for said in [verified.map(|verified| verified.to_string()), event.map(|flags| flags.to_string())] {
            let line = said.unwrap_or_else(|failure| {
                let code = failure["code"].as_str().unwrap().to_owned();
                codes.insert(code.clone());
                code
            });
            all.update(line.as_bytes());
            all.update(b"\n");
        }
    }
    assert_eq!(codes, CODES.map(str::to_owned).into(), "every failure that there is has been drawn");
    base16ct::lower::encode_string(&all.finalize())
}

fn deliveries() -> impl Iterator<Item = Delivery> {
    let mut random = Random(20_240_115);
    (0..600).map(move |case| random.delivery(case % 100 == 99))
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn delivery(&mut self, long: bool) -> Delivery {
        let lists = [self.secrets(), self.secrets()];
        let scheme = self.pick(&[Scheme::Ofauth, Scheme::Svix]);
        let any_scheme = self.one_in(2);
        let list = if any_scheme || scheme == Scheme::Ofauth { &lists[0] } else { &lists[1] };
        let signer = if self.one_in(8) || list.is_empty() { "another" } else { &list[self.below(list.len())] };
        let body = if long { vec![b' '; LONG + self.below(100)] } else { self.body() };
        let t = NOW.wrapping_add_signed(self.pick(&[0, 0, 0, 0, 299, -300, 301, -1000]));
        let mut headers = signature(scheme, &body, signer, t);
        if self.one_in(6) {
            let other = if scheme == Scheme::Ofauth { Scheme::Svix } else { Scheme::Ofauth };
            headers.extend(signature(other, &body, "b3RoZXI=", t));
        }
        if self.one_in(3) {
            for (name, _) in &mut headers {
                *name = name.replace("svix-", "webhook-");
            }
        }
        let [ofauth, svix] = lists;
        let secrets =
            if any_scheme { SecretStrings::AnyScheme(ofauth) } else { SecretStrings::PerScheme { ofauth, svix } };
        let mut delivery = Delivery { body, headers, secrets, tolerance: self.pick(&[0, 300, 300, 1000]), now: NOW };
        if self.one_in(3) {
            self.spoil(&mut delivery);
        }
        delivery
    }

    /// Mostly good ones.
    fn secrets(&mut self) -> Vec<String> {
        let count = self.pick(&[0, 1, 1, 1, 2, 3, 5, 6]);
        let secret = |random: &mut Self| match random.below(25) {
            0 => String::new(),
            1 => " padded".to_owned(),
            2 => "no base64: é\u{1f511}".to_owned(),
            3 => random.pick(&KEYS).to_owned(),
            _ => format!("whsec_{}", STANDARD.encode(random.bytes(24))),
        };
        (0..count).map(|_| secret(self)).collect()
    }

    fn body(&mut self) -> Vec<u8> {
        if self.one_in(4) {
            let length = self.pick(&LENGTHS);
            return self.bytes(length);
        }
        let [kind, time, live] = [self.pick(&TYPES), self.pick(&TIMES), self.pick(&LIVES)];
        let [id, reference] = [self.pick(&IDS), self.pick(&IDS)];
        let filler = "x".repeat(self.pick(&LENGTHS));
        let data = format!(r#"{{"clientReferenceId":{reference},"connection":{{"id":{id},"note":"{filler}"}}}}"#);
        format!(r#"{{{kind}{time}{live},"data":{data}}}"#).into_bytes()
    }

    /// One change to what was sent.
    fn spoil(&mut self, delivery: &mut Delivery) {
        let Delivery { body, headers, .. } = delivery;
        let place = self.below(headers.len());
        let value = &mut headers[place].1;
        match self.below(9) {
            0 => body.push(b'\n'),
            1 => body.splice(..0, *b"\xEF\xBB\xBF").for_each(drop),
            2 if !body.is_empty() => {
                let at = self.below(body.len());
                body[at] ^= 1;
            }
            3 => drop(headers.remove(place)),
            4 => value.clear(),
            5 => value.push_str(",v1=potato v1,potato"),
            6 => value.insert_str(0, "é "),
            7 => *value = value.to_uppercase(),
            _ => *value = value.replacen("17", "017", 1),
        }
    }
}
