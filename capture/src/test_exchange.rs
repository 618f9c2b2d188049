//! The plainest exchange there is, for unit tests.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use uuid::Uuid;

use hookwire_protocol::head::{BodyLength, Headers, HttpVersion, RequestHead};
use hookwire_signatures::{Event, Status, Verdict};

use crate::{AnsweredBy, CapturedBody, Exchange, Origin};

pub(crate) fn exchange() -> Exchange {
    Exchange {
        id: Uuid::nil(),
        origin: Origin::Live,
        endpoint: "shop".into(),
        received_at: SystemTime::UNIX_EPOCH,
        request: RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Empty,
            method: Bytes::from_static(b"POST"),
            target: Bytes::new(),
            headers: Headers::default(),
        },
        request_body: CapturedBody::default(),
        response: None,
        response_body: CapturedBody::default(),
        answered_by: AnsweredBy::App,
        late: false,
        error: None,
        forwarded: None,
        first_byte: None,
        duration: Duration::ZERO,
        verdict: Verdict {
            status: Status::Unsigned,
            scheme: None,
            secret: None,
            cause: None,
            age_seconds: None,
            tolerance_seconds: None,
        },
        evidence: None,
        event: Event::default(),
    }
}
