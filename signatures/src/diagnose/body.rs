//! Edits of the body.

use std::borrow::Cow;

use super::{Case, DIAGNOSIS_BODY_LIMIT, Edit, Edits};
use crate::json::{Slashes, Style, rewrite};

/// A rewritten body may grow by indentation, which attackers could make 200-fold; real bodies stay below threefold.
const REWRITTEN_LIMIT: usize = 4 * DIAGNOSIS_BODY_LIMIT;

/// The body with a newline more or less at its end, and with the other line endings.
pub(super) fn other_newlines(case: Case<'_>) -> Edits<'_> {
    let body = case.body;
    let stripped = [&b"\n"[..], b"\r\n"].into_iter().filter_map(move |end| body.strip_suffix(end)).map(Cow::Borrowed);
    let added = [&b"\n"[..], b"\r\n"].into_iter().map(move |end| Cow::Owned([body, end].concat()));
    let converted = [line_feeds, carriage_returns].into_iter().filter_map(move |convert| convert(body)).map(Cow::Owned);
    Box::new(stripped.chain(added).chain(converted).map(Edit::Body))
}

/// CRLF made LF, if there is any.
fn line_feeds(body: &[u8]) -> Option<Vec<u8>> {
    let kept = |index: &usize| !body[*index..].starts_with(b"\r\n");
    let converted: Vec<u8> = (0..body.len()).filter(kept).map(|index| body[index]).collect();
    (converted.len() < body.len()).then_some(converted)
}

/// LF made CRLF, if there is any.
fn carriage_returns(body: &[u8]) -> Option<Vec<u8>> {
    let mut converted = Vec::with_capacity(body.len());
    for (index, byte) in body.iter().enumerate() {
        if *byte == b'\n' && !body[..index].ends_with(b"\r") {
            converted.push(b'\r');
        }
        converted.push(*byte);
    }
    (converted.len() > body.len()).then_some(converted)
}

/// The body's JSON as the usual serialisers lay it out, with slashes escaped or not.
pub(super) fn other_styles(case: Case<'_>) -> Edits<'_> {
    let body = case.body;
    if !body.trim_ascii_start().starts_with(b"{") && !body.trim_ascii_start().starts_with(b"[") {
        return Box::new(std::iter::empty());
    }
    let slashes: &[Slashes] =
        if body.contains(&b'/') { &[Slashes::Kept, Slashes::Escaped, Slashes::Plain] } else { &[Slashes::Kept] };
    let styles =
        LAYOUTS.iter().flat_map(move |layout| slashes.iter().map(|slashes| Style { slashes: *slashes, ..*layout }));
    let rewritten = styles.filter_map(move |style| rewrite(body, style, REWRITTEN_LIMIT));
    Box::new(rewritten.filter(move |rewritten| rewritten != body).map(|body| Edit::Body(Cow::Owned(body))))
}

/// `JSON.stringify(x)`, Python's `json.dumps(x)`, and the usual indentations (Stripe signs bodies indented by two).
const LAYOUTS: &[Style] = &[
    layout(",", ":", None),
    layout(", ", ": ", None),
    layout(",", ": ", Some("  ")),
    layout(",", ": ", Some("    ")),
    layout(",", ": ", Some("\t")),
];

const fn layout(comma: &'static str, colon: &'static str, indent: Option<&'static str>) -> Style {
    Style { comma, colon, indent, slashes: Slashes::Kept }
}
