//! `POST /webhooks/ofauth`: receives OFAuth's signed webhooks (OFAuth documentation, Connection Events).
//!
//! | answer | when |
//! |---|---|
//! | 200 `{outcome}` | the event is stored durably, or its type is not to be stored; see [`Outcome`] |
//! | 400 | the connection broke before the end of the body, or the end did not come in time |
//! | 401 | the signature is not valid; `type` is the verifier's code |
//! | 413 | the body is longer than [`MAX_BODY`] |
//! | 503 with `Retry-After` | the event could not be stored, or too many large bodies are being read; OFAuth sends it again |
//!
//! An unknown type, or an authentic body that is not an event, is accepted too, because sending it again would not
//! help.

use worker::Env;

use crate::{
    core::{
        config::Config,
        connection::{Fact, Outcome},
        gateway::EdgeError,
        instant::iso_8601,
        monitor::name,
        storage::{self, EventMeta},
        webhook::{
            ConnectionChange, Delivery, Event, Payload, RequestHeaders, SIGNATURE_HEADER_NAMES, SignatureClaim,
            Subject, Verified,
        },
    },
    worker::{
        connections,
        http::{Call, Reply, read_body},
        ledger::{self, Entry, LaneEvent, Rules},
        metrics,
        platform::{
            self, Failure,
            kv::{self, Kv},
        },
    },
};

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The detail in the log of an event from another environment than that of the API key.
const OTHER_ENVIRONMENT: &str = "the event is of another environment than OFAUTH_API_KEY";

/// Receives one webhook.
///
/// 1. A body whose Content-Length is over the limit is refused unread.
/// 2. The signature's headers and timestamp are checked, before the body is read.
/// 3. The raw bytes of the body are read, up to the limit.
/// 4. The signature of the body is verified.
/// 5. The event is stored: see [`store`].
pub async fn receive(call: &Call, config: &Config, env: &Env) -> Reply {
    // 1.
    if call.content_length().is_some_and(|length| length > MAX_BODY as u64) {
        return EdgeError::BodyTooLarge.into();
    }
    // 2.
    let values = SIGNATURE_HEADER_NAMES.map(|name| call.header(name));
    let headers = RequestHeaders::new(values.each_ref().map(Option::as_deref));
    let now = u64::try_from(call.started() / 1000).unwrap_or_default();
    let claim = match SignatureClaim::read(headers, &config.webhook_secrets, config.tolerance, now) {
        Ok(claim) => claim,
        Err(error) => return Reply::error(401, error.code(), error.to_string()),
    };
    // 3.
    let body = match read_body(call, MAX_BODY).await {
        Ok(body) => body,
        Err(error) => return error.into(),
    };
    // 4.
    let verified = claim.verify(&body);
    body.release();
    match verified {
        // 5.
        Ok(verified) => store(&verified, call, config, env).await.unwrap_or_else(Reply::from),
        Err(error) => Reply::error(401, error.code(), error.to_string()),
    }
}

/// Stores an authentic webhook, step 5 of [`receive`].
///
/// 1. The body is read as an event. One that is not an event is stored all the same.
/// 2. A connection event goes to its connection's ledger. A new connection may replace one that the user was
///    reconnecting.
/// 3. Any other event goes to KV. So does one from another environment than that of the API key: it says nothing about the
///    connections here.
async fn store(verified: &Verified<'_>, call: &Call, config: &Config, env: &Env) -> Result<Reply, Failure> {
    if let Some(code) = config.usage.secrets(verified.scheme()).get(verified.secret_index()) {
        metrics::count(name::SECRET, code);
    }
    // 1.
    let parsed = Event::parse(verified);
    let parse_error = parsed.as_ref().err().map(|error| error.code().to_owned());
    let event = parsed.ok();
    let delivery = Delivery::from_verified(verified, event.as_ref());
    let is_foreign = config.is_other_environment(event.as_ref().and_then(|event| event.live));
    match event {
        // 2.
        Some(Event { kind, live, payload: Payload::Connection(event), .. }) if !is_foreign => {
            let (id, change) = (event.id.clone(), event.change);
            let fact = Fact::from_event(*event, live, delivery);
            let entry = Entry { id, kind, received: call.started(), fact, learned: false, actor: None, accepts: None };
            let outcome = ledger::enter(&entry, verified.body(), config, env).await?;
            if (change, outcome) == (ConnectionChange::Expired, Outcome::Applied) {
                metrics::count(name::EXPIRED, "webhook");
            }
            let reference = entry.fact.changes.client_reference_id.as_deref();
            if let (ConnectionChange::Created, Outcome::Applied | Outcome::Duplicate, Some(reference)) =
                (change, outcome, reference)
            {
                connections::note_replaced(&entry.id, reference, call, config, env).await;
            }
            Ok(Reply::outcome(outcome))
        }
        // 3.
        event => {
            let detail = parse_error.or_else(|| is_foreign.then(|| OTHER_ENVIRONMENT.to_owned()));
            let outcome = store_in_kv(verified, event, is_foreign, &delivery, call, config, env).await?;
            Ok(Reply::outcome(outcome).with_detail(detail))
        }
    }
}

/// Stores a body that is not a connection event, step 3 of [`store`].
///
/// 1. The newest rules are always stored, under the key `rules`, unless they are of another environment.
/// 2. If events are forwarded, one whose type EVENT_FORWARD lists goes to a lane.
/// 3. A type that EVENT_KEEP does not list is not stored. EVENT_KEEP does not apply to connection events.
/// 4. The raw body is stored under a key of its own, for EVENT_TTL_SECONDS.
async fn store_in_kv(
    verified: &Verified<'_>,
    event: Option<Event>,
    is_foreign: bool,
    delivery: &Delivery,
    call: &Call,
    config: &Config,
    env: &Env,
) -> Result<Outcome, Failure> {
    let kv = Kv::open(env).map_err(kv::unavailable)?;
    let kind = event.as_ref().map(|event| event.kind.as_str());
    let (body, sealer) = (verified.body(), &config.sealer);
    // 1.
    if let Some(Event { payload: Payload::Rules(revision), .. }) = &event
        && !is_foreign
    {
        ledger::enter_rules(
            &Rules { stamp: delivery.stamp, delivery: delivery.id.clone(), revision: revision.clone() },
            body,
            env,
        )
        .await?;
    }
    // 2.
    let is_connection_event = event.as_ref().is_some_and(|event| matches!(event.payload, Payload::Connection(_)));
    let is_forwarded = config.forward.is_some() && config.forward_filter.selects(kind);
    if is_forwarded {
        let (id, kind) = (delivery.id.clone(), kind.unwrap_or_default().to_owned());
        ledger::enter_lane(&LaneEvent { id, kind, stamp: delivery.stamp }, body, config, env).await?;
    }
    // 3.
    if !is_connection_event && !config.event_filter.selects(kind) {
        return Ok(if is_forwarded { Outcome::Kept } else { Outcome::Ignored });
    }
    // 4.
    let Subject { client_reference_id, connection_id } = Subject::read(verified);
    let meta = EventMeta {
        kind: kind.map(str::to_owned),
        received_at: iso_8601(call.started()),
        reference: client_reference_id.map(|reference| config.index.hash_client_reference_id(&reference)),
        handle: connection_id.map(|id| config.index.handle(&id)),
    };
    let put = storage::put_event(delivery, &meta, body, config.event_ttl, sealer, platform::nonce());
    kv.put(put).await.map_err(kv::unavailable)?;
    Ok(Outcome::Kept)
}
