//! Whether an exchange passes, without a store.

use hookwire_protocol::code::Code;
use hookwire_signatures::{Cause, Provider};

use super::expression::{Expression, Term, Text};
use crate::{CapturedBody, Exchange, columns, pattern::Pattern};

/// What the store knows of an exchange beside the exchange itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// As in [`Summary::repeats`](crate::Summary::repeats).
    pub repeats: u32,
    /// As in [`Summary::note`](crate::Summary::note).
    pub note: Option<&'a str>,
}

impl Expression {
    /// Whether the exchange passes; `now` in microseconds since 1970.
    pub(super) fn holds(&self, exchange: &Exchange, beside: Beside<'_>, now: i64) -> bool {
        match self {
            Self::All => true,
            Self::And(sides) => sides.iter().all(|side| side.holds(exchange, beside, now)),
            Self::Or(sides) => sides.iter().any(|side| side.holds(exchange, beside, now)),
            Self::Not(inner) => !inner.holds(exchange, beside, now),
            Self::Term(term) => term.holds(exchange, beside, now),
        }
    }
}

impl Term {
    fn holds(&self, exchange: &Exchange, beside: Beside<'_>, now: i64) -> bool {
        match self {
            Self::Status(range) => range.contains(&exchange.status()),
            Self::Duration(range) => range.contains(&columns::duration_micros(exchange.duration)),
            Self::Age(range) => range.contains(&now.saturating_sub(columns::micros_of(exchange.received_at))),
            Self::Repeat => beside.repeats > 0,
            Self::Late => exchange.late,
            Self::Text(text, pattern) => text.of(exchange, beside).is_some_and(|text| pattern.fits(text)),
            Self::Header { name, value } => has_header(exchange, name, value),
            Self::Body(pattern) => in_bodies(exchange, pattern),
            Self::Anywhere(pattern) => {
                [Text::Method, Text::Endpoint, Text::Event, Text::Note]
                    .iter()
                    .filter_map(|text| text.of(exchange, beside))
                    .chain([exchange.request.target.as_ref()])
                    .chain(exchange.event.id.as_deref().map(str::as_bytes))
                    .any(|text| pattern.fits(text))
                    || has_header(exchange, &Pattern::any(), pattern)
                    || in_bodies(exchange, pattern)
            }
        }
    }
}

impl Text {
    fn of<'a>(self, exchange: &'a Exchange, beside: Beside<'a>) -> Option<&'a [u8]> {
        let text = match self {
            Self::Method => return Some(exchange.method()),
            Self::Path => return Some(exchange.path()),
            Self::Endpoint => Some(exchange.endpoint.as_ref()),
            Self::Origin => Some(exchange.origin.as_str()),
            Self::Verdict => Some(exchange.verdict.status.as_str()),
            Self::Cause => exchange.verdict.cause.map(Cause::as_str),
            Self::Provider => exchange.event.provider.map(Provider::name),
            Self::Event => exchange.event.name.as_deref(),
            Self::Error => exchange.error.map(Code::as_str),
            Self::Note => beside.note,
        };
        text.map(str::as_bytes)
    }
}

fn has_header(exchange: &Exchange, name: &Pattern, value: &Pattern) -> bool {
    exchange.request.headers.iter().any(|(key, text)| name.fits(key) && value.fits(text))
}

fn in_bodies(exchange: &Exchange, pattern: &Pattern) -> bool {
    let fits = |body: &CapturedBody| pattern.fits(&body.bytes);
    fits(&exchange.request_body) || fits(&exchange.response_body)
}
