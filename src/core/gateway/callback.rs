//! The end of Link: reads the query of `GET /link/callback`, and tells the app's page how Link ended.
//!
//! OFAuth sends the user's browser to the callback with one of these queries (OFAuth documentation, Link):
//!
//! ```text
//! status=success&connection_id=conn_1&client_reference_id=user_1
//! status=cancelled&step=pre-login | authorization | login | 2fa
//! status=error&error_code=session_expired | invalid_credentials | account_locked | 2fa_failed
//! ```
//!
//! A browser can send any query, so a [`Callback`] proves nothing. Only the connection's ledger or OFAuth's own list
//! can confirm it. The gateway then sends the browser on to the app's page with a [`ReturnStatus`] in the query. That
//! page receives a handle, and never OFAuth's id.

use form_urlencoded::Serializer;

use crate::core::{id::is_connection_id, webhook::MAX_TEXT_BYTES};

/// What a browser claims when it returns from Link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The claimed `client_reference_id`, 1 to [`MAX_TEXT_BYTES`] bytes. OFAuth may leave it out unless Link succeeded.
    pub client_reference_id: Option<String>,
    /// The claimed end of Link.
    pub ending: LinkEnding,
}

/// How Link ended, as a browser claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnding {
    /// `status=success`, and the `connection_id` if it can be an id of OFAuth's.
    Success(Option<String>),
    /// `status=cancelled`, and the `step` at which the user gave up.
    Cancelled(Option<String>),
    /// `status=error`, and the `error_code`.
    Failed(Option<String>),
}

/// What the app's page learns about the end of Link. [`ReturnStatus::add_to_url`] writes it into the query of its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnStatus {
    /// `status=success&connection=acct_…`: the account is linked, with this handle.
    Success(String),
    /// `status=pending`: the account is probably linked, but nothing has confirmed it yet. OFAuth's webhook will.
    Pending,
    /// `status=cancelled&step=…`: the user gave up at this step.
    Cancelled(Option<String>),
    /// `status=error&error_code=…`: Link failed for this reason.
    Failed(Option<String>),
    /// `status=unknown`: the user has no Link session under way.
    Unknown,
}

impl Callback {
    /// Reads the query of a callback. A key that occurs twice, or a value that cannot be OFAuth's, counts as absent.
    /// `None` if the query has no `status` of OFAuth's.
    pub fn read(query: &str) -> Option<Self> {
        let value = |wanted: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == wanted);
            values.next().map(|(_, value)| value.into_owned()).filter(|_| values.next().is_none())
        };
        let code = |key| value(key).filter(|code| is_code(code));
        let ending = match value("status")?.as_str() {
            "success" => LinkEnding::Success(value("connection_id").filter(|id| is_connection_id(id))),
            "cancelled" => LinkEnding::Cancelled(code("step")),
            "error" => LinkEnding::Failed(code("error_code")),
            _ => return None,
        };
        let reference = value("client_reference_id");
        let client_reference_id = reference.filter(|reference| (1..=MAX_TEXT_BYTES).contains(&reference.len()));
        Some(Self { client_reference_id, ending })
    }
}

impl ReturnStatus {
    /// Adds this status to the query of `url`. It replaces what the query has under the same keys (`status`,
    /// `connection`, `step`, `error_code`); the rest of the URL stays.
    ///
    /// ```
    /// use ofauth_edge::core::gateway::callback::ReturnStatus;
    ///
    /// let url = ReturnStatus::Pending.add_to_url("https://app.example.com/linked?from=link#top");
    /// assert_eq!(url, "https://app.example.com/linked?from=link&status=pending#top");
    /// ```
    pub fn add_to_url(&self, url: &str) -> String {
        let (status, detail) = match self {
            Self::Success(handle) => ("success", Some(("connection", handle))),
            Self::Pending => ("pending", None),
            Self::Cancelled(step) => ("cancelled", step.as_ref().map(|step| ("step", step))),
            Self::Failed(code) => ("error", code.as_ref().map(|code| ("error_code", code))),
            Self::Unknown => ("unknown", None),
        };
        let added = Serializer::new(String::new()).append_pair("status", status).extend_pairs(detail).finish();
        let (before_fragment, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let (path, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
        let is_replaced = |pair: &&str| {
            let key = form_urlencoded::parse(pair.as_bytes()).next().map(|(key, _)| key);
            key.is_some_and(|key| matches!(&*key, "status" | "connection" | "step" | "error_code"))
        };
        let kept = query.split('&').filter(|pair| !query.is_empty() && !is_replaced(pair));
        let query = kept.chain([added.as_str()]).collect::<Vec<_>>().join("&");
        format!("{path}?{query}{fragment}")
    }
}

/// Whether `text` can be a step or an error code of OFAuth's: 1 to 64 lower-case letters, digits, `_` and `-`. Other
/// text is not passed on to the app's page.
fn is_code(text: &str) -> bool {
    let is_code_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_code_byte)
}
