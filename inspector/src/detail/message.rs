//! Requests and answers as messages: lines, headers, bodies, bytes.

use bytes::Bytes;

use hookwire_capture::{CapturedBody, Exchange};
use hookwire_protocol::head::Headers;

use super::{overview, sheet::Sheet};
use crate::{
    body::{self, Hex, Options, Text, View},
    export::request,
    line::{Line, Role, Span},
    rendered::Content,
    sizes,
};

/// Method and target.
pub(super) fn request_line(exchange: &Exchange) -> Line {
    vec![
        Span::new(Role::Heading, exchange.method()),
        Span::new(Role::Plain, " "),
        Span::new(Role::Plain, request::target(exchange)),
    ]
}

/// Status and its words, or what stands for an answer.
pub(super) fn status(exchange: &Exchange) -> Line {
    let status = exchange.status();
    let words = exchange.response.as_ref().and_then(|head| head.reason.as_deref());
    let words = words.unwrap_or_else(|| request::reason(status).as_bytes());
    let good = exchange.error.is_none() && (100..400).contains(&status);
    let role = if good { Role::Good } else { Role::Bad };
    if status == 0 {
        return vec![Span::new(Role::Bad, "no answer")];
    }
    vec![Span::new(role, [status.to_string().as_bytes(), b" ", words].concat().trim_ascii_end())]
}

/// Request line, headers and query.
pub(super) fn headers(exchange: &Exchange) -> Box<dyn Content> {
    let mut sheet = Sheet::default();
    let mut line = request_line(exchange);
    line.push(Span::new(Role::Muted, format!(" {}", exchange.request.version.as_str())));
    sheet.line(line);
    lines(&exchange.request.headers, &mut sheet);
    if let Some(query) = exchange.query().filter(|query| !query.is_empty()) {
        sheet.heading("query");
        sheet.content(Box::new(body::query(Bytes::copy_from_slice(query))));
    }
    sheet.finish()
}

/// The request's body below its type and length.
pub(super) fn request_body(exchange: &Exchange, options: &Options<'_>) -> Box<dyn Content> {
    let mut sheet = Sheet::default();
    if exchange.request_body.length == 0 {
        sheet.text(Role::Muted, "the request has no body");
        if exchange.query().is_some() {
            sheet.text(Role::Muted, "what it says is in its query: see the headers");
        }
        return sheet.finish();
    }
    bytes(&exchange.request_body, &exchange.request.headers, options, &mut sheet);
    sheet.finish()
}

/// The answer: line, headers and body.
pub(super) fn response(exchange: &Exchange, options: &Options<'_>) -> Box<dyn Content> {
    let mut sheet = Sheet::default();
    if exchange.late {
        sheet.text(Role::Warn, "late: the sender had got 202 from the relay; this is what the app said to nobody");
    }
    let Some(head) = &exchange.response else {
        sheet.text(Role::Bad, "there was no answer");
        match exchange.error {
            Some(code) => overview::error(code, &mut sheet),
            None => sheet.text(Role::Muted, "the exchange ended before the app said anything"),
        }
        return sheet.finish();
    };
    let mut line = vec![Span::new(Role::Muted, format!("{} ", head.version.as_str()))];
    line.extend(status(exchange));
    line.push(Span::new(Role::Muted, format!("  by {}", exchange.answered_by.as_str())));
    sheet.line(line);
    if let Some(code) = exchange.error {
        overview::error(code, &mut sheet);
    }
    lines(&head.headers, &mut sheet);
    sheet.line(Line::new());
    if exchange.response_body.length == 0 {
        sheet.text(Role::Muted, "the answer has no body");
    } else {
        bytes(&exchange.response_body, &head.headers, options, &mut sheet);
    }
    sheet.finish()
}

/// The request as bytes: head and body, as text or in hexadecimal.
pub(super) fn raw(exchange: &Exchange, options: &Options<'_>) -> Box<dyn Content> {
    let mut sheet = Sheet::default();
    let head = Bytes::from(request::head(exchange));
    let body = &exchange.request_body;
    let shown = body.bytes.slice(..body.bytes.len().min(body::SHOWN_LIMIT));
    if options.view == View::Hex {
        let message = Bytes::from([&head[..], &shown].concat());
        sheet.content(Box::new(Hex::new(message, options.width)));
    } else {
        sheet.content(Box::new(Text::new(head)));
        sheet.content(if options.view == View::Text || body::is_text(&shown) {
            Box::new(Text::new(shown))
        } else {
            Box::new(Hex::new(shown, options.width))
        });
    }
    let hidden = body.length.saturating_sub(body.bytes.len().min(body::SHOWN_LIMIT) as u64);
    if hidden > 0 {
        sheet.text(Role::Warn, format!("{} more are not shown", sizes::bytes(hidden)));
    }
    sheet.finish()
}

fn lines(headers: &Headers, sheet: &mut Sheet) {
    if headers.is_empty() {
        sheet.text(Role::Muted, "no headers");
    }
    for (name, value) in headers.iter() {
        sheet.hang(body::header(name, value), HEADER_HANG);
    }
}

fn bytes(body: &CapturedBody, headers: &Headers, options: &Options<'_>, sheet: &mut Sheet) {
    let content_type = headers.value("content-type");
    let mut line = vec![Span::new(Role::Plain, content_type.unwrap_or(b"no content-type"))];
    line.push(Span::new(Role::Muted, format!(", {}", sizes::bytes(body.length))));
    sheet.line(line);
    sheet.line(Line::new());
    sheet.content(body::content(body, content_type, headers.value("content-encoding"), options));
}

/// What wraps of a header's value is indented, so that it is not taken for another header.
const HEADER_HANG: usize = 4;
