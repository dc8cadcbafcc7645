//! The ledger: a Durable Object per connection, named by its handle, that keeps what was delivered and the record that
//! follows from it. Everything that changes a connection enters here.
//!
//! Inside, `POST /enter` takes an [`Entry`](super::Entry) as a line of JSON followed by the raw body, `GET /record`
//! answers the record, `GET /timeline/{before}/{limit}` what was delivered, `POST /erase` erases, and `POST /rules`
//! takes [`Rules`](super::Rules) as the first does: see [`super::rules`].

use std::rc::Rc;

use worker::{DurableObject, Env, Method, Request, Response, State, durable_object};

use super::{
    projector::Projector,
    rules,
    store::{Book, Entered},
};
use crate::worker::platform::{self, environment};

/// The Durable Object.
#[durable_object(alarm)]
pub struct Ledger {
    projector: Rc<Projector>,
    env: Env,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Self { projector: Rc::new(Projector::new(state, env.clone())), env }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let config = environment::config(&self.env).map_err(|_| "not configured")?;
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
