//! Reading a store, in this process or another.

mod find;
mod functions;
mod rows;

use std::{fmt, path::Path, time::SystemTime};

use rusqlite::{Connection, InterruptHandle, OptionalExtension as _, Params, params_from_iter};
use uuid::Uuid;

pub use find::FindError;

use crate::{
    Exchange, Filter, Ready, StoreError, Summary,
    columns::{signed, unsigned},
    filter::Compiled,
    store::open_for_reading,
};

/// As [`Reader::taken`], newest first. What this client said in the app's place has a status of 4xx or 5xx.
const TAKEN: &str = "SELECT id, status FROM exchange \
    WHERE endpoint = ?1 AND origin IN ('live', 'held') AND status BETWEEN 200 AND 299 ORDER BY row DESC LIMIT ?2";

/// A read-only connection to a store. It blocks while it reads: use one per thread.
#[derive(Debug)]
pub struct Reader {
    database: Connection,
    /// What [`changed`](Self::changed) saw last.
    version: i64,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the newest exchange.
    Newest,
    /// At the next older one than this row.
    Before(u64),
    /// So that its last, oldest exchange is the next newer one than this row.
    After(u64),
}

/// Stops what a [`Reader`] is reading, from another thread.
pub struct Interrupt(InterruptHandle);

impl Interrupt {
    /// Whatever is being read ends with [`StoreError::Interrupted`]; nothing happens if nothing is.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}

impl Reader {
    /// Opens a store for reading. It must be there, and of the schema that this version knows.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = open_for_reading(path)?;
        functions::add_to(&database)?;
        let version = data_version(&database)?;
        Ok(Self { database, version })
    }

    /// Whether anything was committed by anybody since the last call, or since it was opened. Takes some microseconds.
    pub fn changed(&mut self) -> Result<bool, StoreError> {
        let version = data_version(&self.database)?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }

    /// Where webhooks come in and go, as the latest listener said.
    pub fn ready(&self) -> Result<Option<Ready>, StoreError> {
        let mut statement = self.database.prepare_cached("SELECT json FROM ready")?;
        let json: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
        // What a version with other fields wrote is as good as nothing.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// At most `limit` exchanges that pass the filter, newest first; `now` is the time that ages count back from.
    pub fn page(&self, filter: &Filter, from: From, limit: usize, now: SystemTime) -> Result<Vec<Summary>, StoreError> {
        let mut filter = filter.compile(now);
        let limit = filter.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let (bound, order) = match from {
            From::Newest => (None, "DESC"),
            From::Before(row) => (Some(("<", row)), "DESC"),
            From::After(row) => (Some((">", row)), "ASC"),
        };
        let bound = bound.map(|(sign, row)| format!("{sign} {}", filter.bind(signed(row))));
        let sql =
            format!("SELECT {} {} LIMIT {limit}", rows::SUMMARY, selection(&filter, bound.as_deref(), Some(order)));
        let mut statement = self.database.prepare_cached(&sql)?;
        let page = statement.query_map(params_from_iter(filter.values), rows::summary)?;
        let mut page: Vec<Summary> = page.collect::<Result<_, _>>()?;
        if matches!(from, From::After(_)) {
            page.reverse();
        }
        Ok(page)
    }

    /// How many exchanges pass the filter; `now` is the time that ages count back from. Reads all of them, unless all pass.
    pub fn count(&self, filter: &Filter, now: SystemTime) -> Result<u64, StoreError> {
        let (sql, values) = if filter.is_all() {
            ("SELECT exchanges FROM total".to_owned(), Vec::new())
        } else {
            let filter = filter.compile(now);
            (format!("SELECT count(*) {}", selection(&filter, None, None)), filter.values)
        };
        let count = self.database.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0));
        Ok(unsigned(count?))
    }

    /// The newest exchange of this id, whole.
    pub fn exchange(&self, id: Uuid) -> Result<Option<Exchange>, StoreError> {
        self.whole("e.id = ?1 ORDER BY e.row DESC LIMIT 1", [id.into_bytes()])
    }

    /// The exchange of this row, whole. A webhook that was delivered again has its earlier exchanges only here.
    pub fn exchange_at(&self, row: u64) -> Result<Option<Exchange>, StoreError> {
        self.whole("e.row = ?1", [signed(row)])
    }

    fn whole(&self, condition: &str, values: impl Params) -> Result<Option<Exchange>, StoreError> {
        let sql = format!(
            "SELECT {}, {} FROM exchange e JOIN head ON head.row = e.row LEFT JOIN body ON body.row = e.row WHERE {condition}",
            rows::SUMMARY,
            rows::EXCHANGE
        );
        self.database.prepare_cached(&sql)?.query_row(values, rows::exchange).optional()?.transpose()
    }

    /// What a list shows of the newest exchange of this id.
    pub fn summary(&self, id: Uuid) -> Result<Option<Summary>, StoreError> {
        let sql = format!("SELECT {} FROM exchange e WHERE e.id = ?1 ORDER BY e.row DESC LIMIT 1", rows::SUMMARY);
        Ok(self.database.prepare_cached(&sql)?.query_row([id.into_bytes()], rows::summary).optional()?)
    }

    /// The newest deliveries to this endpoint that the app took, at most `limit`, with the app's status, the oldest of them first.
    ///
    /// Took means 2xx, in time or late. Replays have ids of their own, and settle nothing. A delivery may be there twice.
    pub fn taken(&self, endpoint: &str, limit: usize) -> Result<Vec<(Uuid, u16)>, StoreError> {
        let mut statement = self.database.prepare_cached(TAKEN)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let taken = statement.query_map((endpoint, limit), |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?;
        let mut taken: Vec<_> = taken.collect::<Result<_, _>>()?;
        taken.reverse();
        Ok(taken)
    }

    /// The exchange that a person means: `latest`, or the beginning or end of an id, of at least four characters.
    pub fn find(&self, text: &str) -> Result<Uuid, FindError> {
        find::find(&self.database, text)
    }

    /// A handle for another thread that stops what is being read here: a filter that was typed over.
    pub fn interrupt_handle(&self) -> Interrupt {
        Interrupt(self.database.get_interrupt_handle())
    }
}

/// Changes whenever another connection has committed (<https://sqlite.org/pragma.html#pragma_data_version>).
fn data_version(database: &Connection) -> rusqlite::Result<i64> {
    database.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// From where the rows `e` come that pass the filter, and in which order.
///
/// Where the sieve can tell most rows apart it is read first, in the order asked for, and only what passes it is looked up.
fn selection(filter: &Compiled, bound: Option<&str>, order: Option<&str>) -> String {
    let (tables, row) = match &filter.sieve {
        Some(_) => ("sieve s CROSS JOIN exchange e ON e.row = s.row", "s.row"),
        None => ("exchange e", "e.row"),
    };
    let bound = bound.map_or_else(String::new, |bound| format!(" AND {row} {bound}"));
    let order = order.map_or_else(String::new, |order| format!(" ORDER BY {row} {order}"));
    let sieve = filter.sieve.as_deref().unwrap_or("TRUE");
    format!("FROM {tables} WHERE {sieve}{bound} AND {}{order}", filter.condition)
}
