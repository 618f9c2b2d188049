//! Edits of the body as bytes.

use std::borrow::Cow;

use super::edit::{Edit, Proposal, Proposals};
use super::workbench::Case;
use crate::cause::Cause;
use crate::rewrite::bytes::{self, BYTE_ORDER_MARK};

/// A newline more or less at the end, the other line endings.
pub(super) fn newlines<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let body = case.body;
    let of = |what: &'static str, body: Cow<'a, [u8]>| Proposal::body(Cause::BodyNewline, what, body);
    let ended = |what: &'static str, end: &'static [u8]| {
        Proposal::new(Cause::BodyNewline, what, Edit::Body(vec![body.into(), end.into()]))
    };
    let trimmed = body.trim_ascii();
    // Other white space than line breaks is no matter of editors and shells.
    let only_breaks = trim_line_breaks(body).len() == trimmed.len();
    let trimming = if only_breaks { Cause::BodyNewline } else { Cause::BodyChanged };
    let fixed = [
        body.strip_suffix(b"\n").map(|body| of("without the line feed at its end, the body fits", body.into())),
        body.strip_suffix(b"\r\n")
            .map(|body| of("without the line break (CRLF) at its end, the body fits", body.into())),
        (trimmed.len() < body.len())
            .then(|| Proposal::body(trimming, "without the white space around it, the body fits", trimmed)),
        Some(ended("with a line feed at its end, the body fits", b"\n")),
        Some(ended("with a line break (CRLF) at its end, the body fits", b"\r\n")),
    ];
    let converted = [
        (bytes::carriage_returns as fn(&[u8]) -> Option<Vec<u8>>, "with CRLF as line endings, the body fits"),
        (bytes::line_feeds, "with LF as line endings, the body fits"),
    ];
    let converted = converted.into_iter().filter_map(move |(convert, what)| Some(of(what, convert(body)?.into())));
    Box::new(fixed.into_iter().flatten().chain(converted))
}

fn trim_line_breaks(body: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !matches!(byte, b'\n' | b'\r');
    let start = body.iter().position(is_kept).unwrap_or(body.len());
    let end = body.iter().rposition(is_kept).map_or(start, |last| last + 1);
    &body[start..end]
}

/// A byte order mark, another charset, base64, compression, quotes; nothing where there was an empty object.
pub(super) fn wrappings<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let body = case.body;
    let marked = match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => Proposal::body(Cause::BodyEncoding, "without its byte order mark, the body fits", rest),
        None => Proposal::new(
            Cause::BodyEncoding,
            "with a byte order mark in front, the body fits",
            Edit::Body(vec![BYTE_ORDER_MARK.into(), body.into()]),
        ),
    };
    let emptied = is_empty_value(body)
        .then(|| Proposal::body(Cause::BodyChanged, "the body was empty when it was signed", &b""[..]));
    let filled = body
        .is_empty()
        .then(|| {
            [&b"{}"[..], b"null", b"[]"].map(|value| {
                Proposal::body(Cause::BodyChanged, "the body was an empty JSON value when it was signed", value)
            })
        })
        .into_iter()
        .flatten();
    let converted = CONVERSIONS.iter().filter_map(move |(what, convert)| {
        let converted = convert(body).filter(|converted| converted != body)?;
        Some(Proposal::body(Cause::BodyEncoding, *what, converted))
    });
    Box::new(emptied.into_iter().chain(filled).chain([marked]).chain(converted))
}

/// What `express.json()` and others make of no body.
fn is_empty_value(body: &[u8]) -> bool {
    matches!(body.trim_ascii(), b"{}" | b"[]" | b"null" | b"\"\"" | b"undefined")
}

type Conversion = fn(&[u8]) -> Option<Vec<u8>>;

const CONVERSIONS: &[(&str, Conversion)] = &[
    ("the body came as base64; what it stands for fits", bytes::from_base64),
    ("the body came compressed; what it holds fits", bytes::decompressed),
    ("the body came as one JSON string; the text in it fits", |body| bytes::unquoted(body).map(Cow::into_owned)),
    ("the body was read as Latin-1 and written as UTF-8; undone, it fits", bytes::to_latin_1),
    ("the body was signed after it was read as Latin-1 instead of UTF-8", bytes::from_latin_1),
    ("the body came as UTF-16; in UTF-8 it fits", bytes::from_utf_16),
    ("the body was signed in UTF-16", bytes::to_utf_16),
    ("the body was signed as base64", |body| Some(bytes::to_base64(body))),
];
