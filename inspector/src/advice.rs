//! What there is to say about a right signature: what would break it in code, and why an app refused it all the same.

use hookwire_capture::{AnsweredBy, CapturedBody, Exchange, Origin};
use hookwire_protocol::head::Headers;
use hookwire_signatures::{Answer, AppRefusal, Caution, Guess, Request, Status};

use crate::body;

/// Every round trip that would change the body of a request that was signed right, the most frequent first. None if not all
/// of the body is there.
pub(crate) fn cautions(exchange: &Exchange) -> Vec<Caution> {
    if !matches!(exchange.verdict.status, Status::Valid | Status::Stale) || exchange.request_body.truncated() {
        return Vec::new();
    }
    let lines = lines(&exchange.request.headers);
    hookwire_signatures::cautions(&request(exchange, &lines), &exchange.request_body.bytes)
}

/// Why the app refused a valid request; none if it did not, if somebody else answered, or if it says nothing of a signature.
pub(crate) fn refusal(exchange: &Exchange) -> Option<AppRefusal> {
    // Of what the relay answered for, `response` is what the app said later on.
    let is_by_app = exchange.answered_by == AnsweredBy::App || exchange.late || is_held(exchange.origin);
    let head = exchange.response.as_ref().filter(|_| is_by_app && exchange.error.is_none())?;
    if exchange.verdict.status != Status::Valid || head.status < 400 {
        return None;
    }
    let (asked, answered) = (lines(&exchange.request.headers), lines(&head.headers));
    let words = body::decoded(&exchange.response_body, head.headers.value("content-encoding"));
    let answer = Answer { status: head.status, headers: &answered, body: &words };
    let CapturedBody { bytes, .. } = &exchange.request_body;
    let refusal = hookwire_signatures::explain_refusal(&request(exchange, &asked), bytes, &answer)?;
    // What a round trip makes of a part of the body says nothing about the body.
    let is_unfounded =
        exchange.request_body.truncated() && matches!(refusal.guess, Guess::RawBody | Guess::OtherSecret);
    Some(if is_unfounded { AppRefusal { guess: Guess::RawBodyOrSecret, caution: None, ..refusal } } else { refusal })
}

fn is_held(origin: Origin) -> bool {
    matches!(origin, Origin::Held { .. })
}

type Lines<'a> = Vec<(&'a [u8], &'a [u8])>;

fn lines(headers: &Headers) -> Lines<'_> {
    headers.iter().collect()
}

/// The request as it was signed. Nothing here needs its URL.
fn request<'a>(exchange: &'a Exchange, headers: &'a Lines<'a>) -> Request<'a> {
    Request { method: exchange.method(), target: &exchange.request.target, headers, urls: &[] }
}
