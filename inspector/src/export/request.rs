//! What the forms of a request have in common.

use std::borrow::Cow;

use hookwire_capture::Exchange;

/// The request target as it stands in a request line: never empty, always from the first `/` on.
pub(crate) fn target(exchange: &Exchange) -> Cow<'_, [u8]> {
    match exchange.request.target.first() {
        Some(b'/') => Cow::Borrowed(&exchange.request.target),
        _ => Cow::Owned([b"/", &exchange.request.target[..]].concat()),
    }
}

/// Request line and headers as HTTP/1.1 has them (RFC 9112 §2.1), with the empty line.
pub(crate) fn head(exchange: &Exchange) -> Vec<u8> {
    message(exchange, None)
}

/// The whole request as HTTP/1.1. One whose length no header tells is given a `content-length`, as it could not be
/// sent without.
pub(super) fn whole(exchange: &Exchange) -> Vec<u8> {
    let body = &exchange.request_body.bytes;
    let told = exchange.request.headers.value("content-length").is_some() || body.is_empty();
    let mut message = message(exchange, (!told).then_some(body.len()));
    message.extend_from_slice(body);
    message
}

fn message(exchange: &Exchange, length: Option<usize>) -> Vec<u8> {
    let mut text = [exchange.method(), b" ", &target(exchange), b" HTTP/1.1\r\n"].concat();
    for (name, value) in exchange.request.headers.iter() {
        text.extend([name, b": ", value, b"\r\n"].concat());
    }
    if let Some(length) = length {
        text.extend(format!("content-length: {length}\r\n").into_bytes());
    }
    text.extend(*b"\r\n");
    text
}

/// `base` in two: scheme and host, and the path that requests are put under, which does not end with a slash.
pub(super) fn split_base(base: &str) -> (&str, &str) {
    let authority = base.find("://").map_or(0, |at| at + 3);
    let path = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let (origin, path) = base.split_at(path);
    (origin, path.strip_suffix('/').unwrap_or(path))
}

/// The usual words for a status (RFC 9110 §15), or none.
pub(crate) fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_split_where_its_path_begins() {
        for (base, parts) in [
            ("http://localhost:3000", ("http://localhost:3000", "")),
            ("http://localhost:3000/", ("http://localhost:3000", "")),
            ("https://relay.example.com/shop", ("https://relay.example.com", "/shop")),
            ("https://h/a/b/", ("https://h", "/a/b")),
            ("localhost:3000/x", ("localhost:3000", "/x")),
        ] {
            assert_eq!(split_base(base), parts, "{base}");
        }
    }
}
