//! The webhook that is measured with: shaped like Razorpay's.

use bytes::Bytes;
use hookwire_protocol::head::{BodyLength, Headers, HttpVersion, RequestHead};

/// Bytes of its body.
const BODY: usize = 1600;

const LINES: [(&str, &str); 12] = [
    ("host", "relay.example.com"),
    ("user-agent", "Razorpay-Webhook/v1"),
    ("content-type", "application/json"),
    ("content-length", "1600"),
    ("accept", "*/*"),
    ("accept-encoding", "gzip, deflate"),
    ("x-razorpay-event-id", "MzdUQzJ1bW1lcjIwMjU"),
    ("x-razorpay-signature", "55d3c166391ec51285b388f1bb9f0ba9b13dde1bece4484aaac6edd34a01459a"),
    ("request-id", "req_7f1d2c3b4a59"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "relay.example.com"),
];

/// Its head.
pub(crate) fn request() -> RequestHead {
    RequestHead {
        id: *b"0123456789abcdef",
        received_at: 1_760_000_000_000_000,
        version: HttpVersion::Http11,
        body: BodyLength::Sized(BODY as u64),
        method: Bytes::from_static(b"POST"),
        target: Bytes::from_static(b"/verification"),
        headers: headers(),
    }
}

fn headers() -> Headers {
    LINES.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

/// Its body.
pub(crate) fn body() -> Bytes {
    Bytes::from_static(&[b'{'; BODY])
}
