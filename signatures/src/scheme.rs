//! The vocabulary of the table: everything that differs from provider to provider, as data.

mod table;

use crate::encoding::Encoding;
use crate::mac::Algorithm;
use crate::provider::Provider;

/// Every scheme that is known. Where two schemes of one provider could fit, the one to prefer comes first.
pub fn schemes() -> &'static [Scheme] {
    table::SCHEMES
}

/// One way of signing: a row of the table, to be checked against the provider's page at [`Scheme::docs`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Scheme {
    /// A stable name, `provider.variant`.
    pub id: &'static str,
    /// Who signs this way.
    pub provider: Provider,
    /// The page where the provider documents it.
    pub docs: &'static str,
    /// How to tell the scheme from its lookalikes.
    pub detection: Detection,
    /// The header that carries the signature, written as the provider writes it.
    pub header: &'static str,
    /// How that header is built.
    pub layout: Layout,
    /// How the signature's bytes are written in it.
    pub encoding: Encoding,
    /// How they are computed.
    pub algorithm: Algorithm,
    /// What is signed, piece by piece.
    pub content: &'static [Part],
    /// How old a request may be; `None` if the provider signs no time.
    pub time: Option<TimeRule>,
    /// Where the event's name and id are.
    pub event: EventRule,
    /// Whether the official package refuses an empty body although its signature is right.
    pub refuses_empty_body: bool,
}

impl Scheme {
    /// The scheme with this id.
    pub fn with_id(id: &str) -> Option<&'static Self> {
        schemes().iter().find(|scheme| scheme.id == id)
    }

    /// The pieces signed before the body.
    pub(crate) fn before_body(&self) -> impl Iterator<Item = Part> {
        self.content.iter().copied().take_while(|part| *part != Part::Body)
    }

    /// The pieces signed after the body.
    pub(crate) fn after_body(&self) -> impl Iterator<Item = Part> {
        self.content.iter().copied().skip_while(|part| *part != Part::Body).skip(1)
    }
}

/// Which headers tell a scheme. The signature's own header is always looked for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Detection {
    /// Headers that must come with the signature.
    pub with: &'static [&'static str],
    /// Headers that must be absent, because a lookalike sends them.
    pub without: &'static [&'static str],
    /// Headers that tell the provider even if the signature is missing.
    pub alone: &'static [&'static str],
}

/// How the signature header is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// A fixed prefix, possibly empty, and one signature: `sha256=…`.
    Prefixed(&'static str),
    /// `key=value` pairs. Every value under `signature` is a candidate, other keys are ignored.
    Pairs {
        /// What stands between the pairs.
        separator: u8,
        /// The key of a signature.
        signature: &'static str,
    },
}

/// A piece of the signed content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The raw body, byte for byte.
    Body,
    /// The timestamp, as it is written in the request.
    Timestamp,
    /// A fixed text.
    Text(&'static str),
}

/// How the age of a request is judged.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimeRule {
    /// Where the timestamp is.
    pub source: TimeSource,
    /// The oldest age that the official package accepts, in seconds; `None` if it does not look.
    pub tolerance_seconds: Option<i64>,
    /// Whether the same limit holds for a timestamp in the future.
    pub limits_future: bool,
}

/// Where a timestamp is; unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeSource {
    /// Under this key among the pairs of the signature header ([`Layout::Pairs`]).
    Pair(&'static str),
}

/// Where an event's name and id are.
#[derive(Debug)]
#[non_exhaustive]
pub struct EventRule {
    /// The parts of the name, joined by a full stop; only the first one is needed.
    pub name: &'static [Place],
    /// The id that stays the same over redeliveries.
    pub id: Place,
}

/// A place in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The value of a header.
    Header(&'static str),
    /// A string under this key of the body's outermost JSON object.
    Json(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_begin_with_the_provider() {
        for (index, scheme) in schemes().iter().enumerate() {
            assert!(scheme.id.starts_with(scheme.provider.name()), "{}", scheme.id);
            assert!(schemes()[..index].iter().all(|other| other.id != scheme.id), "{}", scheme.id);
            assert!(scheme.docs.starts_with("https://"), "{}", scheme.id);
            assert!(Scheme::with_id(scheme.id).is_some_and(|found| found.id == scheme.id));
        }
    }

    /// A row whose content has a timestamp must say where that timestamp is.
    #[test]
    fn every_row_holds_together() {
        for scheme in schemes() {
            let signs_time = scheme.content.contains(&Part::Timestamp);
            assert_eq!(signs_time, scheme.time.is_some(), "{}", scheme.id);
            assert!(scheme.content.contains(&Part::Body), "{}", scheme.id);
            assert!(!scheme.event.name.is_empty(), "{}", scheme.id);
        }
    }
}
