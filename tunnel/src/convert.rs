//! Between the `http` crate's types and the wire's heads.

use hookwire_protocol::head::{BodyLength, HeaderLines, Headers, HttpVersion, RequestHead, ResponseHead};
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use crate::names::header_name;

/// What a head's lines take on the wire, roughly, per line: enough that the buffer seldom grows.
const LINE: usize = 48;

/// The lines of a header map that go on the wire: all that `keep` lets through, in order, repetitions next to each other.
pub fn lines(headers: &HeaderMap, extra: usize, keep: impl Fn(&HeaderName) -> bool) -> HeaderLines {
    let mut list = HeaderLines::with_capacity(2 + (headers.len() + extra) * LINE);
    for (name, value) in headers {
        if keep(name) {
            list.push(name.as_str().as_bytes(), value.as_bytes());
        }
    }
    list
}

/// Trailers as lines. None of them can pretend to be ours.
pub fn trailers(headers: &HeaderMap) -> Headers {
    lines(headers, 0, |name| !is_hop_by_hop(name) && !name.as_str().starts_with("hookwire-")).finish()
}

/// Lines as a header map that shares their memory. Decoding has checked names and values, so none is lost here.
pub(crate) fn header_map(lines: &Headers) -> HeaderMap {
    // Room for one line more, such as hyper's `connection: close`: a map that has to grow for it is built twice.
    let mut headers = HeaderMap::with_capacity(lines.len() + 1);
    for (name, value) in lines.slices() {
        if let (Some(name), Ok(value)) = (header_name(name), HeaderValue::from_maybe_shared(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Headers that belong to one connection (RFC 9110 §7.6.1) and never pass a relay. `trailer` is not among them: it announces what follows the body.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION
            | header::TRANSFER_ENCODING
            | header::UPGRADE
            | header::TE
            | header::PROXY_AUTHENTICATE
            | header::PROXY_AUTHORIZATION
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// The headers that `connection` names besides its own keywords: they end here too (RFC 9110 §7.6.1). What the other end needs to understand the
/// message stays, whoever names it.
pub fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named = values.flat_map(|value| value.split(',')).map(str::trim);
    named
        .filter(|name| !name.eq_ignore_ascii_case("keep-alive") && !name.eq_ignore_ascii_case("close"))
        .filter_map(|name| name.parse().ok())
        .filter(|name| {
            ![header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::AUTHORIZATION].contains(name)
        })
        .collect()
}

/// The wire's name for a version.
pub fn http_version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_09 | Version::HTTP_10 => HttpVersion::Http10,
        Version::HTTP_2 | Version::HTTP_3 => HttpVersion::Http2,
        _ => HttpVersion::Http11,
    }
}

/// How long a body is, from the header that says so and from whether there is one at all.
pub fn body_length(headers: &HeaderMap, is_empty: bool) -> BodyLength {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    match announced {
        _ if is_empty => BodyLength::Empty,
        Some(length) => BodyLength::Sized(length),
        None => BodyLength::Unknown,
    }
}

/// A request to give to hyper, without its target and body.
pub fn request_parts(head: &RequestHead) -> http::request::Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    // Decoding has checked that it is a token.
    parts.method = http::Method::from_bytes(&head.method).unwrap_or(http::Method::POST);
    parts.headers = header_map(&head.headers);
    parts
}

/// A response to give to hyper, without its body.
pub fn response_parts(head: &ResponseHead) -> http::response::Parts {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = http::StatusCode::from_u16(head.status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    parts.headers = header_map(&head.headers);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_can_not_remove_what_the_other_end_needs() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close, X-Mine, host, content-length, "));
        assert_eq!(named_by_connection(&headers), [HeaderName::from_static("x-mine")]);
    }
}
