//! A test event, signed with a secret of the developer's and sent the way a webhook comes.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hookwire_capture::Ready;
use hookwire_relay_client::{
    App,
    upstream::{Target, Upstream, UpstreamConfig},
};
use hookwire_signatures::{Provider, Secret};
use http::{Request, header::HOST};
use http_body_util::Full;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    demo::script::{self, Webhook},
    failure::{Failure, chain},
};

/// Posts an event to the public URL; says what came back.
pub(super) async fn send(app: &App, ready: Option<Ready>, stop: &CancellationToken) -> Result<String, Failure> {
    let ready = ready.ok_or_else(|| {
        Failure::usage("no listener has told its public URL").hint("start `hookwire listen`".to_owned())
    })?;
    let webhook = webhook(app);
    let url = ready.webhook_url;
    // To a target with a path of its own the route is in the URL already.
    let path = if url.ends_with('/') { webhook.path } else { "" };
    let target: Target = url.parse().map_err(|error| Failure::usage(format!("`{url}`: {error}")))?;
    let config = UpstreamConfig { ca: app.ca.clone(), ..UpstreamConfig::default() };
    let upstream = Upstream::new(config).map_err(|error| Failure::usage(chain(&error)))?;
    let mut request = Request::post("/").header(HOST, target.authority()).header("content-type", "application/json");
    request = request.header("user-agent", webhook.agent).header("content-length", webhook.body.len());
    for (name, value) in webhook.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(webhook.body))).map_err(|error| Failure::usage(chain(&error)))?;
    let raw = target.join(&Bytes::from(path)).map_err(|error| Failure::usage(chain(&error)))?;
    let answer = tokio::select! {
        answer = upstream.send(&target, request, raw, || {}) => answer,
        () = stop.cancelled() => return Err(Failure::not_so("given up")),
    };
    let answer = answer.map_err(|error| Failure::not_so(chain(&error)).hint("is the listener running?".to_owned()))?;
    Ok(format!("answered {}", answer.status().as_u16()))
}

/// An event of a provider whose secret is known, so that it is right; else one of Razorpay, unsigned.
fn webhook(app: &App) -> Webhook {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let known = [Provider::Razorpay, Provider::Stripe, Provider::GitHub]
        .into_iter()
        .find_map(|provider| Some((provider, app.secrets.of(provider).first()?)));
    let (provider, secret): (Provider, Option<&Secret>) = match known {
        Some((provider, secret)) => (provider, Some(secret)),
        None => (Provider::Razorpay, None),
    };
    // Each has an id of its own, or it would be a repeat.
    script::test_event(provider, secret, Uuid::now_v7().as_u128() as u32, now)
}
