//! Kept events for those who may not see connection ids: the handle stands in the place of every id.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::index::Index;

/// What OFAuth's connection ids begin with.
const ID_PREFIX: &str = "conn_";

/// The text without connection ids: without any word that begins like one, and without the id that an event names in
/// `data.connection.id`. JSON is read and written anew, so that no escape hides an id; JSON too deep to be read is not
/// shown at all.
pub fn without_ids(text: &str, index: &Index) -> String {
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str::<Value>(json) {
        Ok(mut value) => {
            let named = value.pointer_mut("/data/connection/id").and_then(name);
            redact(&mut value, named.as_deref(), index);
            value.to_string()
        }
        Err(_) if serde_json::from_str::<IgnoredAny>(json).is_ok() => String::new(),
        Err(_) => redact_words(text, None, index),
    }
}

/// The id that an event names, which is text from here on.
fn name(id: &mut Value) -> Option<String> {
    if id.is_number() {
        *id = Value::String(id.to_string());
    }
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

fn redact(value: &mut Value, named: Option<&str>, index: &Index) {
    match value {
        Value::String(text) => *text = redact_words(text, named, index),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, named, index)),
        Value::Object(entries) => {
            let redacted = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                redact(&mut value, named, index);
                (redact_words(&key, named, index), value)
            });
            *entries = redacted.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A word is a run of letters, digits, hyphens and underscores; an id that is more than one is looked for as it is.
fn redact_words(text: &str, named: Option<&str>, index: &Index) -> String {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    let text = match named {
        Some(id) if !id.chars().all(is_part) => text.replace(id, &index.handle(id)),
        _ => text.to_owned(),
    };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|char| !is_part(char)).unwrap_or(rest.len()));
        match word.find(ID_PREFIX) {
            _ if Some(word) == named => shown.push_str(&index.handle(word)),
            Some(at) => {
                let (before, id) = word.split_at(at);
                shown.push_str(before);
                shown.push_str(&index.handle(id));
            }
            None => shown.push_str(word),
        }
        let (between, next) = after.split_at(after.find(is_part).unwrap_or(after.len()));
        shown.push_str(between);
        rest = next;
    }
    shown
}
