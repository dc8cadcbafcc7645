//! The messages of the erasure of a user: its progress, for the Worker, and its requests to ledgers.
//!
//! During a roll-out, an older build may send or receive these. So their names in JSON are a contract.

use serde::{Deserialize, Serialize};

use crate::{core::gateway::Verdict, worker::platform::Failure};

/// How far an erasure is, or how it ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErasureProgress {
    /// Names the erasure in the next question about it.
    pub job: i64,
    pub has_ended: bool,
    /// How many connections have been deleted.
    pub deleted: usize,
    /// How many connections are left, with those that could not be deleted.
    pub remaining: usize,
    /// After the end: the handles of the connections that could not be deleted.
    pub failed: Vec<String>,
    /// After the end: the first error.
    pub error: Option<ErasureError>,
}

/// Why something could not be deleted: an error that a caller can be answered with.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErasureError {
    /// The HTTP status.
    pub status: u16,
    /// The error's code: the `type` of the answer.
    pub code: String,
    /// The value of the header `x-ofauth-edge-action`.
    pub action: String,
    /// In seconds.
    pub retry_after: Option<u64>,
    /// For the log.
    pub detail: Option<String>,
}

/// The request `forget` to a ledger: delete the connection at OFAuth and erase it, if it belongs to the user of this hub.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetRequest {
    pub hub: String,
    /// OFAuth's id of the connection, if OFAuth's list names it for this user.
    pub id: Option<String>,
}

/// What became of a connection: it is another user's, or could not be deleted.
pub const KEPT: i64 = 0;
/// It was erased.
pub const ERASED: i64 = 1;
/// An earlier request has erased it.
pub const ALREADY_ERASED: i64 = 2;

/// The answer to `forget`. A connection with an id that no path can carry is erased although OFAuth cannot be asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetResult {
    /// [`KEPT`], [`ERASED`] or [`ALREADY_ERASED`].
    pub fate: i64,
    pub error: Option<ErasureError>,
}

/// The answer to `listed/{hub}/{page}`: of one page of OFAuth's list, the connections of the user of this hub.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedOfUser {
    /// The handle and OFAuth's id of each.
    pub connections: Vec<(String, String)>,
    pub has_more: bool,
    pub error: Option<ErasureError>,
}

impl ErasureError {
    pub fn new(status: u16, code: &str, verdict: Verdict) -> Self {
        Self { status, code: code.to_owned(), action: verdict.as_str().to_owned(), retry_after: None, detail: None }
    }
}

impl From<Failure> for ErasureError {
    fn from(Failure { error, detail }: Failure) -> Self {
        Self { detail, ..Self::new(error.status(), error.code(), error.verdict()) }
    }
}
