//! The pages of OFAuth's list: the wait for the next one, and where it begins.

use ofauth_edge::core::reconcile::{PAGE_SIZE, next_offset, pause};
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000_000;

#[test]
fn the_wait_ends_when_the_rate_limit_is_reset() {
    for (remaining, reset, expected) in [
        (None, None, 0),
        (Some("1"), Some("60"), 0),
        (Some("many"), Some("60"), 0),
        (Some("0"), None, 60_000),
        (Some("0"), Some("soon"), 60_000),
        (Some(" 0 "), Some(" 7 "), 7_000),
        (Some("0"), Some("1700000009"), 9_000),
        (Some("0"), Some("1699999999"), 0),
        (Some("0"), Some("-5"), 0),
        (Some("-1"), Some("99999999999999999"), 3_600_000),
    ] {
        assert_eq!(pause(remaining, reset, NOW), expected, "{remaining:?} {reset:?}");
    }
}

proptest! {
    /// Each page is of `PAGE_SIZE` connections. Before each but the first, up to 10 of those that were listed are deleted and
    /// any number are added in front.
    #[test]
    fn a_connection_that_is_not_deleted_is_never_skipped(
        count in 0..400_usize, changes in prop::collection::vec((0..=10_usize, 0..30_usize, any::<prop::sample::Index>()), 40)
    ) {
        let mut list: Vec<usize> = (0..count).collect();
        let (mut seen, mut stays, mut offset) = (Vec::new(), list.clone(), 0);
        for (deleted, added, index) in changes.iter().cycle().take(400) {
            let page: Vec<usize> = list.iter().skip(offset).take(PAGE_SIZE).copied().collect();
            let is_last = offset + PAGE_SIZE >= list.len();
            seen.extend(&page);
            if is_last {
                break;
            }
            offset = next_offset(offset, page.len());
            for _ in 0..*deleted {
                if !list.is_empty() {
                    let gone = list.remove(index.index(list.len()));
                    stays.retain(|one| *one != gone);
                }
            }
            // Fewer than a page brings, so that the reading ends.
            list.splice(0..0, (0..(*added).min(PAGE_SIZE - 11)).map(|new| 1_000_000 + new));
        }
        for one in stays {
            prop_assert!(seen.contains(&one), "{one} was skipped");
        }
    }
}
