//! The ledger: a Durable Object per connection, named by its handle, that keeps what was delivered and the record that
//! follows from it. Everything that changes a connection enters here.
//!
//! Inside, `POST /enter` takes an [`Entry`] as a line of JSON followed by the raw body, `GET /record` answers the record,
//! and `POST /rules` takes [`Rules`] likewise: see [`super::rules`].

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Method, Request, RequestInit, Response, State, durable_object, js_sys::Uint8Array};

use super::{
    book::Book,
    env, platform,
    projector::Projector,
    reply::Failure,
    rules::{self, Rules},
};
use crate::{
    config::Config,
    connection::{Fact, Record},
    event::Outcome,
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
        if request.method() == Method::Get {
            let row = Book::new(self.projector.state(), &config).read()?.filter(|row| row.version > 0);
            return Response::from_json(&row.map(|row| row.record()));
        }
        let message = request.bytes().await?;
        let line = message.iter().position(|byte| *byte == b'\n').ok_or("no entry")?;
        let (head, body) = message.split_at(line);
        let body = body.get(1..).unwrap_or_default();
        match request.path().as_str() {
            "/enter" => self.enter(serde_json::from_slice(head)?, body, &config).await,
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
    async fn enter(&self, entry: Entry, body: &[u8], config: &Config) -> worker::Result<Response> {
        let book = Book::new(self.projector.state(), config);
        // From here to the alarm there is no await: what is written is written whole.
        let entered = book.enter(entry, body, platform::now_ms())?;
        if let Some(at) = entered.alarm {
            self.projector.set_alarm(at).await?;
        }
        if let Some(version) = entered.dirty {
            self.projector.attempt(version).await;
        }
        Response::from_json(&entered.outcome)
    }
}
