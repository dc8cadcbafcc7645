//! Connections that OFAuth's list lacks: when they are missing, and when the list is not believed.

use ofauth_edge::core::{
    connection::{Changes, Connection, DISCONNECTED, Fact, FactOrder, MISSING, Rank},
    reconcile::{Absence, MIN_ABSENCE, absence, is_implausible},
};
use proptest::prelude::*;

const KNOWN_AT: i64 = 1_700_000_000_000;

fn connection(status: &str, rank: Rank, stamp: i64) -> Connection {
    let mut connection = Connection::new("conn_1".to_owned());
    let at = FactOrder { stamp, rank, delivery: "webhook".to_owned() };
    connection.apply(Fact { at, changes: Changes::status(status) });
    connection
}

#[test]
fn absences_of_more_than_ten_and_a_fifth_are_not_believed() {
    for (absent, known, expected) in [
        (0, 0, false),
        (10, 10, false),
        (11, 11, true),
        (11, 54, true),
        (11, 55, false),
        (500, 2_500, false),
        (501, 2_500, true),
    ] {
        assert_eq!(is_implausible(absent, known), expected, "{absent} of {known}");
    }
}

#[test]
fn an_absent_connection_is_missing_since_the_first_pass_unless_something_newer_is_known() {
    const SINCE: i64 = KNOWN_AT + 1;
    let missing = Absence::MissingSince(SINCE);
    for (status, rank, since, later, expected) in [
        ("active", Rank::Updated, SINCE, MIN_ABSENCE, missing),
        ("expired", Rank::Observed, SINCE, MIN_ABSENCE, missing),
        ("active", Rank::Updated, SINCE, MIN_ABSENCE - 1, Absence::TooShort),
        ("active", Rank::Updated, SINCE, 0, Absence::TooShort),
        ("active", Rank::Updated, KNOWN_AT, MIN_ABSENCE, Absence::Interrupted),
        ("active", Rank::Updated, KNOWN_AT - 1, MIN_ABSENCE, Absence::Interrupted),
        (MISSING, Rank::Observed, SINCE, MIN_ABSENCE, Absence::TooShort),
        (DISCONNECTED, Rank::Disconnected, SINCE, MIN_ABSENCE, Absence::TooShort),
        (DISCONNECTED, Rank::Listed, SINCE, MIN_ABSENCE, Absence::TooShort),
    ] {
        let record = connection(status, rank, KNOWN_AT).record("acct_1".to_owned());
        assert_eq!(absence(&record, since, since + later), expected, "{status} {since} {later}");
    }
}

proptest! {
    #[test]
    fn any_later_fact_replaces_missing_and_no_earlier_one_does(offset in 1..1_000_000_i64, later in any::<bool>()) {
        let mut connection = connection("active", Rank::Created, KNOWN_AT);
        let since = KNOWN_AT + 1_000_001;
        let at = FactOrder { stamp: since, rank: Rank::Observed, delivery: format!("missing_{since}") };
        connection.apply(Fact { at, changes: Changes::status(MISSING) });
        let stamp = if later { since + offset } else { since - offset };
        let at = FactOrder { stamp, rank: Rank::Updated, delivery: "webhook".to_owned() };
        connection.apply(Fact { at, changes: Changes::status("active") });
        prop_assert_eq!(connection.record("acct_1".to_owned()).status, if later { "active" } else { MISSING });
    }
}
