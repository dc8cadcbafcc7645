//! The compact form of a record, for the metadata of its key in KV.
//!
//! Metadata have room for 1,024 bytes, and a record as JSON is often longer. The compact form leaves out the names of the
//! fields, what the key and the other metadata say already, and what can be computed. It is text: fields, with a
//! [`SEPARATOR`] between them, in this order:
//!
//! 1. `id`, `clientReferenceId`, `platformUserId`
//! 2. `id`, `name`, `username` and `avatar` of `userData`; the id is [`SAME`] if it is the `platformUserId`
//! 3. `createdAt`, `expiredAt`, `expiresAt`, `lastCheckedAt`: [`TIME`] and unix ms if the text is the usual form of that instant
//! 4. `imported` and `live`, as `true` or `false`
//! 5. each of the `permissions`
//!
//! A field without a value is [`NONE`]. The form is a contract. A build that changes it must seal it for another place, so
//! that older builds read the value instead.

use std::borrow::Cow;

use crate::core::{
    connection::{Metadata, Record, UserData},
    instant::{iso_8601, unix_ms},
};

const SEPARATOR: &str = "\u{1f}";
const NONE: &str = "\u{1e}";
const SAME: &str = "\u{1d}";
const TIME: &str = "\u{1c}";

/// Writes a record in the compact form. A record that has a separator in a text, for example, cannot be read back from
/// it, so the caller compares.
pub fn pack(record: &Record) -> String {
    let user_data = record.user_data.as_ref();
    let user_id = user_data.and_then(|user| user.id.as_deref());
    let has_same_id = user_id.is_some() && user_id == record.platform_user_id.as_deref();
    let flag = |value: Option<bool>| value.map(|value| if value { "true" } else { "false" });
    let times = [&record.created_at, &record.expired_at, &record.expires_at, &record.last_checked_at];
    let [created, expired, expires, checked] = times.map(|time| time.as_deref().map(pack_time));
    let fields = [
        Some(record.id.as_str()),
        record.client_reference_id.as_deref(),
        record.platform_user_id.as_deref(),
        if has_same_id { Some(SAME) } else { user_id },
        user_data.and_then(|user| user.name.as_deref()),
        user_data.and_then(|user| user.username.as_deref()),
        user_data.and_then(|user| user.avatar.as_deref()),
        created.as_deref(),
        expired.as_deref(),
        expires.as_deref(),
        checked.as_deref(),
        flag(record.imported),
        flag(record.live),
    ];
    let mut packed = fields.map(|field| field.unwrap_or(NONE)).join(SEPARATOR);
    for permission in &record.permissions {
        packed.push_str(SEPARATOR);
        packed.push_str(permission);
    }
    packed
}

/// Reads a record in the compact form, which lacks `statusReason` and `accountChangedAt`. `status` and `updated_at` are those of
/// the metadata. `None` if fields are missing.
pub fn unpack(packed: &[u8], handle: &str, status: &str, updated_at: &str) -> Option<Record> {
    let mut fields = std::str::from_utf8(packed).ok()?.split(SEPARATOR);
    let mut values = [""; 13];
    for value in &mut values {
        *value = fields.next()?;
    }
    let [
        id,
        reference,
        platform_user,
        user,
        name,
        username,
        avatar,
        created,
        expired,
        expires,
        checked,
        imported,
        live,
    ] = values;
    let user = if user == SAME { platform_user } else { user };
    let user_data = UserData { id: text(user), name: text(name), username: text(username), avatar: text(avatar) };
    let has_profile = [user, name, username, avatar].into_iter().any(|field| field != NONE);
    let flag = |field| (field != NONE).then_some(field == "true");
    Some(Record {
        id: id.to_owned(),
        handle: handle.to_owned(),
        status: status.to_owned(),
        status_reason: None,
        client_reference_id: text(reference),
        platform_user_id: text(platform_user),
        account_changed_at: None,
        permissions: fields.map(str::to_owned).collect(),
        metadata: Metadata {
            username: user_data.username.clone(),
            display_name: user_data.name.clone(),
            last_activity: time(checked),
        },
        user_data: has_profile.then_some(user_data),
        created_at: time(created),
        updated_at: updated_at.to_owned(),
        expired_at: time(expired),
        expires_at: time(expires),
        last_checked_at: time(checked),
        imported: flag(imported),
        live: flag(live),
    })
}

fn pack_time(text: &str) -> Cow<'_, str> {
    match unix_ms(text).filter(|ms| iso_8601(*ms) == text) {
        Some(ms) => format!("{TIME}{ms}").into(),
        None => text.into(),
    }
}

fn time(field: &str) -> Option<String> {
    let ms = field.strip_prefix(TIME).and_then(|ms| ms.parse().ok());
    ms.map(iso_8601).or_else(|| text(field))
}

fn text(field: &str) -> Option<String> {
    (field != NONE).then(|| field.to_owned())
}
