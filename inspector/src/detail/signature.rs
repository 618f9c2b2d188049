//! What the signature says, and why.

use hookwire_capture::Exchange;
use hookwire_signatures::{Part, Scheme, Status, Verdict};

use super::{Context, sheet::Sheet};
use crate::{
    line::{Line, Role, Span},
    plain::{REFUSED_BY_APP, refused_by_app, secret_flag},
    rendered::Content,
    sizes,
};

/// Verdict, scheme, what was signed with what, and what to do about it.
pub(super) fn content(exchange: &Exchange, context: &Context) -> Box<dyn Content> {
    let verdict = &exchange.verdict;
    let scheme = verdict.scheme.and_then(Scheme::with_id);
    let mut sheet = Sheet::default();
    sheet.line(vec![mark(verdict)]);
    why(exchange, &mut sheet);
    if let Some(scheme) = scheme {
        sheet.heading("how it is signed");
        described(exchange, scheme, &mut sheet);
    }
    if !context.cautions.is_empty() {
        sheet.heading(match verdict.status {
            Status::Valid | Status::Stale => "what would break it in code",
            _ => "what else was seen",
        });
        for caution in &context.cautions {
            sheet.hang(vec![Span::new(Role::Warn, "! "), Span::new(Role::Plain, caution)], 2);
        }
    }
    sheet.finish()
}

/// Mark, word and provider of a verdict.
pub(super) fn mark(verdict: &Verdict) -> Span {
    let (role, words) = match (verdict.status, verdict.cause) {
        (Status::Valid, None) => (Role::Good, "✓ valid"),
        (Status::Valid, Some(_)) => (Role::Warn, "✓ valid, but"),
        (Status::Stale, _) => (Role::Warn, "⧗ stale"),
        (Status::Invalid, _) => (Role::Bad, "✗ invalid"),
        (Status::NoSecret, _) => (Role::Muted, "? no secret"),
        (Status::Unsigned, _) => (Role::Muted, "– unsigned"),
        (Status::Challenge, _) => (Role::Muted, "– challenge"),
        (other, _) => (Role::Muted, other.as_str()),
    };
    match verdict.scheme.and_then(Scheme::with_id) {
        Some(scheme) if verdict.status != Status::Unsigned => {
            Span::new(role, format!("{words} {}", scheme.provider.title()))
        }
        _ => Span::new(role, words),
    }
}

/// The cause in words and what to do, or what the verdict means where there is no cause.
fn why(exchange: &Exchange, sheet: &mut Sheet) {
    let verdict = &exchange.verdict;
    sheet.line(Line::new());
    if let Some(reason) = verdict.reason() {
        sheet.field("why", Role::Plain, reason);
    }
    if let Some(cause) = verdict.cause {
        sheet.field("cause", Role::Muted, cause.as_str());
        sheet.field("what to do", Role::Plain, cause.advice());
        return;
    }
    match verdict.status {
        Status::Valid if refused_by_app(exchange) => sheet.text(Role::Warn, REFUSED_BY_APP),
        Status::Valid => sheet.text(Role::Plain, "these bytes are what the provider signed"),
        Status::NoSecret => {
            if let Some(flag) = secret_flag(verdict) {
                sheet.field("what to do", Role::Plain, &*flag);
            }
        }
        Status::Unsigned => {
            sheet.text(Role::Plain, "no header of a known provider says that this request is signed");
            sheet.text(Role::Muted, "anyone who knows the address can send such a request: an app must not trust it");
        }
        Status::Challenge => {
            sheet.text(Role::Plain, "the provider asks whether the endpoint is yours: such a request is not signed");
        }
        _ => {}
    }
}

/// The scheme, and what this request has of it.
fn described(exchange: &Exchange, scheme: &Scheme, sheet: &mut Sheet) {
    let verdict = &exchange.verdict;
    sheet.field("scheme", Role::Plain, scheme.id);
    sheet.field("docs", Role::Muted, scheme.docs);
    sheet.field("signed", Role::Plain, signed(scheme, exchange.request_body.length));
    let is_it = |name: &[u8]| header(scheme).is_some_and(|header| name.eq_ignore_ascii_case(header.as_bytes()));
    let mut values = exchange.request.headers.iter().filter(|(name, _)| is_it(name)).peekable();
    match (values.peek(), header(scheme)) {
        (Some(_), _) => {}
        (None, Some(header)) => sheet.field("header", Role::Muted, format!("`{header}` is not there")),
        (None, None) => sheet.field("signature", Role::Plain, format!("in {}", scheme.signature_place())),
    }
    for (name, value) in values {
        let line =
            [Span::new(Role::HeaderName, name), Span::new(Role::Punctuation, ": "), Span::new(Role::Plain, value)];
        sheet.fields("header", line.to_vec());
    }
    if let Some(secret) = &verdict.secret {
        sheet.field("secret", Role::Plain, secret);
    }
    age(verdict, sheet);
}

fn age(verdict: &Verdict, sheet: &mut Sheet) {
    let Some(age) = verdict.age_seconds else { return };
    let role = if verdict.status == Status::Stale { Role::Warn } else { Role::Plain };
    let past = if age < 0 { "in the future" } else { "old when it came" };
    let limit = match verdict.tolerance_seconds {
        Some(limit) => format!("{limit} s are allowed"),
        None => "the provider's package sets no limit".to_owned(),
    };
    sheet.field("age", role, format!("{} s {past}, {limit}", age.unsigned_abs()));
}

/// What is signed, piece by piece.
fn signed(scheme: &Scheme, length: u64) -> String {
    let words = scheme.content.iter().map(|part| match part {
        Part::Body => format!("the raw body ({})", sizes::bytes(length)),
        Part::Timestamp => "the timestamp".to_owned(),
        Part::Text(text) => format!("`{}`", text.escape_debug()),
        Part::Secret => "the secret".to_owned(),
        Part::Account => "the account of the secret".to_owned(),
        Part::Credentials => "account and secret".to_owned(),
        Part::Method => "the method".to_owned(),
        Part::Url => "the URL".to_owned(),
        Part::At(place) | Part::Maybe { place, .. } => place.to_string(),
        _ => "more (see the docs)".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The header that carries the signature, if one does.
fn header(scheme: &Scheme) -> Option<&'static str> {
    scheme.signature_header()
}
