//! What other programs make of a body when they read it and write it again, byte for byte.
//!
//! JSON is read once into a list of tokens ([`document`]) and written in any [`dialect`] from it, piece by piece and
//! without a number or a value in between: what a dialect does to a token depends on the token's text alone.

pub(crate) mod bytes;
pub(crate) mod dialect;
pub(crate) mod difference;
pub(crate) mod document;
pub(crate) mod form;
pub(crate) mod number;
pub(crate) mod string;
pub(crate) mod write;
