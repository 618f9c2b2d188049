//! What a trial changes.

use std::borrow::Cow;

use crate::cause::Cause;
use crate::rewrite::dialect::Dialect;
use crate::scheme::Scheme;
use crate::secret::Secret;

/// One thing changed, everything else as received.
pub(super) enum Edit<'a> {
    /// The body, as the pieces it is made of.
    Body(Vec<Cow<'a, [u8]>>),
    /// The body's JSON in another dialect, and what follows it.
    Dialect(Dialect, &'static [u8]),
    /// One secret instead of the provider's.
    Secret(Secret),
    /// One secret, taken as a key without any decoding.
    Key(Secret),
    /// Another way of signing.
    Scheme(Box<Scheme>),
    /// All of the headers.
    Headers(Vec<(Vec<u8>, Vec<u8>)>),
    /// The method.
    Method(&'static [u8]),
    /// The URL.
    Url(String),
}

/// An edit, and what it would mean if it fits.
pub(super) struct Proposal<'a> {
    pub(super) cause: Cause,
    /// The evidence in words.
    pub(super) what: Cow<'static, str>,
    pub(super) edit: Edit<'a>,
}

impl<'a> Proposal<'a> {
    pub(super) fn new(cause: Cause, what: impl Into<Cow<'static, str>>, edit: Edit<'a>) -> Self {
        Self { cause, what: what.into(), edit }
    }

    /// The body as one piece.
    pub(super) fn body(cause: Cause, what: impl Into<Cow<'static, str>>, body: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::new(cause, what, Edit::Body(vec![body.into()]))
    }
}

/// Proposals of one kind, made one by one.
pub(super) type Proposals<'a> = Box<dyn Iterator<Item = Proposal<'a>> + 'a>;
