//! HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>), which browsers and proxies read.

use std::{borrow::Cow, fmt::Write as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use hookwire_capture::{CapturedBody, Exchange};
use hookwire_protocol::{code::Code, head::Headers};

use super::request::{reason, split_base, target};
use crate::{body, sanitize::as_text, times};

/// What stands before the entries, up to the bracket.
pub(super) const START: &str = concat!(
    r#"{"log":{"version":"1.2","creator":{"name":"hookwire","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""},"entries":["#
);

/// What stands behind them.
pub(super) const END: &str = "]}}\n";

/// One entry. Fields of our own begin with an underscore, as the format asks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: Request<'a>,
    response: Response<'a>,
    cache: Cache,
    timings: Timings,
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_origin")]
    origin: &'static str,
    #[serde(rename = "_answeredBy")]
    answered_by: &'static str,
    #[serde(rename = "_verdict")]
    verdict: &'static str,
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: Cow<'a, str>,
    url: String,
    http_version: &'static str,
    cookies: [(); 0],
    headers: Vec<Pair<'a>>,
    query_string: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData<'a>>,
    headers_size: i64,
    body_size: u64,
}

#[derive(Serialize)]
struct Pair<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData<'a> {
    mime_type: Cow<'a, str>,
    text: Cow<'a, str>,
    /// HAR 1.2 has an encoding for responses only.
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(rename = "_truncated", skip_serializing_if = "is_false")]
    truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: Cow<'a, str>,
    http_version: &'static str,
    cookies: [(); 0],
    headers: Vec<Pair<'a>>,
    content: Content<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: Cow<'a, str>,
    headers_size: i64,
    body_size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    size: u64,
    mime_type: Cow<'a, str>,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(rename = "_truncated", skip_serializing_if = "is_false")]
    truncated: bool,
}

#[derive(Serialize)]
struct Cache {}

/// Milliseconds; together they are the entry's time.
#[derive(Serialize)]
struct Timings {
    /// Until the request was on its way to the app.
    send: f64,
    /// Until the head of the answer.
    wait: f64,
    /// Until its last byte.
    receive: f64,
}

/// The head's size is not kept: header lines are kept as they mean, not as they stood.
const UNKNOWN_SIZE: i64 = -1;

impl<'a> Entry<'a> {
    pub(super) fn of(exchange: &'a Exchange, base: &str) -> Self {
        let timings = Timings::of(exchange);
        Self {
            started_date_time: format!("{:.3}", times::timestamp(exchange.received_at)),
            time: timings.send + timings.wait + timings.receive,
            request: request(exchange, base),
            response: response(exchange),
            cache: Cache {},
            timings,
            id: exchange.id.hyphenated().to_string(),
            origin: exchange.origin.as_str(),
            answered_by: exchange.answered_by.as_str(),
            verdict: exchange.verdict.status.as_str(),
            error: exchange.error.map(Code::as_str),
        }
    }
}

impl Timings {
    fn of(exchange: &Exchange) -> Self {
        let sent = exchange.forwarded.unwrap_or_default().min(exchange.duration);
        let answered = exchange.first_byte.unwrap_or(exchange.duration).clamp(sent, exchange.duration);
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        Self {
            send: milliseconds(sent),
            wait: milliseconds(answered.saturating_sub(sent)),
            receive: milliseconds(exchange.duration.saturating_sub(answered)),
        }
    }
}

fn request<'a>(exchange: &'a Exchange, base: &str) -> Request<'a> {
    let headers = &exchange.request.headers;
    let body = &exchange.request_body;
    let (text, encoding) = text(body);
    let post_data = (body.length > 0).then(|| PostData {
        mime_type: as_text(headers.value("content-type").unwrap_or_default()),
        text,
        encoding,
        truncated: body.truncated(),
    });
    Request {
        method: as_text(exchange.method()),
        url: url(base, &target(exchange)),
        http_version: exchange.request.version.as_str(),
        cookies: [],
        headers: pairs(headers),
        query_string: body::pairs(exchange.query().unwrap_or_default())
            .map(|(name, value)| Pair { name: owned(&name), value: owned(&value) })
            .collect(),
        post_data,
        headers_size: UNKNOWN_SIZE,
        body_size: body.length,
    }
}

fn response(exchange: &Exchange) -> Response<'_> {
    let body = &exchange.response_body;
    let head = exchange.response.as_ref();
    let value = |name| as_text(head.and_then(|head| head.headers.value(name)).unwrap_or_default());
    let (text, encoding) = text(body);
    let words = head.and_then(|head| head.reason.as_deref());
    Response {
        status: head.map_or(0, |head| head.status),
        status_text: words.map_or_else(|| reason(head.map_or(0, |head| head.status)).into(), as_text),
        http_version: head.map_or("", |head| head.version.as_str()),
        cookies: [],
        headers: head.map(|head| pairs(&head.headers)).unwrap_or_default(),
        content: Content {
            size: body.length,
            mime_type: value("content-type"),
            text,
            encoding,
            truncated: body.truncated(),
        },
        redirect_url: value("location"),
        headers_size: UNKNOWN_SIZE,
        body_size: body.length,
    }
}

fn pairs(headers: &Headers) -> Vec<Pair<'_>> {
    headers.iter().map(|(name, value)| Pair { name: as_text(name), value: as_text(value) }).collect()
}

fn owned(bytes: &[u8]) -> Cow<'static, str> {
    Cow::Owned(as_text(bytes).into_owned())
}

/// A body as text, and how it is encoded if it is no UTF-8.
fn text(body: &CapturedBody) -> (Cow<'_, str>, Option<&'static str>) {
    match str::from_utf8(&body.bytes) {
        Ok(text) => (text.into(), None),
        Err(_) => (STANDARD.encode(&body.bytes).into(), Some("base64")),
    }
}

/// A URL that is one (RFC 3986), whatever bytes the target has: what may not stand there is escaped.
fn url(base: &str, target: &[u8]) -> String {
    let (origin, path) = split_base(base);
    let mut url = format!("{origin}{path}");
    for (at, &byte) in target.iter().enumerate() {
        let is_escape = || target.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match byte {
            b'%' if is_escape() => url.push('%'),
            _ if byte.is_ascii_alphanumeric() || b"-._~/?@!$&'()*+,;=:".contains(&byte) => url.push(char::from(byte)),
            _ => {
                let written = write!(url, "%{byte:02X}");
                debug_assert!(written.is_ok(), "writing to a string can't fail");
            }
        }
    }
    url
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}
