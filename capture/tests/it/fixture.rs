//! Exchanges as webhooks make them, each from a number.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use uuid::Uuid;

use hookwire_capture::{AnsweredBy, CapturedBody, Exchange, Origin, Ready};
use hookwire_protocol::head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead};
use hookwire_signatures::{Event, Provider, Status, Verdict};

/// A payment as Razorpay sends it, 1.5 kB.
const PAYMENT: &str = include_str!("../../../examples/shop/events/payment.captured.json");

/// 2026-07-14 02:14:07.250 UTC: when exchange 0 came. The others follow, one a millisecond.
pub fn night() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_783_995_247_250)
}

/// Text that looks random and is the same every time.
fn scramble(number: u64) -> u64 {
    (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// The id of exchange `number`: a UUIDv7 whose end looks random.
pub fn id(number: u64) -> Uuid {
    let time = u128::from(1_783_995_247_250 + number) << 80;
    Uuid::from_u128(time | 0x7000_8000_0000_0000_0000 | u128::from(scramble(number) >> 2))
}

/// A whole body.
pub fn body(bytes: impl Into<Bytes>) -> CapturedBody {
    let bytes = bytes.into();
    CapturedBody { length: bytes.len() as u64, bytes, sha256: None }
}

/// A Razorpay webhook that the app answered with 200.
pub fn exchange(number: u64) -> Exchange {
    let text = PAYMENT.replace("JRP3Y66cNcf2qF", &format!("{:014x}", scramble(number) >> 8));
    let event_id = format!("{:014X}", scramble(number) >> 9);
    let length = text.len().to_string();
    let signature = format!("{:016x}", scramble(number)).repeat(4);
    let headers: Headers = [
        ("host", "relay.example.com"),
        ("user-agent", "Razorpay-Webhook/v1"),
        ("content-type", "application/json"),
        ("content-length", length.as_str()),
        ("accept", "*/*"),
        ("accept-encoding", "gzip,deflate"),
        ("request-id", event_id.as_str()),
        ("x-razorpay-event-id", event_id.as_str()),
        ("x-razorpay-signature", signature.as_str()),
        ("x-forwarded-for", "52.66.75.174"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "relay.example.com"),
    ]
    .iter()
    .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    .collect();
    Exchange {
        id: id(number),
        origin: Origin::Live,
        endpoint: "shop".into(),
        received_at: night() + Duration::from_millis(number),
        request: RequestHead {
            id: *id(number).as_bytes(),
            received_at: 1_783_995_247_250_000,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(text.len() as u64),
            method: Bytes::from_static(b"POST"),
            target: Bytes::from_static(b"/verification"),
            headers,
        },
        request_body: body(text),
        response: Some(response(200)),
        response_body: body("{\"status\":\"ok\"}"),
        answered_by: AnsweredBy::App,
        error: None,
        late: false,
        forwarded: Some(Duration::from_micros(310)),
        first_byte: Some(Duration::from_micros(11_700)),
        duration: Duration::from_micros(12_340),
        verdict: Verdict {
            status: Status::Valid,
            scheme: Some("razorpay.webhook"),
            secret: Some("env:RAZORPAY_WEBHOOK_SECRET".to_owned()),
            cause: None,
            age_seconds: None,
            tolerance_seconds: None,
        },
        evidence: None,
        event: Event {
            provider: Some(Provider::Razorpay),
            name: Some("payment.captured".to_owned()),
            id: Some(event_id),
        },
    }
}

pub fn shared(number: u64) -> Arc<Exchange> {
    Arc::new(exchange(number))
}

pub fn response(status: u16) -> ResponseHead {
    let lines =
        [("content-type", "application/json; charset=utf-8"), ("x-powered-by", "Express"), ("content-length", "15")];
    ResponseHead {
        status,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Sized(15),
        reason: None,
        headers: lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
    }
}

pub fn ready() -> Ready {
    Ready {
        public_url: "https://relay.example.com/shop".into(),
        webhook_url: "https://relay.example.com/shop/verification".into(),
        target: "http://localhost:3000".into(),
        endpoint: "shop".into(),
        relay: "https://relay.example.com".into(),
        api: None,
        secrets: vec![("razorpay".into(), "env:RAZORPAY_WEBHOOK_SECRET".into())],
        routes: vec![("/admin".into(), "http://localhost:4000".into())],
        host_header: Some("keep".into()),
    }
}
