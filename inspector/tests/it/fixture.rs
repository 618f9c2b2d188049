//! Updates with fixed ids and times.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use uuid::Uuid;

use hookwire_capture::{AnsweredBy, CapturedBody, Connection, Exchange, Origin, Ready, Update};
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
};
use hookwire_signatures::{Cause, Event, Provider, Status, Verdict};

/// 2026-07-14 02:14:07.250 UTC.
pub(crate) fn night() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_783_995_247_250)
}

pub(crate) fn ready() -> Ready {
    Ready {
        public_url: "https://relay.example.com/shop".into(),
        webhook_url: "https://relay.example.com/shop/verification".into(),
        target: "http://localhost:3000".into(),
        endpoint: "shop".into(),
        relay: "https://relay.example.com".into(),
        api: None,
        secrets: vec![
            ("razorpay".into(), "env:RAZORPAY_WEBHOOK_SECRET".into()),
            ("stripe".into(), "file:stripe.secret".into()),
        ],
        routes: Vec::new(),
        host_header: None,
    }
}

/// A Razorpay webhook that the app answered with 200.
pub(crate) fn exchange() -> Exchange {
    Exchange {
        id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001),
        origin: Origin::Live,
        endpoint: "shop".into(),
        received_at: night(),
        request: RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(1_620),
            method: Bytes::from_static(b"POST"),
            target: Bytes::from_static(b"/verification"),
            headers: Headers::default(),
        },
        request_body: CapturedBody { bytes: Bytes::new(), length: 1_620, sha256: None },
        response: Some(response(200)),
        response_body: CapturedBody { bytes: Bytes::from_static(b"{}"), length: 2, sha256: None },
        answered_by: AnsweredBy::App,
        error: None,
        late: false,
        forwarded: None,
        first_byte: Some(Duration::from_millis(11)),
        duration: Duration::from_micros(12_340),
        verdict: verdict(Status::Valid, "razorpay.webhook", None),
        evidence: None,
        event: Event {
            provider: Some(Provider::Razorpay),
            name: Some("payment.captured".into()),
            id: Some("evt_1".into()),
        },
    }
}

/// The same for Stripe.
pub(crate) fn stripe(status: Status, cause: Option<Cause>) -> Exchange {
    let mut exchange = exchange();
    exchange.request.target = Bytes::from_static(b"/stripe?live=1");
    exchange.verdict = verdict(status, "stripe.v1", cause);
    exchange.event = Event {
        provider: Some(Provider::Stripe),
        name: Some("payment_intent.succeeded".into()),
        id: Some("evt_2".into()),
    };
    exchange
}

/// A webhook of Stripe's that was held for so long, with a signature that is `age` seconds old now.
pub(crate) fn stale_of(age: i64, held: Duration) -> Exchange {
    let mut stale = stripe(Status::Stale, Some(Cause::TooOld));
    stale.origin = Origin::Held { since: night() - held };
    stale.answered_by = AnsweredBy::Relay;
    stale.response = Some(response(400));
    (stale.verdict.age_seconds, stale.verdict.tolerance_seconds) = (Some(age), Some(300));
    stale
}

/// The app is down.
pub(crate) fn refused() -> Exchange {
    let mut exchange = exchange();
    exchange.answered_by = AnsweredBy::Client;
    exchange.error = Some(Code::AppRefused);
    exchange.response = Some(response(502));
    exchange.first_byte = None;
    exchange.duration = Duration::from_micros(430);
    exchange
}

pub(crate) fn verdict(status: Status, scheme: &'static str, cause: Option<Cause>) -> Verdict {
    Verdict { status, scheme: Some(scheme), secret: None, cause, age_seconds: None, tolerance_seconds: None }
}

pub(crate) fn response(status: u16) -> ResponseHead {
    ResponseHead {
        status,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Sized(2),
        reason: None,
        headers: Headers::default(),
    }
}

pub(crate) fn reconnecting(reason: &str) -> Update {
    Update::Connection(Connection::Reconnecting { reason: reason.into(), retry_in: Duration::from_millis(80) })
}

pub(crate) fn connected_after(milliseconds: u64) -> Update {
    Update::Connection(Connection::Connected { after: Some(Duration::from_millis(milliseconds)) })
}

/// Bytes that would clear a screen, ring, hide and turn text around, in the ways a network can carry them.
pub(crate) const HOSTILE: &[u8] = b"/a\x1b[2J\x07\x9b31m\xc2\x9b1m\xe2\x80\xaeexe\xe2\x80\x8b\xff";
