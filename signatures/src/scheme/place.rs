//! Where something is in a request.

use std::fmt;

/// A place in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The value of a header.
    Header(&'static str),
    /// The value of the first of these headers that is there.
    AnyHeader(&'static [&'static str]),
    /// The values of all headers with this beginning and a number behind it.
    NumberedHeaders(&'static str),
    /// Under this key among the pairs of the signature ([`Layout::Pairs`](crate::Layout::Pairs)).
    Pair(&'static str),
    /// What comes first in the signature ([`Layout::Stamped`](crate::Layout::Stamped)).
    First,
    /// A form field of the body or, without one, a parameter of the query.
    Field(&'static str),
    /// A parameter of the query.
    Query(&'static str),
    /// A value in the body's JSON: keys joined by full stops, `0` for the first item of an array.
    Json(&'static str),
}

impl Place {
    /// The header at this place; the first of several names.
    pub(crate) fn header(self) -> Option<&'static str> {
        match self {
            Self::Header(name) => Some(name),
            Self::AnyHeader(names) => names.first().copied(),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "the header `{name}`"),
            Self::AnyHeader(names) => write!(formatter, "the header `{}`", names.join("` or `")),
            Self::NumberedHeaders(name) => write!(formatter, "the header `{name}1` and those that follow"),
            Self::Pair(key) => write!(formatter, "`{key}=` in the signature"),
            Self::First => formatter.write_str("the first part of the signature"),
            Self::Field(name) => write!(formatter, "the form field or parameter `{name}`"),
            Self::Query(name) => write!(formatter, "the query parameter `{name}`"),
            Self::Json(path) => write!(formatter, "the JSON value `{path}`"),
        }
    }
}
