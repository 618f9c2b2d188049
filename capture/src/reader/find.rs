//! From what a person types to an id.

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::{StoreError, columns::signed};

/// The fewest characters of an id that are looked for: fewer fit by chance among 100,000 ids.
const FEWEST: usize = 4;

/// Hexadecimal digits of an id.
const DIGITS: usize = 32;

/// How many ids an ambiguous text is answered with.
const SHOWN: u32 = 10;

/// Why an exchange was not found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// There is none.
    #[error("there is no exchange `{0}`")]
    None(String),
    /// It is neither `latest` nor part of an id.
    #[error("`{0}` is no id: it needs `latest`, or at least four of its hexadecimal digits from either end")]
    NotAnId(String),
    /// There are several, of which the newest are named.
    #[error("several exchanges fit: {}", list(.0))]
    Ambiguous(Vec<Uuid>),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(ids: &[Uuid]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

impl From<rusqlite::Error> for FindError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// As [`Reader::find`](super::Reader::find).
pub(super) fn find(database: &Connection, text: &str) -> Result<Uuid, FindError> {
    let text = text.trim();
    if text == "latest" {
        let mut latest = database.prepare_cached("SELECT id FROM exchange ORDER BY row DESC LIMIT 1")?;
        let id: Option<[u8; 16]> = latest.query_row([], |row| row.get(0)).optional()?;
        return id.map(Uuid::from_bytes).ok_or_else(|| FindError::None(text.to_owned()));
    }
    let digits: String = text.chars().filter(|letter| *letter != '-').collect::<String>().to_ascii_uppercase();
    if !(FEWEST..=DIGITS).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(FindError::NotAnId(text.to_owned()));
    }
    let ids = candidates(database, &digits)?;
    match ids.as_slice() {
        [] => Err(FindError::None(text.to_owned())),
        [only] => Ok(*only),
        _ => Err(FindError::Ambiguous(ids)),
    }
}

/// The ids that begin or end with these digits, newest first. The beginning is found by the index of ids, the end by reading all of it.
fn candidates(database: &Connection, digits: &str) -> rusqlite::Result<Vec<Uuid>> {
    let (low, high) = bounds(digits);
    let mut statement = database.prepare_cached(
        "SELECT id FROM exchange WHERE id BETWEEN ?1 AND ?2
         UNION SELECT id FROM exchange WHERE substr(hex(id), -?3) = ?4
         ORDER BY id DESC LIMIT ?5",
    )?;
    let ids = statement
        .query_map((low, high, signed(digits.len() as u64), digits, SHOWN), |row| row.get(0).map(Uuid::from_bytes))?;
    ids.collect()
}

/// The least and the greatest id that begin with these digits.
fn bounds(digits: &str) -> ([u8; 16], [u8; 16]) {
    let fill = |with: char| {
        let padded: String = digits.chars().chain(std::iter::repeat(with)).take(DIGITS).collect();
        u128::from_str_radix(&padded, 16).unwrap_or_default().to_be_bytes()
    };
    (fill('0'), fill('F'))
}
