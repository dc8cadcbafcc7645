//! Facts and connections for the tests of the fold.

use ofauth_edge::core::connection::{Changes, Connection, Fact, FactOrder, Rank};

/// 2024-01-15T10:30:00Z, in ms.
pub const T: i64 = 1_705_314_600_000;

pub fn fact(stamp: i64, rank: Rank, delivery: &str, changes: Changes) -> Fact {
    Fact { at: FactOrder { stamp, rank, delivery: delivery.to_owned() }, changes }
}

/// A fact that asserts a status only.
pub fn says(status: &str, stamp: i64, rank: Rank) -> Fact {
    let delivery = format!("{stamp} {rank:?} {status}");
    fact(stamp, rank, &delivery, Changes { status: some(status), ..Changes::default() })
}

#[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub fn fold(facts: &[Fact]) -> Connection {
    let mut connection = Connection::new("conn_1".to_owned());
    for fact in facts {
        connection.apply(fact.clone());
    }
    connection
}
