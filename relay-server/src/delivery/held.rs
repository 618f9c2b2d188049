//! A webhook between the wire and the inbox.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use hookwire_protocol::{
    code::Code,
    head::{HeadError, HeaderLines, RequestHead, ResponseHead},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{desk::Desk, drain::Finish};
use crate::inbox::{Pending, Webhook};

/// The headers of a held delivery. A sender can't set them: see [`RESERVED`].
const HELD_SINCE: &[u8] = b"hookwire-held-since";
const ATTEMPT: &[u8] = b"hookwire-attempt";
const DELIVERY_ID: &[u8] = b"hookwire-delivery-id";

/// Room for the three of them.
const MARKS: usize = 160;

/// Headers with this prefix are ours alone, both ways.
pub(crate) const RESERVED: &str = "hookwire-";

/// A webhook as the inbox takes it.
pub(super) fn webhook(desk: &Desk, head: &RequestHead, body: Vec<Bytes>) -> Webhook {
    let mut encoded = BytesMut::with_capacity(head.encoded_length());
    head.encode(&mut encoded);
    let received_at = received_at(head);
    Webhook {
        id: Uuid::from_bytes(head.id),
        endpoint: desk.name().clone(),
        received_at,
        due_at: received_at,
        head: encoded.freeze(),
        body,
        attempt: 0,
    }
}

/// When the relay read the head.
pub(super) fn received_at(head: &RequestHead) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(head.received_at)
}

/// The head of a held webhook as the app gets it: as it came in, and since when it was held.
pub(super) fn marked(pending: &Pending) -> Result<RequestHead, HeadError> {
    let head = RequestHead::decode(pending.head.clone())?;
    let mut list = HeaderLines::with_capacity(head.headers.encoded().len() + MARKS);
    for (name, value) in head.headers.iter() {
        list.push(name, value);
    }
    let since = Timestamp::try_from(pending.received_at).unwrap_or_default();
    list.push(HELD_SINCE, format!("{since:.3}").as_bytes());
    list.push(ATTEMPT, (pending.attempt + 1).to_string().as_bytes());
    list.push(DELIVERY_ID, pending.id.to_string().as_bytes());
    Ok(RequestHead { headers: list.finish(), ..head })
}

/// Whether no byte of the request can have reached the app.
pub(super) fn never_reached(head: &ResponseHead) -> bool {
    matches!(head.error, Some(Code::AppRefused | Code::AppUnreachable))
}

/// What an answer means for a webhook in the inbox.
pub(super) fn finish(answer: &ResponseHead) -> Finish {
    match (answer.error, answer.status) {
        (Some(_), _) if never_reached(answer) => Finish::Absent,
        (Some(_), _) => Finish::Failed(None),
        (None, 200..300) => Finish::Took,
        (None, status) => Finish::Failed(Some(status)),
    }
}

/// What the lack of one means.
pub(super) fn finish_without(code: Code) -> Finish {
    match code {
        Code::NoSession | Code::SessionLost | Code::Stopping => Finish::Lost,
        // More streams than the session may have: nothing is wrong with this webhook.
        Code::Overloaded => Finish::Absent,
        _ => Finish::Failed(None),
    }
}

#[cfg(test)]
mod tests {
    use hookwire_protocol::head::{BodyLength, Headers, HttpVersion};

    use super::*;
    use crate::inbox::Cursor;

    fn head() -> RequestHead {
        RequestHead {
            id: Uuid::from_u128(0x0199_c0de_c0de_7000_8000_0000_0000_002a).into_bytes(),
            received_at: 1_784_000_000_123_456,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(4),
            method: Bytes::from_static(b"POST"),
            target: Bytes::from_static(b"/verification?x=%2F"),
            headers: [(&b"x-odd"[..], &b"\xff"[..]), (b"x-odd", b"2")].into_iter().collect(),
        }
    }

    fn answer(status: u16, error: Option<Code>) -> ResponseHead {
        ResponseHead {
            status,
            version: HttpVersion::Http11,
            error,
            body: BodyLength::Empty,
            reason: None,
            headers: Headers::default(),
        }
    }

    #[test]
    fn a_held_webhook_comes_as_it_was_with_three_marks() {
        let desk = Desk::new("shop");
        let webhook = webhook(&desk, &head(), vec![Bytes::from_static(b"paid")]);
        assert_eq!((&*webhook.endpoint, webhook.attempt, webhook.due_at), ("shop", 0, webhook.received_at));
        let pending = Pending {
            cursor: Cursor::START,
            id: webhook.id,
            received_at: webhook.received_at,
            due_at: webhook.due_at,
            attempt: 2,
            status: Some(500),
            size: webhook.size(),
            head: webhook.head,
            body: None,
        };
        let marked = marked(&pending).unwrap();
        let lines: Vec<_> = marked.headers.iter().collect();
        assert_eq!(
            lines,
            [
                (&b"x-odd"[..], &b"\xff"[..]),
                (b"x-odd", b"2"),
                (b"hookwire-held-since", b"2026-07-14T03:33:20.123Z"),
                (b"hookwire-attempt", b"3"),
                (b"hookwire-delivery-id", b"0199c0de-c0de-7000-8000-00000000002a"),
            ]
        );
        assert_eq!(RequestHead { headers: head().headers, ..marked }, head());
        assert!([HELD_SINCE, ATTEMPT, DELIVERY_ID].iter().all(|name| name.starts_with(RESERVED.as_bytes())));
    }

    #[test]
    fn only_2xx_of_the_app_itself_delivers() {
        assert_eq!(finish(&answer(204, None)), Finish::Took);
        for status in [199, 302, 404, 500] {
            assert_eq!(finish(&answer(status, None)), Finish::Failed(Some(status)));
        }
        assert_eq!(finish(&answer(200, Some(Code::AppDied))), Finish::Failed(None));
        assert_eq!(finish(&answer(502, Some(Code::AppRefused))), Finish::Absent);
        assert_eq!(finish_without(Code::SessionLost), Finish::Lost);
        assert_eq!(finish_without(Code::AppTimeout), Finish::Failed(None));
    }
}
