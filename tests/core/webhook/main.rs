//! Webhooks: signatures, events, deliveries, explanations.

mod codes;
#[path = "../common/mod.rs"]
mod common;
mod delivery;
mod event;
mod event_fields;
mod event_json;
mod event_user;
mod explain;
mod explain_body;
mod explain_json;
mod explain_secret;
mod header;
mod mac;
mod read_event;
mod secret;
mod verify;
