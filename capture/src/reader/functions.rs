//! The SQL functions that filters are compiled to.

use std::sync::Arc;

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use hookwire_protocol::head::RequestHead;

use crate::{exchange::path_of, pattern::Pattern, sieve};

/// Makes them known to a connection.
pub(super) fn add_to(database: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    // fits(pattern, text …): whether one of the texts fits; null and what is no text does not.
    database.create_scalar_function("fits", -1, flags, |context| {
        let pattern = pattern(context, 0)?;
        Ok((1..context.len()).any(|at| bytes_of(context.get_raw(at)).is_some_and(|text| pattern.fits(text))))
    })?;
    // path_fits(pattern, target)
    database.create_scalar_function("path_fits", 2, flags, |context| {
        let target = bytes_of(context.get_raw(1)).unwrap_or_default();
        Ok(pattern(context, 0)?.fits(path_of(target)))
    })?;
    // header_fits(name, value, head): whether a line of the encoded head has a name and a value that fit.
    database.create_scalar_function("header_fits", 3, flags, |context| {
        let (name, value) = (pattern(context, 0)?, pattern(context, 1)?);
        let head = bytes_of(context.get_raw(2)).unwrap_or_default();
        Ok(RequestHead::lines_of_encoded(head).any(|(key, text)| name.fits(key) && value.fits(text)))
    })?;
    // sieve_passes(pattern, bits): whether a text that fits may be in the row; null: it may.
    database.create_scalar_function("sieve_passes", 2, flags, |context| {
        let hashes = context.get_or_create_aux(0, |encoded| Ok::<_, rusqlite::Error>(decode(encoded).trigrams()))?;
        Ok(bytes_of(context.get_raw(1)).is_none_or(|bits| sieve::passes(bits, &hashes)))
    })
}

/// The pattern of a parameter, decoded once for a whole statement.
fn pattern(context: &Context<'_>, at: i32) -> rusqlite::Result<Arc<Pattern>> {
    context.get_or_create_aux(at, |encoded| Ok::<_, rusqlite::Error>(decode(encoded)))
}

fn decode(encoded: ValueRef<'_>) -> Pattern {
    Pattern::decode(bytes_of(encoded).unwrap_or_default())
}

fn bytes_of(value: ValueRef<'_>) -> Option<&[u8]> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    }
}
