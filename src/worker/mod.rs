//! The shell on Cloudflare: performs what the core decides, and reads the clock, randomness and configuration for it.

mod connections;
mod http;
mod hub;
mod ledger;
mod platform;
mod routes;
mod upstream;

use std::rc::Rc;

use futures_channel::oneshot;
use worker::{Context, Env, event, web_sys};

use crate::core::{
    config::Config,
    gateway::{
        Caller, Credentials, EdgeError, origin,
        route::{Route, allows_cross_origin, route},
    },
};
use http::{Call, Reply};
use platform::{Failure, environment};
use routes::{access, account, connections as connection_routes, events, link, manage, sessions, users, webhook};

/// Serves one request and writes its one log line.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    let call = Rc::new(Call::new(request));
    #[cfg(feature = "test-hooks")]
    test_hooks::panic_if_asked(call.path());
    let route = route(&call.method, call.path());
    let reply = if route.completes_without_caller(&call.method, call.path()) {
        serve_to_end(Rc::clone(&call), env, &context).await?
    } else {
        serve(&call, route, &env).await
    };
    reply.log(&call, route.name());
    Ok(reply.into_response(&call)?)
}

/// Serves a call to its end. The platform stops what a request does once its caller is gone, but for what it waits for.
async fn serve_to_end(call: Rc<Call>, env: Env, context: &Context) -> worker::Result<Reply> {
    let (answer, heard) = oneshot::channel();
    context.wait_until(async move {
        let reply = serve(&call, route(&call.method, call.path()), &env).await;
        // Nobody may be there to hear it any more.
        let _ = answer.send(reply);
    });
    heard.await.map_err(|_| "the call ended without an answer".into())
}

/// `/healthz` says what configuration lacks; nothing else is served until it lacks nothing.
async fn serve(call: &Call, route: Route<'_>, env: &Env) -> Reply {
    let config = match (environment::config(env), route) {
        (Ok(config), _) => config,
        (Err(problems), Route::Health) => return Reply::unhealthy(&problems),
        (Err(_), _) => return EdgeError::NotConfigured.into(),
    };
    if !allows_cross_origin(call.path()) {
        return dispatch(call, route, &config, env).await.unwrap_or_else(Reply::from);
    }
    let preflight = call.method == "OPTIONS" && call.header("access-control-request-method").is_some();
    let reply = if preflight { Ok(answer_preflight(call, &config)) } else { dispatch(call, route, &config, env).await };
    reply.unwrap_or_else(Reply::from).for_browsers(call, &config.allowed_origins)
}

/// The routes for servers and browsers judge the credential before anything else.
async fn dispatch(call: &Call, route: Route<'_>, config: &Config, env: &Env) -> Result<Reply, Failure> {
    match route {
        Route::Webhook => Ok(webhook::receive(call, config, env).await),
        Route::Health => Ok(Reply::healthy()),
        Route::Access => access::forward(call, &authenticate(call, config)?, config, env).await,
        Route::Sessions => sessions::create(call, &authenticate(call, config)?, config).await,
        Route::Connections => connection_routes::list(call, &authenticate(call, config)?, config, env).await,
        Route::Connection(segment) => connection_routes::show(segment, &authenticate(call, config)?, config, env).await,
        Route::Account | Route::LinkSession => account::forward(call, &authenticate(call, config)?, config, env).await,
        Route::DeleteConnection(segment) => {
            manage::delete(segment, call, &authenticate(call, config)?, config, env).await
        }
        Route::InvalidateConnection(segment) => {
            manage::invalidate(segment, call, &authenticate(call, config)?, config, env).await
        }
        Route::ConnectionHealth(segment) => {
            manage::health(segment, call, &authenticate(call, config)?, config, env).await
        }
        Route::ConnectionEvents(segment) => {
            manage::timeline(segment, call, &authenticate(call, config)?, config, env).await
        }
        Route::DeleteUser(segment) => users::delete(segment, call, &authenticate(call, config)?, config, env).await,
        Route::LinkInit => link::init(call, &authenticate(call, config)?, config, env).await,
        Route::LinkCallback => link::callback(call, config, env).await,
        Route::Events => events::list(call, &authenticate(call, config)?, config, env).await,
        Route::MethodNotAllowed(allow) => Ok(Reply::from(EdgeError::MethodNotAllowed).header("allow", allow)),
        Route::NotFound => Err(EdgeError::RouteNotFound.into()),
    }
}

fn authenticate(call: &Call, config: &Config) -> Result<Caller, EdgeError> {
    let (authorization, apikey, origin) = (call.header("authorization"), call.header("apikey"), call.header("origin"));
    let credentials = Credentials {
        authorization: authorization.as_deref(),
        apikey: apikey.as_deref(),
        origin: origin.as_deref(),
        own_origin: call.own_origin(),
    };
    config.authenticator.authenticate(credentials, call.started() / 1000)
}

/// What a browser asks before it lets another site's page call.
fn answer_preflight(call: &Call, config: &Config) -> Reply {
    if !call.header("origin").is_some_and(|origin| config.allowed_origins.allows(&origin)) {
        return EdgeError::OriginDenied.into();
    }
    Reply::empty(204)
        .header("access-control-allow-methods", origin::ALLOWED_METHODS)
        .header("access-control-allow-headers", origin::ALLOWED_HEADERS)
        .header("access-control-max-age", origin::MAX_AGE)
}

#[cfg(feature = "test-hooks")]
mod test_hooks {
    /// A panic in the midst of a request, for seeing that the next one is served.
    pub fn panic_if_asked(path: &str) {
        assert!(path != "/test-hooks/panic", "test-hooks/panic");
    }
}
