//! `POST /webhooks/ofauth`: the way in.

use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::{Fact, Outcome},
        gateway::EdgeError,
        instant::iso_8601,
        storage::{self, EventMeta},
        webhook::{
            ConnectionChange, Delivery, Event, Payload, RequestHeaders, SIGNATURE_HEADER_NAMES, SignatureClaim,
            Subject, Verified,
        },
    },
    worker::{
        connections,
        http::{Call, Reply, read_capped},
        ledger::{self, Entry, Rules},
        platform::{self, Failure, kv},
    },
};

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// 1. A body that says it is too long is refused unread.
/// 2. Headers and timestamp are judged before the body is read.
/// 3. The raw bytes are read under the cap.
/// 4. The MAC is compared.
/// 5. A connection event goes to its ledger, anything else authentic is kept or counted.
///
/// 200 means that what had to be kept is durable.
pub async fn receive(call: &Call, config: &Config, env: &Env) -> Reply {
    // 1.
    let length = call.header("content-length").and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY as u64) {
        return EdgeError::BodyTooLarge.into();
    }
    // 2.
    let values = SIGNATURE_HEADER_NAMES.map(|name| call.header(name));
    let headers = RequestHeaders::new(values.each_ref().map(Option::as_deref));
    let now = u64::try_from(call.started() / 1000).unwrap_or_default();
    let claim = match SignatureClaim::read(headers, &config.webhook_secrets, config.tolerance, now) {
        Ok(claim) => claim,
        Err(error) => return Reply::refusal(401, error.code(), error.to_string()),
    };
    // 3.
    let body = match read_capped(call.request.body(), MAX_BODY).await {
        Ok(body) => body,
        Err(error) => return error.into(),
    };
    // 4.
    match claim.verify(&body) {
        Ok(verified) => accept(&verified, call, config, env).await.unwrap_or_else(Reply::from),
        Err(error) => Reply::refusal(401, error.code(), error.to_string()),
    }
}

/// 5. of [`receive`].
async fn accept(verified: &Verified<'_>, call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    let parsed = Event::parse(verified);
    let odd = parsed.as_ref().err().map(|error| error.code().to_owned());
    let event = parsed.ok();
    let delivery = Delivery::from_verified(verified, event.as_ref());
    match event {
        Some(Event { kind, live, payload: Payload::Connection(event), .. }) => {
            let (id, change) = (event.id.clone(), event.change);
            let fact = Fact::from_event(*event, live, delivery);
            let entry = Entry { id, kind, received: call.started(), fact, learned: false };
            let outcome = ledger::enter(&entry, verified.body(), config, env).await?;
            let reference = entry.fact.changes.client_reference_id.as_deref();
            if let (ConnectionChange::Created, Outcome::Applied | Outcome::Duplicate, Some(reference)) =
                (change, outcome, reference)
            {
                connections::settle(&entry.id, reference, call, config, env).await;
            }
            Ok(Reply::outcome(outcome))
        }
        event => {
            let outcome = keep(verified, event, &delivery, call, config, env).await?;
            Ok(Reply::outcome(outcome).detail(odd))
        }
    }
}

/// Keeps what is not about a connection, if its type is one to keep; the newest rules in any case.
async fn keep(
    verified: &Verified<'_>,
    event: Option<Event>,
    delivery: &Delivery,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<Outcome, Failure> {
    let kv = kv::open(env)?;
    let kind = event.as_ref().map(|event| event.kind.as_str());
    let (body, sealer) = (verified.body(), &config.sealer);
    if let Some(Event { payload: Payload::Rules(revision), .. }) = &event {
        ledger::enter_rules(
            &Rules { stamp: delivery.stamp, delivery: delivery.id.clone(), revision: revision.clone() },
            body,
            env,
        )
        .await?;
    }
    if !config.event_filter.keeps(kind) {
        return Ok(Outcome::Ignored);
    }
    let Subject { client_reference_id, connection_id } = Subject::read(verified);
    let meta = EventMeta {
        kind: kind.map(str::to_owned),
        received_at: iso_8601(call.started()),
        reference: client_reference_id.map(|reference| config.index.hash_client_reference_id(&reference)),
        handle: connection_id.map(|id| config.index.handle(&id)),
    };
    let put = storage::put_event(delivery, &meta, body, config.event_ttl, sealer, platform::nonce());
    kv::put(&kv, put).await.map_err(kv::unavailable)?;
    Ok(Outcome::Kept)
}
