//! The ledger: a Durable Object per connection, named by its handle, that keeps what was delivered and the record that
//! follows from it. Everything that changes a connection enters here.
//!
//! Inside, `POST /enter` takes an [`Entry`] as a line of JSON followed by the raw body, `GET /record` answers the record,
//! `GET /timeline/{before}/{limit}` what was delivered, `POST /erase` erases, and `POST /rules` takes [`Rules`] as the
//! first does: see [`super::rules`].

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Method, Request, RequestInit, Response, State, durable_object, js_sys::Uint8Array};

use super::{
    book::{Book, Entered, Timeline},
    call::Call,
    env, platform,
    projector::Projector,
    reply::Failure,
    rules::{self, Rules},
};
use crate::core::{
    config::Config,
    connection::{At, Changes, Fact, Outcome, Rank, Record},
};

/// One delivery, on its way into the ledger.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// OFAuth's connection id.
    pub id: String,
    /// The event's type.
    pub kind: String,
    /// When it came, in unix milliseconds.
    pub received: i64,
    /// What it asserts.
    pub fact: Fact,
    /// Whether a call showed it: then it is no news if the record says the same.
    pub learned: bool,
}

impl Entry {
    /// What the gateway learned of a connection by a call, dated to the call's start: a late answer never undoes what
    /// happened meanwhile.
    pub fn own(id: &str, what: &str, rank: Rank, changes: Changes, call: &Call) -> Self {
        let at = At { stamp: call.started(), rank, delivery: call.id.clone() };
        let kind = format!("edge.{what}");
        Self { id: id.to_owned(), kind, received: call.started(), fact: Fact { at, changes }, learned: false }
    }
}

/// The Durable Object.
#[durable_object(alarm)]
pub struct Ledger {
    projector: Rc<Projector>,
    env: Env,
}

/// Hands a delivery to its ledger. The outcome means that it is durable there.
pub async fn enter(entry: &Entry, body: &[u8], config: &Config, env: &Env) -> Result<Outcome, Failure> {
    let mut answer = ask(&config.index.handle(&entry.id), message("enter", entry, body), env).await?;
    answer.json().await.map_err(unavailable)
}

/// Hands rules to whoever knows which are the newest. Once it returns they are in KV, or newer ones are.
pub async fn enter_rules(rules: &Rules, body: &[u8], env: &Env) -> Result<(), Failure> {
    ask(rules::NAME, message("rules", rules, body), env).await.map(|_| ())
}

/// Asks the ledger for its record; `None` if it has none. Strongly consistent.
pub async fn record(handle: &str, env: &Env) -> Result<Option<Record>, Failure> {
    let request = Request::new("https://ledger/record", Method::Get);
    ask(handle, request, env).await?.json().await.map_err(unavailable)
}

/// Erases all that is kept of a connection but its id, for good.
pub async fn erase(handle: &str, env: &Env) -> Result<(), Failure> {
    ask(handle, message("erase", &(), b""), env).await.map(|_| ())
}

/// The newest deliveries before the place `before`, at most `limit`.
pub async fn timeline(handle: &str, before: i64, limit: usize, env: &Env) -> Result<Timeline, Failure> {
    let request = Request::new(&format!("https://ledger/timeline/{before}/{limit}"), Method::Get);
    ask(handle, request, env).await?.json().await.map_err(unavailable)
}

fn message(path: &str, head: &impl Serialize, body: &[u8]) -> worker::Result<Request> {
    let message = [&serde_json::to_vec(head)?, &b"\n"[..], body].concat();
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(Uint8Array::from(&message[..]).into()));
    Request::new_with_init(&format!("https://ledger/{path}"), &init)
}

async fn ask(handle: &str, request: worker::Result<Request>, env: &Env) -> Result<Response, Failure> {
    let stub = env::ledgers(env).and_then(|ledgers| ledgers.get_by_name(handle)).map_err(unavailable)?;
    let answer = stub.fetch_with_request(request.map_err(unavailable)?).await.map_err(unavailable)?;
    if (200..300).contains(&answer.status_code()) { Ok(answer) } else { Err(unavailable("it refused".into())) }
}

fn unavailable(error: worker::Error) -> Failure {
    Failure::storage("ledger", &error)
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Self { projector: Rc::new(Projector::new(state, env.clone())), env }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let config = env::config(&self.env).map_err(|_| "not configured")?;
        let path = request.path();
        if request.method() == Method::Get {
            let book = Book::new(self.projector.state(), &config);
            return match path.strip_prefix("/timeline/").and_then(|asked| asked.split_once('/')) {
                Some((before, limit)) => {
                    let (before, limit) = (before.parse().unwrap_or(0), limit.parse().unwrap_or(0));
                    Response::from_json(&book.timeline(before, limit)?)
                }
                None => Response::from_json(&book.read()?.and_then(|row| row.record())),
            };
        }
        let message = request.bytes().await?;
        let line = message.iter().position(|byte| *byte == b'\n').ok_or("no entry")?;
        let (head, body) = message.split_at(line);
        let body = body.get(1..).unwrap_or_default();
        let book = Book::new(self.projector.state(), &config);
        match path.as_str() {
            // From here to the alarm there is no await: what is written is written whole.
            "/enter" => {
                let entered = book.enter(serde_json::from_slice(head)?, body, platform::now_ms())?;
                self.carry(&entered).await?;
                Response::from_json(&entered.outcome)
            }
            "/erase" => {
                if let Some(entered) = book.erase(platform::now_ms())? {
                    self.carry(&entered).await?;
                }
                Response::empty()
            }
            "/rules" => {
                let state = self.projector.state();
                rules::enter(serde_json::from_slice(head)?, body, state, Rc::clone(&config), &self.env).await?;
                Response::empty()
            }
            _ => Response::error("no such path", 404),
        }
    }

    /// Fails only if the platform is to call again.
    async fn alarm(&self) -> worker::Result<Response> {
        self.projector.wake().await?;
        Response::empty()
    }
}

impl Ledger {
    async fn carry(&self, entered: &Entered) -> worker::Result<()> {
        if let Some(at) = entered.alarm {
            self.projector.set_alarm(at).await?;
        }
        if let Some(version) = entered.dirty {
            self.projector.attempt(version).await;
        }
        Ok(())
    }
}
