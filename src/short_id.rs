//! Ids as people see them.

use uuid::Uuid;

/// Digits of a short id. Ids of one burst begin alike, as they begin with the time; their last digits are random.
const DIGITS: usize = 8;

/// The end of an id.
pub(crate) fn short(id: Uuid) -> String {
    let digits = id.simple().to_string();
    digits[digits.len() - DIGITS..].to_owned()
}
