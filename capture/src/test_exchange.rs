//! The plainest exchange there is, for unit tests.

use bytes::Bytes;

use hookwire_protocol::head::{BodyLength, Headers, HttpVersion, RequestHead};

use crate::Exchange;

pub(crate) fn exchange() -> Exchange {
    Exchange::of(RequestHead {
        id: [0; 16],
        received_at: 0,
        version: HttpVersion::Http11,
        body: BodyLength::Empty,
        method: Bytes::from_static(b"POST"),
        target: Bytes::new(),
        headers: Headers::default(),
    })
}
