//! Exchanges with fixed ids and times.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_capture::{Amount, AnsweredBy, CapturedBody, Connection, Currency, Exchange, Origin, Ready, Summary};
use hookwire_inspector::tui::Live;
use hookwire_protocol::{
    code::Code,
    head::{BodyLength, Headers, HttpVersion, RequestHead, ResponseHead},
};
use hookwire_signatures::{Cause, Event, Provider, Status, Verdict};
use uuid::Uuid;

/// 2026-07-14 02:14:07.250 UTC.
pub(crate) fn night() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_783_995_247_250)
}

pub(crate) fn live() -> Live {
    Live {
        ready: Some(Ready {
            public_url: "https://relay.example.com/shop".into(),
            webhook_url: "https://relay.example.com/shop/verification".into(),
            target: "http://localhost:3000".into(),
            endpoint: "shop".into(),
            relay: "https://relay.example.com".into(),
            api: None,
            secrets: vec![("razorpay".into(), "env:RAZORPAY_WEBHOOK_SECRET".into())],
            routes: Vec::new(),
            host_header: None,
        }),
        connection: Some(Connection::Connected { after: None }),
        round_trip: Some(Duration::from_millis(23)),
        ..Live::default()
    }
}

/// An exchange and what the list knows of it beside.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) exchange: Exchange,
    pub(crate) amount: Option<Amount>,
    pub(crate) repeats: u32,
    pub(crate) note: Option<String>,
}

impl Stored {
    pub(crate) fn summary(&self, row: u64) -> Summary {
        let exchange = &self.exchange;
        Summary {
            row,
            id: exchange.id,
            origin: exchange.origin,
            endpoint: exchange.endpoint.clone(),
            received_at: exchange.received_at,
            method: exchange.request.method.clone(),
            target: exchange.request.target.clone(),
            status: exchange.status(),
            answered_by: exchange.answered_by,
            error: exchange.error,
            late: exchange.late,
            duration: exchange.duration,
            verdict: exchange.verdict.clone(),
            event: exchange.event.clone(),
            amount: self.amount,
            repeats: self.repeats,
            request_length: exchange.request_body.length,
            response_length: exchange.response_body.length,
            note: self.note.clone(),
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Exchange)) -> Self {
        change(&mut self.exchange);
        self
    }

    pub(crate) fn paid(mut self, minor: i64, currency: &str) -> Self {
        self.amount = Some(Amount { minor, currency: Currency::of(currency).unwrap() });
        self
    }
}

pub(crate) fn headers(lines: &[(&str, &str)]) -> Headers {
    let mut builder = hookwire_protocol::head::HeaderLines::with_capacity(256);
    for (name, value) in lines {
        builder.push(name.as_bytes(), value.as_bytes());
    }
    builder.finish()
}

pub(crate) fn body(bytes: &'static [u8]) -> CapturedBody {
    CapturedBody { bytes: Bytes::from_static(bytes), length: bytes.len() as u64, sha256: None }
}

pub(crate) fn id(number: u64) -> Uuid {
    Uuid::from_u128(
        0x0198_0000_0000_7000_8000_0000_0000_0000 | u128::from(number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff),
    )
}

const PAYMENT: &[u8] = br#"{"entity":"event","account_id":"acc_BFQ7uQEaa7j2z7","event":"payment.captured","contains":["payment"],"payload":{"payment":{"entity":{"id":"pay_29QQoUBi66xm2f","amount":50000,"currency":"INR","status":"captured","method":"upi","fee":1180.50,"captured":true,"card_id":null,"vpa":"gaurav.kumar@exampleupi","notes":{"order":"A-1042 \u20b9"}}}},"created_at":1783995240}"#;

/// A Razorpay webhook that the app answered with 200, so many seconds after the first.
pub(crate) fn payment(number: u64) -> Stored {
    let exchange = Exchange {
        id: id(number),
        origin: Origin::Live,
        endpoint: "shop".into(),
        received_at: night() + Duration::from_secs(number * 7),
        request: RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(PAYMENT.len() as u64),
            method: Bytes::from_static(b"POST"),
            target: Bytes::from_static(b"/verification"),
            headers: headers(&[
                ("content-type", "application/json"),
                ("x-razorpay-signature", "2d8e4a1f0c9b7e6d"),
                ("x-razorpay-event-id", "evt_1042"),
                ("user-agent", "Razorpay-Webhook/v1"),
            ]),
        },
        request_body: body(PAYMENT),
        response: Some(response(200)),
        response_body: body(b"{\"ok\":true}"),
        answered_by: AnsweredBy::App,
        error: None,
        late: false,
        forwarded: Some(Duration::from_micros(400)),
        first_byte: Some(Duration::from_millis(11)),
        duration: Duration::from_micros(12_340),
        verdict: verdict(Status::Valid, "razorpay.webhook", None),
        evidence: None,
        event: Event {
            provider: Some(Provider::Razorpay),
            name: Some("payment.captured".into()),
            id: Some(format!("evt_{number}")),
        },
    };
    Stored { exchange, amount: None, repeats: 0, note: None }.paid(50_000, "INR")
}

/// One of every kind, oldest first.
pub(crate) fn shop() -> Vec<Stored> {
    let mut rows = vec![
        payment(0).with(|it| {
            it.request.method = Bytes::from_static(b"GET");
            it.request.target = Bytes::from_static(b"/?hub.challenge=42");
            it.request_body = CapturedBody::default();
            it.verdict = Verdict { scheme: None, ..verdict(Status::Challenge, "meta.webhook", None) };
            it.event = Event::default();
        }),
        payment(1),
        payment(2).paid(1_234_500, "INR"),
        payment(3).with(|it| {
            it.request.target = Bytes::from_static(b"/stripe?live=1");
            it.verdict = verdict(Status::Stale, "stripe.v1", Some(Cause::TooOld));
            it.verdict.age_seconds = Some(412);
            it.verdict.tolerance_seconds = Some(300);
            it.event.name = Some("payment_intent.succeeded".into());
            it.response = Some(response(400));
            it.duration = Duration::from_micros(8_700);
        }),
        payment(4).with(|it| {
            it.verdict = verdict(Status::Invalid, "razorpay.webhook", Some(Cause::WrongSecret));
            it.response = Some(response(401));
        }),
        payment(5).with(|it| {
            it.answered_by = AnsweredBy::Client;
            it.error = Some(Code::AppRefused);
            it.response = None;
            it.first_byte = None;
            it.forwarded = None;
            it.duration = Duration::from_micros(430);
        }),
        payment(6).with(|it| {
            it.origin = Origin::Held { since: night() };
            it.event.name = Some("order.paid".into());
        }),
        payment(7).with(|it| {
            it.late = true;
            it.answered_by = AnsweredBy::Relay;
            it.response = Some(response(202));
            it.duration = Duration::from_millis(6_200);
        }),
        payment(8).with(|it| it.origin = Origin::Replay { of: id(4) }),
        payment(9).with(|it| {
            it.request.target = Bytes::from_static(b"/github");
            it.verdict = verdict(Status::NoSecret, "github.sha256", None);
            it.event.name = Some("pull_request.opened".into());
        }),
        payment(10).with(|it| {
            it.verdict = Verdict { scheme: None, ..verdict(Status::Unsigned, "razorpay.webhook", None) };
            it.event = Event::default();
            it.request.target = Bytes::from_static(b"/a/quite/long/path/that/goes/on/and/on/to/its/end");
            it.origin = Origin::Sent;
        }),
    ];
    rows[9].amount = None;
    rows[10].amount = None;
    rows[3] = rows[3].clone().paid(1_200, "USD");
    rows[2].repeats = 2;
    rows[4].note = Some("wrong secret in staging".into());
    rows
}

pub(crate) fn verdict(status: Status, scheme: &'static str, cause: Option<Cause>) -> Verdict {
    Verdict { status, scheme: Some(scheme), secret: None, cause, age_seconds: None, tolerance_seconds: None }
}

pub(crate) fn response(status: u16) -> ResponseHead {
    ResponseHead {
        status,
        version: HttpVersion::Http11,
        error: None,
        body: BodyLength::Sized(11),
        reason: None,
        headers: headers(&[("content-type", "application/json"), ("x-powered-by", "Express")]),
    }
}

/// Bytes that would clear a screen, ring, hide and turn text around, in the ways a network can carry them.
pub(crate) const HOSTILE: &[u8] =
    b"/a\x1b[2J\x07\x9b31m\xc2\x9b1m\xe2\x80\xaeexe\xe2\x80\x8b\xff\x1b]52;c;aGk=\x07\xe6\x94\xaf\xe4\xbb\x98e\xcc\x81";

pub(crate) fn shared(stored: &Stored) -> Arc<Exchange> {
    Arc::new(stored.exchange.clone())
}

/// An exchange with the same bytes everywhere.
pub(crate) fn hostile(bytes: &[u8]) -> Stored {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut stored = payment(3).with(|it| {
        it.request.method = bytes.clone();
        it.request.target = bytes.clone();
        it.request_body.length = bytes.len() as u64;
        it.request_body.bytes = bytes.clone();
        it.response_body = it.request_body.clone();
        it.event.name = Some(String::from_utf8_lossy(&bytes).into_owned());
        it.request.headers = headers(&[("x-any", &String::from_utf8_lossy(&bytes))]);
    });
    stored.note = Some(String::from_utf8_lossy(&bytes).into_owned());
    stored
}
