//! All that is known of an exchange, as JSON.

use std::{borrow::Cow, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use hookwire_capture::{CapturedBody, Exchange, Origin};
use hookwire_protocol::{code::Code, head::Headers};

use crate::{json::Judgement, sanitize::as_text, sizes, times};

/// An exchange. Fields are added and never renamed; those that JSON lines have too are named alike.
#[derive(Serialize)]
pub(super) struct Object<'a> {
    id: String,
    time: String,
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_of: Option<String>,
    endpoint: &'a str,
    provider: Option<&'static str>,
    event: Option<&'a str>,
    event_id: Option<&'a str>,
    verdict: Judgement<'a>,
    request: Request<'a>,
    response: Option<Response<'a>>,
    answered_by: &'static str,
    late: bool,
    error: Option<&'static str>,
    forwarded_ms: Option<f64>,
    first_byte_ms: Option<f64>,
    duration_ms: f64,
}

#[derive(Serialize)]
struct Request<'a> {
    method: Cow<'a, str>,
    target: Cow<'a, str>,
    http_version: &'static str,
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    body: Body<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    status: u16,
    http_version: &'static str,
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    body: Body<'a>,
}

/// A body: text if it is UTF-8, else base64.
#[derive(Serialize)]
struct Body<'a> {
    length: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl<'a> Object<'a> {
    pub(super) fn of(exchange: &'a Exchange) -> Self {
        let (held_since, replay_of) = match exchange.origin {
            Origin::Held { since } => (Some(format!("{:.3}", times::timestamp(since))), None),
            Origin::Replay { of } => (None, Some(of.hyphenated().to_string())),
            _ => (None, None),
        };
        Self {
            id: exchange.id.hyphenated().to_string(),
            time: format!("{:.3}", times::timestamp(exchange.received_at)),
            origin: exchange.origin.as_str(),
            held_since,
            replay_of,
            endpoint: &exchange.endpoint,
            provider: exchange.event.provider.map(hookwire_signatures::Provider::name),
            event: exchange.event.name.as_deref(),
            event_id: exchange.event.id.as_deref(),
            verdict: Judgement::of(exchange),
            request: Request {
                method: as_text(exchange.method()),
                target: as_text(&exchange.request.target),
                http_version: exchange.request.version.as_str(),
                headers: pairs(&exchange.request.headers),
                body: Body::of(&exchange.request_body),
            },
            response: exchange.response.as_ref().map(|response| Response {
                status: response.status,
                http_version: response.version.as_str(),
                headers: pairs(&response.headers),
                body: Body::of(&exchange.response_body),
            }),
            answered_by: exchange.answered_by.as_str(),
            late: exchange.late,
            error: exchange.error.map(Code::as_str),
            forwarded_ms: exchange.forwarded.map(milliseconds),
            first_byte_ms: exchange.first_byte.map(milliseconds),
            duration_ms: milliseconds(exchange.duration),
        }
    }
}

impl<'a> Body<'a> {
    fn of(body: &'a CapturedBody) -> Self {
        let text = str::from_utf8(&body.bytes).ok();
        Self {
            length: body.length,
            text,
            base64: text.is_none().then(|| STANDARD.encode(&body.bytes)),
            truncated: body.truncated(),
            sha256: body.sha256.map(|hash| sizes::hexadecimal(&hash)),
        }
    }
}

fn pairs(headers: &Headers) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    headers.iter().map(|(name, value)| (as_text(name), as_text(value))).collect()
}

/// With one decimal, as in JSON lines.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
