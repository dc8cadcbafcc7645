//! Replaces connection ids in stored webhook bodies by handles, for callers that may not see ids: browsers and the
//! console.
//!
//! Two kinds of text are replaced, wherever they stand in the body:
//!
//! 1. every word that contains `conn_`, from there to the end of the word;
//! 2. the id that the event itself names in `data.connection.id`, whatever its form.
//!
//! A word is a run of ASCII letters, digits, hyphens and underscores. JSON is parsed and written again, so an id cannot
//! hide behind an escape such as `\u005f`. JSON that cannot be parsed into a value, for example because it is nested
//! too deeply, becomes an empty text.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::index::BlindIndex;

/// The beginning of OFAuth's connection ids (OFAuth documentation, Connections API: Reconnecting Expired Connections).
const ID_PREFIX: &str = "conn_";

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
    match serde_json::from_slice::<Value>(json.as_bytes()) {
        Ok(mut value) => {
            let event_id = value.pointer_mut("/data/connection/id").and_then(read_event_id);
            redact(&mut value, event_id.as_deref(), index);
            value.to_string()
        }
        // Valid JSON that does not fit a `Value` may hide ids behind escapes.
        Err(_) if serde_json::from_slice::<IgnoredAny>(json.as_bytes()).is_ok() => String::new(),
        Err(_) => redact_words(text, None, index),
    }
}

/// The connection id that an event names. A number is turned into a string, so that a handle can replace it.
fn read_event_id(id: &mut Value) -> Option<String> {
    if id.is_number() {
        *id = Value::String(id.to_string());
    }
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

fn redact(value: &mut Value, event_id: Option<&str>, index: &BlindIndex) {
    match value {
        Value::String(text) => *text = redact_words(text, event_id, index),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, event_id, index)),
        Value::Object(entries) => {
            let redacted = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                redact(&mut value, event_id, index);
                (redact_words(&key, event_id, index), value)
            });
            *entries = redacted.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
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
