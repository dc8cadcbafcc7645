//! The counts of each minute.

use super::counts::Counts;
use crate::core::instant::iso_8601;

/// The counts of each minute, the oldest first. A minute is counted from 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minutes(Vec<(i64, Counts)>);

impl Minutes {
    /// For how many minutes counts are stored: 24 hours.
    pub const MAX: i64 = 1_440;

    /// Adds the counts of a text, in which a line `@minute` stands before those of each minute.
    pub fn add_text(&mut self, text: &str) {
        for part in text.split('@') {
            let Some((minute, lines)) = part.split_once('\n') else { continue };
            let Ok(minute) = minute.parse() else { continue };
            let place = self.0.binary_search_by_key(&minute, |known| known.0);
            let place = place.unwrap_or_else(|place| {
                self.0.insert(place, (minute, Counts::default()));
                place
            });
            if let Some((_, counts)) = self.0.get_mut(place) {
                counts.add_text(lines, minute);
            }
        }
    }

    /// The counts of all minutes together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for (minute, counts) in &self.0 {
            total.add_text(&counts.to_text(false), *minute);
        }
        total
    }

    /// The minutes that have counts, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &(i64, Counts)> {
        self.0.iter()
    }

    /// The answer of `GET /edge/metrics`, the newest minute first: `{"list": [{"minute", "counts"}], "total"}`.
    pub fn to_json(&self) -> String {
        let items = self.0.iter().rev().map(|(minute, counts)| {
            format!("{{\"minute\":\"{}\",\"counts\":{}}}", iso_8601(minute.saturating_mul(60_000)), counts.to_json())
        });
        let items: Vec<String> = items.collect();
        format!("{{\"list\":[{}],\"total\":{}}}", items.join(","), self.total().to_json())
    }
}
