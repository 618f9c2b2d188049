//! What the signature says, and why.

use hookwire_capture::{Exchange, Origin};
use hookwire_signatures::{Cause, Part, Scheme, Status, Verdict};

use super::sheet::Sheet;
use crate::{
    advice,
    delay::{self, Delay},
    line::{Line, Role, Span},
    plain::secret_flag,
    rendered::Content,
    sizes,
};

/// Round trips that are named, each of another language: the most frequent come first, and the rest says little more.
const CAUTIONS: usize = 3;

/// Verdict, scheme, what was signed with what, and what to do about it.
///
/// ```text
/// ✗ invalid Razorpay
///
/// why          the body was parsed and written again after it was signed
/// cause        body-reserialized
/// evidence     with its slashes escaped as `\/`, the body fits; at byte 192 came `/` where `\/` was signed
/// what to do   hand on the raw bytes, never the result of parsing and serialising
///
/// how it is signed
/// scheme       razorpay.webhook
/// ```
pub(super) fn content(exchange: &Exchange) -> Box<dyn Content> {
    let verdict = &exchange.verdict;
    let scheme = verdict.scheme.and_then(Scheme::with_id);
    let mut sheet = Sheet::default();
    sheet.line(vec![mark(verdict)]);
    why(exchange, &mut sheet);
    if let Some(scheme) = scheme {
        sheet.heading("how it is signed");
        described(exchange, scheme, &mut sheet);
    }
    cautions(exchange, &mut sheet);
    sheet.finish()
}

fn cautions(exchange: &Exchange, sheet: &mut Sheet) {
    let cautions = advice::cautions(exchange);
    if cautions.is_empty() {
        return;
    }
    sheet.heading("what would break it in code");
    let mut warn = |text: String| sheet.hang(vec![Span::new(Role::Warn, "! "), Span::new(Role::Plain, text)], 2);
    let mut named = Vec::new();
    for caution in &cautions {
        if named.len() < CAUTIONS && !named.contains(&caution.language) {
            named.push(caution.language);
            warn(caution.to_string());
        }
    }
    match cautions.len() - named.len() {
        0 => {}
        1 => warn("one more usual round trip changes the body".to_owned()),
        more => warn(format!("{more} more usual round trips change the body")),
    }
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
    let delay = Delay::of(exchange);
    if let Some(reason) = delay::reason(verdict, delay) {
        sheet.field("why", Role::Plain, reason);
    }
    if let Some(cause) = verdict.cause {
        sheet.field("cause", Role::Muted, cause.as_str());
        let evidence = exchange.evidence.as_deref();
        if let Some(evidence) = evidence.filter(|_| cause != Cause::NoMatch) {
            sheet.field("evidence", Role::Plain, evidence);
        }
        sheet.field("what to do", Role::Plain, if delay.is_some() { delay::KEY } else { cause.advice() });
        // It has many lines.
        if let Some(tried) = evidence.filter(|_| cause == Cause::NoMatch) {
            sheet.field("evidence", Role::Muted, format!("none; {tried}"));
        }
        return;
    }
    match verdict.status {
        Status::Valid => valid(exchange, sheet),
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

/// Why the app refused a valid request, if it did.
fn valid(exchange: &Exchange, sheet: &mut Sheet) {
    let Some(refusal) = advice::refusal(exchange) else {
        return sheet.text(Role::Plain, "these bytes are what the provider signed");
    };
    sheet.field("app", Role::Warn, refusal.to_string());
    if let Some(framework) = refusal.framework {
        sheet.field("built with", Role::Plain, framework.title());
    }
    sheet.field("what to do", Role::Plain, refusal.advice());
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
    age(exchange, sheet);
}

fn age(exchange: &Exchange, sheet: &mut Sheet) {
    let verdict = &exchange.verdict;
    let Some(age) = verdict.age_seconds else { return };
    let role = if verdict.status == Status::Stale { Role::Warn } else { Role::Plain };
    let past = match exchange.origin {
        _ if age < 0 => "in the future",
        Origin::Held { .. } => "old when it was delivered",
        _ => "old when it came",
    };
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
