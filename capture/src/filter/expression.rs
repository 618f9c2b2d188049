//! What a filter says.

use std::ops::RangeInclusive;

use crate::pattern::Pattern;

/// What a filter says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// Nothing.
    All,
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Term(Term),
}

/// One question to an exchange.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Status(RangeInclusive<u16>),
    /// In microseconds.
    Duration(RangeInclusive<i64>),
    /// In microseconds; negative for exchanges of the future, which clocks that are set make.
    Age(RangeInclusive<i64>),
    Repeat,
    Late,
    /// A text of the exchange fits.
    Text(Text, Pattern),
    /// A header of the request has a name and a value that fit.
    Header {
        name: Pattern,
        value: Pattern,
    },
    /// One of the bodies fits.
    Body(Pattern),
    /// Any searchable text fits.
    Anywhere(Pattern),
}

/// A text that an exchange has at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Method,
    Path,
    Endpoint,
    Origin,
    Verdict,
    Cause,
    Provider,
    Event,
    Error,
    Note,
}
