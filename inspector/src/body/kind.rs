//! What a body is: by what its sender says, else by its bytes.

/// The faces that fit bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    /// Several values of JSON, one after the other.
    JsonLines,
    Form,
    Multipart {
        boundary: Vec<u8>,
    },
    Xml,
    Text,
    Binary,
}

/// Tells the kind of a body that is not empty.
pub(super) fn kind(content_type: Option<&[u8]>, body: &[u8]) -> Kind {
    let media_type = MediaType::parse(content_type.unwrap_or_default());
    let essence = media_type.essence.as_str();
    match essence {
        "application/json" | "text/json" => Kind::Json,
        "application/x-ndjson" | "application/jsonl" => Kind::JsonLines,
        "application/x-www-form-urlencoded" => Kind::Form,
        "application/xml" | "text/xml" => Kind::Xml,
        _ if essence.ends_with("+json") => Kind::Json,
        _ if essence.ends_with("+xml") => Kind::Xml,
        _ if essence.starts_with("multipart/") => match media_type.boundary {
            Some(boundary) => Kind::Multipart { boundary },
            None => by_bytes(body),
        },
        // Latin-1 is text too, and shows its letters as escapes.
        _ if essence.starts_with("text/") && !body.contains(&0) => Kind::Text,
        _ => by_bytes(body),
    }
}

/// Whether bytes read well as text.
pub(crate) fn is_text(body: &[u8]) -> bool {
    let is_utf8 = match str::from_utf8(body) {
        Ok(_) => true,
        // A capture may be cut within a letter.
        Err(error) => error.error_len().is_none(),
    };
    let controls = body.iter().filter(|byte| matches!(byte, ..b' ' | 0x7F) && !byte.is_ascii_whitespace()).count();
    is_utf8 && !body.contains(&0) && controls <= body.len() / MIN_BYTES_PER_CONTROL
}

/// Text has a control character now and then (a form feed, an escape of a log); data is full of them.
const MIN_BYTES_PER_CONTROL: usize = 20;

fn by_bytes(body: &[u8]) -> Kind {
    if !is_text(body) {
        return Kind::Binary;
    }
    match body.trim_ascii_start() {
        [b'{' | b'[', ..] => Kind::Json,
        start if start.starts_with(b"<?xml") => Kind::Xml,
        _ => Kind::Text,
    }
}

/// A media type (RFC 9110 §8.3.1) as far as it matters here.
struct MediaType {
    /// Type and subtype, in lower case.
    essence: String,
    /// The parameter of multipart types (RFC 2046 §5.1.1).
    boundary: Option<Vec<u8>>,
}

impl MediaType {
    fn parse(value: &[u8]) -> Self {
        let mut parts = value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let essence = String::from_utf8_lossy(parts.next().unwrap_or_default()).to_lowercase();
        Self { essence, boundary: parameter(value, b"boundary").filter(|boundary| !boundary.is_empty()) }
    }
}

/// The value of a parameter `name=value` or `name="value"` behind a semicolon.
pub(super) fn parameter(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    loop {
        rest = rest[memchr::memchr(b';', rest)? + 1..].trim_ascii_start();
        let Some((key, after)) = rest.split_at_checked(name.len()) else { continue };
        let Some(value) = after.trim_ascii_start().strip_prefix(b"=") else { continue };
        if !key.eq_ignore_ascii_case(name) {
            continue;
        }
        let value = value.trim_ascii_start();
        return Some(match value.strip_prefix(b"\"") {
            Some(quoted) => unquoted(quoted),
            None => value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii_end().to_vec(),
        });
    }
}

/// A quoted string without its quotes and backslashes (RFC 9110 §5.6.4).
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next().filter(|&&byte| byte != b'"') {
        value.push(if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_counts_before_the_bytes() {
        let cases: [(&str, &[u8], Kind); 14] = [
            ("application/json; charset=utf-8", b"<?xml", Kind::Json),
            ("Application/Vnd.API+JSON", b"x", Kind::Json),
            ("application/x-ndjson", b"{}", Kind::JsonLines),
            ("application/x-www-form-urlencoded", b"a=1", Kind::Form),
            ("text/xml", b"{}", Kind::Xml),
            ("application/soap+xml", b"{}", Kind::Xml),
            ("text/plain", b"{}", Kind::Text),
            ("text/plain; charset=latin1", b"caf\xe9", Kind::Text),
            ("text/plain", b"a\0b", Kind::Binary),
            ("", b" {\"a\":1}", Kind::Json),
            ("", b"<?xml version", Kind::Xml),
            ("application/octet-stream", b"hello", Kind::Text),
            ("application/octet-stream", b"\x1f\x8b\x08", Kind::Binary),
            ("multipart/form-data", b"--x", Kind::Text),
        ];
        for (content_type, body, expected) in cases {
            assert_eq!(kind(Some(content_type.as_bytes()), body), expected, "{content_type}");
        }
        assert_eq!(kind(None, "₹".as_bytes().split_last().unwrap().1), Kind::Text);
    }

    #[test]
    fn parameters_may_be_quoted() {
        for value in
            ["multipart/form-data; boundary=ab", "a/b;x=\"boundary=no\";boundary = \"a\\b\" ; c=d", "a; BOUNDARY=ab;"]
        {
            assert_eq!(parameter(value.as_bytes(), b"boundary").as_deref(), Some(&b"ab"[..]), "{value}");
        }
        assert_eq!(parameter(b"form-data; filename=\"a;b\"; name=n", b"name").as_deref(), Some(&b"n"[..]));
        assert_eq!(parameter(b"a/b; boundary", b"boundary"), None);
    }
}
