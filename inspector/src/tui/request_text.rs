//! A request as text for an editor, and back.
//!
//! ```text
//! POST /verification
//! content-type: application/json
//! x-razorpay-signature: 2d8e…
//!
//! {"event":"payment.captured"}
//! ```
//!
//! What is no UTF-8 text, or would not survive an editor, is written as base64 behind [`BASE64`].

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hookwire_capture::Exchange;

use super::actions::EditedRequest;

/// Stands before what is written as base64: a header's value, or the first line of a body.
const BASE64: &str = "base64:";

/// Columns of a line of base64, as MIME has it (RFC 2045, section 6.8).
const BASE64_LINE: usize = 76;

/// Why a text is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(super) struct Mistake {
    /// Where, from 1.
    pub(super) line: usize,
    /// What is wrong, and what is expected.
    pub(super) message: String,
}

/// Writes a request for an editor.
pub(super) fn write(exchange: &Exchange) -> String {
    let head = &exchange.request;
    let method = String::from_utf8_lossy(&head.method);
    let mut text = format!("{method} {}\n", value(&head.target));
    for (name, bytes) in head.headers.iter() {
        let written = writeln!(text, "{}: {}", String::from_utf8_lossy(name), value(bytes));
        debug_assert!(written.is_ok(), "writing to a string can't fail");
    }
    text.push('\n');
    body(&exchange.request_body.bytes, &mut text);
    text
}

/// Reads what was written in an editor. The editor's newline at the end is no part of the body, unless the body had one.
pub(super) fn read(text: &str, original: &str) -> Result<EditedRequest, Mistake> {
    let (head, body) = text.split_once("\n\n").or_else(|| text.split_once("\r\n\r\n")).unwrap_or((text, ""));
    let mut lines = head.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end_matches('\r')));
    let (method, target) = request_line(lines.next().map_or("", |(_, line)| line))?;
    let headers = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| header(number, line));
    let headers = headers.collect::<Result<_, _>>()?;
    let body_line = head.lines().count() + 2;
    let had_newline = original.split_once("\n\n").is_some_and(|(_, body)| body.ends_with('\n'));
    let body = read_body(body, body_line, had_newline)?;
    Ok(EditedRequest { method, target, headers, body })
}

fn request_line(line: &str) -> Result<(String, Bytes), Mistake> {
    let wrong = |message: &str| Mistake { line: 1, message: message.to_owned() };
    let (method, target) =
        line.split_once(' ').ok_or_else(|| wrong("a method and a path are expected: `POST /verification`"))?;
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(wrong("the method is no token (RFC 9110, section 5.6.2): `POST` is one"));
    }
    let target = decoded(1, target.trim())?;
    if !target.starts_with(b"/") && !target.starts_with(b"?") {
        return Err(wrong("the path begins with `/`"));
    }
    if target.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
        return Err(wrong("a path holds no spaces and no control characters: write `%20` for a space"));
    }
    Ok((method.to_owned(), target))
}

fn header(line: usize, text: &str) -> Result<(String, Bytes), Mistake> {
    let wrong = |message: &str| Mistake { line, message: message.to_owned() };
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| wrong("a header is expected: `name: value`; an empty line ends the headers"))?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(wrong("the header's name is no token (RFC 9110, section 5.6.2)"));
    }
    let value = decoded(line, value.trim())?;
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
        return Err(wrong("a header's value holds no line feed, carriage return or NUL (RFC 9110, section 5.5)"));
    }
    Ok((name.to_owned(), value))
}

fn read_body(text: &str, line: usize, keep_newline: bool) -> Result<Bytes, Mistake> {
    if let Some(encoded) = text.strip_prefix(BASE64) {
        let encoded: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        return decode(line, &encoded);
    }
    let body = if keep_newline { text } else { text.strip_suffix('\n').unwrap_or(text) };
    Ok(Bytes::copy_from_slice(body.as_bytes()))
}

/// A value on one line: as it is, if an editor leaves it as it is.
fn value(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if !text.starts_with(BASE64) && text.trim() == text && !text.chars().any(char::is_control) => {
            text.to_owned()
        }
        _ => format!("{BASE64} {}", STANDARD.encode(bytes)),
    }
}

fn body(bytes: &[u8], text: &mut String) {
    match str::from_utf8(bytes) {
        Ok(body) if !body.starts_with(BASE64) && !body.chars().any(is_fragile) => text.push_str(body),
        _ => {
            text.push_str(BASE64);
            let encoded = STANDARD.encode(bytes);
            for (index, c) in encoded.chars().enumerate() {
                if index % BASE64_LINE == 0 {
                    text.push('\n');
                }
                text.push(c);
            }
            text.push('\n');
        }
    }
}

/// Characters that editors change or hide: all controls but tab and line feed. A carriage return is one of them.
fn is_fragile(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t' || c == '\u{feff}'
}

fn decoded(line: usize, text: &str) -> Result<Bytes, Mistake> {
    match text.strip_prefix(BASE64) {
        Some(encoded) => decode(line, encoded.trim()),
        None => Ok(Bytes::copy_from_slice(text.as_bytes())),
    }
}

fn decode(line: usize, encoded: &str) -> Result<Bytes, Mistake> {
    let decoded = STANDARD.decode(encoded);
    decoded.map(Bytes::from).map_err(|error| Mistake { line, message: format!("no base64: {error}").to_lowercase() })
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use hookwire_capture::CapturedBody;
    use hookwire_protocol::head::{BodyLength, HeaderLines, HttpVersion, RequestHead};
    use proptest::prelude::*;

    use super::*;

    fn exchange(target: &[u8], header: &[u8], body: &[u8]) -> Exchange {
        let mut lines = HeaderLines::with_capacity(64);
        lines.push(b"x-first", header);
        lines.push(b"x-first", b"again");
        let request = RequestHead {
            id: [0; 16],
            received_at: 0,
            version: HttpVersion::Http11,
            body: BodyLength::Sized(body.len() as u64),
            method: Bytes::from_static(b"POST"),
            target: Bytes::copy_from_slice(target),
            headers: lines.finish(),
        };
        let request_body =
            CapturedBody { bytes: Bytes::copy_from_slice(body), length: body.len() as u64, sha256: None };
        Exchange { request_body, ..Exchange::of(request) }
    }

    #[test]
    fn a_request_is_text_that_can_be_read() {
        let text = write(&exchange(b"/verification?a=b", b"v", b"{\"a\": 1}"));
        assert_eq!(text, "POST /verification?a=b\nx-first: v\nx-first: again\n\n{\"a\": 1}");
        let binary = write(&exchange(b"/", b"\xff", b"\x00\x01\r\n"));
        assert_eq!(binary, "POST /\nx-first: base64: /w==\nx-first: again\n\nbase64:\nAAENCg==\n");
    }

    #[test]
    fn an_editors_newline_at_the_end_is_no_part_of_the_body_unless_there_was_one() {
        let body = |body: &[u8]| {
            let text = write(&exchange(b"/", b"v", body));
            let saved = if text.ends_with('\n') { text.clone() } else { format!("{text}\n") };
            read(&saved, &text).unwrap().body
        };
        for same in [&b"{}"[..], b"{}\n", b"a\n\nb", b"a\n\n", b"", b"\n"] {
            assert_eq!(body(same), same, "{same:?}");
        }
    }

    #[test]
    fn mistakes_have_a_line() {
        let mistake = |text: &str| read(text, "").unwrap_err().to_string();
        assert_eq!(mistake(""), "line 1: a method and a path are expected: `POST /verification`");
        assert!(mistake("PO ST /").starts_with("line 1: the path begins with `/`"));
        assert!(mistake("P@ST /").starts_with("line 1: the method is no token"));
        assert!(mistake("POST /a b").starts_with("line 1: a path holds no spaces"));
        assert!(mistake("POST /\na: b\nc").starts_with("line 3: a header is expected"));
        assert!(mistake("POST /\na b: c").starts_with("line 2: the header's name is no token"));
        assert!(mistake("POST /\na: base64: DQo=").starts_with("line 2: a header's value holds no line feed"));
        assert!(mistake("POST /\n\nbase64:\n!").starts_with("line 3: no base64"));
        let edited = read("POST /\r\na: b\r\n\r\n{}", "").unwrap();
        assert_eq!((edited.headers.len(), &edited.body[..]), (1, &b"{}"[..]));
    }

    proptest! {
        #[test]
        fn what_is_not_edited_comes_back_as_it_was(
            target in prop::collection::vec(0x21..=0xff_u8, 0..40).prop_filter("no DEL", |it| !it.contains(&0x7f)),
            header in prop::collection::vec(any::<u8>(), 0..40)
                .prop_filter("valid", |it| !it.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0'))),
            body in prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)],
        ) {
            let target = [&b"/"[..], &target].concat();
            let exchange = exchange(&target, &header, &body);
            let text = write(&exchange);
            let read = read(&text, &text);
            let read = read.unwrap();
            prop_assert_eq!(&read.target[..], &target[..]);
            prop_assert_eq!(&read.headers[0].1[..], &header[..]);
            prop_assert_eq!(&read.headers[1].1[..], b"again");
            prop_assert_eq!(&read.body[..], &body[..]);
        }

        #[test]
        fn any_text_is_a_request_or_a_mistake(text: String) {
            let _ = read(&text, "");
        }
    }
}
