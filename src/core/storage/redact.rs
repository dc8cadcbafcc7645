//! Replaces connection ids in stored webhook bodies by handles, for callers that may not see ids: browsers and the
//! console.
//!
//! Two kinds of text are replaced, wherever they stand in the body:
//!
//! 1. every word that contains `conn_`, from there to the end of the word;
//! 2. the id that the event itself names in `data.connection.id`, whatever its form.
//!
//! A word is a run of ASCII letters, digits, hyphens and underscores. Each string of a JSON text is decoded, so an id
//! cannot hide behind an escape such as `\u005f`. JSON that names `data.connection.id` twice becomes an empty text.

use std::borrow::Cow;

use super::index::BlindIndex;
use crate::core::json::{Field, decode_string_lossy, is_number, map_strings, read};

/// The beginning of OFAuth's connection ids (OFAuth documentation, Connections API: Reconnecting Expired Connections).
const ID_PREFIX: &str = "conn_";

/// The member `data.connection.id`, in slot 2, and the objects around it.
const BODY: Field = Field { name: "", slot: SLOTS, inner: &[DATA] };
const DATA: Field = Field { name: "data", slot: 0, inner: &[CONNECTION] };
const CONNECTION: Field = Field { name: "connection", slot: 1, inner: &[ID] };
const ID: Field = Field::leaf("id", 2);
const SLOTS: usize = 3;

/// The text with a handle in place of each connection id.
///
/// `text` may be JSON, with or without a byte order mark, or any other text.
///
/// ```
/// use ofauth_edge::core::storage::{BlindIndex, without_ids};
///
/// let index = BlindIndex::new(&[2; 32]);
/// let handle = index.handle("conn_abc123");
/// assert_eq!(without_ids("lost conn_abc123!", &index), format!("lost {handle}!"));
/// ```
pub fn without_ids(text: &str, index: &BlindIndex) -> String {
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(members) = read::<SLOTS>(json, &BODY) else { return redact_words(text, None, index) };
    if members.duplicates != 0 {
        // Only one of the ids would be found.
        return String::new();
    }
    let [_, _, event_id] = members.values;
    let number = event_id.filter(|id| is_number(id));
    let event_id = event_id.and_then(|id| decode_string_lossy(id).or(number.map(Cow::Borrowed)));
    let event_id = event_id.as_deref().filter(|id| !id.is_empty());
    let redact = |text: &str| redact_words(text, event_id, index);
    match number.and_then(|number| split_around(json, number)) {
        // The handle is a string in place of the number.
        Some((before, after)) => {
            let handle = index.handle(number.unwrap_or_default());
            format!("{}\"{handle}\"{}", map_strings(before, redact), map_strings(after, redact))
        }
        None => map_strings(json, redact),
    }
}

/// What stands before and after `part`, which is a part of `text`.
fn split_around<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some((text.get(..start)?, text.get(start + part.len()..)?))
}

/// Replaces the ids in one text. An event's id that is not a single word is replaced first, as plain text.
fn redact_words(text: &str, event_id: Option<&str>, index: &BlindIndex) -> String {
    let is_word_char = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    let text = match event_id {
        Some(id) if !id.chars().all(is_word_char) => text.replace(id, &index.handle(id)),
        _ => text.to_owned(),
    };
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|char| !is_word_char(char)).unwrap_or(rest.len()));
        match word.find(ID_PREFIX) {
            _ if Some(word) == event_id => redacted.push_str(&index.handle(word)),
            Some(start) => {
                let (before, id) = word.split_at(start);
                redacted.push_str(before);
                redacted.push_str(&index.handle(id));
            }
            None => redacted.push_str(word),
        }
        let (separator, next) = after.split_at(after.find(is_word_char).unwrap_or(after.len()));
        redacted.push_str(separator);
        rest = next;
    }
    redacted
}
